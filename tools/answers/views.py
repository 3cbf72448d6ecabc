"""The lean view of answers: the fields that an agent's next step needs. It is the default.

Nothing is renamed or retyped. A lean answer has no nulls, leaves out the fields that `VIEWS` names
and adds local times. Unknown fields pass. The shape of the answer, which is the tool's return
annotation, says which resource a field belongs to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Final, cast

from pydantic import Field
from typing_extensions import TypedDict

from calendly.identifiers import Identifier
from calendly.models import (
    activity_log,
    availability,
    contact,
    event_type,
    group,
    invitee,
    meeting_recap,
    organization,
    pagination,
    routing_form,
    scheduled_event,
    user,
)
from calendly.models import webhook_subscription as webhook
from calendly.models.personal import PERSONAL
from tools.answers.local_times import meeting_times, open_times
from tools.toolset.lists import LeftOut
from tools.toolset.searched import Searched
from tools.toolset.shapes import fields_of, is_made_from, parts_of

Redundant = Callable[[Mapping[str, object]], bool]
Gather = Callable[[Sequence[Mapping[str, Any]], tzinfo], list[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a lean answer leaves out of one resource, and adds.

    Attributes:
        omits: Fields left out wherever the resource stands.
        omits_in_lists: Fields that only the resource by itself shows.
        usual: Fields left out while they have this value.
        usual_fields_in_lists: Objects left out of lists while they have no field but these.
        redundant: Says of a field by its whole resource whether it tells nothing more, and is left out.
        local: Local times to add: new field by the UTC field it comes from.
        in_zone: Times that are told, with their offset, in the zone beside them, else in that of the answer.
        adds: Further fields to add: a function of the object's.
        gather: Joins the rows of a list.
        keeps_empty: Keeps nulls and empty objects.
    """

    omits: frozenset[str] = field(default=frozenset[str]())
    omits_in_lists: frozenset[str] = field(default=frozenset[str]())
    usual: Mapping[str, object] = field(default_factory=dict[str, object])
    usual_fields_in_lists: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    redundant: Mapping[str, Redundant] = field(default_factory=dict[str, Redundant])
    local: Mapping[str, str] = field(default_factory=dict[str, str])
    in_zone: frozenset[str] = field(default=frozenset[str]())
    adds: Callable[[Mapping[str, Any]], Mapping[str, object]] | None = None
    gather: Gather | None = None
    keeps_empty: bool = False


FULL: Final = View(keeps_empty=True)
"""Everything that Calendly sent."""


class Meeting(scheduled_event.ScheduledEvent, total=False):
    """A scheduled event with the fields of the lean view."""

    local_start: Annotated[str | None, Field(description="in timezone")]
    local_end: str | None
    hosts: Annotated[list[str], Field(description="of a team's meeting")]
    timezone: str | None


class Busy(availability.BusyTime, total=False):
    """A busy time with the fields of the lean view."""

    local_start: Annotated[str | None, Field(description="in timezone")]


class MeetingTime(TypedDict, total=False):
    """A possible start of a meeting; in the lean view all starts of a day."""

    start_time: str
    local_start: Annotated[str, Field(description="in timezone")]
    open_to: Annotated[list[str], Field(description="with match any: the event types and users that could")]
    date: Annotated[str, Field(description="the fields from here on: lean, a row a day")]
    timezone: str
    times: Annotated[list[str], Field(description="local starts, the best first")]


class Attendee(invitee.Invitee, total=False):
    """An invitee inside a meeting, whose URI begins with that of the meeting: its end is enough."""

    uuid: Annotated[str | None, Field(description="lean, in place of uri; tools take it with scheduled_event")]


class MeetingWithInvitees(Meeting, total=False):
    """A scheduled event with its invitees."""

    join_url: Annotated[str, Field(description="of its location")]
    invitees: list[Attendee]
    invitees_total: Annotated[int, Field(description="canceled ones included; list_event_invitees has them all")]
    invitees_shown: int


class OpenTimes(availability.AvailableTime, total=False):
    """An open slot; in the lean view all slots of a day."""

    local_start: Annotated[str | None, Field(description="in timezone; full")]
    date: Annotated[str | None, Field(description="the fields from here on: lean, a row a day")]
    timezone: str | None
    times: Annotated[list[str] | None, Field(description="local starts, such as 09:00")]


