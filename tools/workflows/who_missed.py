"""Finds the invitees that a person means by names, addresses or URIs, in meetings that have begun."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import Final

from calendly import models
from calendly.identifiers import InvalidIdentifier, InviteeId, NoShowId, ScheduledEventId, UserId
from calendly.side_by_side import side_by_side
from tools.answers.views import Attendee, Meeting
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.scheduled_events import get_scheduled_event
from tools.fields import LARGEST_PAGE, within
from tools.matching import folded, near, turned
from tools.times import Day, end_instant, first_instant, span, zone_for
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError
from tools.toolset.wording import one_line
from tools.workflows.continuing import Position
from tools.workflows.meetings import Found, MeetingChoice, Range, is_canceled, look_through, starts

EVERYONE: Final = frozenset({"everyone", "everybody", "all"})
"""Words for all invitees of one meeting."""

_BEFORE: Final = timedelta(days=30)
_LONGEST_RANGE: Final = timedelta(days=366)
_INVITEE_PAGES: Final = 10
_MOST_NAMED: Final = 10
_MOST_ALIKE: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Who is meant.

    Attributes:
        invitees: Names, addresses or URIs, or one of `EVERYONE`.
        scheduled_event: The meeting; None to look through one's own.
        start: Where to look from, None for 30 days before `end` or now.
        end: Where to look to, None for now.
        timezone: The zone of times without an offset.
    """

    invitees: Sequence[str]
    scheduled_event: ScheduledEventId | None = None
    start: datetime | Day | None = None
    end: datetime | Day | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """An invitee of a meeting that has begun.

    Attributes:
        event: The meeting.
        invitee: The invitee.
        identifier: The same, by identifier.
        mark: Their no-show mark, None without one.
    """

    event: Meeting
    invitee: Attendee
    identifier: InviteeId
    mark: NoShowId | None

    @classmethod
    def of(cls, event: Meeting, invitee: Attendee) -> "Target | None":
        """Return an invitee of a meeting; None if Calendly does not say which."""
        mark = (invitee.get("no_show") or {}).get("uri")
        try:
            identifier = InviteeId.parse(invitee.get("uri") or "")
            return cls(event, invitee, within(identifier, None), NoShowId.parse(mark) if mark else None)
        except (InvalidIdentifier, ArgumentError):
            return None

    def goes_by(self, text: str) -> bool:
        """Return whether a name, an address, a URI or a uuid is exactly this invitee's."""
        known = (self.invitee.get("name"), self.invitee.get("email"))
        if text in {self.identifier.uri, self.identifier.uuid}:
            return True
        return not {folded(text), folded(turned(text))}.isdisjoint(folded(one) for one in known if one)

    @property
    def is_canceled(self) -> bool:
        """Whether they are canceled, alone or with the whole meeting."""
        return is_canceled(self.event, self.invitee)

    def named(self, zone: tzinfo | None) -> str:
        """Return who it is, in which meeting, on one line."""
        start = starts(self.event)
        when = f", {start.astimezone(zone):%Y-%m-%d %H:%M}" if start else ""
        who = f"{one_line(self.invitee.get('name'))} ({one_line(self.invitee.get('email'))})"
        return f"{who} in {one_line(self.event.get('name'))}{when}: {self.identifier.uri}"


async def targets(call: Call, sought: Sought) -> list[Target]:
    """Return who is meant, each once.

    Raises:
        ArgumentError: A text names nobody or several, or somebody whose meeting has not begun or is canceled.
    """
    if not EVERYONE.isdisjoint(map(folded, sought.invitees)) and sought.scheduled_event is None:
        raise ArgumentError.of("scheduled_event", "This parameter is required for everyone.")
    by_uri = [identifier for text in sought.invitees if (identifier := _invitee(text))]
    events = {ScheduledEventId(identifier.scheduled_event or "") for identifier in by_uri}
    events |= {sought.scheduled_event} if sought.scheduled_event else set()
    read = await side_by_side([partial(_of_event, call, event) for event in sorted(events, key=str)])
    known = [target for group in read for target in group]
    zone = await zone_for(call.caller, sought.timezone)
    where = "among the invitees of that meeting"
    if sought.scheduled_event is None and len(by_uri) < len(sought.invitees):
        first, last = await _range(call, sought)
        where = _among(first, last, zone, is_default=sought.start is None and sought.end is None)
        known += await _in_range(call, sought, first, last)
    chosen: dict[InviteeId, Target] = {}
    for text in sought.invitees:
        for target in _meant(text, known, sought.scheduled_event, zone, where):
            _check(target, call.caller.now())
            chosen[target.identifier] = target
    return list(chosen.values())


