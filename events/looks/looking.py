"""One look: reads at Calendly what the feed of a person lacks, and publishes it.

The meetings of the person are listed, and the invitees read of those that changed. A look ends
early where it would cost too much or lasts too long; the next one goes on.
"""

import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol, cast

from calendly.endpoint import Endpoint
from calendly.errors import (
    CalendlyError,
    CalendlyRefusal,
    InsufficientScope,
    RateLimited,
    Unauthenticated,
    UpstreamError,
)
from calendly.request import JSON, Request
from events.facts import canonical, meeting_of, moment, part, written
from events.feed import stored_events
from events.feed.feed import Feeds
from events.feed.stored_events import StoredEvent
from events.feed.stored_feeds import Digests, StoredFeed
from events.identity import Arrival, Seen, implied, unmark
from events.incoming import stored_receivers
from events.joining import LONGEST_WAIT, NEXT_WAIT, joined, open_marks
from events.looks import stored_looks
from events.looks.stored_looks import SeenMeeting, seen_id

_LIST: Final = Endpoint("GET", "/scheduled_events")
_MEETING: Final = Endpoint("GET", "/scheduled_events/{scheduled_event}")
_INVITEES: Final = Endpoint("GET", "/scheduled_events/{scheduled_event}/invitees")
_INVITEE: Final = Endpoint("GET", "/scheduled_events/{scheduled_event}/invitees/{invitee}")

_PAGE: Final = 100
_MOST_PAGES: Final = 10
_BACK: Final = timedelta(hours=24)
"""How long ago the meetings began that are listed."""

_MARKED_AFTER: Final = timedelta(hours=72)
"""How long after a meeting its invitees are read again, as they may be marked as no-shows meanwhile."""

_REREAD: Final = timedelta(minutes=30)
"""How often that is."""

_TELLING: Final = timedelta(minutes=10)
"""How long a webhook may take. What is older and was not told by it means that it does not tell."""

_MOST_HALVES: Final = 20


_log: Final = logging.getLogger(__name__)


class Exhausted(Exception):
    """A look may ask for nothing more for now."""


@dataclass(frozen=True, slots=True)
class _Meeting:
    """A meeting that is listed.

    Attributes:
        uri: Its URI.
        row: As it is listed.
        now: What is seen of it.
    """

    uri: str
    row: JSON
    now: SeenMeeting

    def is_as_in(self, known: Mapping[str, SeenMeeting]) -> bool:
        """Say whether it was seen before as it is now."""
        before = known.get(self.now.id)
        return before is not None and before.fingerprint == self.now.fingerprint


class PersonReads(Protocol):
    """Reads Calendly as one person, at low priority."""

    async def send(self, request: Request) -> JSON:
        """Send a request that reads. Raises CalendlyError, and Exhausted where it would be too many."""
        ...