class MeetingRecapRow(meeting_recap.ListedMeetingRecap, total=False):
    """A recap in a list, with the fields of the lean view."""

    local_start: Annotated[str | None, Field(description="in timezone")]
    local_end: str | None
    timezone: str | None


class DecidedFirst(meeting_recap.MeetingRecap, total=False):
    """A recap with the fields of the lean view."""

    local_start: Annotated[str | None, Field(description="in timezone")]
    local_end: str | None
    timezone: str | None


class Transcript(meeting_recap.MeetingTranscript, total=False):
    """A part of a transcript, and with its beginning what was decided."""

    summary_md: Annotated[str | None, PERSONAL]
    action_items_md: Annotated[str | None, PERSONAL]
    left_out: LeftOut


_NEVER_NEXT: Final = frozenset({"created_at", "updated_at"})
_NEVER_OF_A_MEETING: Final = _NEVER_NEXT | {"meeting_notes_html", "calendar_event"}
_OF_AN_INVITEE: Final = _NEVER_NEXT | {"routing_form_submission", "scheduling_method", "invitee_scheduled_by"}


def _is_of_one_invitee(event: Mapping[str, object]) -> bool:
    """Return whether a meeting can have one invitee only, so that its status is the invitee's."""
    counter = event.get("invitees_counter")
    return isinstance(counter, dict) and cast("dict[str, object]", counter).get("limit") == 1


def _has_name(person: Mapping[str, object]) -> bool:
    return bool(person.get("name"))


_MEETING: Final = View(
    omits=_NEVER_OF_A_MEETING,
    omits_in_lists=frozenset({"meeting_notes_plain", "event_memberships"}),
    usual={"event_guests": []},
    redundant={"invitees_counter": _is_of_one_invitee},
    local={"local_start": "start_time", "local_end": "end_time"},
)
_LISTED_MEETING: Final = replace(_MEETING, omits_in_lists=_MEETING.omits_in_lists | {"event_type", "local_end"})


def _uuid(fields: Mapping[str, Any]) -> dict[str, object]:
    uri = fields.get("uri")
    return {"uuid": uri.rpartition("/")[2]} if isinstance(uri, str) else {}


