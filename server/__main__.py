"""The program: `calendly-mcp`, or `python -m server`."""

import gc
import sys


def main() -> int:
    """Run the command line. Returns the exit status."""
    gc.disable()  # loading makes hundreds of thousands of objects that all stay; `run` looks for garbage afterwards
    try:
        from server.commands.cli import run  # noqa: PLC0415 - interrupted while loading is interrupted without a traceback

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 1


if __name__ == "__main__":
    sys.exit(main())
