"""The kinds of events: what each means, which webhook events of Calendly's tell it, what it takes to see it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from calendly.request import JSON

Filter = Literal["event_type", "routing_form"]
"""What events of a kind can be narrowed to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFamily:
    """The kinds that one subscription at Calendly brings.

    Attributes:
        name: Its name.
        capability: What an agent has to be allowed to read, besides `events`.
        scope: The scope that reading takes.
        extent: The scope of the subscription at Calendly: `user` or `organization`.
        narrowed_by: What its events can be narrowed to.
    """

    name: str
    capability: str
    scope: str
    extent: Literal["user", "organization"] = "user"
    narrowed_by: Filter | None = None


@dataclass(frozen=True, slots=True)
class EventKind:
    """A kind of events.

    Attributes:
        name: Its name.
        words: What it means, for people and agents.
        family: Its family; None of `other`, which only the tool shows.
        told_by: Calendly's webhook events that tell it.
    """

    name: str
    words: str
    family: EventFamily | None
    told_by: tuple[str, ...] = ()

    @property
    def is_of_meeting(self) -> bool:
        """Whether it is about an invitee of a meeting."""
        return self.family is MEETINGS

    @property
    def arguments_schema(self) -> JSON:
        """What a subscription to it may be narrowed by, as JSON Schema."""
        narrowed = self.family.narrowed_by if self.family else None
        properties = {narrowed: _FILTERS[narrowed]} if narrowed else {}
        return {"type": "object", "properties": properties, "additionalProperties": False}

    @property
    def payload_schema(self) -> JSON:
        """What `data` of its events holds, as JSON Schema: open, and nothing required but kind and actor."""
        about = _MEETING if self.is_of_meeting else _OF_OTHER if self.family is None else _RESOURCE
        return {
            "type": "object",
            "properties": {"kind": {"const": self.name}, **_ALWAYS, **about},
            "required": ["kind", "actor"],
        }


MEETINGS: Final = EventFamily(
    name="meetings", capability="scheduled_events", scope="scheduled_events:read", narrowed_by="event_type"
)
ROUTING_FORMS: Final = EventFamily(
    name="routing_forms",
    capability="routing_forms",
    scope="routing_forms:read",
    extent="organization",
    narrowed_by="routing_form",
)
EVENT_TYPES: Final = EventFamily(name="event_types", capability="event_types", scope="event_types:read")
CONTACTS: Final = EventFamily(name="contacts", capability="contacts", scope="contacts:read")
MEETING_RECAPS: Final = EventFamily(name="meeting_recaps", capability="meeting_recaps", scope="meeting_recaps:read")

FAMILIES: Final = (MEETINGS, ROUTING_FORMS, EVENT_TYPES, CONTACTS, MEETING_RECAPS)

BOOKED: Final = "meeting.booked"
CANCELED: Final = "meeting.canceled"
RESCHEDULED: Final = "meeting.rescheduled"
MARKED: Final = "no_show.marked"
UNMARKED: Final = "no_show.unmarked"
SUBMITTED: Final = "routing_form.submitted"
OTHER: Final = "other"

INVITEE_CREATED: Final = "invitee.created"
INVITEE_CANCELED: Final = "invitee.canceled"

_CHANGES: Final = {"created": "was made", "updated": "was changed", "deleted": "was deleted"}


def _changes_of(resource: str, words: str, family: EventFamily) -> tuple[EventKind, ...]:
    return tuple(
        EventKind(f"{resource}.{change}", f"{words} {was}.", family, (f"{resource}.{change}",))
        for change, was in _CHANGES.items()
    )


KINDS: Final[Mapping[str, EventKind]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            EventKind(BOOKED, "Somebody booked a meeting.", MEETINGS, (INVITEE_CREATED,)),
            EventKind(CANCELED, "A meeting was canceled.", MEETINGS, (INVITEE_CANCELED,)),
            EventKind(
                RESCHEDULED,
                "A meeting was moved to another time.",
                MEETINGS,
                (INVITEE_CANCELED, INVITEE_CREATED),
            ),
            EventKind(MARKED, "An invitee was marked as a no-show.", MEETINGS, ("invitee_no_show.created",)),
            EventKind(UNMARKED, "The no-show mark of an invitee was removed.", MEETINGS, ("invitee_no_show.deleted",)),
            EventKind(
                SUBMITTED, "Somebody submitted a routing form.", ROUTING_FORMS, ("routing_form_submission.created",)
            ),
            *_changes_of("event_type", "An event type", EVENT_TYPES),
            *_changes_of("contact", "A contact", CONTACTS),
            *_changes_of("meeting_recap", "The recap of a meeting", MEETING_RECAPS),
            EventKind(OTHER, "Calendly told something that has no kind of its own.", None),
        )
    }
)
"""Every kind by its name."""


def family_of(told: str) -> EventFamily:
    """Return the family of one of Calendly's webhook events; of one that is not known, by what it begins with."""
    for family in FAMILIES:
        kinds = [kind for kind in KINDS.values() if kind.family is family]
        if any(told.startswith(name.partition(".")[0]) for kind in kinds for name in kind.told_by):
            return family
    return MEETINGS


def _texts(*names: str) -> dict[str, Any]:
    return {name: {"type": "string"} for name in names}


def _object(*texts: str, **others: JSON) -> JSON:
    return {"type": "object", "properties": {**_texts(*texts), **others}}


_FILTERS: Final[Mapping[Filter, JSON]] = {
    "event_type": {"type": "string", "description": "only of this event type: its uuid, URI or exact name"},
    "routing_form": {"type": "string", "description": "only of this routing form: its uuid or URI"},
}
_ALWAYS: Final[JSON] = {
    "actor": {
        "type": "object",
        "properties": {
            "self": {"type": "boolean", "description": "true when this very agent did it"},
            "by": {"type": "string", "description": "agent, host, invitee or unknown"},
        },
    },
    "withheld": {"type": "array", "items": {"type": "string"}, "description": "what access keeps out"},
}
_MEETING: Final[JSON] = {
    "meeting": _object(
        *("uri", "name", "event_type", "status", "start_time", "end_time", "timezone", "location_type"),
        local_start={
            "type": "string",
            "description": "start_time in timezone, to be read: Wed 2026-12-02 09:30",
            "pattern": "^[A-Z][a-z]{2} [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}$",
        },
        invitees={"type": "object", "properties": {"active": {"type": "integer"}, "limit": {"type": "integer"}}},
    ),
    "invitee": _object("uri", "status", "name", "email", "timezone"),
    "previous": _object(meeting=_object("uri", "start_time"), invitee=_object("uri")),
    "cancellation": _object("by", "reason"),
    "no_show": _object("uri"),
    **_texts("read_more", "third_party_text"),
}
_RESOURCE: Final[JSON] = {"resource": _object("uri", "name", "status"), **_texts("read_more", "third_party_text")}
_OF_OTHER: Final[JSON] = {"told": {"type": "string"}, "payload": {"type": "object"}, **_texts("third_party_text")}
