"""MCP over stdin and stdout, line by line, without losing a call at the end.

The SDK's own transport cancels the calls in flight when stdin ends, cannot stop while a read of
stdin is pending, drops a line that it cannot parse in silence, and takes any first request for the
choice of a revision. Here the end of input and a signal both stop only the reading: every message
received is answered first, and requests to a client that is gone get an error in its place. A
client that only asked what there is (`server/discover`) has chosen nothing: it may still open the
conversation with `initialize`.
"""

import asyncio
import os
import select
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from math import inf
from typing import Any, Final

import anyio
import anyio.to_thread
import mcp_types as types
from anyio.abc import ObjectReceiveStream, ObjectSendStream
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.server.lowlevel import Server
from mcp.shared.message import SessionMessage
from typing_extensions import override

from server.transports.messages import Rejected, revision_of, understood, unknown_revision
from server.transports.signals import on_termination

STDIN: Final = 0
_STDOUT, _STDERR = 1, 2
_CHUNK: Final = 65536
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


async def serve_stdio(server: Server[Any], *, after_list: Callable[[], None]) -> None:
    """Serve one client until its input ends or a signal asks to stop, then answer what was received.

    Args:
        server: The MCP server.
        after_list: Called after each list of tools is sent, so that its work does not delay the
            first list.
    """
    lines_in, lines = anyio.create_memory_object_stream[bytes](inf)
    with _claimed_stdout() as stdout, on_termination(lines_in.close):
        async with anyio.create_task_group() as tasks:
            wire: _Wire = _Wire(
                lines,
                _Output(stdout),
                after_list,
                lambda request: tasks.start_soon(_discover, server, wire, request),
            )
            with reading(STDIN, lines_in):
                await server.run(wire, wire, server.create_initialization_options())


async def _discover(server: Server[Any], wire: "_Wire", request: types.JSONRPCRequest) -> None:
    """Answer one request in a conversation of its own, so that it opens no other."""
    into, inbox = anyio.create_memory_object_stream[SessionMessage | Exception](1)
    outbox, out = anyio.create_memory_object_stream[SessionMessage](1)
    async with into, out, anyio.create_task_group() as tasks:
        tasks.start_soon(server.run, inbox, outbox, server.create_initialization_options())
        await into.send(SessionMessage(request))
        await wire.send(await out.receive())
        tasks.cancel_scope.cancel()


class _Wire(ObjectReceiveStream[SessionMessage | Exception], ObjectSendStream[SessionMessage]):
    """Both directions of the conversation, and the requests of either side that have no answer yet.

    The server takes each message straight from the lines and writes each of its own straight to the
    output: a task and a queue between them cost a call as much as the look-up of its tool.
    """

    def __init__(
        self,
        lines: MemoryObjectReceiveStream[bytes],
        output: "_Output",
        after_list: Callable[[], None],
        discover: Callable[[types.JSONRPCRequest], object],
    ) -> None:
        self._lines = lines
        self._output = output
        self._after_list = after_list
        self._discover = discover
        self._is_open = False
        self._lists: set[str] = set()
        self._owed_to_client: set[str] = set()
        self._owed_to_us: set[types.RequestId | None] = set()
        self._input_ended = False
        self._in_its_place: deque[SessionMessage] = deque()
        self._sent = asyncio.Event()

    @override
    async def receive(self) -> SessionMessage | Exception:
        """Return the next message for the server. At the end of input, wait until all requests are answered.

        Raises:
            EndOfStream: All are.
        """
        while not self._input_ended:
            try:
                line = await self._line()
            except (anyio.EndOfStream, anyio.ClosedResourceError):
                self._end_input()
            else:
                message = await self._understood(line)
                if message is not None:
                    return SessionMessage(message)
        while not self._in_its_place:
            if not self._owed_to_client:
                raise anyio.EndOfStream
            self._sent.clear()
            await self._sent.wait()
        return self._in_its_place.popleft()

    @override
    async def send(self, item: SessionMessage) -> None:
        """Write a message of the server."""
        await self._write(item.message)
        self._note_sent(item.message)

    @override
    async def aclose(self) -> None:
        """Take no further line."""
        self._lines.close()

    async def _line(self) -> bytes:
        """Return the next line. Raises EndOfStream and ClosedResourceError."""
        try:
            return self._lines.receive_nowait()
        except anyio.WouldBlock:
            return await self._lines.receive()

    async def _understood(self, line: bytes) -> types.JSONRPCMessage | None:
        """Return the message of a line for the server; None where it is answered otherwise."""
        message = understood(line)
        if not isinstance(message, Rejected) and (revision := revision_of(message)) is not None:
            message = unknown_revision(revision, getattr(message, "id", None)) or message
        if isinstance(message, Rejected):
            await self._write(message.answer)
            return None
        self._note_received(message)
        if isinstance(message, types.JSONRPCRequest):
            if message.method == "server/discover" and not self._is_open:
                self._discover(message)
                return None
            self._is_open = True
        return message

    def _end_input(self) -> None:
        self._input_ended = True
        for request in tuple(self._owed_to_us):
            self._answer_for_the_client(request)

    def _note_received(self, message: types.JSONRPCMessage) -> None:
        if isinstance(message, types.JSONRPCRequest):
            self._owed_to_client.add(str(message.id))
            if message.method == "tools/list":
                self._lists.add(str(message.id))
        elif isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            self._owed_to_us.discard(message.id)
        elif message.method == "notifications/cancelled":  # a cancelled request gets no answer
            self._owed_to_client.discard(str((message.params or {}).get("requestId")))

    def _note_sent(self, message: types.JSONRPCMessage) -> None:
        if isinstance(message, types.JSONRPCRequest):
            self._owed_to_us.add(message.id)
            if self._input_ended:
                self._answer_for_the_client(message.id)
        elif isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            self._owed_to_client.discard(str(message.id))
            if str(message.id) in self._lists:
                self._lists.discard(str(message.id))
                self._after_list()
        self._sent.set()

    def _answer_for_the_client(self, request: types.RequestId | None) -> None:
        gone = types.ErrorData(code=types.CONNECTION_CLOSED, message="The client has gone.")
        self._in_its_place.append(SessionMessage(types.JSONRPCError(jsonrpc="2.0", id=request, error=gone)))

    async def _write(self, message: types.JSONRPCMessage) -> None:
        await self._output.write(message.model_dump_json(by_alias=True, exclude_unset=True).encode() + b"\n")


