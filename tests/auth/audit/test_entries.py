"""The audit log's chains: whatever somebody changes in the database without the key ring is found."""

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from sqlalchemy import ColumnElement, Executable, Table, delete, insert, select, text, update

from auth.audit.archive import DatabaseArchive
from auth.audit.chain import Keys
from auth.audit.entries import AuditEntry, Redactor, facts, read, write
from auth.audit.log import AuditLogUnavailable
from auth.audit.rows import EntryFilter
from auth.tables import audit_chain, audit_entry, audit_register, metadata
from storage.database import Database
from storage.keys import Key, KeyRing
from storage.rotation import rotate
from tests.cases import case, each
from tests.databases import empty

RING: Final = KeyRing([Key("k1", bytes(32))])
START: Final = datetime(2026, 12, 1, 9, tzinfo=UTC)
ANNA: Final = "https://api.calendly.com/users/ANNA"
BERT: Final = "https://api.calendly.com/users/BERT"
CHANGED: Final = "chain 1, entry 2: it was changed, or put in the place of another"
FOUND_BY: Final = {
    "at": START,
    "kind": "begun",
    "request_id": "r0003",
    "person": BERT,
    "grant_id": "g2",
    "action": "cancel_scheduled_event",
}
"""The columns by which an entry is found, and another value of each."""


@pytest.fixture
def memory(shared_memory: Database) -> Database:
    """A database in memory, without rows: what is found depends on the rows alone."""
    empty(shared_memory)
    return shared_memory


def entry(number: int, **changes: object) -> AuditEntry:
    """An entry, one for each number and minute."""
    known: dict[str, Any] = {
        "time": START + timedelta(minutes=number),
        "kind": "ended",
        "request_id": f"r{number:04}",
        "person": ANNA,
        "agent": "Claude",
        "grant": "g1",
        "action": "read",
        "tool": "get_user",
        "decision": "allowed",
        "outcome": "answered",
        "sentence": f"Claude looked up {number}: allowed",
    }
    known |= changes
    return AuditEntry(**known)


async def archive_in(database: Database, ring: KeyRing = RING) -> DatabaseArchive:
    """The audit log as one process has it."""
    return await DatabaseArchive.open(database, ring, in_full=False, random=os.urandom)


async def filled(database: Database) -> DatabaseArchive:
    """A record of two processes, with four and three entries."""
    one, other = await archive_in(database), await archive_in(database)
    await one.append([entry(1), entry(2)])
    await other.append([entry(3), entry(4, person=BERT), entry(5)])
    await one.append([entry(6), entry(7)])
    return one


async def faults_of(archive: DatabaseArchive) -> list[str]:
    """What `verify` finds."""
    return [fault async for fault in archive.verify()]


async def execute(database: Database, *statements: Executable) -> None:
    """Do behind our back what somebody with access to the database can."""
    async with database.begin() as connection:
        for statement in statements:
            await connection.execute(statement)


@asynccontextmanager
async def changed(
    database: Database, table: Table, here: ColumnElement[bool], **values: object
) -> AsyncGenerator[None]:
    """Change a row behind our back; at the end of the block it is as it was."""
    async with database.begin() as connection:
        [before] = (await connection.execute(select(table).where(here))).mappings().all()
        await connection.execute(update(table).where(here).values(values))
    yield
    await execute(database, update(table).where(here).values(dict(before)))


async def rows_of(database: Database, table: Table) -> list[dict[str, Any]]:
    """Everything in a table."""
    async with database.read() as connection:
        return [dict(row) for row in (await connection.execute(select(table))).mappings()]


async def chain_numbered(database: Database, number: int) -> str:
    """The id of a chain."""
    return str(next(row["id"] for row in await rows_of(database, audit_chain) if row["number"] == number))


async def test_a_record_that_nobody_touched_has_no_fault(database: Database) -> None:
    assert await faults_of(await archive_in(database)) == []
    archive = await filled(database)
    assert await faults_of(archive) == []
    assert await archive.count() == (7, 2)
    assert await faults_of(await archive_in(database)) == []


async def second(database: Database) -> ColumnElement[bool]:
    """What finds the second entry of the first chain."""
    return (audit_entry.c.chain_id == await chain_numbered(database, 1)) & (audit_entry.c.sequence == 2)


