"""Which fields of an answer an agent's next step needs: by default, an answer is lean.

Nothing is renamed or retyped. A lean answer leaves out nulls and what `VIEWS` names for each resource, and adds the
local times that it names. Fields that Calendly adds later pass. Which field belongs to which resource is told by the
shape of the answer, the return annotation of the tool.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models import availability, event_type, invitee, organization, pagination, scheduled_event, user
from calendly.models import webhook_subscription as webhook
from tools.answers.local_times import meeting_times, open_times
from tools.toolset.shapes import fields_of, is_made_from, parts_of

Gather = Callable[[Sequence[Mapping[str, Any]], tzinfo], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What is left out of one resource, and added.

    Attributes:
        omits: Fields left out wherever the resource stands.
        omits_in_lists: Fields that only the resource by itself shows.
        usual: Fields left out while they have this value, which goes without saying.
        local: Added fields, each with the field of Calendly whose instant it tells in local time.
        gather: Puts the rows of a list together.
        keeps_empty: Nulls and empty objects stay.
    """

    omits: frozenset[str] = field(default=frozenset[str]())
    omits_in_lists: frozenset[str] = field(default=frozenset[str]())
    usual: Mapping[str, object] = field(default_factory=dict[str, object])
    local: Mapping[str, str] = field(default_factory=dict[str, str])
    gather: Gather | None = None
    keeps_empty: bool = False


FULL: Final = View(keeps_empty=True)
"""Everything that Calendly sent."""


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


_NEVER_NEXT: Final = frozenset({"created_at", "updated_at"})
_OF_AN_INVITEE: Final = _NEVER_NEXT | {
    *("first_name", "last_name", "routing_form_submission", "scheduling_method", "invitee_scheduled_by")
}

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
            omits=_OF_AN_INVITEE,
            usual={"questions_and_answers": [], "rescheduled": False},
        ),
        Attendee: View(
            omits=_OF_AN_INVITEE | {"event", "cancel_url", "reschedule_url", "tracking"},
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


@cache
def tells_time(shape: object) -> bool:
    """Say whether lean answers of this shape depend on a zone."""
    shapes = {shape, *(part for hint in fields_of(shape).values() for part in parts_of(hint))}
    return any(
        view.local or view.gather for kind, view in VIEWS.items() if any(is_made_from(part, kind) for part in shapes)
    )


@cache
def view_of(shape: object) -> View:
    """Return the view of a shape, or of the shape that it is made from; one that only leaves out nulls for others."""
    exactly = next((view for kind, view in VIEWS.items() if shape is kind), None)
    return exactly or next((view for kind, view in VIEWS.items() if is_made_from(shape, kind)), View())
