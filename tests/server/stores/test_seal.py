import hashlib
import os
import sqlite3
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from calendly.errors import Unreachable
from server.calls.confirm import Confirmations
from server.stores.seal import LIFETIME, Seal, Unproven, digest
from server.stores.shared_seal import SharedSeal
from storage.database import Database
from storage.keys import Key, KeyRing
from tests.databases import open_migrated

pytestmark = pytest.mark.anyio

KEY = b"k" * 32
CALL = digest("cancel_scheduled_event", {"scheduled_event": "E"}, "person", "agent")


@dataclass
class Time:
    """A clock that is set by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    def wall(self) -> datetime:
        """Tell the time and the day."""
        return datetime.fromtimestamp(self.now, UTC)


def numbered() -> Callable[[int], bytes]:
    """Bytes that are different every time."""
    numbers = count()
    return lambda size: hashlib.sha256(str(next(numbers)).encode()).digest()[:size]


@dataclass
class Desk:
    """A seal, its clock, and a seal of other keys."""

    time: Time
    seal: Confirmations
    foreign: Confirmations


def shared_seal(key: bytes, database: Database, time: Time) -> SharedSeal:
    """A seal of a replica."""
    return SharedSeal(KeyRing([Key("k", key)], random=os.urandom), database, time.wall)


def of_one_process(time: Time) -> Desk:
    """The seal of a server for one person."""
    return Desk(time, Seal(KEY, time, numbered()), Seal(b"o" * 32, time, numbered()))


@pytest.fixture(params=["of one process", "shared"])
async def desk(request: pytest.FixtureRequest) -> AsyncGenerator[Desk]:
    time = Time()
    if request.param == "of one process":
        yield of_one_process(time)
        return
    async with open_migrated() as database:
        yield Desk(time, shared_seal(KEY, database, time), shared_seal(b"o" * 32, database, time))


async def refusal(seal: Confirmations, token: str, purpose: str = "purpose", bound_to: bytes = CALL) -> str:
    with pytest.raises(Unproven) as refused:
        await seal.redeem(token, purpose, bound_to)
    return str(refused.value)


async def test_a_token_is_taken_once(desk: Desk) -> None:
    token = desk.seal.issue("purpose", CALL)
    await desk.seal.redeem(token, "purpose", CALL)
    assert "was used already" in await refusal(desk.seal, token)


async def test_a_token_can_be_copied_by_hand(desk: Desk) -> None:
    assert desk.seal.issue("purpose", CALL).replace("-", "").replace("_", "").isalnum()


async def test_a_token_expires(desk: Desk) -> None:
    token = desk.seal.issue("purpose", CALL)
    desk.time.now += LIFETIME
    assert await refusal(desk.seal, token) == "The confirmation has expired."


async def test_a_token_lives_until_it_expires_and_what_was_spent_is_forgotten_then(desk: Desk) -> None:
    first = desk.seal.issue("purpose", CALL)
    await desk.seal.redeem(first, "purpose", CALL)
    desk.time.now += LIFETIME - 0.01
    assert "was used already" in await refusal(desk.seal, first)
    desk.time.now += 0.02
    assert "has expired" in await refusal(desk.seal, first)


@pytest.mark.requirement("identity-everywhere")
@pytest.mark.parametrize(
    "other",
    [
        digest("create_event_invitee", {"scheduled_event": "E"}, "person", "agent"),
        digest("cancel_scheduled_event", {"scheduled_event": "F"}, "person", "agent"),
        digest("cancel_scheduled_event", {"scheduled_event": "E", "reason": None}, "person", "agent"),
        digest("cancel_scheduled_event", {"scheduled_event": "E"}, "somebody", "agent"),
        digest("cancel_scheduled_event", {"scheduled_event": "E"}, "person", "another"),
    ],
    ids=["tool", "argument", "further argument", "person", "agent"],
)
async def test_a_token_is_for_one_call_of_one_agent_of_one_person(desk: Desk, other: bytes) -> None:
    assert "not given for this very call" in await refusal(desk.seal, desk.seal.issue("purpose", CALL), bound_to=other)


async def test_a_token_for_one_purpose_proves_nothing_for_another(desk: Desk) -> None:
    assert "not given for this very call" in await refusal(desk.seal, desk.seal.issue("purpose", CALL), purpose="other")


async def test_a_token_of_another_key_proves_nothing(desk: Desk) -> None:
    token = desk.foreign.issue("purpose", CALL)
    assert "not given for this very call" in await refusal(desk.seal, token)


async def test_a_token_that_was_changed_proves_nothing(desk: Desk) -> None:
    token = desk.seal.issue("purpose", CALL)
    for changed in (token[::-1], f"Z{token[1:]}", token[:-1], f"{token}AAAA", token[4:]):
        assert "not given for this very call" in await refusal(desk.seal, changed)


@pytest.mark.parametrize("nonsense", ["", "x", "é", "\x00" * 72, "A" * 1024, "A" * 72])
async def test_what_is_no_token_proves_nothing(desk: Desk, nonsense: str) -> None:
    assert "not given for this very call" in await refusal(desk.seal, nonsense)


async def test_there_is_an_end_to_what_one_process_remembers() -> None:
    desk = of_one_process(Time())
    for _ in range(10_000):
        await desk.seal.redeem(desk.seal.issue("purpose", CALL), "purpose", CALL)
    assert "Too many calls were confirmed" in await refusal(desk.seal, desk.seal.issue("purpose", CALL))
    desk.time.now += LIFETIME
    await desk.seal.redeem(desk.seal.issue("purpose", CALL), "purpose", CALL)


async def test_any_replica_takes_a_token_of_another_and_only_one_of_them(database: Database) -> None:
    time = Time()
    first, second = (shared_seal(KEY, database, time) for _ in range(2))
    token = first.issue("purpose", CALL)
    await second.redeem(token, "purpose", CALL)
    assert "was used already" in await refusal(first, token)


async def test_a_token_that_cannot_be_noted_as_used_is_not_taken(tmp_path: Path) -> None:
    file = tmp_path / "database"
    async with open_migrated(f"sqlite:///{file}", patience=0.2) as database:
        seal = shared_seal(KEY, database, Time())
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unreachable, match="nothing was sent"):
                await seal.redeem(seal.issue("purpose", CALL), "purpose", CALL)


async def test_arguments_in_another_order_are_the_same_call() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1, "b": [1, 2]}) != digest({"a": 1, "b": [2, 1]})
