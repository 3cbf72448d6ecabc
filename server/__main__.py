"""The program: `calendly-mcp`, or `python -m server`."""

import gc
import sys


def main() -> int:
    """Run the command line. Returns the exit status."""
    try:
        _load_little()
        from server.commands.cli import run  # noqa: PLC0415 - so that an interrupt while loading shows no traceback

        return run(sys.argv[1:])
    except KeyboardInterrupt:
        return 1


def _load_little() -> None:
    """Leave out of loading, for which a client waits, what is not needed until later or not at all.

    Loading makes hundreds of thousands of objects, none of them garbage: `run` enables the collector
    again. The SDK declares about 600 models, of which a session uses a few: pydantic makes the
    validators of each at its first use.
    """
    gc.disable()
    from pydantic import BaseModel, ConfigDict  # noqa: PLC0415 - so that an interrupt shows no traceback

    BaseModel.model_config = ConfigDict(defer_build=True)


if __name__ == "__main__":
    sys.exit(main())
