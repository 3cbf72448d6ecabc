"""How a person types this program here: by its name where the shell knows it, else by its path."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Final

from server.configuration.terminal import DISTRIBUTION, PROGRAM

_OURS: Final = frozenset({PROGRAM, DISTRIBUTION})
_WRITTEN: Final = re.compile(rf"(`(?:[A-Z_]+=\S+ )*){PROGRAM}(?=[ `])")

# Cache folders in which uv and pipx keep what they run once; either may be deleted at any time.
_UV_CACHE: Final = ("archive-v", "environments-v", "builds-v")
_PIPX_CACHE: Final = frozenset({".cache", "cache"})

_IMAGE: Final = PurePath("/opt/calendly-mcp")
_FIRST_PROCESS: Final = 1
_CONTAINER: Final = f"docker run --rm --interactive --tty {DISTRIBUTION}"
"""How a person outside runs the image, under the name that docs/start-hosted.md gives it."""


def runner(prefix: Path) -> tuple[str, ...]:
    """Return the program, and its arguments, that runs us from a cache of its own; nothing for an environment.

    Args:
        prefix: The Python environment, as in `sys.prefix`.
    """
    if any(part.startswith(_UV_CACHE) for part in prefix.parts):
        return ("uvx", DISTRIBUTION)
    if "pipx" in prefix.parts and _PIPX_CACHE.intersection(prefix.parts) and "venvs" not in prefix.parts:
        return ("pipx", "run", DISTRIBUTION)
    return ()


def typed(
    started: str,
    prefix: Path,
    which: Callable[[str], str | None],
    *,
    interpreter: str = sys.executable,
    process: int | None = None,
) -> str:
    """Return how the program is typed.

    Args:
        started: The program as it was started, as in `sys.argv`.
        prefix: The Python environment, as in `sys.prefix`.
        which: Finds a program on the PATH.
        interpreter: The interpreter, as in `sys.executable`.
        process: The number of this process. The first one of our image is read outside of it.
    """
    if words := runner(prefix):
        return shlex.join(words)
    if PurePath(prefix) == _IMAGE and (process or os.getpid()) == _FIRST_PROCESS:
        return _CONTAINER
    name = PurePath(started).name.removesuffix(".exe")
    if PurePath(started).parts[-2:] == ("server", "__main__.py") and which(PROGRAM) is None:
        beside = which(str(PurePath(interpreter).with_name(PROGRAM)))
        return shlex.quote(beside) if beside else shlex.join((interpreter, "-m", "server"))
    if name not in _OURS:
        return PROGRAM
    known = which(name)
    return name if known and Path(known).absolute() == Path(started).absolute() else shlex.quote(started)


def as_typed(text: str, *, anywhere: bool = False) -> str:
    """Spell the commands in a text, which stand in backticks, as they are typed here; variables may stand before them.

    Args:
        text: The text.
        anywhere: Whether they are typed in another folder than this.
    """
    started = sys.argv[0] if sys.argv else ""
    spelled = typed(str(Path(started).absolute()) if anywhere and started else started, Path(sys.prefix), shutil.which)
    return _WRITTEN.sub(lambda found: f"{found[1]}{spelled}", text)
