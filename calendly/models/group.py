"""Teams and groups of an organization, and who is in a group."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.user import GroupUser


class Team(TypedDict, total=False):
    """A team."""

    uri: str | None
    name: str | None
    organization: str | None
    scheduling_url: Annotated[str | None, Field(description="public booking page")]


class Group(TypedDict, total=False):
    """A group."""

    uri: str | None
    name: str | None
    organization: str | None
    created_at: str | None
    updated_at: str | None
    member_count: float | None


class GroupOwner(TypedDict, total=False):
    """Whose group relationship it is: an organization membership, or an invitation that is not yet one."""

    type: Annotated[str | None, Field(description="OrganizationMembership or OrganizationInvitation")]
    uri: str | None
    role: Annotated[str | None, Field(description="of a membership: user, admin or owner")]
    user: GroupUser | str | None  # of an invitation its URI, once accepted
    organization: str | None
    email: Annotated[str | None, Field(description="of an invitation")]
    status: Annotated[str | None, Field(description="of an invitation: pending, accepted or declined")]
    created_at: str | None
    updated_at: str | None
    last_sent_at: str | None


class GroupRelationship(TypedDict, total=False):
    """What makes somebody a member or an admin of a group. One owner may have several as admin."""

    uri: str | None
    role: Annotated[str | None, Field(description="member or admin")]
    owner: GroupOwner | None
    organization: str | None
    group: str | None
    created_at: str | None
    updated_at: str | None
