"""Memberships of an organization, and invitations to join it."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models.user import MemberUser


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
