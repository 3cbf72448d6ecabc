"""The lean view of answers: what an agent's next step needs, with local time beside UTC. Pure.

Nothing is renamed or retyped. Left out are nulls, and what `VIEWS` names for each resource; added are the local times
that it names. Fields that Calendly adds later pass. Which field belongs to which resource is told by the shape of the
answer, the return annotation of the tool.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Final, cast

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models import availability, event_type, invitee, organization, pagination, scheduled_event, user
from calendly.models import webhook_subscription as webhook
from tools.times import sent_time
from tools.toolset.shapes import fields_of, is_made_from, object_in, parts_of

AnyFields = Mapping[str, Any]
Gather = Callable[[Sequence[AnyFields], tzinfo], list[dict[str, Any]]]

COLLECTION: Final = "collection"
ZONE: Final = "timezone"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is lean about one resource.

    Attributes:
        omits: Fields left out wherever the resource stands.
        omits_in_lists: Fields that only the resource by itself shows.
        usual: Fields left out while they have this value, which goes without saying.
        local: Fields that are added, each with Calendly's UTC field that it tells in local time.
        gather: Puts the rows of a list together.
    """

    omits: frozenset[str] = field(default=frozenset[str]())
    omits_in_lists: frozenset[str] = field(default=frozenset[str]())
    usual: Mapping[str, object] = field(default_factory=dict[str, object])
    local: Mapping[str, str] = field(default_factory=dict[str, str])
    gather: Gather | None = None


class Meeting(scheduled_event.ScheduledEvent, total=False):
    """A scheduled event, with what the lean view adds."""

    local_start: Annotated[str | None, Field(description="in timezone")]
    timezone: str | None


class Busy(availability.BusyTime, total=False):
    """A busy time, with what the lean view adds."""

    local_start: Annotated[str | None, Field(description="in timezone")]


class MeetingTime(TypedDict, total=False):
    """A time at which a meeting can be had; in the lean view all such times of a day."""

    start_time: str
    local_start: Annotated[str, Field(description="in timezone")]
    open_to: Annotated[list[str], Field(description="with match any: the event types and users that could")]
    date: Annotated[str, Field(description="the fields from here on: lean, a row a day")]
    timezone: str
    times: Annotated[list[str], Field(description="local starts, the best first")]


class Attendee(invitee.Invitee, total=False):
    """An invitee, told beside the meeting."""


class OpenTimes(availability.AvailableTime, total=False):
    """An open slot in the full view; in the lean view all slots of a day."""

    date: Annotated[str | None, Field(description="the fields from here on: lean, a row a day")]
    timezone: str | None
    times: Annotated[list[str] | None, Field(description="local starts, such as 09:00")]


def open_times(rows: Sequence[AnyFields], zone: tzinfo) -> list[dict[str, Any]]:
    """Put the open slots of a day together: its date, and the times of that day at which a meeting can begin.

    A time that the clock shows twice that day carries its offset. A row that is no open slot stays as it came.
    """
    days: dict[str, dict[str, Any]] = {}
    unread: list[dict[str, Any]] = []
    for row in rows:
        start = sent_time(row.get("start_time"))
        if start is None or row.get("status", "available") != "available":
            unread.append(dict(row))
            continue
        local = start.astimezone(zone)
        date = local.date().isoformat()
        day = days.setdefault(date, {"date": date, ZONE: str(zone), "times": []})
        day["times"].append(_clock(local))
    return [*days.values(), *unread]


def meeting_times(rows: Sequence[AnyFields], zone: tzinfo) -> list[dict[str, Any]]:
    """Put the times of a day together, in the order of the first one, unless each says to whom it is open."""
    if not any("open_to" in row for row in rows):
        return open_times(rows, zone)
    starts = [sent_time(row.get("start_time")) for row in rows]
    locals_ = [{"local_start": told(start.astimezone(zone))} if start else {} for start in starts]
    return [{**row, **local} for row, local in zip(rows, locals_, strict=True)]


_NEVER_NEXT: Final = frozenset({"created_at", "updated_at"})

