"""Server processes that a test starts, asks and kills."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import anyio.to_thread

from tests.e2e.processes import SECONDS
from tests.warm import warm

ROOT = Path(__file__).parents[2]


class Process:
    """A process that makes calls when it is told to."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        assert popen.stdin is not None
        assert popen.stdout is not None
        self._popen, self._stdin, self._stdout = popen, popen.stdin, popen.stdout

    async def hear(self) -> str:
        """Wait for its next line, while the sandbox on this loop goes on."""
        return (await anyio.to_thread.run_sync(self._stdout.readline)).rstrip("\n")

    def call(self, moment: datetime, calls: int = 1) -> None:
        """Have it make so many calls at once; the tokens they were given are its next line."""
        self._stdin.write(f"{moment.isoformat()} {calls}\n")
        self._stdin.flush()

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._popen.kill()
        self._popen.wait()


@contextmanager
def process(module: str, *arguments: str) -> Generator[Process]:
    """Run a module of the tests; at the end its input ends, and so has it to."""
    with subprocess.Popen(
        [*warm(), "-W", "error", "-m", f"tests.auth.{module}", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as popen:
        try:
            yield Process(popen)
            popen.communicate(timeout=SECONDS)  # it writes down which lines ran, and is not to be killed meanwhile
        finally:
            popen.kill()
