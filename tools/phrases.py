"""What a call did, in the words of the record: for each tool a verb, and what it is about.

    AGENT listed the scheduled events of USER, 1 to 7 Dec 2026
    AGENT tried to cancel the scheduled event UUID

Said from the arguments alone, of which any may be missing: nothing is asked of Calendly for the record. A workflow's
arguments may come as they would be sent, so a value is text, or what `str` makes text. What names or describes a person
goes through `Names`, and secrets and free texts are left out.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Protocol, cast
from urllib.parse import urlsplit

from calendly.third_party_text import shown
from tools.booking.create_event_invitee import create_event_invitee
from tools.endpoints.availability import (
    get_user_availability_schedule,
    list_event_type_available_times,
    list_user_availability_schedules,
    list_user_busy_times,
)
from tools.endpoints.data_compliance import delete_invitee_data
from tools.endpoints.event_types import create_one_off_event_type, get_event_type, list_event_types
from tools.endpoints.invitees import get_event_invitee, list_event_invitees
from tools.endpoints.organization import (
    create_organization_invitation,
    get_organization_invitation,
    get_organization_membership,
    list_organization_invitations,
    list_organization_memberships,
    remove_organization_membership,
    revoke_organization_invitation,
)
from tools.endpoints.scheduled_events import cancel_scheduled_event, get_scheduled_event, list_scheduled_events
from tools.endpoints.scheduling_links import create_single_use_scheduling_link
from tools.endpoints.users import get_current_user, get_user
from tools.endpoints.webhooks import (
    create_webhook_subscription,
    delete_webhook_subscription,
    get_webhook_subscription,
    list_webhook_subscriptions,
)
from tools.toolset.tool import Tool, tool_of
from tools.workflows.agenda import get_agenda
from tools.workflows.bookings_search import find_bookings
from tools.workflows.meeting_times import find_meeting_times
from tools.workflows.rescheduling import reschedule_scheduled_event

_MOST_NAMED: Final = 5
_LONGEST: Final = 80


class Names(Protocol):
    """How the record names people."""

    def name(self, text: str) -> str:
        """Return a name, an address or a URI of a person as it is recorded."""
        ...

    def hash(self, text: str) -> str:
        """Return the keyed hash of one, whatever else is recorded."""
        ...


@dataclass(frozen=True, slots=True)
class About:
    """The arguments of a call, to be told of.

    Attributes:
        values: By name, those that were given.
        me: The person themself, as they are recorded.
        names: How others are.
    """

    values: Mapping[str, Any]
    me: str
    names: Names

    def given(self, name: str, phrase: str = "{}") -> str:
        """A value in a phrase, empty when it was not given."""
        value = self.values.get(name)
        return "" if value is None else phrase.format(_plain(str(value)))

    def person(self, name: str = "user") -> str:
        """A user; the person themself by default."""
        user = self.values.get(name)
        if user is None or getattr(user, "is_me", False):
            return self.me
        return self.names.name(getattr(user, "uri", str(user)))

    def address(self, name: str, phrase: str = "{}") -> str:
        """An e-mail address in a phrase, empty when it was not given."""
        value = self.values.get(name)
        return "" if value is None else phrase.format(self.names.name(str(value)))

    def group_or_person(self) -> str:
        """Whose: a group's, an organization's where no user was named, else a person's."""
        if "user" not in self.values or self.values["user"] is None:
            if self.values.get("group") is not None:
                return self.given("group", "the group {}")
            if self.values.get("organization") is not None:
                return self.given("organization", "the organization {}")
        return self.person()

    def span(self, start: str, end: str) -> str:
        """From when to when, such as `, 1 to 7 Dec 2026`; empty without either."""
        first, last = (_day(self.values.get(name)) for name in (start, end))
        if first and last:
            return f", {_between(first, last)}"
        return f", from {_dated(first)}" if first else f", until {_dated(last)}" if last else ""


Telling = Callable[[About], str]


@dataclass(frozen=True, slots=True)
class Phrase:
    """How to tell of a tool's calls.

    Attributes:
        verb: What it does, such as `list`.
        past: What it did, such as `listed`.
        about: To what, from the arguments.
    """

    verb: str
    past: str
    about: Telling