VIEWS: Final[Mapping[object, View]] = MappingProxyType(
    {
        scheduled_event.ScheduledEvent: View(
            omits=_NEVER_NEXT | {"meeting_notes_html", "calendar_event"},
            omits_in_lists=frozenset({"event_type", "meeting_notes_plain", "event_memberships", "invitees_counter"}),
            usual={"event_guests": []},
            local={"local_start": "start_time"},
        ),
        scheduled_event.EventMembership: View(omits=frozenset({"buffered_start_time", "buffered_end_time"})),
        scheduled_event.EventGuest: View(omits=_NEVER_NEXT),
        scheduled_event.Location: View(
            omits=frozenset({"data"}), omits_in_lists=frozenset({"join_url"}), usual={"status": "pushed"}
        ),
        invitee.Invitee: View(
            omits=_NEVER_NEXT
            | {"first_name", "last_name", "routing_form_submission", "scheduling_method", "invitee_scheduled_by"},
            usual={"questions_and_answers": [], "rescheduled": False},
        ),
        Attendee: View(
            omits=_NEVER_NEXT
            | {"first_name", "last_name", "routing_form_submission", "scheduling_method", "invitee_scheduled_by"}
            | {"event", "cancel_url", "reschedule_url", "tracking"},
            usual={"questions_and_answers": [], "rescheduled": False},
        ),
        MeetingTime: View(gather=meeting_times),
        invitee.QuestionAndAnswer: View(omits=frozenset({"position"})),
        event_type.EventType: View(
            omits=_NEVER_NEXT
            | {"admin_managed", "color", "deleted_at", "description_html", "locale", "position", "before_buffer"}
            | {"after_buffer", "start_time_increment"},
            omits_in_lists=frozenset({"custom_questions", "description_plain", "internal_note", "locations", "type"}),
            usual={"custom_questions": [], "is_paid": False, "secret": False, "booking_method": "instant"},
        ),
        availability.AvailableTime: View(gather=open_times),
        availability.BusyTime: View(
            omits=frozenset({"buffered_start_time", "buffered_end_time"}), local={"local_start": "start_time"}
        ),
        user.MemberUser: View(omits=_NEVER_NEXT | {"avatar_url", "locale", "slug", "time_notation"}),
        user.User: View(omits=_NEVER_NEXT | {"avatar_url", "locale", "slug", "time_notation", "resource_type"}),
        organization.OrganizationMembership: View(omits=_NEVER_NEXT),
        organization.OrganizationInvitation: View(omits=frozenset({"updated_at"})),
        webhook.WebhookSubscription: View(omits=frozenset({"updated_at", "creator"})),
        pagination.Pagination: View(omits=frozenset({"next_page", "previous_page", "previous_page_token"})),
    }
)


def lean(shape: object, answer: object, zone: tzinfo | None) -> object:
    """Return the lean view of an answer.

    Args:
        shape: The type of the answer.
        answer: What the tool returned.
        zone: Whose local time is told; None adds no local times, and slots are told in UTC.
    """
    view = _View(zone)
    slim = view.of(shape, answer, in_list=False)
    if zone is None or not view.told:
        return slim
    return {**cast("dict[str, object]", slim), ZONE: str(zone)}


def tells_time(shape: object) -> bool:
    """Say whether the lean view of answers of this shape depends on a zone."""
    shapes = {shape, *(part for hint in fields_of(shape).values() for part in parts_of(hint))}
    return any(
        view.local or view.gather for kind, view in VIEWS.items() if any(is_made_from(part, kind) for part in shapes)
    )


class _View:
    """One walk through an answer; `told` says whether it added a local time."""

    def __init__(self, zone: tzinfo | None) -> None:
        self._zone = zone
        self.told = False

    def of(self, shape: object, value: object, *, in_list: bool) -> object:
        """Walk on."""
        if isinstance(value, list):
            return [self.of(object_in(shape), item, in_list=in_list) for item in cast("list[object]", value)]
        if isinstance(value, dict):
            return self._object(object_in(shape), cast("dict[str, object]", value), in_list=in_list)
        return value

    def _object(self, shape: object, fields: dict[str, object], *, in_list: bool) -> dict[str, object]:
        view, hints = _view_of(shape), fields_of(shape)
        left_out = view.omits | (view.omits_in_lists if in_list else frozenset[str]())
        kept: dict[str, object] = {}
        for name, value in fields.items():
            if value is None or name in left_out:
                continue
            if name == COLLECTION and isinstance(value, list):
                kept[name] = self._rows(object_in(hints.get(name)), cast("list[object]", value))
                continue
            slim = self.of(hints.get(name), value, in_list=in_list)
            if slim != {} and not (name in view.usual and slim == view.usual[name]):
                kept[name] = slim
        return {**kept, **self._local_times(view, fields)}

    def _rows(self, shape: object, rows: list[object]) -> list[Any]:
        gather = _view_of(shape).gather
        if gather is None:
            return [self.of(shape, row, in_list=True) for row in rows]
        gathered = gather([cast("AnyFields", row) for row in rows if isinstance(row, dict)], self._zone or UTC)
        return [self.of(None, row, in_list=True) for row in gathered]

    def _local_times(self, view: View, fields: dict[str, object]) -> dict[str, str]:
        if self._zone is None:
            return {}
        instants = {name: sent_time(fields.get(source)) for name, source in view.local.items()}
        times = {name: told(instant.astimezone(self._zone)) for name, instant in instants.items() if instant}
        self.told = self.told or bool(times)
        return times


def told(local: datetime) -> str:
    """Return a local time as agents and people read it, such as `Tue 2026-12-01 10:00`; models err about weekdays."""
    return f"{local:%a} {local.date().isoformat()} {_clock(local)}"


def _clock(local: datetime) -> str:
    """The time of day; with its offset where the clock shows it twice that day."""
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    clock = local.strftime("%H:%M:%S" if local.second else "%H:%M")
    return f"{clock}{_offset(local)}" if twice else clock


def _offset(local: datetime) -> str:
    text = local.isoformat()
    return text[-6:]


@cache
def _view_of(shape: object) -> View:
    exactly = next((view for kind, view in VIEWS.items() if shape is kind), None)
    return exactly or next((view for kind, view in VIEWS.items() if is_made_from(shape, kind)), View())
