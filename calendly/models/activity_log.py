"""What people did in an organization, and the messages that Calendly sent for it."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.personal import PERSONAL


class ActorOrganization(TypedDict, total=False):
    """The organization of an actor."""

    uri: str | None
    role: str | None


class ActorGroup(TypedDict, total=False):
    """The group of an actor."""

    uri: str | None
    name: str | None
    role: str | None


class Actor(TypedDict, total=False):
    """Who did something: a person, or Calendly itself."""

    uri: str | None
    type: Annotated[str | None, Field(description="User or System, among others")]
    organization: ActorOrganization | None
    group: ActorGroup | None
    display_name: str | None
    alternative_identifier: Annotated[str | None, Field(description="login e-mail")]


class ActivityDetails(TypedDict, total=False):
    """More about an entry. Calendly documents no field: they depend on the action."""


class ActivityLogEntry(TypedDict, total=False):
    """An entry of the activity log."""

    occurred_at: str | None
    actor: Actor | None
    details: Annotated[ActivityDetails | None, PERSONAL]  # whatever the action was about, such as an invitee
    fully_qualified_name: Annotated[str | None, Field(description="namespace.action")]
    uri: str | None
    namespace: str | None
    action: str | None
    organization: str | None


class Totals(TypedDict, total=False):
    """What some lists say of all their rows."""

    total_count: int | None


class LogTotals(Totals, total=False):
    """What the activity log says of all its entries."""

    last_event_time: str | None
    exceeds_max_total_count: Annotated[bool | None, Field(description="true: there are more than total_count")]


# `from` is a keyword, so the field is written as a dictionary.
_Sender = TypedDict("_Sender", {"from": str | None}, total=False)


class OutgoingCommunication(_Sender, total=False):
    """An e-mail or a text message that Calendly sent."""

    type: Annotated[str | None, Field(description="sms or email")]
    to: Annotated[str | None, PERSONAL]
    subject: Annotated[str | None, PERSONAL]
    body: Annotated[str | None, PERSONAL]
    sender_uri: str | None
    sender_email: str | None
    event_type_uri: str | None
    event_uri: str | None
    scheduling_url: str | None
    sent_at: str | None
    created_at: str | None
