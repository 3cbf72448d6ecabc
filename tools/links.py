"""Calendly's web addresses as people copy them: booking pages, pages of a slot, join links, links of invitees. Pure."""

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from calendly.identifiers import CALENDLY_ORIGIN, ContactId, EventTypeId, Identifier, InviteeId, ScheduledEventId

PAGES: Final = "https://calendly.com"

_LONGEST: Final = 2_000
_ADDRESS: Final = re.compile(r"(?:https?://)?(?:www\.)?calendly\.com(?:[/?#].*)?", re.IGNORECASE)
_SLOT: Final = re.compile(r"\d{4}-\d\d-\d\dT.*")
_SEGMENT: Final = re.compile(r"[\w.~-]{1,200}")
_UUID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

_OF_INVITEES: Final = {"cancellations": "cancels", "reschedulings": "reschedules"}
_NOT_PAGES: Final = frozenset({"api", "app", "event_types", "events", "users", *_OF_INVITEES})
_WHAT_IS_MEANT: Final = "Pass the event type's uuid, URI, name, slug or booking page."


def understood(text: str, kind: type[Identifier]) -> str:
    """Return an address at calendly.com as what it stands for; any other text as it is.

    An event type's page becomes its plain address, that of a meeting, invitee or contact its resource URI.

    Args:
        text: As it was written.
        kind: What it is to name.

    Raises:
        ValueError: It is such an address, and names nothing of that kind. The message says what it is.
    """
    segments = _path(text)
    if segments is None:
        return text
    if segments[:2] == ("api", "v2"):  # what Calendly's own pages ask; a meeting's may go on to its invitees
        return "/".join((CALENDLY_ORIGIN, *(segments[2:4] if kind is ScheduledEventId else segments[2:])))
    if kind is EventTypeId:
        return _booking_page(segments)
    if kind is ScheduledEventId:
        return _meeting(segments)
    if kind is InviteeId and next(iter(segments), "") in _OF_INVITEES:
        return "/".join(segments[1:])
    is_contact = kind is ContactId and segments[:2] == ("app", "contacts")
    return "/".join((CALENDLY_ORIGIN, *segments[1:])) if is_contact else text


def page_of(text: str | None) -> str | None:
    """Return the plain address of a booking page, in lower case; None for any other text."""
    try:
        page = _booking_page(segments) if (segments := _path(text or "")) else None
    except ValueError:
        return None
    return page.casefold() if page else None


def _path(text: str) -> tuple[str, ...] | None:
    """Return the segments of an address at calendly.com, None for any other text."""
    text = text.strip()
    if len(text) > _LONGEST or not _ADDRESS.fullmatch(text):
        return None
    whole = text if "://" in text else f"https://{text}"
    try:
        path = urlsplit(whole).path
    except ValueError:
        return None
    segments = tuple(unquote(segment) for segment in path.split("/") if segment)
    is_plain = all(_SEGMENT.fullmatch(segment) or _SLOT.fullmatch(segment) for segment in segments)
    return segments if is_plain else None


def _booking_page(segments: tuple[str, ...]) -> str:
    if segments and _SLOT.fullmatch(segments[-1]):
        segments = segments[:-1]
    first = next(iter(segments), "")
    if first not in _NOT_PAGES and len(segments) == (3 if first == "d" else 2):
        return "/".join((PAGES, *segments))
    if first in _OF_INVITEES:
        raise ValueError(
            f"This is the link with which an invitee {_OF_INVITEES[first]} a meeting, not an event type. "
            f"{_WHAT_IS_MEANT}"
        )
    if first not in _NOT_PAGES and len(segments) == 1:
        raise ValueError(f"This is a person's or team's page, which lists several event types. {_WHAT_IS_MEANT}")
    raise ValueError(f"This address at Calendly is not the booking page of an event type. {_WHAT_IS_MEANT}")


def _meeting(segments: tuple[str, ...]) -> str:
    first, second, *_ = (*segments, "", "")
    if first == "events" and _UUID.fullmatch(second):
        return f"{CALENDLY_ORIGIN}/scheduled_events/{second}"
    if first in _OF_INVITEES:
        raise ValueError(
            f"This is the link with which an invitee {_OF_INVITEES[first]}: a person opens it, and it does not "
            "say which meeting it is about. Find the meeting by the invitee's address, with find_bookings or "
            "list_scheduled_events."
        )
    raise ValueError(
        "This address at Calendly names no meeting. Pass its uuid or URI, as list_scheduled_events and find_bookings "
        "tell it."
    )
