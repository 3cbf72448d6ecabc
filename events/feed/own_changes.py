"""What agents changed themselves, so that an event that tells of it is known as theirs.

Noted before the change is sent, by what the event will be known by, and with the invitee once
Calendly has answered: an event that is faster than the answer is known too.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, insert, select, update

from events.facts import canonical, moment, part, written
from events.feed.feed import Feeds, ReadEvent
from events.feed.stored_feeds import Digests
from events.kinds import BOOKED, CANCELED
from events.payload import Doer
from events.tables import own_change as table
from storage.rows import columns, find_all

_KEPT: Final = timedelta(hours=24)
_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class _OwnChange:
    """A change of an agent."""

    grant: str
    kind: str
    match_digest: str
    invitee_digest: str | None


@dataclass(frozen=True, slots=True)
class OwnChanges:
    """The changes of all agents.

    Attributes:
        feeds: The feeds; whoever has none has no events that could be marked.
        now: The wall clock.
    """

    feeds: Feeds
    now: Callable[[], datetime]

    async def booking(self, person: str, grant: str, body: Mapping[str, Any]) -> str | None:
        """Note a booking that is about to be sent. Returns its id, None where nothing is noted.

        Args:
            person: Whose agent books.
            grant: The agent.
            body: Of the request.
        """
        email, start = part(body, "invitee").get("email"), moment(body.get("start_time"))
        event_type = canonical(body.get("event_type"))
        if event_type is None or start is None or not isinstance(email, str):
            return None
        return await self._note(person, grant, BOOKED, _booking(event_type, start, email))

    async def canceling(self, person: str, grant: str, meeting: str) -> str | None:
        """Note a cancellation that is about to be sent, given the URI of the meeting. Returns as `booking`."""
        return await self._note(person, grant, CANCELED, meeting)

    async def booked(self, person: str, change: str, invitee: str) -> None:
        """Complete a booking with the URI of its invitee."""
        found = await self.feeds.find(person)
        if found is not None:
            digest = Digests.of(found, self.feeds.keyring).of_text(invitee)
            async with self.feeds.database.begin() as connection:
                await connection.execute(update(table).where(table.c.id == change).values(invitee_digest=digest))

    async def withdraw(self, change: str) -> None:
        """Forget a change that Calendly has refused: should the same happen yet, somebody else did it."""
        async with self.feeds.database.begin() as connection:
            await connection.execute(delete(table).where(table.c.id == change))

    async def doers(self, person: str, reader: str, events: Sequence[ReadEvent]) -> dict[str, Doer]:
        """Return which of these events agents of the person caused, by event id.

        Args:
            person: Whose events.
            reader: The agent that reads them.
            events: What is read.
        """
        found = await self.feeds.find(person)
        if found is None:
            return {}
        query = select(*columns(_OwnChange, table)).where(table.c.person == person, table.c.valid_until > self.now())
        async with self.feeds.database.read() as connection:
            changes = await find_all(connection, _OwnChange, query)
        digests = Digests.of(found, self.feeds.keyring)
        doers = dict[str, Doer]()
        for event in events if changes else ():
            own = [change for change in changes if _is_told(change, event, digests)]
            if own:
                doers[event.event_id] = Doer(is_reader=any(change.grant == reader for change in own))
        return doers

    async def _note(self, person: str, grant: str, kind: str, known_by: str) -> str | None:
        found = await self.feeds.find(person)
        if found is None:
            return None
        change = self.feeds.random(_ID_BYTES).hex()
        row = {
            "id": change,
            "grant": grant,
            "person": person,
            "kind": kind,
            "match_digest": Digests.of(found, self.feeds.keyring).of_text(known_by),
            "valid_until": self.now() + _KEPT,
        }
        async with self.feeds.database.begin() as connection:
            await connection.execute(insert(table).values(row))
        return change


def _booking(event_type: str, start: datetime, email: str) -> str:
    return json.dumps([event_type, written(start), email.lower()])


def _is_told(change: _OwnChange, event: ReadEvent, digests: Digests) -> bool:
    """Say whether an event tells of a change."""
    if change.kind != event.kind:
        return False
    if change.invitee_digest is not None:
        return change.invitee_digest == event.invitee_digest
    return change.match_digest == digests.of_text(_known_by(event))


def _known_by(event: ReadEvent) -> str:
    meeting = part(event.data, "meeting")
    if event.kind == CANCELED:
        return str(meeting.get("uri"))
    start, email = moment(meeting.get("start_time")), part(event.data, "invitee").get("email")
    return _booking(str(meeting.get("event_type")), start, str(email)) if start else ""
