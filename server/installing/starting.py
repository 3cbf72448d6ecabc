"""How another program starts this one, so that it still works when its window is opened a month later."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from server.configuration.terminal import DISTRIBUTION, PROGRAM

# Folders in which uv and pipx keep what they run once; either may be gone tomorrow.
_UV_CACHE: Final = ("archive-v", "environments-v", "builds-v")
_PIPX_CACHE: Final = frozenset({".cache", "cache"})


@dataclass(frozen=True, slots=True)
class Start:
    """A command line.

    Attributes:
        command: The program.
        args: Its arguments.
    """

    command: str
    args: tuple[str, ...] = ()

    def with_args(self, *args: str) -> "Start":
        """Return the same with further arguments."""
        return Start(self.command, (*self.args, *args))


PUBLISHED: Final = Start("uvx", (DISTRIBUTION,))
"""How it starts on a machine on which nothing is known but that it has uv."""


def how_to_start(
    prefix: Path, environ: Mapping[str, str], platform: str, which: Callable[[str], str | None], executable: Path
) -> Start:
    """Return how to start this program again, by absolute paths: who opens a window has not the PATH of a shell.

    Args:
        prefix: The environment that it runs in, as `sys.prefix` has it.
        environ: The variables.
        platform: As `sys.platform` names it.
        which: Finds a program on the PATH.
        executable: The interpreter.
    """
    if any(part.startswith(_UV_CACHE) for part in prefix.parts):
        return Start(_beside_uv(environ, platform) or which("uvx") or "uvx", PUBLISHED.args)
    if "pipx" in prefix.parts and _PIPX_CACHE.intersection(prefix.parts) and "venvs" not in prefix.parts:
        return Start(which("pipx") or "pipx", ("run", DISTRIBUTION))
    # Not what a link leads to: a link to the interpreter is what makes an environment out of it.
    script = executable.parent / _program(PROGRAM, platform)
    return Start(str(script)) if script.is_file() else Start(str(executable), ("-m", "server"))


def is_ours(command: str, args: tuple[str, ...]) -> bool:
    """Say whether a command line starts this program, in whatever way it came to the machine."""
    names = {PurePath(word.replace("\\", "/")).name.removesuffix(".exe") for word in (command, *args)}
    return not names.isdisjoint({PROGRAM, DISTRIBUTION}) or args[:2] == ("-m", "server")


def _beside_uv(environ: Mapping[str, str], platform: str) -> str | None:
    """The uvx that belongs to the uv which started us; uv tells its children where it is."""
    named = environ.get("UV", "")
    beside = Path(named).with_name(_program("uvx", platform)) if named else None
    return str(beside) if beside and beside.is_file() else None


def _program(name: str, platform: str) -> str:
    return f"{name}.exe" if platform == "win32" else name
