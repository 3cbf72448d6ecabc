from dataclasses import dataclass

import pytest

from tools.toolset.errors import ArgumentError, KeyTaken
from tools.toolset.idempotency import OwnLedger
from tools.toolset.ledger import Booking, Bookings

pytestmark = pytest.mark.anyio

DAY = 24 * 60 * 60
ARGUMENTS = {"event_type": "E", "invitee": {"email": "lee@acme.example", "name": "Lee"}}
ANSWER = {"uri": "I"}


@dataclass
class Clock:
    """A clock that a test sets."""

    now: float = 0.0

    def __call__(self) -> float:
        """Read it."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def bookings(clock: Clock) -> Bookings:
    return OwnLedger(clock).of("maya", "agent")


async def test_a_new_key_is_nobodys(bookings: Bookings) -> None:
    assert await bookings.recall("k", ARGUMENTS) is None
    assert await bookings.reserve("k", ARGUMENTS) is None


async def test_a_reserved_key_has_no_answer_until_it_is_settled(bookings: Bookings) -> None:
    await bookings.reserve("k", ARGUMENTS)
    assert await bookings.recall("k", ARGUMENTS) == await bookings.reserve("k", ARGUMENTS) == Booking(None)
    await bookings.settle("k", ARGUMENTS, ANSWER)
    assert await bookings.recall("k", ARGUMENTS) == await bookings.reserve("k", ARGUMENTS) == Booking(ANSWER)


async def test_arguments_are_compared_by_value_and_not_by_the_order_they_were_written_in(bookings: Bookings) -> None:
    await bookings.reserve("k", ARGUMENTS)
    same = {"invitee": {"name": "Lee", "email": "lee@acme.example"}, "event_type": "E"}
    assert await bookings.recall("k", same) == Booking(None)
    for recall in (bookings.recall, bookings.reserve):
        with pytest.raises(KeyTaken, match="idempotency_key"):
            await recall("k", {**ARGUMENTS, "event_type": "F"})


async def test_a_released_key_is_free(bookings: Bookings) -> None:
    await bookings.reserve("k", ARGUMENTS)
    await bookings.release("k")
    await bookings.release("k")
    assert await bookings.reserve("k", {"other": "arguments"}) is None


async def test_what_is_settled_after_its_key_was_given_back_is_not_kept(bookings: Bookings) -> None:
    await bookings.reserve("k", ARGUMENTS)
    await bookings.release("k")
    await bookings.settle("k", ARGUMENTS, ANSWER)
    assert await bookings.recall("k", ARGUMENTS) is None


async def test_a_key_is_forgotten_after_24_hours(bookings: Bookings, clock: Clock) -> None:
    await bookings.reserve("k", ARGUMENTS)
    await bookings.settle("k", ARGUMENTS, ANSWER)
    clock.now = DAY - 1
    assert await bookings.recall("k", ARGUMENTS) == Booking(ANSWER)
    clock.now = DAY
    assert await bookings.recall("k", ARGUMENTS) is None


async def test_keys_belong_to_one_person_and_agent(clock: Clock) -> None:
    ledger = OwnLedger(clock)
    await ledger.of("maya", "agent").reserve("k", ARGUMENTS)
    for person, agent in (("tomas", "agent"), ("maya", "other")):
        assert await ledger.of(person, agent).recall("k", {"quite": "other"}) is None


async def test_a_full_ledger_refuses_new_keys_and_keeps_its_promises(clock: Clock) -> None:
    ledger = OwnLedger(clock)
    bookings = ledger.of("maya", "agent")
    for number in range(10_000):
        await bookings.reserve(str(number), ARGUMENTS)
    with pytest.raises(ArgumentError, match="idempotency_key: Too many keys"):
        await bookings.reserve("one more", ARGUMENTS)
    assert await bookings.recall("0", ARGUMENTS) == Booking(None)
    clock.now = DAY
    assert await bookings.reserve("one more", ARGUMENTS) is None


async def test_an_answer_is_forgotten_with_its_address_and_its_key_stays_taken(bookings: Bookings) -> None:
    await bookings.reserve("k", ARGUMENTS)
    await bookings.settle("k", ARGUMENTS, {"uri": "I", "email": "Lee@acme.example"})
    await bookings.forget(["sam@acme.example"])
    assert await bookings.recall("k", ARGUMENTS) == Booking({"uri": "I", "email": "Lee@acme.example"})
    await bookings.forget(["lee@ACME.example"])
    assert await bookings.recall("k", ARGUMENTS) == Booking(None)
