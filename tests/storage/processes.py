"""A second process at work on the same database: what it prints tells how far it is, what it reads lets it go on."""

import subprocess
import textwrap
from collections.abc import Generator
from contextlib import contextmanager

from tests.e2e.processes import SECONDS
from tests.warm import warm

PREAMBLE = """
import asyncio, datetime, sys
from sqlalchemy import Column, Integer, LargeBinary, MetaData, Table, Text, insert, select, update
from storage.database import open_database
from storage.keys import KeyRing
from storage.rotation import rotate
from storage.schema import migrate
from storage.types import Sealed
from storage.unlock import unlock

NOW = datetime.datetime(2026, 12, 1, tzinfo=datetime.UTC)

def tell(*words):
    print(*words, flush=True)

def wait():
    sys.stdin.readline()

async def main(*arguments):
"""


class Process:
    """One Python process that runs a test's own lines."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        assert popen.stdin is not None
        assert popen.stdout is not None
        self._popen, self._stdin, self._stdout = popen, popen.stdin, popen.stdout

    def hear(self) -> str:
        """Wait for its next line; empty when it ended."""
        return self._stdout.readline().rstrip("\n")

    def go_on(self) -> None:
        """Let it pass one `wait()`."""
        self._stdin.write("\n")
        self._stdin.flush()

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._popen.kill()
        self._popen.wait()


@contextmanager
def process(lines: str, *arguments: str) -> Generator[Process]:
    """Start a process with `lines` as its body; at the end its input ends, and so has it to."""
    program = f"{PREAMBLE}{textwrap.indent(textwrap.dedent(lines), ' ' * 4)}\nasyncio.run(main(*sys.argv[1:]))\n"
    with subprocess.Popen(
        [*warm(), "-W", "error", "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as popen:
        try:
            yield Process(popen)
            popen.communicate(timeout=SECONDS)  # it writes down which lines ran, and is not to be killed meanwhile
        finally:
            popen.kill()
