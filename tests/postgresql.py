"""A PostgreSQL server of the tests' own: in a temporary folder, on loopback, gone at the end."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from pathlib import Path

from typing_extensions import TypedDict

from tests.ports import kept_port

# Nothing here has to outlive the machine.
OPTIONS = "-c fsync=off -c full_page_writes=off -c autovacuum=off -c max_connections=60 -c shared_buffers=32MB"
PROGRAMS = ("initdb", "pg_ctl", "postgres", "psql")
# PostgreSQL refuses to run as root; for root, somebody without rights runs it.
AS_ORDINARY_USER = hasattr(os, "getuid") and os.getuid() == 0
ORDINARY_USER = "nobody"


class Somebody(TypedDict, total=False):
    """The arguments of a subprocess that say who runs it."""

    user: str
    extra_groups: list[str]


AS_SOMEBODY: Somebody = {"user": ORDINARY_USER, "extra_groups": []} if AS_ORDINARY_USER else {}


@cache
def programs() -> Path | None:
    """Find the folder of the newest PostgreSQL: Debian keeps it off the path, others on it."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name), reverse=True)
    on_path = shutil.which("pg_ctl")
    folders = [*debian, *([Path(on_path).resolve().parent] if on_path else [])]
    return next((folder for folder in folders if all(shutil.which(name, path=folder) for name in PROGRAMS)), None)


@dataclass(frozen=True)
class Server:
    """A cluster that can be stopped and started again on the same port."""

    folder: Path
    port: int
    numbers: Iterator[int] = field(default_factory=count)

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"{OPTIONS} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -p {self.port}"
        self._pg_ctl("start", "--log", str(self.folder / "log"), "--options", options)

    def stop(self) -> None:
        """Stop at once, cutting every connection, as a crash would."""
        self._pg_ctl("stop", "--mode", "immediate")

    def new_database(self) -> str:
        """Give the address of an empty database: a schema. They are soon made, a hundred at a time sooner."""
        number = next(self.numbers)
        if number % 100 == 0:
            self._psql("; ".join(f"CREATE SCHEMA tests_{number + further}" for further in range(100)))
        return f"postgresql://tests@127.0.0.1:{self.port}/postgres?search_path=tests_{number}"

    @contextmanager
    def ended_with_us(self) -> Generator[None]:
        """At the end, or when this process dies in whatever way, stop the server and remove its folder."""
        end = 'read _; "$1" --pgdata "$2/data" --mode immediate stop; cd /; rm -rf "$2"'
        folder = programs()
        assert folder is not None
        with subprocess.Popen(
            ["/bin/sh", "-c", end, "sh", folder / "pg_ctl", self.folder],
            stdin=subprocess.PIPE,  # closed when we are gone
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            start_new_session=True,
            **AS_SOMEBODY,
        ):
            yield

    def initialize(self) -> None:
        """Make the cluster, once."""
        settings = ("--username", "tests", "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
        self._run("initdb", "--pgdata", str(self.folder / "data"), *settings)

    def _psql(self, statements: str) -> None:
        where = ("--host", "127.0.0.1", "--port", str(self.port), "--username", "tests", "--dbname", "postgres")
        self._run("psql", "--no-psqlrc", "--quiet", *where, "--command", statements)

    def _pg_ctl(self, *arguments: str) -> None:
        self._run("pg_ctl", "--pgdata", str(self.folder / "data"), "--wait", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        folder = programs()
        assert folder is not None
        with (self.folder / "output").open("ab") as output:
            subprocess.run(
                [folder / program, *arguments],
                cwd=self.folder,
                stdout=output,  # no pipe: the server would hold it open
                stderr=output,
                check=True,
                **AS_SOMEBODY,
            )


@contextmanager
def running_server() -> Generator[Server]:
    """Run a server on a free port. Its folder is not pytest's, which nobody but root may enter when root runs us."""
    with kept_port() as port:
        server = Server(Path(tempfile.mkdtemp(prefix="calendly-mcp-postgresql-")), port)
        if AS_ORDINARY_USER:
            shutil.chown(server.folder, user=ORDINARY_USER)
        with server.ended_with_us():
            server.initialize()
            server.start()
            yield server
