"""Where the console scripts begin: the one module whose name is ours alone.

The packages have plain names, which other folders on Python's path may have too (PYTHONPATH, or another
distribution). Ours are the ones beside this file.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

_HERE: Final = str(Path(__file__).resolve().parent)
_ROOMS: Final = frozenset({"auth", "calendly", "events", "sandbox", "server", "storage", "tools"})


class _Rooms:
    """Finds our packages in our own folder, before any other path is searched."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find a package of ours; nothing for any other module (`importlib.abc.MetaPathFinder`)."""
        return PathFinder.find_spec(name, [_HERE], target) if path is None and name in _ROOMS else None


def main() -> int:
    """Run the command line. Returns the exit status."""
    sys.meta_path.insert(0, _Rooms)
    try:
        from server.__main__ import main as run  # noqa: PLC0415 - after its packages can be found
    except ImportError as fault:
        return _not_ours(fault)
    return run()


def _not_ours(fault: ImportError) -> int:
    """Say that what is beside this file is not what belongs there: another distribution wrote over it."""
    sys.stderr.write(
        f"calendly-mcp: {_HERE} does not hold this program whole ({fault}). Another package may have folders of the "
        "same names: install calendly-mcp-server into an environment of its own.\n"
    )
    return 1