def _events(about: About) -> str:
    status = about.given("status", "{} ")
    return (
        f"the {status}scheduled events of {about.group_or_person()}{about.span('min_start_time', 'max_start_time')}"
        f"{about.address('invitee_email', ' with {}')}"
    )


def _memberships(about: About) -> str:
    whose = about.person() if not (about.values.get("email") or about.values.get("role")) else "the organization"
    return f"the memberships of {whose}{about.address('email', ' for {}')}{about.given('role', ' with the role {}')}"


def _invitee(about: About) -> str:
    return f"the invitee{about.given('invitee', ' {}')}{about.given('scheduled_event', ' of the event {}')}"


def _booking(about: About) -> str:
    invitee = cast("Mapping[str, str]", about.values.get("invitee") or {})
    with_whom = f" with {about.names.name(invitee['email'])}" if invitee.get("email") else ""
    guests = len(about.values.get("event_guests") or ())
    more = f" and {guests} guest{'s' if guests > 1 else ''}" if guests else ""
    when = _moment(about.values.get("start_time"))
    return f"a meeting{about.given('event_type', ' of the event type {}')}{with_whom}{more}{when}"


def _one_off(about: About) -> str:
    return f"a one-off event type of {about.person('host')}{about.given('duration', ', {} minutes')}"


def _hooks(about: About) -> str:
    scope = about.values.get("scope")
    whose = about.group_or_person() if scope != "organization" else "the organization"
    return f"the webhook subscriptions of {whose}"


def _subscription(about: About) -> str:
    events = _all(cast("Iterable[str]", about.values.get("events") or ()))
    host = urlsplit(str(about.values.get("url") or "")).hostname
    return f"a webhook subscription{f' for {events}' if events else ''}{f' at {_plain(host)}' if host else ''}"


def _people(about: About) -> str:
    emails = [about.names.hash(str(email)) for email in about.values.get("emails") or ()]
    return f"all data of {_all(emails) or 'invitees'}"


def _invitation(about: About) -> str:
    return f"the invitation{about.given('invitation', ' {}')} to the organization"


def _meeting_times(about: About) -> str:
    kinds, users = (cast("Sequence[object]", about.values.get(name) or ()) for name in ("event_types", "users"))
    parts = [
        f"{len(things)} {noun if len(things) == 1 else f'{noun}s'}"
        for things, noun in ((kinds, "event type"), (users, "person"))
        if things
    ]
    whose = f" of {' and '.join(parts)}" if parts else ""
    return f"meeting times{whose}{about.span('start_time', 'end_time')}"


def _agenda(about: About) -> str:
    days = about.values.get("days") or 1
    length = f", {days} days" if days != 1 else ""
    return f"the agenda of {about.group_or_person()}{about.given('date', ' from {}')}{length}"


def _bookings(about: About) -> str:
    email = about.address("invitee_email", " with {}")
    domain = about.given("domain", " from {}")
    return f"the bookings of {about.group_or_person()}{about.span('start_time', 'end_time')}{email}{domain}"


def _one(noun: str, parameter: str) -> Telling:
    return lambda about: f"the {noun}{about.given(parameter, ' {}')}"


