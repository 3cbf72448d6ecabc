"""The program: `calendly-mcp`, or `python -m server`."""

import gc
import sys


def main() -> int:
    """Run the command line. Returns the exit status."""
    # Loading makes a few hundred thousand objects that all stay: looking among them for garbage, again and again,
    # would be a tenth of the start.
    gc.disable()
    try:
        from server.cli import run  # noqa: PLC0415 - interrupted while loading is interrupted without a traceback

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 1


if __name__ == "__main__":
    sys.exit(main())
