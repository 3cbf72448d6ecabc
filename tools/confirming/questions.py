"""What a person is asked before a writing tool runs: what happens, when in the person's own zone, who gets an e-mail.

Facts come from Calendly, read on behalf of the same caller. Where they may not be read, the question names the
identifier instead. Texts of other people are cut short and kept on one line of visible characters, so that nobody
writes a question of their own into ours.
"""

import unicodedata
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final, TypeVar

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import (
    EventTypeId,
    GroupId,
    InvitationId,
    MembershipId,
    OrganizationId,
    ScheduledEventId,
    UserId,
    WebhookSubscriptionId,
)
from tools.booking.create_event_invitee import InviteeFields, create_event_invitee
from tools.endpoints.data_compliance import delete_invitee_data
from tools.endpoints.event_types import create_one_off_event_type, get_event_type
from tools.endpoints.invitees import list_event_invitees
from tools.endpoints.organization import (
    create_organization_invitation,
    get_organization_invitation,
    get_organization_membership,
    remove_organization_membership,
    revoke_organization_invitation,
)
from tools.endpoints.scheduled_events import cancel_scheduled_event, get_scheduled_event
from tools.endpoints.scheduling_links import create_single_use_scheduling_link
from tools.endpoints.users import get_user
from tools.endpoints.webhooks import create_webhook_subscription, delete_webhook_subscription, get_webhook_subscription
from tools.times import instant, own_timezone, parse_time, zone_of
from tools.toolset.declaring import Call
from tools.toolset.errors import TooLate, ToolError
from tools.toolset.tool import Tool, tool_of
from tools.workflows.rescheduling import reschedule_scheduled_event

T = TypeVar("T")

_LONGEST_TEXT = 80
_LONGEST_URL = 200
_MOST_NAMED = 12
"""All eleven whom a booking can reach are named."""


async def _book(
    call: Call,
    event_type: EventTypeId,
    start_time: datetime,
    invitee: InviteeFields,
    event_guests: list[str] | None = None,
    timezone: str | None = None,
    **_: object,
) -> str:
    what = await _event_type(call, event_type)
    when = await _when(call, await instant(call.caller, "start_time", start_time, timezone=timezone))
    name = invitee.get("name") or f"{invitee.get('first_name')} {invitee.get('last_name') or ''}"
    addresses = [invitee["email"], *(event_guests or [])]
    return f"Book {what}{when} with {_plain(name)}; Calendly will e-mail {_all(addresses)}."


@dataclass(frozen=True, slots=True)
class _Told:
    """A meeting as a question tells of it.

    Attributes:
        what: Its name and time, such as `'Intro call' on Tue 1 Dec 2026, 10:00 (Europe/Berlin) with Lee`.
        whom: The addresses that Calendly writes to; empty where they may not be seen.
        over: Why it cannot be canceled any more; None where it can, or nobody knows.
    """

    what: str
    whom: str
    over: str | None


async def _meeting(call: Call, scheduled_event: ScheduledEventId) -> _Told:
    event = await _if_allowed(call.via(get_scheduled_event)(scheduled_event))
    people = await _if_allowed(call.via(list_event_invitees)(scheduled_event, status="active", count=100))
    invitees = people.get("collection", []) if people else []
    what = (
        f"'{_plain(event.get('name'))}'{await _when(call, _start(event))}" if event else f"the event {scheduled_event}"
    )
    active = ((event.get("invitees_counter") or {}).get("active") or 0) if event and people else 0
    names = f" with {_all((invitee.get('name') for invitee in invitees), active)}" if invitees else ""
    addresses = [invitee.get("email") for invitee in invitees]
    if event and people:  # who may not see invitees is not told of guests either
        guests = event.get("event_guests") or []
        addresses += [guest.get("email") for guest in guests]
        active += len(guests)
    over = _why_over(event, call.caller.now()) if event else None
    return _Told(f"{what}{names}", _all(addresses, active), over)


async def _cancel(call: Call, scheduled_event: ScheduledEventId, reason: str | None = None) -> str:
    meeting = await _meeting(call, scheduled_event)
    question = (
        f"Cancel {meeting.what}; Calendly will e-mail {meeting.whom or 'the invitees'}. "
        f"This cannot be undone.{_read_by_them(reason)}"
    )
    if meeting.over is not None:
        raise TooLate(meeting.over, question)
    return question


async def _reschedule(
    call: Call,
    scheduled_event: ScheduledEventId,
    start_time: datetime,
    reason: str | None = None,
    timezone: str | None = None,
) -> str:
    meeting = await _meeting(call, scheduled_event)
    new_time = await _when(call, await instant(call.caller, "start_time", start_time, timezone=timezone))
    return (
        f"Move {meeting.what} to {new_time.removeprefix(' on ')}. Calendly cannot reschedule, so the new time is "
        f"booked first, then the old meeting canceled, and it will e-mail {meeting.whom or 'the invitee'} about both. "
        f"This cannot be undone.{_read_by_them(reason)}"
    )


def _read_by_them(reason: str | None) -> str:
    return f" The reason they read: {_plain(reason, _LONGEST_URL)}" if reason else ""


def _why_over(event: models.ScheduledEvent, now: datetime) -> str | None:
    """Say why a meeting cannot be canceled any more; None where it can, or nobody knows."""
    if event.get("status") == "canceled":
        return "This meeting is canceled already."
    try:
        return "This meeting is over." if parse_time(event.get("end_time") or "") <= now else None
    except (ValueError, TypeError):  # it is no time, or has no offset
        return None


