"""What Calendly's Notetaker noted of meetings: recaps and transcripts."""

from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.personal import PERSONAL, Personal
from calendly.models.scheduled_event import Location

_OF_GUEST: Final = Personal(unless=("host", frozenset({True})))


class RecapAttendee(TypedDict, total=False):
    """Who was in a meeting."""

    host: bool | None
    user_email: Annotated[str | None, _OF_GUEST]
    user_name: Annotated[str | None, _OF_GUEST]


class ListedMeetingRecap(TypedDict, total=False):
    """A recap as lists have it: without its texts."""

    uri: str | None
    app_url: Annotated[str | None, Field(description="page for signed-in people")]
    event: Annotated[str | None, Field(description="scheduled event URI; null: not booked with Calendly")]
    status: Annotated[str | None, Field(description="Available, Processing or Unavailable")]
    name: str | None
    location: Location | None
    start_time: str | None
    end_time: str | None
    created_at: str | None
    updated_at: str | None
    attendees: list[RecapAttendee] | None
    transcript: Annotated[str | None, Field(description="transcript URI")]


class MeetingRecap(ListedMeetingRecap, total=False):
    """A recap with its texts, in Markdown."""

    summary_md: Annotated[str | None, PERSONAL]
    action_items_md: Annotated[str | None, PERSONAL]
    discussion_md: Annotated[str | None, PERSONAL]
    share_link: Annotated[str | None, PERSONAL]


class MeetingTranscript(TypedDict, total=False):
    """What was said in a meeting, a line for each segment: `Speaker: words`."""

    uri: str | None
    text: Annotated[str | None, PERSONAL]