def _invitee(text: str) -> InviteeId | None:
    try:
        identifier = InviteeId.parse(text)
    except InvalidIdentifier:
        return None
    return identifier if identifier.scheduled_event else None


async def _of_event(call: Call, event: ScheduledEventId) -> list[Target]:
    meeting = await call.via(get_scheduled_event)(event)
    people = await call.via(list_event_invitees)(event, count=LARGEST_PAGE, max_pages=_INVITEE_PAGES)
    return _targets(meeting, [models.read(Attendee, invitee) for invitee in people.get("collection", [])])


def _targets(meeting: Meeting, people: Iterable[Attendee]) -> list[Target]:
    return [target for invitee in people if (target := Target.of(meeting, invitee))]


async def _range(call: Call, sought: Sought) -> tuple[datetime, datetime]:
    """Return the past range to search. Raises ArgumentError if the range has not begun."""
    now = call.caller.now()
    first = await first_instant(call.caller, "start_time", sought.start, sought.timezone) if sought.start else None
    if first and first >= now:
        raise ArgumentError.of("start_time", "Must be in the past: nobody has missed a meeting that has not begun.")
    last = await end_instant(call.caller, "end_time", sought.end, sought.timezone) if sought.end else now
    found = await span(call.caller, first or min(now, last) - _BEFORE, last, longest=_LONGEST_RANGE)
    return found.start, min(found.end, now)


def _among(first: datetime, last: datetime, zone: tzinfo | None, *, is_default: bool) -> str:
    """Say which invitees were searched: of which meetings, from when to when."""
    begins, ends = (f"{moment.astimezone(zone or UTC):%Y-%m-%d %H:%M}" for moment in (first, last))
    usual = "; start_time looks further back" if is_default else ""
    return f"among the invitees of your meetings from {begins} to {ends} ({zone or UTC}{usual})"


async def _in_range(call: Call, sought: Sought, first: datetime, last: datetime) -> list[Target]:
    """Return the invitees of one's own meetings in a range; where one address is meant, the meetings of that."""
    only = sought.invitees[0] if len(sought.invitees) == 1 and "@" in sought.invitees[0] else None
    found = Found(Position(first))
    asked = Range(start=first, end=last, user=UserId.ME, invitee_email=only)
    await look_through(call, asked, found, MeetingChoice(keeps=lambda row: row, invitee_pages=_INVITEE_PAGES))
    return [target for row in found.rows for target in _targets(row, row.get("invitees", []))]


def _meant(
    text: str, known: Sequence[Target], scheduled_event: ScheduledEventId | None, zone: tzinfo | None, where: str
) -> list[Target]:
    """Return the invitees that one text names, attending ones before canceled ones. `where` says what was searched."""
    if folded(text) in EVERYONE and scheduled_event is not None:
        found = [target for target in known if target.identifier.scheduled_event == scheduled_event.uuid]
        return [target for target in found if not target.is_canceled]
    named = list({target.identifier: target for target in known if target.goes_by(text)}.values())
    found = [target for target in named if not target.is_canceled] or named
    if len(found) > 1:
        listed = "; ".join(target.named(zone) for target in found[:_MOST_NAMED])
        raise ArgumentError.of("invitees", f"{_quoted(text)} can be several: pass the URI of one: {listed}.")
    if not found:
        raise ArgumentError.of("invitees", f"Nobody goes by {_quoted(text)} {where}.{_near(text, known)}")
    return found


def _check(target: Target, now: datetime) -> None:
    start, who = starts(target.event), _quoted(target.invitee.get("name") or str(target.identifier))
    if target.is_canceled:
        raise ArgumentError.of("invitees", f"{who} canceled, or the meeting was canceled: that is no no-show.")
    if start is not None and start > now:
        raise ArgumentError.of("invitees", f"The meeting with {who} has not begun.")


def _quoted(text: str) -> str:
    return f'"{one_line(text)}"'


def _near(text: str, known: Sequence[Target]) -> str:
    alike = near(text, [name for target in known if (name := target.invitee.get("name"))])[:_MOST_ALIKE]
    return f" Names that come near: {', '.join(map(one_line, alike))}." if alike else ""
