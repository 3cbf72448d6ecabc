"""Scheduled events."""

from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.location_kinds import KINDS, KINDS_IN_EVENTS, NAMED_BY_INVITEE, listed
from calendly.models.personal import PERSONAL, Personal

BY_INVITEE: Final = Personal(unless=("type", frozenset({*KINDS, *KINDS_IN_EVENTS}) - NAMED_BY_INVITEE))
"""Personal where the invitee names the place: a number to call, or where to meet."""

_OF_INVITEE: Final = Personal(unless=("canceler_type", frozenset({"host"})))


class DialInNumber(TypedDict, total=False):
    """A number to dial into a Zoom meeting."""

    number: str | None
    country: str | None
    type: str | None
    city: str | None
    country_name: str | None


class ZoomSettings(TypedDict, total=False):
    """Settings of a Zoom meeting."""

    global_dial_in_numbers: list[DialInNumber] | None


class ZoomExtra(TypedDict, total=False):
    """More about a Zoom meeting."""

    intl_numbers_url: str | None


class AudioConferencing(TypedDict, total=False):
    """How to dial into a Microsoft Teams meeting."""

    conferenceId: str | None
    dialinUrl: str | None
    tollNumber: str | None


class CallInNumber(TypedDict, total=False):
    """A number to dial into a Webex meeting."""

    label: str | None
    callInNumber: str | None
    tollType: str | None


class Telephony(TypedDict, total=False):
    """How to dial into a Webex meeting."""

    callInNumbers: list[CallInNumber] | None


class ConferenceData(TypedDict, total=False):
    """Data of the conferencing provider. The fields depend on the provider."""

    id: str | int | None
    password: str | None
    settings: ZoomSettings | None
    extra: ZoomExtra | None
    uniqueMeetingId: float | None
    conferenceCallInfo: str | None
    audioConferencing: AudioConferencing | None
    telephony: Telephony | None


class Location(TypedDict, total=False):
    """Where the meeting happens. The fields depend on the type."""

    type: Annotated[str | None, Field(description=listed(KINDS_IN_EVENTS))]
    location: Annotated[str | None, BY_INVITEE, Field(description="address, number or text")]
    additional_info: Annotated[str | None, BY_INVITEE]
    status: Annotated[str | None, Field(description="initiated, processing, pushed or failed")]
    join_url: Annotated[str | None, Field(description="there once status is pushed")]
    data: ConferenceData | None


class InviteesCounter(TypedDict, total=False):
    """Numbers of invitees. `total` includes canceled ones."""

    total: int | None
    active: int | None
    limit: int | None


class EventMembership(TypedDict, total=False):
    """A host."""

    user: str | None
    user_email: str | None
    user_name: str | None
    buffered_start_time: str | None
    buffered_end_time: str | None


class EventGuest(TypedDict, total=False):
    """A guest whom an invitee added."""

    email: str | None
    created_at: str | None
    updated_at: str | None


class Cancellation(TypedDict, total=False):
    """Who canceled, when and why."""

    canceled_by: Annotated[str | None, _OF_INVITEE]
    reason: Annotated[str | None, PERSONAL]  # whoever wrote it, it is about them
    canceler_type: Annotated[str | None, Field(description="host or invitee")]
    created_at: str | None


class CalendarEvent(TypedDict, total=False):
    """The entry in the host's calendar."""

    kind: Annotated[str | None, Field(description="exchange, google, icloud, outlook or outlook_desktop")]
    external_id: str | None


class ScheduledEvent(TypedDict, total=False):
    """A scheduled event."""

    uri: str | None
    name: str | None
    meeting_notes_plain: Annotated[str | None, PERSONAL]  # about the people met
    meeting_notes_html: Annotated[str | None, PERSONAL]
    status: Annotated[str | None, Field(description="active or canceled")]
    start_time: str | None
    end_time: str | None
    event_type: str | None
    location: Location | None
    invitees_counter: InviteesCounter | None
    created_at: str | None
    updated_at: str | None
    event_memberships: Annotated[list[EventMembership] | None, Field(description="hosts")]
    event_guests: Annotated[list[EventGuest] | None, PERSONAL]
    cancellation: Cancellation | None
    calendar_event: CalendarEvent | None