@dataclass(slots=True)
class Look:
    """One look.

    Attributes:
        feeds: The feeds.
        feed: That of the person.
        reads: Reads Calendly as them.
        now: The time.
        rereads: Somebody wants to know of no-shows, which may change nothing that is listed.
        continues_at: Where the next look goes on, None where it begins anew.
    """

    feeds: Feeds
    feed: StoredFeed
    reads: PersonReads
    now: Callable[[], datetime]
    rereads: bool = False
    continues_at: str | None = None

    async def run(self) -> None:
        """Look. Raises CalendlyError, Exhausted and StorageUnavailable."""
        self.continues_at = self.feed.look_continues_at  # should the look end before its first page does
        async for rows in self._pages():
            await self._read(_named(rows))
        await self.settle(self.now() + LONGEST_WAIT)

    async def _read(self, rows: Sequence[tuple[str, JSON]]) -> None:
        """Read the invitees of the meetings of a page: first of those that changed, then of those to be read again."""
        person, now = self.feed.person, self.now()
        meetings = [_Meeting(uri, row, _fingerprinted(seen_id(person, uri), person, row, now)) for uri, row in rows]
        async with self.feeds.database.read() as connection:
            known = await stored_looks.find(connection, [meeting.now.id for meeting in meetings])
        news, seen = list[Arrival](), list[SeenMeeting]()
        try:
            for meeting in sorted(meetings, key=lambda meeting: meeting.is_as_in(known)):
                before = known.get(meeting.now.id)
                is_due = self._is_due(meeting, before)
                found = await self._news(meeting) if is_due else []
                news += found or ()
                if found is not None and (is_due or before is None):
                    seen.append(meeting.now)
        finally:  # what was read already is kept, though the look ends here
            await self._keep(news, seen)

    async def settle(self, now: datetime) -> None:
        """Read the other half of what has waited long enough by `now`, and publish what has waited in vain."""
        async with self.feeds.database.read() as connection:
            waiting = await stored_events.overdue(connection, now, _MOST_HALVES, self.feed.person)
        for row in waiting:
            if not await self._complete(row):
                await self._go_on_waiting(row)

    async def _go_on_waiting(self, row: StoredEvent) -> None:
        if self.now() >= row.stored_at + LONGEST_WAIT:
            await self.feeds.publish_waiting(row)
            return
        async with self.feeds.database.begin() as connection:
            await stored_events.wait_on(connection, row.id, self.now() + NEXT_WAIT)

    async def _complete(self, row: StoredEvent) -> bool:
        """Read the invitee that a half lacks and publish what that says; whether it said the other half."""
        waiting = self.feeds.payloads.arrival_of(row)
        lacking = (
            waiting.invitee if waiting.half == "old" else part(part(waiting.data, "previous"), "invitee").get("uri")
        )
        if waiting.half == "unmark" or not isinstance(lacking, str):
            return False
        ids = {"scheduled_event": meeting_of(lacking).rpartition("/")[2], "invitee": lacking.rpartition("/")[2]}
        try:
            invitee = part(await self.reads.send(Request(_INVITEE, ids)), "resource")
            only = {"scheduled_event": ids["scheduled_event"]}
            meeting = part(await self.reads.send(Request(_MEETING, only)), "resource")
        except (CalendlyError, Exhausted):
            return False
        others = [other for other in implied(meeting, invitee) if other.event_id == waiting.event_id]
        return any([await self.feeds.publish(self.feed.person, other) for other in others])

    async def _pages(self) -> AsyncIterator[list[object]]:
        """List the meetings of the person, page after page."""
        back = _BACK + (_MARKED_AFTER if self.rereads else timedelta())
        start = self.feed.look_continues_at or written(self.now() - back)
        query = {"user": self.feed.person, "sort": "start_time:asc", "min_start_time": start}
        token: str | None = None
        for _ in range(_MOST_PAGES):
            answer = await self.reads.send(Request(_LIST, query={**query, "count": _PAGE, "page_token": token}))
            rows = _rows(answer)
            yield rows
            token = _following(answer, token)
            last = part({"row": rows[-1] if rows else None}, "row").get("start_time")
            self.continues_at = last if token and isinstance(last, str) else None
            if token is None:
                return

    def _is_due(self, meeting: "_Meeting", known: SeenMeeting | None) -> bool:
        """Say whether the invitees of a meeting are to be read."""
        if known is None:
            changed = moment(meeting.row.get("updated_at"))
            return changed is None or changed >= self.feed.since
        if known.fingerprint != meeting.now.fingerprint:
            return True
        has_ended = known.ends_at <= self.now() <= known.ends_at + _MARKED_AFTER
        return self.rereads and has_ended and known.looked_at <= self.now() - _REREAD

    async def _news(self, meeting: "_Meeting") -> list[Arrival] | None:
        """Read the invitees of a meeting, and return what that says has happened.

        One meeting that cannot be read does not keep the others from being read. None means that it is
        tried again: a new one may not be there yet, and Calendly may have failed.
        """
        try:
            rows = await self._invitees(meeting.uri)
        except (Unauthenticated, InsufficientScope, RateLimited):
            raise
        except CalendlyRefusal as refusal:
            if refusal.retry_after is not None:
                raise
            _log.info("The invitees of a meeting cannot be read: %s", refusal.reason)
            changed = moment(meeting.row.get("updated_at"))
            is_new = changed is not None and changed > self.now() - _TELLING
            return None if is_new or isinstance(refusal, UpstreamError) else []
        invitees = [Seen(name, meeting.row, invitee) for name, invitee in _named(rows)]
        found = [arrival for seen in invitees for arrival in implied(meeting.row, seen.invitee)]
        found += await self._ended_marks(invitees)
        return [arrival for arrival in found if arrival.occurred_at >= self.feed.since]

    async def _invitees(self, uri: str) -> list[object]:
        ids, rows = {"scheduled_event": uri.rpartition("/")[2]}, list[object]()
        token: str | None = None
        for _ in range(_MOST_PAGES):
            answer = await self.reads.send(Request(_INVITEES, ids, {"count": _PAGE, "page_token": token}))
            rows += _rows(answer)
            token = _following(answer, token)
            if token is None:
                break
        return rows

    async def _ended_marks(self, invitees: Sequence[Seen]) -> list[Arrival]:
        """Return the ends of no-show marks that were known of invitees and are there no more."""
        digests = Digests.of(self.feed, self.feeds.keyring)
        names = {digests.of_text(seen.uri): seen for seen in invitees}
        async with self.feeds.database.read() as connection:
            rows = await stored_events.marks(connection, self.feed.person, names.keys())
        found = list[Arrival]()
        for name, seen in names.items():
            marks = [self.feeds.payloads.mark_of(row) for row in rows if row.invitee_digest == name and row.position]
            present = canonical(part(seen.invitee, "no_show").get("uri"))
            found += [unmark(seen, self.now(), mark) for mark in open_marks(marks, present)]
        return found

    async def _keep(self, news: Sequence[Arrival], seen: Sequence[SeenMeeting]) -> None:
        """Publish what is new, and then note what was seen: should that fail, it is read again."""
        published = await self.feeds.publish_all(self.feed.person, joined(news))
        missed = any(self._was_to_be_told(arrival) for arrival in published)
        if seen or missed:
            async with self.feeds.database.begin() as connection:
                await stored_looks.note(connection, seen)
                if missed:
                    await stored_receivers.prove(connection, self.feed.person, None)

    def _was_to_be_told(self, arrival: Arrival) -> bool:
        """Say whether a webhook that is proved should have told what a look has found."""
        proved_at = self.feed.proved_at
        return proved_at is not None and proved_at < arrival.occurred_at < self.now() - _TELLING


def _rows(answer: JSON) -> list[object]:
    rows: object = answer.get("collection")
    return cast("list[object]", rows) if isinstance(rows, list) else []


def _following(answer: JSON, token: str | None) -> str | None:
    """Return the token of the next page, None where there is none."""
    following = part(answer, "pagination").get("next_page_token")
    return following if isinstance(following, str) and following not in {"", token} else None


def _named(rows: Sequence[object]) -> list[tuple[str, JSON]]:
    """Return the objects among rows that have a URI, with it."""
    found = [cast("JSON", row) for row in rows if isinstance(row, dict)]
    return [(uri, row) for row in found if (uri := canonical(row.get("uri"))) is not None]


def _fingerprinted(name: str, person: str, row: JSON, now: datetime) -> SeenMeeting:
    facts = [row.get("updated_at"), row.get("status"), row.get("invitees_counter")]
    fingerprint = sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    ends_at = moment(row.get("end_time")) or now
    return SeenMeeting(id=name, person=person, fingerprint=fingerprint, ends_at=ends_at, looked_at=now)
