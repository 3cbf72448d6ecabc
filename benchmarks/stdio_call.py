"""The time of a tool call over stdio, compared with the request it makes."""

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, islice
from statistics import median
from time import perf_counter
from typing import Final

import httpx2

from benchmarks.measure import Row, interleaved, typical
from benchmarks.processes import FLOOR, PRODUCT, TOKEN, UPSTREAM, listening, stdio

ROUNDS: Final = 60
CALLS: Final = 10
"""Calls in a round, whose median is one value."""


def rows() -> Iterator[Row]:
    """Ask one upstream directly and through the product, and call a function that does nothing, in turn."""
    with (
        listening(*UPSTREAM) as (upstream, _),
        stdio(PRODUCT, "stdio", "--api-url", upstream) as ours,
        stdio(*FLOOR, "stdio") as floor,
        asyncio.Runner() as runner,
    ):
        ours.open()
        floor.open()
        numbers = count()
        headers = {"Authorization": f"Bearer {TOKEN}"}
        http = httpx2.AsyncClient(base_url=upstream, headers=headers, trust_env=False)
        times = interleaved(
            ROUNDS,
            lambda: runner.run(_asked(http, numbers)),
            partial(_called, lambda number: ours.call("get_user", {"user": f"U{number}"}), numbers),
            partial(_called, lambda _: floor.call("nothing", {}), numbers),
        )
        runner.run(http.aclose())
    direct = median(times[0])
    added, floors = [value - direct for value in times[1]], times[2]
    yield Row(
        what=f"stdio: a tool call, beyond the {direct * 1000:.2f} ms of its request",
        ours=typical(added, "ms", scale=1000),
        floor=typical(floors, "ms", scale=1000),
        figure=median(added) / median(floors),
        must=1.3,
        reach=1.15,
    )


def _called(call: Callable[[int], object], numbers: Iterator[int]) -> float:
    """Make the calls one after the other. Each has another number, so that no answer is cached."""
    times: list[float] = []
    for number in islice(numbers, CALLS):
        started = perf_counter()
        call(number)
        times.append(perf_counter() - started)
    return median(times)


async def _asked(http: httpx2.AsyncClient, numbers: Iterator[int]) -> float:
    times: list[float] = []
    for number in islice(numbers, CALLS):
        started = perf_counter()
        (await http.get(f"/users/U{number}")).json()
        times.append(perf_counter() - started)
    return median(times)
