"""Users."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict


class GroupUser(TypedDict, total=False):
    """A user inside a group relationship."""

    uri: str | None
    name: str | None
    slug: str | None
    email: str | None
    scheduling_url: Annotated[str | None, Field(description="public booking page")]
    timezone: Annotated[str | None, Field(description="IANA name")]
    avatar_url: str | None
    created_at: str | None
    updated_at: str | None
    locale: Annotated[str | None, Field(description="en, fr, es, de, pt or ps")]


class MemberUser(GroupUser, total=False):
    """A user inside an organization membership."""

    time_notation: Annotated[str | None, Field(description="12h or 24h")]


class User(MemberUser, total=False):
    """A user."""

    current_organization: Annotated[str | None, Field(description="organization URI")]
    resource_type: str | None
