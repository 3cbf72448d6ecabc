"""The program: `calendly-mcp`, or `python -m server`."""

import gc
import sys


def main() -> int:
    """Run the command line. Returns the exit status."""
    gc.disable()  # loading makes hundreds of thousands of objects, none of them garbage; `run` enables it again
    try:
        from server.commands.cli import run  # noqa: PLC0415 - so that an interrupt while loading shows no traceback

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 1


if __name__ == "__main__":
    sys.exit(main())