VIEWS: Final[Mapping[object, View]] = MappingProxyType(
    {
        scheduled_event.ScheduledEvent: _LISTED_MEETING,
        Meeting: replace(_LISTED_MEETING, usual_fields_in_lists={"location": frozenset({"type"})}),
        MeetingWithInvitees: _MEETING,
        scheduled_event.Cancellation: View(omits_in_lists=frozenset({"created_at"})),
        scheduled_event.EventMembership: View(omits=frozenset({"buffered_start_time", "buffered_end_time"})),
        scheduled_event.EventGuest: View(omits=_NEVER_NEXT),
        scheduled_event.Location: View(
            omits=frozenset({"data"}), omits_in_lists=frozenset({"join_url"}), usual={"status": "pushed"}
        ),
        invitee.Invitee: View(
            omits=_OF_AN_INVITEE,
            usual={"questions_and_answers": [], "rescheduled": False},
            redundant={"first_name": _has_name, "last_name": _has_name},
        ),
        Attendee: View(
            omits=_OF_AN_INVITEE | {"uri", "event", "cancel_url", "reschedule_url", "tracking"},
            usual={"questions_and_answers": [], "rescheduled": False},
            adds=_uuid,
            redundant={"first_name": _has_name, "last_name": _has_name},
        ),
        MeetingTime: View(gather=meeting_times, local={"local_start": "start_time"}),
        invitee.QuestionAndAnswer: View(omits=frozenset({"position"})),
        event_type.EventType: View(
            omits=_NEVER_NEXT
            | {"admin_managed", "color", "description_html", "locale", "position", "before_buffer", "after_buffer"}
            | {"start_time_increment"},
            omits_in_lists=frozenset({"custom_questions", "description_plain", "internal_note", "locations"}),
            usual={
                "custom_questions": [],
                "is_paid": False,
                "secret": False,
                "booking_method": "instant",
                "type": "StandardEventType",
            },
        ),
        event_type.EventTypeMembership: View(omits=_NEVER_NEXT | {"event_type"}),
        availability.AvailableTime: View(gather=open_times, local={"local_start": "start_time"}),
        availability.BusyTime: View(
            redundant={
                "buffered_start_time": lambda row: row.get("buffered_start_time") == row.get("start_time"),
                "buffered_end_time": lambda row: row.get("buffered_end_time") == row.get("end_time"),
            },
            local={"local_start": "start_time"},
        ),
        availability.MeetingLimits: View(keeps_empty=True),
        user.GroupUser: View(omits=_NEVER_NEXT | {"avatar_url", "locale", "slug"}),
        contact.Contact: View(
            omits=_NEVER_NEXT | {"creation_source"},
            omits_in_lists=frozenset({"app_url", "custom_fields", "first_email_date", "last_email_date", "linkedin"}),
            usual={"phone_numbers": [], "custom_fields": []},
        ),
        contact.ContactCustomField: View(omits=frozenset({"uri"})),
        contact.CustomFieldDefinition: View(omits=_NEVER_NEXT),
        contact.CustomFieldOption: View(omits=frozenset({"color"}), usual={"is_active": True}),
        user.MemberUser: View(omits=_NEVER_NEXT | {"avatar_url", "locale", "slug", "time_notation"}),
        user.User: View(omits=_NEVER_NEXT | {"avatar_url", "locale", "slug", "time_notation", "resource_type"}),
        organization.Organization: View(omits=_NEVER_NEXT),
        organization.OrganizationMembership: View(omits=_NEVER_NEXT),
        organization.OrganizationInvitation: View(omits=frozenset({"updated_at"})),
        group.Team: View(omits_in_lists=frozenset({"organization"})),
        group.Group: View(omits=_NEVER_NEXT, omits_in_lists=frozenset({"organization"})),
        group.GroupRelationship: View(omits=_NEVER_NEXT, omits_in_lists=frozenset({"organization"})),
        group.GroupOwner: View(omits=_NEVER_NEXT | {"organization", "last_sent_at"}),
        routing_form.RoutingForm: View(omits=_NEVER_NEXT, omits_in_lists=frozenset({"organization", "questions"})),
        routing_form.RoutingFormSubmission: View(
            omits=frozenset({"updated_at", "submitter_type"}), omits_in_lists=frozenset({"routing_form"})
        ),
        routing_form.SubmittedAnswer: View(omits=frozenset({"question_uuid"})),
        activity_log.ActivityLogEntry: View(
            omits=frozenset({"fully_qualified_name"}), omits_in_lists=frozenset({"organization", "uri"})
        ),
        activity_log.Actor: View(omits=frozenset({"organization"})),
        activity_log.OutgoingCommunication: View(omits=frozenset({"created_at", "scheduling_url"})),
        meeting_recap.ListedMeetingRecap: View(
            omits=_NEVER_NEXT | {"transcript"},
            omits_in_lists=frozenset({"app_url", "location"}),
            local={"local_start": "start_time", "local_end": "end_time"},
        ),
        webhook.WebhookSubscription: View(omits=frozenset({"updated_at", "creator"})),
        Searched: View(in_zone=frozenset({"start_time", "end_time"})),
        pagination.Pagination: View(omits=frozenset({"next_page", "previous_page", "previous_page_token"})),
    }
)


@cache
@cache
def tells_time(shape: object) -> bool:
    """Return whether lean answers of this shape contain local times."""
    shapes = {shape, *(part for hint in fields_of(shape).values() for part in parts_of(hint))}
    return any(
        view.local or view.gather for kind, view in VIEWS.items() if any(is_made_from(part, kind) for part in shapes)
    )


@cache
def view_of(shape: object) -> View:
    """Return the view of a shape or of its base; by default one that only leaves out nulls."""
    exactly = next((view for kind, view in VIEWS.items() if shape is kind), None)
    return exactly or next((view for kind, view in VIEWS.items() if is_made_from(shape, kind)), View())


class Deletion(TypedDict, total=False):
    """What was deleted. Calendly's own answer is empty."""

    uri: str
    status: str


def deleted(identifier: Identifier) -> Deletion:
    """Return the answer of a tool that deleted something."""
    return {"uri": identifier.uri, "status": "deleted"}
