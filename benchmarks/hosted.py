"""The hosted product: calls per second of agents that signed in, and memory."""

import re
from collections.abc import Generator, Iterator
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
from benchmarks.signed_in import ADDRESS, prepare

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
    with (
        TemporaryDirectory() as folder,
        listening(*UPSTREAM) as (upstream, _),
        _signed_in(Path(folder), upstream) as (ours, process, token),
        listening(*FLOOR, "http", upstream) as (floor, floors_process),
    ):
        numbers = count()
        idle, floors_idle = _memory(process), _memory(floors_process)
        rates, floors_rates = interleaved(
            ROUNDS, partial(_rate, ours, numbers, token), partial(_rate, floor, numbers, token)
        )
    yield Row(
        what=f"hosted: calls per second, {CLIENTS} clients, signed in and recorded",
        ours=typical(rates, "/s"),
        floor=typical(floors_rates, "/s"),
        figure=ratio(rates, floors_rates),
        must=0.5,
        reach=0.8,
        at_least=True,
    )
    if idle is not None and floors_idle is not None:
        yield Row(
            what="hosted: memory before the first call",
            ours=f"{written(idle)} MB",
            floor=f"{written(floors_idle)} MB",
            figure=idle,
            unit=" MB",
            must=120,
            reach=100,
        )


@contextmanager
def _signed_in(folder: Path, upstream: str) -> Generator[tuple[str, int, str]]:
    """Start the product with sign-in.

    Yields its address, its process id, and the token of an agent.
    """
    database, token = prepare(folder)
    words = ("--auth", "oauth", "--public-url", ADDRESS, "--database-url", database, "--api-url", upstream)
    with listening(PRODUCT, "http", "--port", "0", *words) as (address, process):
        yield address, process, token


def _rate(server: str, numbers: Iterator[int], token: str) -> float:
    """Return the calls per second of all clients together."""
    return anyio.run(_load, f"{server}/mcp", numbers, token)


async def _load(url: str, numbers: Iterator[int], token: str) -> float:
    answered = 0
    headers = {**_HEADERS, "Authorization": f"Bearer {token}"}
    limits = httpx2.Limits(max_connections=CLIENTS)
    async with httpx2.AsyncClient(headers=headers, limits=limits, trust_env=False) as http:
        started = perf_counter()

        async def client() -> None:
            nonlocal answered
            while perf_counter() < started + SECONDS:
                await _call(http, url, next(numbers))
                answered += 1

        async with anyio.create_task_group() as clients:
            for _ in range(CLIENTS):
                clients.start_soon(client)
        return answered / (perf_counter() - started)


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