async def test_a_change_of_any_field_of_an_entry_is_found(memory: Database) -> None:
    archive, here = await filled(memory), await second(memory)
    for name in facts(entry(2)):
        forged = write(entry(2, **{name: {"time": START, "kind": "lost"}.get(name, "forged")}))
        with case(name):
            async with changed(memory, audit_entry, here, entry=forged):
                assert await faults_of(archive) == [CHANGED]
    assert await faults_of(archive) == []


async def test_a_change_of_what_an_entry_is_found_by_is_found(memory: Database) -> None:
    archive, here = await filled(memory), await second(memory)
    for name, value in FOUND_BY.items():
        with case(name):
            async with changed(memory, audit_entry, here, **{name: value}):
                assert await faults_of(archive) == ["chain 1, entry 2: what it is found by was changed"]


async def test_a_changed_mac_is_found(memory: Database) -> None:
    archive = await filled(memory)
    await execute(memory, update(audit_entry).where(audit_entry.c.request_id == "r0002").values(mac="0" * 64))
    assert CHANGED in await faults_of(archive)


def test_the_changes_above_are_all_that_can_be_changed_of_a_row() -> None:
    places = {"chain_id", "sequence"}  # moved, below
    assert {column.name for column in audit_entry.c} == {*places, "entry", "mac", *FOUND_BY}


async def test_a_deleted_entry_is_found(memory: Database) -> None:
    archive = await filled(memory)
    await execute(memory, delete(audit_entry).where(audit_entry.c.request_id == "r0002"))
    assert await faults_of(archive) == ["chain 1, entry 3: entries before it are missing or were moved"]


async def test_a_deleted_first_entry_is_found(memory: Database) -> None:
    archive = await filled(memory)
    await execute(memory, delete(audit_entry).where(audit_entry.c.request_id == "r0001"))
    assert await faults_of(archive) == ["chain 1, entry 2: entries before it are missing or were moved"]


async def test_exchanged_entries_are_found(database: Database) -> None:
    archive = await filled(database)
    chain = await chain_numbered(database, 1)

    def move(source: int, target: int) -> Executable:
        here = (audit_entry.c.chain_id == chain) & (audit_entry.c.sequence == source)
        return update(audit_entry).where(here).values(sequence=target)

    await execute(database, move(2, 99), move(3, 2), move(99, 3))
    faults = await faults_of(archive)
    assert CHANGED in faults


async def test_a_cut_tail_is_found(memory: Database) -> None:
    archive = await filled(memory)
    await execute(memory, delete(audit_entry).where(audit_entry.c.request_id.in_(["r0006", "r0007"])))
    assert await faults_of(archive) == ["chain 1: its last 2 entries are missing"]


async def test_a_tail_that_was_cut_together_with_the_row_of_its_chain_is_found(memory: Database) -> None:
    archive = await filled(memory)
    (last,) = [row for row in await rows_of(memory, audit_entry) if row["request_id"] == "r0002"]
    cut = update(audit_chain).where(audit_chain.c.number == 1).values(tip_sequence=2, tip_mac=last["mac"])
    await execute(memory, delete(audit_entry).where(audit_entry.c.request_id.in_(["r0006", "r0007"])), cut)
    assert await faults_of(archive) == ["chain 1: where it ends was changed"]


async def test_a_removed_chain_is_found(memory: Database) -> None:
    archive = await filled(memory)
    chain = await chain_numbered(memory, 2)
    of_chain = delete(audit_entry).where(audit_entry.c.chain_id == chain)
    await execute(memory, of_chain, delete(audit_chain).where(audit_chain.c.id == chain))
    assert await faults_of(archive) == ["chain 2 is missing"]


async def test_a_chain_removed_from_the_register_too_is_found(memory: Database) -> None:
    archive = await filled(memory)
    chain = await chain_numbered(memory, 2)
    of_chain = delete(audit_entry).where(audit_entry.c.chain_id == chain)
    unregistered = update(audit_register).values(following=2)
    await execute(memory, of_chain, delete(audit_chain).where(audit_chain.c.id == chain), unregistered)
    assert await faults_of(archive) == ["the register of the chains was changed"]


async def test_entries_whose_chain_was_removed_are_found(database: Database) -> None:
    archive = await filled(database)
    await execute(database, delete(audit_chain).where(audit_chain.c.number == 2))
    assert await faults_of(archive) == ["chain 2 is missing", "3 entries belong to no chain"]


async def test_an_entry_put_in_by_somebody_else_is_found(memory: Database) -> None:
    archive = await filled(memory)
    (last,) = [row for row in await rows_of(memory, audit_entry) if row["request_id"] == "r0007"]
    forged = {**last, "sequence": 5, "request_id": "r0009", "entry": write(entry(9))}
    await execute(memory, insert(audit_entry).values(forged))
    assert await faults_of(archive) == ["chain 1, entry 5: it was changed, or put in the place of another"]


