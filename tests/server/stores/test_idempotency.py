"""Idempotency keys in the database: one booking a key for all replicas, sealed, kept for a day, and no longer."""

import logging
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import anyio
import pytest
from sqlalchemy import select, update

from auth.grants.grant_rows import Grant, allow
from auth.tables import booking_key, grant, user
from calendly.errors import Unreachable
from server.stores.idempotency import IdempotencyKeys
from storage.database import Database, open_database
from storage.keys import Key, KeyRing
from storage.rotation import rotate
from tests.databases import open_migrated
from tests.server.stores.test_daily_counts import NOW, let_in
from tools.toolset.errors import KeyTaken
from tools.toolset.ledger import KeyOutcome, Ledger

ARGUMENTS: Final = {"event_type": "E", "invitee": {"email": "lee@acme.example", "name": "Lee"}}
ANSWER: Final = {"uri": "I", "email": "lee@acme.example", "name": "Zoë \U0001f98a"}
RING: Final = KeyRing([Key("k1", b"1" * 32)])


@dataclass
class Clock:
    """A wall clock that a test sets."""

    now: datetime = datetime(2026, 12, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Read it."""
        return self.now


def ledger_in(database: Database, clock: Clock | None = None, ring: KeyRing = RING) -> IdempotencyKeys:
    return IdempotencyKeys(database=database, keyring=ring, now=clock or Clock(), by_grant=False)


def content(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


def keys_in(database: Database, clock: Clock | None = None, ring: KeyRing = RING) -> Ledger:
    return ledger_in(database, clock, ring).of("maya", "agent")


async def test_a_key_is_nobodys_then_taken_then_stands_for_its_booking(database: Database) -> None:
    keys = keys_in(database)
    assert await keys.recall("k", ARGUMENTS) is None
    assert await keys.reserve("k", ARGUMENTS) is None
    assert await keys.recall("k", ARGUMENTS) == await keys.reserve("k", ARGUMENTS) == KeyOutcome(None)
    await keys.settle("k", ARGUMENTS, ANSWER)
    assert await keys.recall("k", ARGUMENTS) == await keys.reserve("k", ARGUMENTS) == KeyOutcome(ANSWER)


async def test_arguments_are_compared_by_value_and_others_are_a_conflict(database: Database) -> None:
    keys = keys_in(database)
    await keys.reserve("k", ARGUMENTS)
    assert await keys.recall("k", dict(reversed(ARGUMENTS.items()))) == KeyOutcome(None)
    for recall in (keys.recall, keys.reserve):
        with pytest.raises(KeyTaken, match="idempotency_key"):
            await recall("k", {**ARGUMENTS, "event_type": "F"})


async def test_a_released_key_is_free_and_what_is_settled_later_is_not_kept(database: Database) -> None:
    keys = keys_in(database)
    await keys.reserve("k", ARGUMENTS)
    await keys.release("k")
    await keys.settle("k", ARGUMENTS, ANSWER)
    assert await keys.reserve("k", {"other": "arguments"}) is None


async def test_a_key_is_forgotten_after_24_hours(database: Database) -> None:
    clock = Clock()
    keys = keys_in(database, clock)
    await keys.reserve("k", ARGUMENTS)
    await keys.settle("k", ARGUMENTS, ANSWER)
    clock.now += timedelta(hours=24, microseconds=-1)
    assert await keys.recall("k", ARGUMENTS) == KeyOutcome(ANSWER)
    clock.now += timedelta(microseconds=1)
    assert await keys.recall("k", ARGUMENTS) is None
    assert await keys.reserve("k", {"other": "arguments"}) is None


async def test_keys_belong_to_one_person_and_agent(database: Database) -> None:
    ledger = ledger_in(database)
    await ledger.of("maya", "agent").reserve("k", ARGUMENTS)
    for person, agent in (("tomas", "agent"), ("maya", "other"), ("maya agent", "")):
        assert await ledger.of(person, agent).recall("k", {"quite": "other"}) is None


async def test_of_calls_on_all_replicas_at_once_one_has_the_key(shared_database_url: str) -> None:
    async with open_migrated(shared_database_url) as first, open_database(shared_database_url) as second:
        outcomes: list[KeyOutcome | None] = []

        async def reserve(database: Database) -> None:
            outcomes.append(await keys_in(database).reserve("k", ARGUMENTS))

        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(reserve, first)
                group.start_soon(reserve, second)
        assert outcomes.count(None) == 1
        assert outcomes.count(KeyOutcome(None)) == 9


async def test_of_calls_at_once_one_has_a_key_whose_time_is_over(shared_database_url: str) -> None:
    clock = Clock()
    async with open_migrated(shared_database_url) as first, open_database(shared_database_url) as second:
        await keys_in(first, clock).reserve("k", ARGUMENTS)
        clock.now += timedelta(days=2)
        outcomes: list[KeyOutcome | None] = []

        async def reserve(database: Database) -> None:
            outcomes.append(await keys_in(database, clock).reserve("k", ARGUMENTS))

        async with anyio.create_task_group() as group:
            for database in (first, second):
                group.start_soon(reserve, database)
        assert sorted(outcomes, key=str) == [KeyOutcome(None), None]


async def test_nothing_of_a_booking_is_in_the_database_in_plain_sight(tmp_path: Path) -> None:
    async with open_migrated(f"sqlite:///{tmp_path / 'database'}") as database:
        keys = keys_in(database)
        await keys.reserve("the-key", ARGUMENTS)
        await keys.settle("the-key", ARGUMENTS, ANSWER)
    kept = content(tmp_path)
    assert [text for text in (b"lee@acme.example", b"the-key", b"maya", b'"asked"') if text in kept] == []


async def test_a_rotation_seals_outcomes_anew(database: Database) -> None:
    await keys_in(database).reserve("k", ARGUMENTS)
    new = Key("k2", b"2" * 32)
    assert await rotate(database, KeyRing([new, Key("k1", b"1" * 32)]), [booking_key]) == 1
    assert await keys_in(database, ring=KeyRing([new])).recall("k", ARGUMENTS) == KeyOutcome(None)


async def test_an_outcome_that_cannot_be_opened_is_no_leave_to_book(database: Database) -> None:
    await keys_in(database).reserve("k", ARGUMENTS)
    keys = keys_in(database, ring=KeyRing([Key("k2", b"2" * 32)]))
    for recall in (keys.recall, keys.reserve):
        with pytest.raises(Unreachable, match="so nothing was sent"):
            await recall("k", ARGUMENTS)


async def test_an_outcome_that_was_moved_to_another_key_is_not_its_answer(database: Database) -> None:
    keys = keys_in(database)
    for key in ("k", "l"):
        await keys.reserve(key, ARGUMENTS)
        await keys.settle(key, ARGUMENTS, {"uri": key})
    assert await keys.recall("l", ARGUMENTS) == KeyOutcome({"uri": "l"})
    outcome = booking_key.c.outcome_ciphertext
    async with database.begin() as connection:
        [first, _] = (await connection.execute(select(outcome).order_by(booking_key.c.digest))).scalars()
        await connection.execute(update(booking_key).where(outcome != first).values(outcome_ciphertext=first))
    answers = [await answer_of(keys, key) for key in ("k", "l")]
    assert answers in ([KeyOutcome({"uri": "k"}), None], [None, KeyOutcome({"uri": "l"})])


async def answer_of(keys: Ledger, key: str) -> KeyOutcome | None:
    """What stands under a key, None where it cannot be opened."""
    try:
        return await keys.recall(key, ARGUMENTS)
    except Unreachable:
        return None


async def test_what_cannot_be_stored_before_a_booking_stops_it_and_after_one_it_does_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path / 'database'}"
    caplog.set_level(logging.INFO, "server.stores.faults")
    async with open_migrated(url) as database, open_database(url, patience=0.2) as impatient:
        await keys_in(database).reserve("k", ARGUMENTS)
        keys = keys_in(impatient)
        with closing(sqlite3.connect(tmp_path / "database", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unreachable, match="could not be kept, so nothing was sent"):
                await keys.reserve("l", ARGUMENTS)
            await keys.settle("k", ARGUMENTS, ANSWER)
            await keys.release("k")
            await keys.forget([])
        assert await keys_in(database).recall("k", ARGUMENTS) == KeyOutcome(None)
    assert "lee@acme.example" not in caplog.text
    assert [
        record.getMessage().partition(":")[0] for record in caplog.records if record.name == "server.stores.faults"
    ] == [
        "The idempotency key could not be kept",
        "what became of a booking could not be kept",
        "an idempotency key could not be given back",
        "stored answers of bookings could not be forgotten",
    ]


async def test_answers_are_forgotten_with_an_address_and_their_keys_stay_taken(database: Database) -> None:
    keys = keys_in(database)
    for key, answer in (("k", ANSWER), ("l", {"uri": "J", "email": "sam@acme.example"}), ("m", None)):
        await keys.reserve(key, ARGUMENTS)
        if answer is not None:
            await keys.settle(key, ARGUMENTS, answer)
    await ledger_in(database).of("tomas", "other").forget(["LEE@acme.example"])
    kept = [await keys.recall(key, ARGUMENTS) for key in "klm"]
    assert kept == [KeyOutcome(None), KeyOutcome({"uri": "J", "email": "sam@acme.example"}), KeyOutcome(None)]


async def test_answers_are_forgotten_in_ones_own_organization_alone(database: Database) -> None:
    await let_in(database)
    people = {"G1": ("U1", None), "G2": ("U2", "O1"), "G3": ("U3", "O1"), "G4": ("U4", "O2")}
    async with database.begin() as connection:
        for grant_id, (uri, organization) in list(people.items())[1:]:
            await connection.execute(user.insert().values(uri=uri, organization=organization, created_at=NOW))
            await allow(connection, Grant(grant_id, uri, "C1", "https://mcp.example/mcp", frozenset(), {}), NOW)
    ledger = IdempotencyKeys(database=database, keyring=RING, now=Clock(), by_grant=True)
    keys = {grant_id: ledger.of(uri, grant_id) for grant_id, (uri, _) in people.items()}
    for own in keys.values():
        await own.reserve("k", ARGUMENTS)
        await own.settle("k", ARGUMENTS, ANSWER)
    for forgetting, left in (("G2", {"G1", "G4"}), ("G1", {"G4"})):
        await keys[forgetting].forget(["lee@acme.example"])
        assert {name for name, own in keys.items() if await own.recall("k", ARGUMENTS) == KeyOutcome(ANSWER)} == left


async def test_the_keys_of_an_agent_end_with_its_grant(database: Database) -> None:
    await let_in(database)
    keys = IdempotencyKeys(database=database, keyring=RING, now=Clock(), by_grant=True).of("U1", "G1")
    assert await keys.reserve("k", ARGUMENTS) is None
    async with database.begin() as connection:
        await connection.execute(grant.delete())
    assert await keys.recall("k", ARGUMENTS) is None
    with pytest.raises(Unreachable, match="so nothing was sent"):
        await keys.reserve("k", ARGUMENTS)


async def test_a_key_that_is_over_is_forgotten_when_another_is_taken(database: Database) -> None:
    clock = Clock()
    keys = keys_in(database, clock)
    for key in ("k1", "k2", "k3"):
        await keys.reserve(key, ARGUMENTS)
    clock.now += timedelta(hours=24)
    await keys.reserve("k4", ARGUMENTS)
    async with database.read() as connection:
        assert len((await connection.execute(select(booking_key))).all()) == 1
