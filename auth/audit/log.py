"""The writer of the audit log in a process: queues entries, and stores them in batches and in order.

    put()   for what only reads: queued, written soon
    keep()  for what writes: returns once it is stored, or says that it is not
    note()  for decisions outside of calls: returns once it is stored; where that fails it stays queued
    jot()   for those that nobody waits for: queued, written soon

Entries are made when they are written: the caller does not wait for that, and the keys under which
personal data is hashed come with the archive, which a server over stdio opens late.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol

import anyio

from auth.audit.entries import AuditEntry, Redactor, cut, redacted

_log: Final = logging.getLogger(__name__)

GATHER: Final = 0.25
"""How long entries that nobody waits for are collected, in seconds."""

BATCH: Final = 500
"""The most entries in one transaction."""

MOST_QUEUED: Final = 10_000
"""The most entries kept in memory while they cannot be stored. Further ones are only counted."""

RETRY: Final = 15.0
"""How long to wait before entries that nobody waits for are tried again, in seconds."""

Draft = Callable[[Redactor], AuditEntry]
"""Makes an entry, given what redacts personal data in it."""


Decided = Literal[
    "register",
    "consent",
    "sign_in",
    "page_sign_in",
    "redeem_code",
    "refresh",
    "revoke",
    "sign_in_again",
    "change_access",
    "approve_call",
    "disconnect",
    "delete_all",
    "create_agent_token",
    "revoke_agent_token",
    "rotate_keys",
    "receive_event",
    "watch_events",
    "unwatch_events",
    "rotate_webhook",
    "lose_webhook",
    "repair_webhook",
    "subscribe_events",
    "refresh_events",
    "unsubscribe_events",
    "poll_events",
    "listen_events",
    "end_listening",
    "deliver_event",
    "suspend_subscription",
    "end_subscription",
]
"""What is decided outside of calls."""


class AuditLogUnavailable(Exception):
    """An entry could not be stored; the message is a sentence that says why."""


class Archive(Protocol):
    """Where entries are stored: `auth.audit.archive`."""

    @property
    def redactor(self) -> Redactor:
        """What redacts personal data."""
        ...

    async def append(self, entries: Sequence[AuditEntry]) -> None:
        """Store entries, all or none. Raises AuditLogUnavailable."""
        ...

    async def recent(
        self, *, person: str | None, grant: str | None, limit: int, called: Mapping[str, str] | None
    ) -> list[AuditEntry]:
        """Find the last entries of a person (a user URI) or of one grant. Raises StorageUnavailable."""
        ...

    async def clear_out(self, before: datetime) -> None:
        """Delete entries older than a time. Raises StorageUnavailable."""
        ...


@dataclass(slots=True)
class _Queued:
    """A queued entry.

    Attributes:
        draft: Makes it.
        is_patient: It stays queued when an attempt fails.
        is_stored: It is stored.
        fault: Why it will not be stored.
    """

    draft: Draft
    is_patient: bool = True
    is_stored: bool = False
    fault: AuditLogUnavailable | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditNote:
    """A decision outside of calls.

    Attributes:
        action: What was decided about.
        told: The sentence, with `{person}` and `{agent}` for their names.
        person: The person, a user URI.
        agent: The name of the agent.
        grant: The id of its grant.
        decision: `allowed`, `refused` or `declined`.
        rule: The rule that decided.
        source: Whose rule it is.
        transport: Where it was decided: `http` or `command`.
    """

    action: Decided
    told: str
    person: str | None = None
    agent: str | None = None
    grant: str | None = None
    decision: str = "allowed"
    rule: str | None = None
    source: str | None = None
    transport: str = "http"


@dataclass(slots=True, repr=False)
class AuditLog:
    """The audit log of a process: takes entries, and writes them in batches.

    Args:
        opening: Opens the archive; asked again after it raised AuditLogUnavailable.
        now: The time.
        new_id: Makes a unique id for a call or decision.
        remedy: A sentence that says what helps when the audit log cannot be written.
    """

    opening: Callable[[], Awaitable[Archive]]
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    remedy: str = ""
    _archive: Archive | None = None
    _queue: deque[_Queued] = field(default_factory=deque[_Queued])
    _lost: int = 0
    _complaint: str = ""
    _opening: asyncio.Lock = field(default_factory=asyncio.Lock)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _wanted: asyncio.Event = field(default_factory=asyncio.Event)
    _full: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, draft: Draft) -> None:
        """Queue an entry. Never fails: an entry that finds no room is counted as lost."""
        if len(self._queue) >= MOST_QUEUED:
            self._lost += 1
            return
        self._queue.append(_Queued(draft))
        self._wanted.set()
        if len(self._queue) >= BATCH:
            self._full.set()

    async def keep(self, draft: Draft) -> None:
        """Store an entry before returning. Raises AuditLogUnavailable."""
        queued = _Queued(draft, is_patient=False)
        self._queue.append(queued)
        await self._store_now(queued)

    async def note(self, note: AuditNote) -> None:
        """Store a decision before returning; where that fails, it stays queued."""
        request_id, time = self.new_id(), self.now()
        queued = _Queued(lambda redactor: _noted(note, redactor, request_id, time))
        self._queue.append(queued)
        self._wanted.set()
        with suppress(AuditLogUnavailable):
            await self._store_now(queued)

    async def keep_note(self, note: AuditNote) -> None:
        """Store a decision before returning. Raises AuditLogUnavailable, after which it is not stored."""
        request_id, time = self.new_id(), self.now()
        await self.keep(lambda redactor: _noted(note, redactor, request_id, time))

    def jot(self, note: AuditNote) -> None:
        """Queue a decision, as `put` does."""
        request_id, time = self.new_id(), self.now()
        self.put(lambda redactor: _noted(note, redactor, request_id, time))

    async def recent(
        self,
        *,
        person: str | None = None,
        grant: str | None = None,
        limit: int = 20,
        called: Mapping[str, str] | None = None,
    ) -> list[AuditEntry]:
        """Find the last entries of a person or of one of their agents, the newest first.

        Args:
            person: A user URI.
            grant: The id of the grant of one agent.
            limit: How many at most.
            called: What people are called in the sentences, by user URI; by default the person is `you`.

        Raises:
            AuditLogUnavailable: The archive cannot be opened.
            StorageUnavailable: It cannot be read.
        """
        with suppress(AuditLogUnavailable):
            await self._write()
        return await (await self._opened()).recent(person=person, grant=grant, limit=limit, called=called)

    async def clear_out(self, before: datetime) -> None:
        """Delete entries older than a time. Raises AuditLogUnavailable and StorageUnavailable."""
        await (await self._opened()).clear_out(before)

    def open_soon(self) -> None:
        """Open the archive in the background."""
        self._wanted.set()

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[None]:
        """Write in the background until the block is left, then write what is still queued."""
        writer = asyncio.create_task(self._write_on())
        try:
            yield
        finally:
            self._ended.set()
            self._wanted.set()
            self._full.set()
            await asyncio.wait([writer])
            await self._write_last()

    async def _write_on(self) -> None:
        while not self._ended.is_set():
            await self._wanted.wait()
            self._wanted.clear()
            with anyio.move_on_after(GATHER):
                await self._full.wait()
            if self._ended.is_set():  # what is left is written by whoever waits for the end
                return
            try:
                await self._write()
            except AuditLogUnavailable:
                self._wanted.set()
                with anyio.move_on_after(RETRY):
                    await self._ended.wait()

    async def _write_last(self) -> None:
        try:
            while self._queue or self._lost:
                await self._write()
        except AuditLogUnavailable:
            _log.error("%d entries of the audit log are lost", len(self._queue) + self._lost)

    async def _store_now(self, queued: _Queued) -> None:
        """Return once an entry is stored. All who wait share a transaction."""
        while not queued.is_stored:
            if queued.fault is not None:
                raise queued.fault
            await self._write()

    async def _write(self) -> None:
        """Write one batch of the queue. Raises AuditLogUnavailable."""
        # A call that is canceled here must not take the entries of others with it.
        with anyio.CancelScope(shield=True):
            async with self._turn:
                self._full.clear()
                batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
                lost, self._lost = self._lost, 0
                try:
                    await self._store(batch, lost)
                except AuditLogUnavailable as fault:
                    self._put_back(batch, lost, fault)
                    raise
                if self._queue:
                    self._wanted.set()

    async def _store(self, batch: Sequence[_Queued], lost: int) -> None:
        archive = await self._opened()
        drafted = [entry for queued in batch if (entry := _drafted(queued, archive.redactor))]
        if lost:
            drafted.insert(0, _loss(lost, self.new_id(), self.now()))
        if drafted:
            await archive.append(drafted)
        for queued in batch:
            queued.is_stored = queued.fault is None
        self._complaint = ""

    async def _opened(self) -> Archive:
        async with self._opening:
            if self._archive is None:
                self._archive = await self.opening()
            return self._archive

    def _put_back(self, batch: Sequence[_Queued], lost: int, fault: AuditLogUnavailable) -> None:
        """Put patient entries back in the queue, as far as there is room."""
        if str(fault) != self._complaint:
            self._complaint = str(fault)
            _log.warning("the audit log cannot be written: %s", fault)
        for queued in batch:
            queued.fault = None if queued.is_patient else fault
        patient = [queued for queued in batch if queued.is_patient]
        room = max(0, MOST_QUEUED - len(self._queue))
        self._lost += lost + len(patient[room:])
        self._queue.extendleft(reversed(patient[:room]))


def _drafted(queued: _Queued, redactor: Redactor) -> AuditEntry | None:
    try:
        return redacted(queued.draft(redactor), redactor)
    except Exception:  # noqa: BLE001 - it is logged, and the entries of others have to go on
        _log.exception("an entry of the audit log cannot be made by a fault of this server")
        queued.fault = AuditLogUnavailable("The entry cannot be made by a fault of this server.")
        return None


def _noted(note: AuditNote, redactor: Redactor, request_id: str, time: datetime) -> AuditEntry:
    person = None if note.person is None else redactor.name(note.person)
    agent = None if note.agent is None else cut(note.agent)
    told = note.told.format(person=person or "somebody", agent=agent or "an agent without a name")
    ending = note.decision if note.rule is None else f"{note.decision}, {note.rule}"
    return AuditEntry(
        time=time,
        kind="note",
        request_id=request_id,
        person=person,
        agent=agent,
        named_by="registered" if agent else None,
        grant=note.grant,
        action=note.action,
        transport=note.transport,
        decision=note.decision,
        rule=note.rule,
        source=note.source,
        sentence=f"{told}: {ending}",
    )


def _loss(count: int, request_id: str, time: datetime) -> AuditEntry:
    told = f"{count} entries of the audit log were lost because they could not be stored in time"
    return AuditEntry(time=time, kind="lost", request_id=request_id, action="lost", sentence=told)
