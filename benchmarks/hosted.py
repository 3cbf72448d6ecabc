"""The hosted product: calls per second of agents that signed in, the processor time of a call, and memory."""

import os
import re
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import anyio
import httpx2

from benchmarks.measure import Row, interleaved, ratio, typical, written
from benchmarks.processes import FLOOR, PRODUCT, REVISION, UPSTREAM, ServerFailed, listening
from benchmarks.signed_in import ADDRESS, KEYS, prepare
from tests.postgresql import programs, running_server

CLIENTS: Final = 32
ROUNDS: Final = 8
SECONDS: Final = 2.0
"""Length of a round."""

_HEADERS: Final = {
    "Accept": "application/json, text/event-stream",
    "Content-Type": "application/json",
    "MCP-Protocol-Version": REVISION,
}


def rows() -> Iterator[Row]:
    """Load the product and the floor in turn. Each call makes one upstream request."""
    with TemporaryDirectory() as folder:
        yield from _on("SQLite", f"sqlite:///{Path(folder, 'database')}")
    if programs() is not None:
        with running_server() as server:
            database = server.new_database()
            yield from _on("PostgreSQL", database)
            yield from _replicas(database)


def _on(kind: str, database: str) -> Iterator[Row]:
    token = prepare(database)
    with (
        listening(*UPSTREAM) as (upstream, _),
        signed_in(database, upstream) as (ours, process),
        listening(*FLOOR, "http", upstream) as (floor, floors_process),
    ):
        numbers = count()
        rates, floors_rates = interleaved(
            ROUNDS, partial(_rate, [ours], numbers, token), partial(_rate, [floor], numbers, token)
        )
        loaded, floors_loaded = _memory(process), _memory(floors_process)
    yield Row(
        what=f"hosted: calls per second, {CLIENTS} clients, on {kind}",
        ours=typical(rates, "/s"),
        floor=typical(floors_rates, "/s"),
        figure=ratio(rates, floors_rates),
        must=0.6,
        reach=0.8,
        at_least=True,
    )
    if loaded is not None and floors_loaded is not None:
        yield Row(
            what=f"hosted: memory after that load, on {kind}",
            ours=f"{written(loaded)} MB",
            floor=f"{written(floors_loaded)} MB",
            figure=loaded,
            unit=" MB",
            must=110,
            reach=95.0,
        )


def _replicas(database: str) -> Iterator[Row]:
    """Compare the processor time of a call in two replicas, of which each has half of the clients, with that in one."""
    if not Path("/proc/self/stat").exists():
        return
    token = prepare(database)
    with (
        listening(*UPSTREAM) as (upstream, _),
        signed_in(database, upstream) as (one, first),
        signed_in(database, upstream) as (other, second),
    ):
        numbers = count()
        both, alone = interleaved(
            ROUNDS,
            partial(_cost, [first, second], partial(_answered, [one, other], numbers, token)),
            partial(_cost, [first], partial(_answered, [one], numbers, token)),
        )
    yield Row(
        what="hosted: processor time of a call, two replicas on PostgreSQL and one",
        ours=typical(both, "ms", scale=1000),
        floor=typical(alone, "ms", scale=1000),
        figure=ratio(both, alone),
        must=1.15,
        reach=1.05,
    )


@contextmanager
def signed_in(database: str, upstream: str, **settings: str) -> Generator[tuple[str, int]]:
    """Start the product on a prepared database; its address and its process id."""
    words = ("--auth", "oauth", "--public-url", ADDRESS, "--database-url", database, "--api-url", upstream)
    with listening(PRODUCT, "http", "--port", "0", *words, CALENDLY_MCP_SECRET_KEYS=KEYS, **settings) as (
        address,
        process,
    ):
        yield address, process


def _cost(processes: list[int], load: Callable[[], int]) -> float:
    """Return the processor time of a call, in seconds."""
    before = sum(map(_processor_time, processes))
    answered = load()
    return (sum(map(_processor_time, processes)) - before) / answered


def _processor_time(process: int) -> float:
    """Return the seconds for which a process has run, in user mode and in the kernel (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rate(servers: list[str], numbers: Iterator[int], token: str) -> float:
    """Return the calls per second of all clients together."""
    started = perf_counter()
    return _answered(servers, numbers, token) / (perf_counter() - started)


def _answered(servers: list[str], numbers: Iterator[int], token: str) -> int:
    """Let all clients call for a round, on the servers in turn; the number of calls that were answered."""
    return anyio.run(answered, [f"{server}/mcp" for server in servers], numbers, token)


async def answered(
    urls: Sequence[str], numbers: Iterator[int], token: str, *, clients: int = CLIENTS, seconds: float = SECONDS
) -> int:
    """Let clients call for so many seconds, on the servers in turn; the number of calls that were answered.

    Raises ServerFailed.
    """
    calls = 0
    headers = {**_HEADERS, "Authorization": f"Bearer {token}"}
    limits = httpx2.Limits(max_connections=clients)
    async with httpx2.AsyncClient(headers=headers, limits=limits, trust_env=False) as http:
        started = perf_counter()

        async def client(url: str) -> None:
            nonlocal calls
            while perf_counter() < started + seconds:
                await _call(http, url, next(numbers))
                calls += 1

        async with anyio.create_task_group() as group:
            for number in range(clients):
                group.start_soon(client, urls[number % len(urls)])
        return calls


async def _call(http: httpx2.AsyncClient, url: str, number: int) -> None:
    """Call a tool that reads. Each call names another user, as identical reads would be shared."""
    params = {"name": "get_user", "arguments": {"user": f"U{number}"}}
    answer = await http.post(url, json={"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
    if not answer.is_success or '"isError":true' in answer.text or "Maya" not in answer.text:
        raise ServerFailed(f"{answer.status_code}: {answer.text}")


def _memory(process: int) -> float | None:
    """Return the resident memory of a process in MB of 1024 kB, None where there is no /proc."""
    status = Path(f"/proc/{process}/status")
    found = re.search(r"VmRSS:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) / 1024 if found else None
