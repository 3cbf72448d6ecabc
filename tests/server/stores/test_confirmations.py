"""One-time tokens: bound to one call, good for ten minutes, taken once on whichever replica."""

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from auth.tables import spent_confirmation
from calendly.errors import Unreachable
from server.stores.confirmations import Confirmations
from server.stores.proof import LIFETIME, Unproven, digest
from storage.database import Database, open_database
from storage.keys import Key, KeyRing
from tests.databases import open_migrated

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
CALL = digest("cancel_scheduled_event", {"scheduled_event": "E"}, "person", "agent")


@dataclass
class Desk:
    """Confirmations, their clock, and confirmations of another key ring."""

    seal: Confirmations
    foreign: Confirmations
    now: datetime = NOW


def desk_in(database: Database) -> Desk:
    def now() -> datetime:
        return made.now

    seal, foreign = (Confirmations(database, KeyRing([Key("k", byte * 32)]), now) for byte in (b"k", b"o"))
    made = Desk(seal, foreign)
    return made


@pytest.fixture
async def desk() -> AsyncGenerator[Desk]:
    async with open_migrated() as database:
        yield desk_in(database)


async def refusal(seal: Confirmations, token: str, purpose: str = "purpose", bound_to: bytes = CALL) -> str:
    with pytest.raises(Unproven) as refused:
        await seal.redeem(token, purpose, bound_to)
    return str(refused.value)


async def test_a_token_can_be_copied_by_hand(desk: Desk) -> None:
    assert desk.seal.issue("purpose", CALL).replace("-", "").replace("_", "").isalnum()


async def test_a_token_lives_until_it_expires_and_what_was_spent_is_forgotten_then(desk: Desk) -> None:
    first, second = (desk.seal.issue("purpose", CALL) for _ in range(2))
    await desk.seal.redeem(first, "purpose", CALL)
    desk.now += LIFETIME - timedelta(milliseconds=10)
    assert "was used already" in await refusal(desk.seal, first)
    desk.now += timedelta(milliseconds=10)
    assert await refusal(desk.seal, second) == "The confirmation has expired."
    desk.now += timedelta(milliseconds=10)
    assert "has expired" in await refusal(desk.seal, first)


OTHER_CALLS = [
    digest("create_event_invitee", {"scheduled_event": "E"}, "person", "agent"),
    digest("cancel_scheduled_event", {"scheduled_event": "F"}, "person", "agent"),
    digest("cancel_scheduled_event", {"scheduled_event": "E", "reason": None}, "person", "agent"),
    digest("cancel_scheduled_event", {"scheduled_event": "E"}, "somebody", "agent"),
    digest("cancel_scheduled_event", {"scheduled_event": "E"}, "person", "another"),
]


@pytest.mark.requirement("identity-everywhere")
async def test_a_token_is_for_one_call_and_purpose_of_one_agent_of_one_person_and_as_it_was_given(desk: Desk) -> None:
    token, foreign = (seal.issue("purpose", CALL) for seal in (desk.seal, desk.foreign))
    changed = (token[::-1], f"{'Z' if token[0] != 'Z' else 'Y'}{token[1:]}", token[:-1], f"{token}AAAA", token[4:])
    nonsense = ("", "x", "é", "\x00" * 72, "A" * 1024, "A" * 72)
    told = [await refusal(desk.seal, token, bound_to=other) for other in OTHER_CALLS]
    told += [await refusal(desk.seal, token, purpose="other")]
    told += [await refusal(desk.seal, other) for other in (foreign, *changed, *nonsense)]
    assert [one for one in told if "not given for this very call" not in one] == []
    await desk.seal.redeem(token, "purpose", CALL)


async def test_any_replica_takes_a_token_of_another_and_only_one_of_them(database: Database) -> None:
    desk = desk_in(database)
    second = replace(desk.seal)
    token = desk.seal.issue("purpose", CALL)
    await second.redeem(token, "purpose", CALL)
    assert "was used already" in await refusal(desk.seal, token)


async def test_what_is_spent_is_forgotten_once_it_has_expired(database: Database) -> None:
    desk = desk_in(database)
    for _ in range(3):
        await desk.seal.redeem(desk.seal.issue("purpose", CALL), "purpose", CALL)
    desk.now += LIFETIME
    await desk.seal.redeem(desk.seal.issue("purpose", CALL), "purpose", CALL)
    async with database.read() as connection:
        assert len((await connection.execute(select(spent_confirmation))).all()) == 1


async def test_a_token_that_cannot_be_noted_as_used_is_not_taken(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'database'}"
    async with open_migrated(url), open_database(url, patience=0.2) as impatient:
        seal = Confirmations(impatient, KeyRing([Key("k", b"k" * 32)]), lambda: NOW)
        with closing(sqlite3.connect(tmp_path / "database", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unreachable, match="nothing was sent"):
                await seal.redeem(seal.issue("purpose", CALL), "purpose", CALL)


async def test_arguments_in_another_order_are_the_same_call() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1, "b": [1, 2]}) != digest({"a": 1, "b": [2, 1]})