async def _create_one_off(call: Call, name: str, duration: float, host: UserId | None = None, **_: object) -> str:
    what = f"the one-off event type '{_plain(name)}' ({duration:g} minutes) of {await _person(call, host)}"
    return f"Create {what}; Calendly will e-mail nobody."


async def _create_link(call: Call, owner: EventTypeId, **_: object) -> str:
    return (
        f"Create a link with which anyone can book {await _event_type(call, owner)} once; Calendly will e-mail nobody."
    )


async def _remove_member(call: Call, membership: MembershipId) -> str:
    found = await _if_allowed(call.via(get_organization_membership)(membership))
    user = (found.get("user") if found else None) or {}
    who = f"{_plain(user.get('name'))} ({_plain(user.get('email'))})" if user else f"the member {membership}"
    return f"Remove {who} from the organization, ending their access at once."


async def _invite(_call: Call, email: str, organization: OrganizationId | None = None) -> str:
    which = f"the organization {organization}" if organization else "your organization"
    return f"Invite {_plain(email)} to join {which}; Calendly will e-mail {_plain(email)} at once."


async def _revoke(call: Call, invitation: InvitationId, organization: OrganizationId | None = None) -> str:
    found = await _if_allowed(call.via(get_organization_invitation)(invitation, organization))
    which = f"of {_plain(found.get('email'))}" if found else str(invitation)
    return f"Revoke the invitation {which} to the organization; the link in the e-mail stops working."


async def _subscribe(
    call: Call,
    url: str,
    events: list[str],
    scope: str = "user",
    user: UserId | None = None,
    group: GroupId | None = None,
    **_: object,
) -> str:
    everybody = "everybody in the organization" if scope == "organization" else f"the group {group}"
    subject = await _person(call, user) if scope == "user" else everybody
    return (
        f"Post {_all(events)} of {subject} to {_plain(url, _LONGEST_URL)} from now on, "
        "with the names and e-mail addresses in them; Calendly will e-mail nobody."
    )


async def _unsubscribe(call: Call, webhook_subscription: WebhookSubscriptionId) -> str:
    found = await _if_allowed(call.via(get_webhook_subscription)(webhook_subscription))
    if found is None:
        return f"Delete the webhook subscription {webhook_subscription}; nothing is posted to its address any more."
    url = _plain(found.get("callback_url"), _LONGEST_URL)
    return (
        f"Delete the webhook subscription for {_all(found.get('events') or [])}; nothing is posted to {url} any more."
    )


async def _delete_data(_call: Call, emails: list[str]) -> str:
    return f"Delete for good all that Calendly stores in the organization about {_all(emails)}. This cannot be undone."


QUESTIONS: Final[Mapping[Tool, Callable[..., Awaitable[str]]]] = MappingProxyType(
    {
        tool_of(create_one_off_event_type): _create_one_off,
        tool_of(cancel_scheduled_event): _cancel,
        tool_of(create_event_invitee): _book,
        tool_of(reschedule_scheduled_event): _reschedule,
        tool_of(create_single_use_scheduling_link): _create_link,
        tool_of(remove_organization_membership): _remove_member,
        tool_of(create_organization_invitation): _invite,
        tool_of(revoke_organization_invitation): _revoke,
        tool_of(create_webhook_subscription): _subscribe,
        tool_of(delete_webhook_subscription): _unsubscribe,
        tool_of(delete_invitee_data): _delete_data,
    }
)
"""For each writing tool the question; it is called with the same parameters."""


async def _if_allowed(reading: Awaitable[T]) -> T | None:
    """What was read, None where that was refused or failed."""
    try:
        return await reading
    except (CalendlyError, ToolError):
        return None


async def _person(call: Call, user: UserId | None) -> str:
    if user is None or user.is_me:
        return "you"
    person = await _if_allowed(call.via(get_user)(user))
    return _plain(person.get("name")) if person else f"the user {user}"


async def _event_type(call: Call, event_type: EventTypeId) -> str:
    kind = await _if_allowed(call.via(get_event_type)(event_type))
    return f"'{_plain(kind.get('name'))}'" if kind else f"the event type {event_type}"


def _start(event: models.ScheduledEvent) -> datetime | None:
    try:
        return parse_time(event.get("start_time") or "")
    except ValueError:
        return None


async def _when(call: Call, time: datetime | None) -> str:
    """Such as ` on Tue 1 Dec 2026, 10:00 (Europe/Berlin)`, in the person's own zone; empty without a time."""
    if time is None or time.tzinfo is None:
        return ""
    zone = zone_of(await own_timezone(call.caller)) or UTC
    local = time.astimezone(zone)
    return f" on {local:%a} {local.day} {local:%b %Y, %H:%M} ({zone})"


def _all(texts: Iterable[str | None], there: int = 0) -> str:
    """The texts as a list in a sentence, which says how many of them, or of all that are `there`, it leaves out."""
    named = [_plain(text) for text in texts if text]
    rest = max(len(named), there if named else 0) - min(len(named), _MOST_NAMED)
    if rest > 0:
        named = [*named[:_MOST_NAMED], f"{rest} more"]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def _plain(text: str | None, most: int = _LONGEST_TEXT) -> str:
    """The visible characters of a text on one line, at most `most` of them."""
    spaced = (" " if unicodedata.category(char)[0] == "Z" or char in "\t\r\n" else char for char in text or "")
    line = " ".join("".join(char for char in spaced if unicodedata.category(char)[0] != "C").split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
