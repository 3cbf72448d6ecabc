"""The organization, its memberships, and invitations to join it."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.user import MemberUser


class Organization(TypedDict, total=False):
    """An organization."""

    uri: str | None
    kind: Annotated[str | None, Field(description="single or multiple")]
    name: str | None
    plan: Annotated[str | None, Field(description="basic, essentials, standard, professional, teams or enterprise")]
    stage: Annotated[str | None, Field(description="trial, free or paid")]
    created_at: str | None
    updated_at: str | None


class OrganizationMembership(TypedDict, total=False):
    """A person's membership in an organization."""

    uri: str | None
    role: Annotated[str | None, Field(description="user, admin or owner")]
    user: MemberUser | None
    organization: str | None
    updated_at: str | None
    created_at: str | None


class OrganizationInvitation(TypedDict, total=False):
    """An invitation to join an organization."""

    uri: str | None
    organization: str | None
    email: str | None
    status: Annotated[str | None, Field(description="pending, accepted or declined")]
    created_at: str | None
    updated_at: str | None
    last_sent_at: str | None
    user: Annotated[str | None, Field(description="there once accepted")]