async def test_a_change_of_a_chains_row_is_found(memory: Database) -> None:
    archive = await filled(memory)
    for end, verb in {"base": "begins", "tip": "ends"}.items():
        for name, value in {"sequence": 1, "mac": "0" * 64, "seal": "0" * 64}.items():
            with case(end, name):
                async with changed(memory, audit_chain, audit_chain.c.number == 2, **{f"{end}_{name}": value}):
                    assert f"chain 2: where it {verb} was changed" in await faults_of(archive)


@pytest.mark.parametrize("change", [{"first": 2}, {"following": 9}, {"seal": "0" * 64}])
async def test_a_change_of_the_register_is_found_and_a_new_chain_does_not_heal_it(
    memory: Database, change: dict[str, object]
) -> None:
    await filled(memory)
    await execute(memory, update(audit_register).values(change))
    another = await archive_in(memory)
    await another.append([entry(20)])
    assert "the register of the chains was changed" in await faults_of(another)


async def test_a_deleted_register_is_found(memory: Database) -> None:
    await filled(memory)
    await execute(memory, delete(audit_register))
    another = await archive_in(memory)
    await another.append([entry(20)])
    faults = await faults_of(another)
    assert "chain 1: where it begins was changed" in faults
    assert "chain 2: where it ends was changed" in faults


async def test_another_key_ring_does_not_open_the_record(memory: Database) -> None:
    await filled(memory)
    with pytest.raises(Exception, match="cannot be opened"):
        await archive_in(memory, KeyRing([Key("k1", bytes(31) + b"x")]))


async def test_the_record_outlives_a_rotation_of_the_keys(database: Database) -> None:
    archive = await filled(database)
    rotated = KeyRing([Key("k2", b"2" * 32), Key("k1", bytes(32))])
    await rotate(database, rotated, metadata.tables.values())
    await archive.append([entry(8)])
    later = await archive_in(database, KeyRing([Key("k2", b"2" * 32)]))
    await later.append([entry(9)])
    assert await faults_of(later) == []


async def test_a_process_goes_on_in_a_new_chain_after_a_failure(database: Database) -> None:
    archive = await filled(database)
    await execute(database, text("ALTER TABLE audit_entry RENAME TO elsewhere"))
    with pytest.raises(AuditLogUnavailable):
        await archive.append([entry(8)])
    await execute(database, text("ALTER TABLE elsewhere RENAME TO audit_entry"))
    await archive.append([entry(9)])
    assert await archive.count() == (8, 3)
    assert await faults_of(archive) == []


@pytest.mark.requirement("audit-settings")
async def test_what_is_too_old_is_cleared_out_and_the_rest_verified(database: Database) -> None:
    archive = await filled(database)
    await archive.clear_out(START + timedelta(minutes=4))
    kept = {row["request_id"] for row in await rows_of(database, audit_entry)}
    assert kept == {"r0004", "r0005", "r0006", "r0007"}
    assert await faults_of(archive) == []
    await archive.append([entry(8)])
    assert await faults_of(await archive_in(database)) == []


async def test_chains_of_which_nothing_is_left_go_too_and_their_process_begins_another(database: Database) -> None:
    archive = await filled(database)
    await archive.clear_out(START + timedelta(days=1))
    assert await archive.count() == (0, 0)
    assert await faults_of(archive) == []
    await archive.append([entry(8)])
    assert await archive.count() == (1, 1)
    assert await faults_of(archive) == []


async def test_a_checkpoint_does_not_hide_what_was_deleted_after_it(memory: Database) -> None:
    archive = await filled(memory)
    await archive.clear_out(START + timedelta(minutes=2))
    await execute(memory, delete(audit_entry).where(audit_entry.c.request_id == "r0002"))
    assert await faults_of(archive) == ["chain 1, entry 3: entries before it are missing or were moved"]


async def test_clearing_out_does_not_wipe_away_what_was_dated_back(memory: Database) -> None:
    archive = await filled(memory)
    old = START - timedelta(days=500)
    forged = update(audit_entry).where(audit_entry.c.request_id == "r0001")
    await execute(memory, forged.values(at=old, entry=write(entry(1, time=old))))
    await archive.clear_out(START)
    assert await archive.count() == (7, 2)
    assert await faults_of(archive) == ["chain 1, entry 1: it was changed, or put in the place of another"]