PHRASES: Final[Mapping[Tool, Phrase]] = MappingProxyType(
    {
        tool_of(get_current_user): Phrase("look up", "looked up", lambda about: about.me),
        tool_of(get_user): Phrase("look up", "looked up", lambda about: about.person()),
        tool_of(list_event_types): Phrase(
            "list", "listed", lambda about: f"the event types of {about.group_or_person()}"
        ),
        tool_of(get_event_type): Phrase("read", "read", _one("event type", "event_type")),
        tool_of(create_one_off_event_type): Phrase("create", "created", _one_off),
        tool_of(list_scheduled_events): Phrase("list", "listed", _events),
        tool_of(get_scheduled_event): Phrase("read", "read", _one("scheduled event", "scheduled_event")),
        tool_of(cancel_scheduled_event): Phrase("cancel", "canceled", _one("scheduled event", "scheduled_event")),
        tool_of(list_event_invitees): Phrase(
            "list",
            "listed",
            lambda about: (
                f"the {about.given('status', '{} ')}invitees of the event"
                f"{about.given('scheduled_event', ' {}')}{about.address('email', ' with the address {}')}"
            ),
        ),
        tool_of(get_event_invitee): Phrase("read", "read", _invitee),
        tool_of(create_event_invitee): Phrase("book", "booked", _booking),
        tool_of(list_event_type_available_times): Phrase(
            "list",
            "listed",
            lambda about: (
                f"the open times of the event type{about.given('event_type', ' {}')}"
                f"{about.span('start_time', 'end_time')}"
            ),
        ),
        tool_of(list_user_busy_times): Phrase(
            "list", "listed", lambda about: f"the busy times of {about.person()}{about.span('start_time', 'end_time')}"
        ),
        tool_of(list_user_availability_schedules): Phrase(
            "list", "listed", lambda about: f"the availability schedules of {about.person()}"
        ),
        tool_of(get_user_availability_schedule): Phrase("read", "read", _one("availability schedule", "schedule")),
        tool_of(create_single_use_scheduling_link): Phrase(
            "create", "created", lambda about: f"a single-use link{about.given('owner', ' for the event type {}')}"
        ),
        tool_of(list_organization_memberships): Phrase("list", "listed", _memberships),
        tool_of(get_organization_membership): Phrase("read", "read", _one("membership", "membership")),
        tool_of(remove_organization_membership): Phrase("remove", "removed", _one("member", "membership")),
        tool_of(list_organization_invitations): Phrase(
            "list",
            "listed",
            lambda about: (
                f"the {about.given('status', '{} ')}invitations to the organization{about.address('email', ' of {}')}"
            ),
        ),
        tool_of(create_organization_invitation): Phrase(
            "invite", "invited", lambda about: f"{about.address('email') or 'somebody'} to the organization"
        ),
        tool_of(get_organization_invitation): Phrase("read", "read", _invitation),
        tool_of(revoke_organization_invitation): Phrase("revoke", "revoked", _invitation),
        tool_of(list_webhook_subscriptions): Phrase("list", "listed", _hooks),
        tool_of(create_webhook_subscription): Phrase("create", "created", _subscription),
        tool_of(get_webhook_subscription): Phrase("read", "read", _one("webhook subscription", "webhook_subscription")),
        tool_of(delete_webhook_subscription): Phrase(
            "delete", "deleted", _one("webhook subscription", "webhook_subscription")
        ),
        tool_of(delete_invitee_data): Phrase("delete", "deleted", _people),
        tool_of(find_meeting_times): Phrase("look for", "looked for", _meeting_times),
        tool_of(get_agenda): Phrase("read", "read", _agenda),
        tool_of(find_bookings): Phrase("search", "searched", _bookings),
        tool_of(reschedule_scheduled_event): Phrase(
            "reschedule",
            "rescheduled",
            lambda about: (
                f"the scheduled event{about.given('scheduled_event', ' {}')} to another time"
                f"{_moment(about.values.get('start_time'))}"
            ),
        ),
    }
)
"""For each tool its phrase."""


def _plain(text: str) -> str:
    line = shown(text)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


def _all(texts: Iterable[str]) -> str:
    named = [_plain(text) for text in texts]
    rest = len(named) - _MOST_NAMED
    if rest > 0:
        named = [*named[:_MOST_NAMED], f"{rest} more"]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def _time(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _day(value: object) -> datetime | None:
    return None if value is None else _time(value)


def _dated(day: datetime | None) -> str:
    return "" if day is None else f"{day.day} {day:%b %Y}"


def _between(first: datetime, last: datetime) -> str:
    if first.date() == last.date():
        return _dated(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {_dated(last)}"
    return f"{_dated(first)} to {_dated(last)}"


def _moment(value: object) -> str:
    time = _day(value)
    return "" if time is None else f" on {_dated(time)}, {time:%H:%M %Z}".rstrip()
