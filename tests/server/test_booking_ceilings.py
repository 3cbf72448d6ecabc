"""Ceilings of bookings are known before anything is looked into, anybody asked, or a confirmation spent."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from tests.hostile_upstream import HostileUpstream, answer
from tests.server.desk import Era, Person, call, connected, me
from tests.virtual_time import VIRTUAL_TIME, Backend

BOOK = "create_event_invitee"
CEILING = "Bookings have a ceiling of 1 per minute"


@pytest.fixture(scope="module")
def anyio_backend() -> Backend:
    return VIRTUAL_TIME


@pytest.fixture
async def upstream() -> AsyncGenerator[HostileUpstream]:
    """Books everything, and tells nothing but who asks."""
    async with HostileUpstream.listen() as upstream:
        upstream.otherwise = me()
        upstream.will_to_writes(*[answer(201, {"resource": {"status": "active"}})] * 9)
        yield upstream


def booking(day: int = 1) -> dict[str, Any]:
    return {
        "event_type": "https://api.calendly.com/event_types/E1",
        "start_time": f"2026-12-0{day}T10:00:00Z",
        "invitee": {"name": "Lee", "email": "lee@acme.example", "timezone": "Europe/London"},
    }


@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
@pytest.mark.parametrize("more", [{}, {"idempotency_key": "k"}, {"dry_run": True}], ids=str)
async def test_nobody_is_asked_about_a_booking_that_cannot_be_sent(
    upstream: HostileUpstream, era: Era, more: dict[str, Any]
) -> None:
    person = Person()
    async with connected(upstream, era, person=person, access="booking=ask", booking_limits="1/min") as client:
        assert (await call(client, BOOK, **booking())).kind == "answered"
        before = len(upstream.requests)
        refused = await call(client, BOOK, **booking(2), **more)
    assert refused.kind == "rate_limited"
    assert CEILING in refused.error["message"]
    assert 50 < refused.error["retry_after"] <= 60
    assert (len(person.questions), len(upstream.requests)) == (1, before)


async def test_a_confirmation_is_not_spent_on_a_booking_that_cannot_be_sent(upstream: HostileUpstream) -> None:
    async with connected(upstream, access="booking=ask", booking_limits="1/min") as client:
        tokens = [(await call(client, BOOK, **booking(day))).error["confirmation"] for day in (1, 2)]
        confirmed = [{**booking(day), "confirmation": token} for day, token in enumerate(tokens, start=1)]
        kinds = [(await call(client, BOOK, **arguments)).kind for arguments in confirmed]
        await asyncio.sleep(60)
        kinds.append((await call(client, BOOK, **confirmed[1])).kind)
    assert kinds == ["answered", "rate_limited", "answered"]


async def test_a_booking_outside_of_a_condition_is_not_looked_into(upstream: HostileUpstream) -> None:
    other = "00000000-0000-4000-8000-000000000000"
    async with connected(upstream, access=f"booking=full:event_types={other}") as client:
        refused = await call(client, BOOK, **booking())
    assert (refused.kind, upstream.requests) == ("access_denied_by_policy", [])


async def test_a_repeat_under_a_key_is_answered_whatever_the_ceilings(upstream: HostileUpstream) -> None:
    async with connected(upstream, booking_limits="1/min") as client:
        answers = [await call(client, BOOK, **booking(), idempotency_key="k") for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert [request.method for request in upstream.requests].count("POST") == 1


async def test_a_booking_that_can_wait_for_its_turn_does(upstream: HostileUpstream) -> None:
    async with connected(upstream, booking_limits="1/min", max_wait="100") as client:
        kinds = [(await call(client, BOOK, **booking(day))).kind for day in (1, 2)]
    assert kinds == ["answered", "answered"]
