"""Python processes that begin with the product loaded, which takes longer than most of what they do.

One process loads all modules and forks whenever the tests start a program. `warm` gives the words that start one:
those of a small program, which hands its environment and its streams to the fork, passes signals on to it, and ends as
it ends. So it is a process of its own, with pipes, signals and an exit status, in a tenth of the time. Where several
processes share the tests, they share it too (`share`).
"""

import os
import subprocess
import sys
from atexit import register
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

COLD: Final = ("PYTHONIOENCODING", "PYTHONUTF8", "PYTHONPATH")
"""The variables that Python reads when it starts: a program that is told one of them starts anew."""

_HANDLE: Final = Path(__file__).parent / "warm_handle.py"


def warm(measured: str | None = None, settings: Mapping[str, str] | None = None) -> list[str]:
    """Return the words that take the place of `python` before `-m MODULE` or `-c CODE`, and further arguments.

    Args:
        measured: The folder where the process leaves what it covered, None where it is not measured.
        settings: What is added to its environment.
    """
    if sys.platform != "linux" or any(name in (settings or ()) for name in COLD):
        return [sys.executable]
    return [sys.executable, "-I", "-S", str(_HANDLE), _serving(measured)]


def share(measured: str | None) -> None:
    """Start the process that forks for this process and for those that it starts. For the argument see `warm`."""
    if sys.platform == "linux":
        os.environ[_shared(measured)] = _serving(measured)


def _shared(measured: str | None) -> str:
    """Name the variable with the address of a process that forks for several."""
    return "WARM_MEASURED" if measured else "WARM"


@cache
def _serving(measured: str | None) -> str:
    """Start the process that forks; the address of its socket. It ends when its input does, as when we die."""
    if _shared(measured) in os.environ:
        return os.environ[_shared(measured)]
    folder = TemporaryDirectory(prefix="calendly-mcp-warm-")
    address = f"{folder.name}/socket"
    words = [sys.executable, "-m", "tests.warm_server", address, *([measured] if measured else [])]
    process = subprocess.Popen(
        words, cwd=Path(__file__).parents[1], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment()
    )

    def end() -> None:
        process.communicate()
        folder.cleanup()

    register(end)
    assert process.stdout is not None
    assert process.stdout.readline() == b"listening\n"
    return address


def _environment() -> dict[str, str]:
    """Those of slipcover would have it take part in the coverage of the tests."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("CALENDLY_", "SLIPCOVER_"))}
