"""The process that loads the product and forks: python -m tests.warm_server SOCKET [FOLDER].

Each fork runs the program that tests/warm_handle.py asks for. With FOLDER it leaves there what it covered.
"""

import atexit
import fcntl
import gc
import json
import marshal
import os
import runpy
import selectors
import signal
import socket
import sys
import warnings
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Final
from uuid import uuid4

import slipcover  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # it has no types

ROOMS: Final = ("auth", "calendly", "events", "sandbox", "server", "storage", "tools")
LATE: Final = ("alembic.command", "sqlalchemy.dialects.postgresql.asyncpg")
"""What the product loads where it needs it first."""

APART: Final = ("server.__main__", "storage.migrations.env")
"""What only runs by itself."""

_SET_SIGNAL: Final = 10
"""F_SETSIG of Linux, which Python does not name."""


def load() -> None:
    """Load the product."""
    for room in ROOMS:
        for module in walk_packages(import_module(room).__path__, f"{room}."):
            if module.name not in APART:
                import_module(module.name)
    for name in LATE:
        import_module(name)


def load_measured(folder: Path) -> None:
    """Load the product so that each fork leaves what it covered in a folder."""
    measuring, rooms = slipcover.Slipcover(branch=True), slipcover.FileMatcher(sources=ROOMS)
    slipcover.ImportManager(measuring, rooms).__enter__()  # for good: forks load what runs by itself
    slipcover.wrap_spec_from_file_location(measuring, rooms)  # the way in which Alembic loads migrations
    load()

    def leave() -> None:
        (folder / f"{uuid4().hex}.json").write_text(json.dumps(measuring.get_coverage()))

    atexit.register(leave)


@dataclass(frozen=True)
class Request:
    """What a handle sent.

    Attributes:
        arguments: Those of Python.
        environ: The environment.
        files: Its stdin, stdout, stderr and folder, and a pipe whose other end it holds.
    """

    arguments: list[str]
    environ: dict[str, str]
    files: list[int]


@dataclass
class Forking:
    """The forks that run.

    Attributes:
        listener: Where handles connect.
        waiting: What is waited for: the end of our input, handles, and the ends of forks.
    """

    listener: socket.socket
    waiting: selectors.BaseSelector = field(default_factory=selectors.DefaultSelector)

    def serve(self) -> Request | None:
        """Fork for each handle. Returns what it asks for in the fork, None where our input has ended."""
        self.waiting.register(0, selectors.EVENT_READ)
        self.waiting.register(self.listener, selectors.EVENT_READ)
        while True:
            for key, _ in self.waiting.select():
                if key.fileobj == 0:
                    return None
                if key.fileobj is not self.listener:
                    self._ended(key)
                elif (request := self._fork()) is not None:
                    return request

    def _fork(self) -> Request | None:
        connection, _ = self.listener.accept()
        told, files, _, _ = socket.recv_fds(connection, 1 << 20, 5)
        if (process := os.fork()) == 0:
            for held in (connection, self.listener, self.waiting):
                held.close()
            arguments, environ = marshal.loads(told)  # noqa: S302 - our own handle wrote it
            return Request(arguments, environ, files)
        for file in files:
            os.close(file)
        with suppress(BrokenPipeError):
            connection.send(b"%d" % process)
        self.waiting.register(os.pidfd_open(process), selectors.EVENT_READ, (process, connection))
        return None

    def _ended(self, key: selectors.SelectorKey) -> None:
        process, connection = key.data
        self.waiting.unregister(key.fd)
        os.close(key.fd)
        status = os.waitpid(process, 0)[1]
        with connection, suppress(BrokenPipeError):  # its handle may have been killed
            connection.send(b"%d" % status)


def become(request: Request) -> None:
    """Take the streams, the folder and the environment of a handle, and end when it does."""
    *streams, folder, held = request.files
    fcntl.fcntl(held, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(held, _SET_SIGNAL, signal.SIGKILL)
    fcntl.fcntl(held, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.fchdir(folder)
    for number, file in enumerate(streams):
        os.dup2(file, number)
    for file in (*streams, folder):
        os.close(file)
    os.environ.clear()
    os.environ.update(request.environ)


def run(words: list[str]) -> None:
    """Do what Python does with its arguments: `-u` or `-W error`, and then `-m MODULE ...` or `-c CODE ...`."""
    flag, word, *rest = words
    if flag == "-u":
        run([word, *rest])
    elif (flag, word) == ("-W", "error"):
        warnings.simplefilter("error")
        run(rest)
    elif flag == "-m":
        sys.argv = [word, *rest]
        runpy.run_module(word, run_name="__main__", alter_sys=True)
    else:
        sys.argv = [flag, *rest]
        exec(compile(word, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102 - as python -c does


class Ending:
    """Ends a fork without taking everything apart that was loaded, which takes longer than most forks live.

    Attributes:
        status: The exit status; None where Python has to print a traceback.
    """

    status: int | None = None

    def run(self, words: list[str]) -> None:
        """Run a program."""
        try:
            run(words)
        except SystemExit as end:
            if not isinstance(end.code, int | None):
                raise
            self.status = end.code or 0
        else:
            self.status = 0

    def at_last(self) -> None:
        """End, after everything else that is done at exit."""
        with suppress(OSError):  # where nobody reads any more, Python says so
            sys.stdout.flush()
            if self.status is not None:
                os._exit(self.status)


def main(address: str, *folder: str) -> None:
    """Load, fork, and be the program in each fork."""
    ending = Ending()
    atexit.register(ending.at_last)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        listener.listen()
        os.write(1, b"listening\n")
        load_measured(Path(*folder)) if folder else load()
        gc.freeze()
        request = Forking(listener).serve()
    if request is None:
        os._exit(0)
    become(request)
    ending.run(request.arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