class _Output:
    """Writes whole lines to a file descriptor: on the event loop where that cannot block it, else in a thread."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._turn = asyncio.Lock()
        self._readiness = select.poll() if hasattr(select, "poll") else None
        if self._readiness is not None:
            self._readiness.register(target, select.POLLOUT)

    async def write(self, line: bytes) -> None:
        """Write a line. Does nothing where the client reads no more: the end of input follows."""
        async with self._turn:
            with suppress(OSError):
                if self._takes_at_once(len(line)):
                    _write_all(self._target, line)
                else:
                    await anyio.to_thread.run_sync(_write_all, self._target, line)

    def _takes_at_once(self, size: int) -> bool:
        """Say whether a write cannot block: so POSIX promises of a pipe that is ready, up to PIPE_BUF bytes."""
        return self._readiness is not None and size <= select.PIPE_BUF and bool(self._readiness.poll(0))


@contextmanager
def reading(source: int, lines: MemoryObjectSendStream[bytes]) -> Generator[None]:
    """Send the lines of a file descriptor to a stream until it ends, or the block is left.

    It is read on the event loop where that can wait for it, else in a thread.
    """
    loop, splitter = asyncio.get_running_loop(), _LineSplitter(source, lines)

    def take() -> None:
        if not splitter.take(splitter.read()):
            loop.remove_reader(source)

    try:
        loop.add_reader(source, take)
    except (RuntimeError, OSError):  # Windows knows no readers; a file, or a descriptor that is closed
        _read_in_thread(loop, splitter)
        yield
        return
    try:
        yield
    finally:
        loop.remove_reader(source)


def _read_in_thread(loop: asyncio.AbstractEventLoop, splitter: "_LineSplitter") -> None:
    """Read in a thread.

    It is a daemon, since nothing ends a pending read. It reads the descriptor itself: a daemon thread that holds the
    lock of a buffered reader crashes the interpreter at shutdown.
    """

    def read() -> None:
        chunk = b"\n"
        while chunk:
            chunk = splitter.read()
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(splitter.take, chunk)

    threading.Thread(target=read, name="stdin", daemon=True).start()


class _LineSplitter:
    """Reads a file descriptor and sends its lines, without line ends, empty ones and the mark of a text file."""

    def __init__(self, source: int, lines: MemoryObjectSendStream[bytes]) -> None:
        self._source = source
        self._lines = lines
        self._begun: list[bytes] = []
        self._mark = _BYTE_ORDER_MARK

    def read(self) -> bytes:
        """Read the bytes that are there; none at the end, or if the descriptor is closed or never was open."""
        try:
            return os.read(self._source, _CHUNK)
        except OSError:
            return b""

    def take(self, chunk: bytes) -> bool:
        """Send the lines that a chunk completes. Returns whether more may come."""
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):  # we are stopping
            first, *others = (chunk or b"\n").split(b"\n")
            self._begun.append(first)
            for other in others:
                if line := b"".join(self._begun).removeprefix(self._mark).strip():
                    self._lines.send_nowait(line)
                self._mark = b""
                self._begun = [other]
            if not chunk:
                self._lines.close()
        return bool(chunk)


@contextmanager
def _claimed_stdout() -> Generator[int]:
    """Yield a descriptor of stdout for the messages alone; meanwhile stdout itself leads to stderr."""
    private = os.dup(_STDOUT)
    try:
        os.dup2(_STDERR, _STDOUT)
        yield private
    finally:
        os.dup2(private, _STDOUT)
        os.close(private)


def _write_all(target: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(target, view) :]
