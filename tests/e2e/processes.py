"""The product as a person starts it: a process of its own, with pipes, signals and an exit status."""

import atexit
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import pytest
from mcp import StdioServerParameters

from server.commands import cli
from tests.warm import warm
from tests.wheels import PROGRAM, ROOMS

SECONDS = 60
"""How long anything here may take before the test is called off."""


_DATA = TemporaryDirectory(prefix="calendly-mcp-tests-")
atexit.register(_DATA.cleanup)

MEASURED: Final = "MEASURED"
"""The variable that names the folder of what processes covered, while a test runs whose processes are measured."""

NOBODY: Final = {"XDG_DATA_HOME": _DATA.name}
"""Where no program finds a sign-in of the person who runs the tests."""


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: that of the tests without settings, and `settings`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CALENDLY_")}
    return {**kept, **NOBODY, **settings}


def command(module: str = "server", settings: Mapping[str, str] | None = None) -> list[str]:
    """How a program is started: from the repository, or the one that the tests are pointed at (tests/wheels.py)."""
    tested = os.environ.get(PROGRAM) if module == "server" else None
    return [tested] if tested else [*warm(os.environ.get(MEASURED), settings), "-m", module]


def parameters(words: Iterable[str], settings: Mapping[str, str]) -> StdioServerParameters:
    """How a client starts the server over stdio."""
    program, *first = command()
    return StdioServerParameters(command=program, args=[*first, *words], env=environment(settings))


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int
    stdout: str
    stderr: str


@dataclass
class Program:
    """A running program."""

    process: subprocess.Popen[str]

    def say(self, message: Mapping[str, Any] | str) -> None:
        """Write a line to its stdin."""
        assert self.process.stdin is not None
        self.process.stdin.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Read a line of its stdout as JSON."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the program has ended: {self.end().stderr}"
        message: dict[str, Any] = json.loads(line)
        return message

    def line(self, beginning: str) -> str:
        """Read its stderr up to the line with this beginning; the rest of that line."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if line.startswith(beginning):
                return line.removeprefix(beginning).strip()
        raise AssertionError(f"the program ended without {beginning!r}")

    def ask_to_stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self) -> Ended:
        """Close its stdin, and wait until it has ended."""
        stdout, stderr = self.process.communicate(timeout=SECONDS)
        return Ended(self.process.returncode, stdout, stderr)


@contextmanager
def started(words: Sequence[str | Path], settings: Mapping[str, str]) -> Generator[Program]:
    """Start any program, with pipes; it is killed when the block is left."""
    process = subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment(settings),
    )
    with process:
        try:
            yield Program(process)
        finally:
            process.kill()


@contextmanager
def program(*words: str, module: str = "server", **settings: str) -> Generator[Program]:
    """Start the program; when the block is left it is asked to stop, and has to."""
    with started([*command(module, settings), *words], settings) as running:
        yield running
        running.process.terminate()
        running.process.wait(SECONDS)


def run_apart(*words: str, stdin: str = "", **settings: str) -> Ended:
    """Run the program to its end, as a process."""
    with program(*words, **settings) as running:
        stdout, stderr = running.process.communicate(stdin, timeout=SECONDS)
        return Ended(running.process.returncode, stdout, stderr)


def run(*words: str, stdin: str = "", **settings: str) -> Ended:
    """Run a command that ends by itself, in this process: to start another takes longer than most commands.

    Where the tests are pointed at another program, that is run.
    """
    if PROGRAM in os.environ:
        return run_apart(*words, stdin=stdin, **settings)
    stdout, stderr = StringIO(), StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        _logging_as_it_is(),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
        ThreadPoolExecutor(1) as thread,  # a command runs an event loop of its own, and the test may be inside one
    ):
        patch.setattr(sys, "stdin", StringIO(stdin))
        for name in os.environ.keys() - environment({}).keys():
            patch.delenv(name)
        for name, value in {**NOBODY, **settings}.items():
            patch.setenv(name, value)
        try:
            status = thread.submit(cli.run, words).result(SECONDS)
        except SystemExit as end:  # so argparse ends --help
            status = end.code if isinstance(end.code, int) else 0
    return Ended(status, stdout.getvalue(), stderr.getvalue())


@contextmanager
def _logging_as_it_is() -> Generator[None]:
    """Undo what a command does to the log of its process."""
    loggers = [logging.getLogger(name) for name in (None, *ROOMS)]
    before = [(logger, logger.handlers, logger.level) for logger in loggers]
    yield
    for logger, handlers, level in before:
        logger.handlers = handlers
        logger.setLevel(level)


def address_in(login: Program) -> str:
    """Read the address that `login` asks its person to open."""
    assert login.process.stdout is not None
    return next(line.strip() for line in login.process.stdout if "http" in line)


def request(method: str, number: int = 1, **params: object) -> dict[str, Any]:
    """Make a JSON-RPC request."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def hello(version: str = "2025-11-25", **capabilities: object) -> dict[str, Any]:
    """Make the request that opens a conversation."""
    client = {"name": "test", "version": "1"}
    return request("initialize", protocolVersion=version, capabilities=capabilities, clientInfo=client)


def greet(server: Program, version: str = "2025-11-25", **capabilities: object) -> dict[str, Any]:
    """Open the conversation; the result of `initialize`."""
    server.say(hello(version, **capabilities))
    result: dict[str, Any] = server.hear()["result"]
    server.say({"jsonrpc": "2.0", "method": "notifications/initialized"})
    return result
