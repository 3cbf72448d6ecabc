"""Starts the servers that are measured, each as a process of its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from time import sleep
from typing import IO, Any, Final, cast

FLOOR: Final = (sys.executable, str(Path(__file__).with_name("floor.py")))
UPSTREAM: Final = (sys.executable, "-m", "benchmarks.upstream")
PRODUCT: Final = str(Path(sys.executable).with_name("calendly-mcp"))

TOKEN: Final = "sandbox-pat-owner"  # noqa: S105 - the sandbox's owner; other upstreams here take any token
"""The arguments of the product. Of the environment only the token reaches it."""

REVISION: Final = "2025-11-25"
"""The revision of MCP that most clients speak."""

_READY: Final = re.compile(rb"^ready: (http://[^/\s]+)", re.MULTILINE)
_LONGEST_GREETING: Final = 65_536
_PAUSE: Final = 0.02
_PATIENCE: Final = 20.0
"""Seconds after which a process that does not end is killed."""


class ServerFailed(Exception):
    """A server ended or answered with an error, so there is no figure."""


class Stdio:
    """A minimal MCP client of a server on stdin and stdout, which costs next to nothing."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self._process = process
        self._requests = 0

    def open(self) -> None:
        """Do the handshake."""
        self.request(
            "initialize",
            {"protocolVersion": REVISION, "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "0"}},
        )
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def request(self, method: str, params: Mapping[str, object]) -> dict[str, Any]:
        """Send a request and return its result. Raises ServerFailed if there is none."""
        [result] = self.requests(method, [params])
        return result

    def requests(self, method: str, params: Iterable[Mapping[str, object]]) -> list[dict[str, Any]]:
        """Send many requests at once and return all results in the order they come.

        Raises ServerFailed.
        """
        first = self._requests
        for one in params:
            self._requests += 1
            self._send({"jsonrpc": "2.0", "id": self._requests, "method": method, "params": one})
        return [self._result() for _ in range(self._requests - first)]

    def call(self, tool: str, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Call a tool and return its result. Raises ServerFailed if it is an error."""
        return _good(self.request("tools/call", {"name": tool, "arguments": arguments}))

    def calls(self, tool: str, arguments: Iterable[Mapping[str, object]]) -> list[dict[str, Any]]:
        """Call a tool many times at once and wait for all results.

        Raises ServerFailed if one is an error.
        """
        params = [{"name": tool, "arguments": one} for one in arguments]
        return [_good(result) for result in self.requests("tools/call", params)]

    def _send(self, message: Mapping[str, object]) -> None:
        stdin = cast("IO[bytes]", self._process.stdin)
        stdin.write(json.dumps(message).encode() + b"\n")
        stdin.flush()

    def _result(self) -> dict[str, Any]:
        while text := cast("IO[bytes]", self._process.stdout).readline():
            message: dict[str, Any] = json.loads(text)
            if "result" in message:
                result: dict[str, Any] = message["result"]
                return result
            if "error" in message:
                raise ServerFailed(str(message["error"]))
        raise ServerFailed("The server ended without an answer.")


def _good(result: dict[str, Any]) -> dict[str, Any]:
    if result.get("isError"):
        raise ServerFailed(result["content"][0]["text"])
    return result


@contextmanager
def stdio(*command: str) -> Generator[Stdio]:
    """Start a server on stdin and stdout. Leaving the block ends its input and waits for it."""
    with _started(command, {}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as one:
        yield Stdio(one)
        cast("IO[bytes]", one.stdin).close()
        one.wait(_PATIENCE)


@contextmanager
def listening(*command: str, **settings: str) -> Generator[tuple[str, int]]:
    """Start a server on a socket. Yields the address at which it is ready, and its process id."""
    with (
        TemporaryFile() as log,
        _started(
            command, settings, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log.fileno()
        ) as process,
    ):
        yield _address(process, log.fileno()), process.pid


def _address(process: "subprocess.Popen[bytes]", log: int) -> str:
    """Wait for the line with the server's address. Raises ServerFailed if it ends before."""
    while process.poll() is None:
        if found := _READY.search(os.pread(log, _LONGEST_GREETING, 0)):
            return found[1].decode()
        sleep(_PAUSE)
    raise ServerFailed(os.pread(log, _LONGEST_GREETING, 0).decode())


@contextmanager
def _started(
    command: tuple[str, ...], settings: Mapping[str, str], *, stdin: int, stdout: int, stderr: int
) -> Generator["subprocess.Popen[bytes]"]:
    """Run a process until the block ends."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CALENDLY_")}
    if "oauth" not in command:  # an endpoint with sign-in has no token of its own
        environment["CALENDLY_ACCESS_TOKEN"] = TOKEN
    with (
        TemporaryDirectory() as folder,
        subprocess.Popen(  # noqa: S603 - ours
            command, env={**environment, **settings, "XDG_DATA_HOME": folder}, stdin=stdin, stdout=stdout, stderr=stderr
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
