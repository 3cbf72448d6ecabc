"""The command line with which a client starts this program, made so that it still works a month later."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from server.configuration.hints import runner
from server.configuration.settings import SETTINGS, Settings
from server.configuration.terminal import DISTRIBUTION, PROGRAM

_SWITCHES: Final = frozenset(
    setting.flag for name, setting in SETTINGS.items() if Settings.model_fields[name].annotation is bool
)


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
        """Return the command line with further arguments."""
        return Start(self.command, (*self.args, *args))


PUBLISHED: Final = Start("uvx", (DISTRIBUTION,))
"""The command line on any machine that has uv."""


def how_to_start(
    prefix: Path, environ: Mapping[str, str], platform: str, which: Callable[[str], str | None], executable: Path
) -> Start:
    """Return the command line that starts this program again, with absolute paths: a window has no shell's PATH.

    Args:
        prefix: The Python environment, as in `sys.prefix`.
        environ: The environment variables.
        platform: The platform, as in `sys.platform`.
        which: Finds a program on the PATH.
        executable: The interpreter.
    """
    if words := runner(prefix):
        program, *args = words
        beside = _beside_uv(environ, platform) if program == "uvx" else None
        return Start(beside or which(program) or program, tuple(args))
    # The link is not followed: a link to the interpreter is what makes a folder a Python
    # environment.
    script = executable.parent / _program(PROGRAM, platform)
    return Start(str(script)) if script.is_file() else Start(str(executable), ("-m", "server"))


def is_ours(command: str, args: Sequence[str]) -> bool:
    """Say whether a command line starts this program, however it was installed."""
    return any(map(_is_program, (command, *args))) or tuple(args[:2]) == ("-m", "server")


def own_words(command: str, args: Sequence[str]) -> tuple[str, ...]:
    """Return the arguments of this program in a command line that starts it; nothing if it does not."""
    if _is_program(command):
        return tuple(args)
    if tuple(args[:2]) == ("-m", "server"):
        return tuple(args[2:])
    return tuple(args[next((at for at, word in enumerate(args, 1) if _is_program(word)), len(args)) :])


def flags_in(words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Divide words into flags, each with its value; a word by itself is one too."""
    found: dict[str, tuple[str, ...]] = {}
    at = 0
    while at < len(words):
        name, equals, _ = words[at].partition("=")
        size = 2 if name.startswith("--") and not equals and name not in _SWITCHES and at + 1 < len(words) else 1
        found[name] = tuple(words[at : at + size])
        at += size
    return found


def _is_program(word: str) -> bool:
    return PurePath(word.replace("\\", "/")).name.removesuffix(".exe") in {PROGRAM, DISTRIBUTION}


def _beside_uv(environ: Mapping[str, str], platform: str) -> str | None:
    """Return the uvx beside the uv that started us; uv sets `UV` for its children."""
    named = environ.get("UV", "")
    beside = Path(named).with_name(_program("uvx", platform)) if named else None
    return str(beside) if beside and beside.is_file() else None


def _program(name: str, platform: str) -> str:
    return f"{name}.exe" if platform == "win32" else name