async def test_clearing_out_does_not_heal_a_changed_beginning(database: Database) -> None:
    archive = await filled(database)
    deleted = delete(audit_entry).where(audit_entry.c.request_id == "r0001")
    (first,) = [row for row in await rows_of(database, audit_entry) if row["request_id"] == "r0001"]
    moved = update(audit_chain).where(audit_chain.c.number == 1).values(base_sequence=1, base_mac=first["mac"])
    await execute(database, deleted, moved)
    await archive.clear_out(START + timedelta(minutes=3))
    assert await faults_of(archive) == ["chain 1: where it begins was changed"]


async def test_a_chain_longer_than_a_page_is_verified_cleared_out_and_found(database: Database) -> None:
    archive = await archive_in(database)
    await archive.append([entry(number) for number in range(1100)])
    assert await faults_of(archive) == []
    assert [found.request_id async for found in archive.find(EntryFilter())] == [
        f"r{n:04}" for n in reversed(range(1100))
    ]
    await archive.clear_out(START + timedelta(minutes=1050))
    assert await archive.count() == (50, 1)
    assert await faults_of(archive) == []


async def test_a_call_that_writes_is_found_once_by_its_end(database: Database) -> None:
    archive = await archive_in(database)
    await archive.append([entry(1, kind="begun", outcome=None, sentence="Claude began to cancel it: allowed")])
    (alone,) = [found async for found in archive.find(EntryFilter())]
    assert (alone.told, alone.ending) == ("Claude began to cancel it: allowed, outcome unknown", "outcome_unknown")
    await archive.append([entry(1, sentence="Claude canceled it: allowed")])
    (both,) = [found async for found in archive.find(EntryFilter())]
    assert (both.told, both.ending) == ("Claude canceled it: allowed", "answered")


async def test_entries_are_found_by_what_is_asked_for(database: Database) -> None:
    archive = await filled(database)
    await archive.append([entry(8, grant="g2"), entry(9, tool=None, action="redeem_code", kind="note")])
    since, until = START + timedelta(minutes=4), START + timedelta(minutes=6)
    for sought, found in (
        (EntryFilter(people=[BERT]), [4]),
        (EntryFilter(people=[ANNA, BERT], since=since, until=until), [5, 4]),
        (EntryFilter(grant="g2"), [8]),
        (EntryFilter(action="redeem_code"), [9]),
        (EntryFilter(people=[]), []),
    ):
        with case(sought):
            assert [one.request_id async for one in archive.find(sought)] == [f"r{number:04}" for number in found]


async def test_a_person_is_told_of_their_own_entries_as_you(database: Database) -> None:
    archive = await archive_in(database)
    anna = archive.redactor.name(ANNA)
    await archive.append(
        [entry(1, person=anna, sentence=f"Claude looked up {anna}: allowed"), entry(2, person="#other")]
    )
    (found,) = await archive.recent(person=ANNA)
    assert found.told == "Claude looked up you: allowed"
    assert await archive.recent(person=ANNA, grant="g2") == []


def test_an_entry_is_read_as_it_was_written() -> None:
    assert read(write(entry(1, status=404, duration=0.25, agent="Zoë 🤖"))) == entry(
        1, status=404, duration=0.25, agent="Zoë 🤖"
    )


@each("text", ["", "[]", "{}", '{"time":"yesterday"}', '{"time":1}'])
def test_what_is_no_entry_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(text)


def test_a_hash_is_the_same_however_an_address_is_written_and_another_under_another_key() -> None:
    redactor, other = Redactor(b"k" * 32), Redactor(b"o" * 32)
    assert redactor.name("anna@example.com") == redactor.name(" Anna@Example.com ")
    assert redactor.name("anna@example.com") != other.name("anna@example.com")
    assert "anna" not in redactor.name("anna@example.com")


def test_full_detail_shows_names_but_no_hidden_text_and_never_what_is_always_hashed() -> None:
    redactor = Redactor(b"k" * 32, full=True)
    assert redactor.name("an\u202ena@example.com\n") == "anna@example.com"
    assert redactor.hash("anna@example.com").startswith("#")
    assert len(redactor.name("x" * 1000)) == 200


def test_each_purpose_has_a_key_of_its_own() -> None:
    keys = Keys.of(bytes(32))
    assert len({keys.chain, keys.heads, keys.personal}) == 3
    assert "chain" not in repr(keys)
