"""The one writer of a process: order, batches, what is kept while nothing can be stored, and what is not."""

from datetime import timedelta

import anyio
import pytest

from auth.audit import log
from auth.audit.entries import AuditEntry, Redactor
from auth.audit.log import AuditLog, AuditLogUnavailable, AuditNote
from tests.audit_log import NOW, Shelf, audit_log_in_memory


def draft(request_id: str) -> log.Draft:
    """A draft of an entry."""
    return lambda _: AuditEntry(
        time=NOW, kind="ended", request_id=request_id, action="read", sentence=f"{request_id}: allowed"
    )


def ids(shelf: Shelf) -> list[str]:
    """What was stored, in order."""
    return [entry.request_id for entry in shelf.entries]


async def test_entries_are_stored_in_the_order_in_which_they_came() -> None:
    shelf = Shelf()
    kept = audit_log_in_memory(shelf)
    kept.put(draft("1"))
    kept.put(draft("2"))
    await kept.keep(draft("3"))
    assert ids(shelf) == ["1", "2", "3"]


async def test_what_nobody_waits_for_is_written_soon_and_at_the_latest_at_the_end() -> None:
    shelf = Shelf()
    kept = audit_log_in_memory(shelf)
    async with kept.writing():
        kept.put(draft("1"))
        with anyio.fail_after(10):
            while not shelf.entries:
                await anyio.lowlevel.checkpoint()
        kept.put(draft("2"))
    assert ids(shelf) == ["1", "2"]


async def test_several_who_wait_share_a_batch_and_each_is_told() -> None:
    shelf = Shelf()
    kept = audit_log_in_memory(shelf)
    async with anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(kept.keep, draft(str(number)))
    assert ids(shelf) == [str(number) for number in range(20)]


async def test_who_waits_is_told_that_it_failed_and_the_entry_is_not_written_later() -> None:
    shelf = Shelf(fault="The disk is full.")
    kept = audit_log_in_memory(shelf)
    kept.put(draft("a read"))
    with pytest.raises(AuditLogUnavailable, match=r"^The disk is full\.$"):
        await kept.keep(draft("a write"))
    shelf.fault = None
    await kept.keep(draft("another write"))
    assert ids(shelf) == ["a read", "another write"]


async def test_a_note_never_fails_and_is_written_when_that_is_possible_again() -> None:
    shelf = Shelf(fault="The disk is full.")
    kept = audit_log_in_memory(shelf)
    await kept.note(AuditNote(action="register", told="{agent} registered itself", agent="Cl{a}ude"))
    assert shelf.entries == []
    shelf.fault = None
    await kept.keep(draft("1"))
    assert [entry.sentence for entry in shelf.entries] == ["Cl{a}ude registered itself: allowed", "1: allowed"]


async def test_a_note_says_who_and_why_in_its_sentence_and_its_fields() -> None:
    shelf = Shelf()
    person = "https://api.calendly.com/users/U1"
    told = "{agent} presented a refresh token of {person}"
    refused = AuditNote(
        action="refresh", told=told, person=person, agent="Claude", decision="refused", rule="it expired"
    )
    await audit_log_in_memory(shelf).note(refused)
    (entry,) = shelf.entries
    hashed = Redactor(b"k" * 32).name(person)
    assert entry.sentence == f"Claude presented a refresh token of {hashed}: refused, it expired"
    assert (entry.kind, entry.action, entry.person, entry.decision) == ("note", "refresh", hashed, "refused")


async def test_what_finds_no_room_is_counted_and_the_count_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MOST_QUEUED", 3)
    shelf = Shelf(fault="The disk is full.")
    kept = audit_log_in_memory(shelf)
    for number in range(5):
        kept.put(draft(str(number)))
    with pytest.raises(AuditLogUnavailable):
        await kept.keep(draft("a write"))
    shelf.fault = None
    await kept.keep(draft("another write"))
    assert shelf.entries[0].sentence.startswith("2 entries of the audit log were lost")
    assert ids(shelf)[1:] == ["0", "1", "2", "another write"]


async def test_a_draft_that_breaks_is_left_out_and_holds_up_no_other() -> None:
    def broken(_: Redactor) -> AuditEntry:
        raise ZeroDivisionError

    shelf = Shelf()
    kept = audit_log_in_memory(shelf)
    kept.put(broken)
    await kept.keep(draft("1"))
    with pytest.raises(AuditLogUnavailable, match="fault of this server"):
        await kept.keep(broken)
    assert ids(shelf) == ["1"]


async def test_an_archive_that_could_not_be_opened_is_tried_again() -> None:
    shelf, attempts = Shelf(), 0

    async def opening() -> Shelf:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise AuditLogUnavailable("There is no disk.")
        return shelf

    kept = AuditLog(opening, now=lambda: NOW, new_id=lambda: "id")
    with pytest.raises(AuditLogUnavailable, match="no disk"):
        await kept.keep(draft("1"))
    await kept.keep(draft("2"))
    await kept.keep(draft("3"))
    assert (ids(shelf), attempts) == (["2", "3"], 2)


async def test_a_call_that_is_canceled_takes_no_entry_of_another_with_it() -> None:
    shelf, opened = Shelf(), anyio.Event()

    async def opening() -> Shelf:
        await opened.wait()
        return shelf

    kept = AuditLog(opening, now=lambda: NOW, new_id=lambda: "id")
    kept.put(draft("1"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(kept.keep, draft("2"))
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
        opened.set()
    await kept.keep(draft("3"))
    assert ids(shelf) == ["1", "2", "3"]


async def test_old_entries_are_cleared_out_and_the_last_ones_found() -> None:
    shelf = Shelf()
    kept = audit_log_in_memory(shelf)
    kept.put(draft("1"))
    assert [entry.request_id for entry in await kept.recent(limit=1)] == ["1"]
    await kept.clear_out(NOW + timedelta(days=1))
    assert shelf.entries == []
