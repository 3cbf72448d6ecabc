"""So many bookings a day: exact for calls at once, given back only when certainly nothing was booked."""

from collections.abc import AsyncGenerator
from typing import Any

import anyio
import pytest

from tests.hostile_upstream import HostileUpstream, answer
from tests.server.desk import call, connected
from tests.virtual_time import VIRTUAL_TIME, Backend

BOOK = "create_event_invitee"
BOOKING: dict[str, Any] = {
    "event_type": "https://api.calendly.com/event_types/E1",
    "start_time": "2026-12-05T10:00:00Z",
    "invitee": {"name": "Lee", "email": "lee@acme.example", "timezone": "Europe/London"},
}
BOOKED = answer(201, {"resource": {"uri": "https://api.calendly.com/scheduled_events/E9/invitees/I1"}})


@pytest.fixture(scope="module")
def anyio_backend() -> Backend:
    return VIRTUAL_TIME


@pytest.fixture
async def upstream() -> AsyncGenerator[HostileUpstream]:
    async with HostileUpstream.listen() as upstream:
        upstream.otherwise = BOOKED
        yield upstream


def sent(upstream: HostileUpstream) -> int:
    return sum(request.method == "POST" for request in upstream.requests)


async def kinds(upstream: HostileUpstream, times: int, **more: object) -> list[str]:
    """Book so often in a row under a limit of one a day; how it went."""
    async with connected(upstream, access="booking=full:per_day=1", max_wait="0") as client:
        return [(await call(client, BOOK, **BOOKING, **more)).kind for _ in range(times)]


async def test_of_calls_at_once_exactly_so_many_are_sent(upstream: HostileUpstream) -> None:
    async with connected(upstream, access="booking=full:per_day=2", booking_limits="none") as client:
        outcomes: list[str] = []

        async def book() -> None:
            outcomes.append((await call(client, BOOK, **BOOKING)).kind)

        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(book)
    assert sorted(outcomes) == ["access_denied_by_policy"] * 4 + ["answered"] * 2
    assert sent(upstream) == 2


async def test_a_repeat_under_an_idempotency_key_takes_nothing(upstream: HostileUpstream) -> None:
    assert await kinds(upstream, 2, idempotency_key="k") == ["answered", "answered"]
    assert sent(upstream) == 1


async def test_what_calendly_refuses_is_given_back(upstream: HostileUpstream) -> None:
    upstream.will_to_writes(answer(400, {"title": "Invalid Argument"}), answer(403, {"title": "Permission Denied"}))
    assert await kinds(upstream, 4) == ["invalid_argument", "permission_denied", "answered", "access_denied_by_policy"]


async def test_what_never_reached_calendly_is_given_back(upstream: HostileUpstream) -> None:
    gone = HostileUpstream("http://127.0.0.1:9")
    assert await kinds(gone, 2) == ["upstream_unreachable", "upstream_unreachable"]
    assert await kinds(upstream, 1) == ["answered"]


async def test_what_may_have_been_booked_counts(upstream: HostileUpstream) -> None:
    upstream.will_to_writes(answer(500, b""))
    upstream.otherwise = answer(404, {})
    assert await kinds(upstream, 2) == ["outcome_unknown", "access_denied_by_policy"]
    assert sent(upstream) == 1


async def test_the_smaller_of_two_limits_a_minute_and_a_day_is_told_apart(upstream: HostileUpstream) -> None:
    async with connected(upstream, access="booking=full:per_day=5", booking_limits="1/h", max_wait="0") as client:
        first, second = [await call(client, BOOK, **BOOKING) for _ in range(2)]
    assert (first.kind, second.kind) == ("answered", "rate_limited")
