"""How fast queued calls are within Calendly's rate limit, and how fairly two agents are served.

In virtual time: the real client and pacer against an upstream that enforces a rate limit on a real
socket. In real time, on request, the product against the sandbox, which takes five minutes.
"""

import asyncio
from collections.abc import Iterator
from http import HTTPStatus
from itertools import islice, product
from time import perf_counter
from typing import Final

import httpx2

from benchmarks.measure import Row, written
from benchmarks.processes import PRODUCT, TOKEN, ServerFailed, listening, stdio
from calendly.endpoint import Endpoint
from calendly.request import Request
from tests.calendly.desk import open_desk
from tests.rate_limited_upstream import WINDOW, RateLimit
from tests.virtual_time import VirtualTimeLoop

CALLS: Final = 300
PER_MINUTE: Final = 60
MAX_WAIT: Final = 600

_LATENCY: Final = 0.1
_EVENTS: Final = Endpoint("GET", "/scheduled_events")


def rows() -> Iterator[Row]:
    """Measure the calls of one agent, then those of two."""
    seconds, _ = _in_virtual_time("one")
    yield _time("in virtual time", seconds)
    _, answered = _in_virtual_time("first", "second")
    half = answered[: CALLS // 2]
    first, second = half.count("first"), half.count("second")
    yield Row(
        what=f"pacing: two agents, whose calls the first {len(half)} answers are",
        ours=str(second),
        floor=str(first),
        figure=min(first, second) / max(first, second),
        must=0.9,
        reach=0.9,
        at_least=True,
    )


def rows_in_real_time() -> Iterator[Row]:
    """Measure the calls through the product, with the sandbox as its Calendly."""
    with listening(PRODUCT, "sandbox", "--port", "0") as (sandbox, _):
        user = _limited(sandbox)
        queries = product(["asc", "desc"], ["active", "canceled"], range(1, 101))
        arguments = [
            {"user": user, "sort": f"start_time:{order}", "status": status, "count": count}
            for order, status, count in islice(queries, CALLS)
        ]
        command = (PRODUCT, "stdio", "--api-url", sandbox, "--max-wait", str(MAX_WAIT))
        with stdio(*command) as server:
            server.open()
            started = perf_counter()
            server.calls("list_scheduled_events", arguments)
            seconds = perf_counter() - started
        statuses = [call["status"] for call in httpx2.get(f"{sandbox}/_sandbox/requests").json()]
    _check(statuses.count(HTTPStatus.TOO_MANY_REQUESTS))
    yield _time("in real time", seconds)


def _check(refused: int) -> None:
    if refused:
        raise ServerFailed(f"{refused} calls were answered 429.")


def _time(where: str, seconds: float) -> Row:
    ideal = WINDOW + (CALLS - PER_MINUTE) * WINDOW / PER_MINUTE
    return Row(
        what=f"pacing: {CALLS} queued reads at {PER_MINUTE} a minute, {where}",
        ours=f"{written(seconds)} s",
        floor=f"{written(ideal)} s",
        figure=seconds / ideal,
        must=1.03,
        reach=1.01,
    )


def _limited(sandbox: str) -> str:
    """Set the rate limit at the start of a window, and return the URI of its user."""
    me = httpx2.get(f"{sandbox}/users/me", headers={"Authorization": f"Bearer {TOKEN}"})
    httpx2.post(f"{sandbox}/_sandbox/reset").raise_for_status()
    httpx2.post(f"{sandbox}/_sandbox/limits", json={"per_minute": PER_MINUTE}).raise_for_status()
    return str(me.json()["resource"]["uri"])


def _in_virtual_time(*agents: str) -> tuple[float, list[str]]:
    """Queue the calls of one agent after those of the other.

    Return the seconds, and the agents in order of answers.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(_queue(agents))


async def _queue(agents: tuple[str, ...]) -> tuple[float, list[str]]:
    limit = RateLimit(PER_MINUTE, latency=_LATENCY, is_aligned=False)
    answered: list[str] = []
    async with open_desk(per_minute=PER_MINUTE, max_wait=MAX_WAIT) as desk:
        desk.upstream.otherwise = limit.step

        async def call(agent: str, number: int) -> None:
            # Each differs, as identical reads would be shared.
            await desk.send(Request(_EVENTS, query={"count": number}), agent=agent, seconds=MAX_WAIT)
            answered.append(agent)

        each = CALLS // len(agents)
        await asyncio.gather(
            *(call(agent, n + place * each) for place, agent in enumerate(agents) for n in range(each))
        )
        seconds = desk.now
    _check(len(limit.refused))
    return seconds, answered
