"""Users: people with a Calendly login."""

from typing import Annotated

from pydantic import Field

from calendly import models
from tools.answers.local_times import told
from tools.fields import UserRef
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.zones import zone_of

users = Toolset()


class CurrentUser(models.User, total=False):
    """The user with their local time."""

    local_time: Annotated[str, Field(description="now, in timezone")]


@users.tool(
    "GET",
    "/users/me",
    title="Get current user",
    scope="users:read",
    capability="users",
    presets=("scheduling",),
    is_cacheable=True,
    audit=Sentence("read", lambda call: f"the profile of {call.person()}"),
)
async def get_current_user(call: Call) -> CurrentUser:
    """Look up the current user, for whom you act: name, e-mail, time zone, local time, booking page, organization."""
    me = await call(CurrentUser)
    zone = zone_of(me.get("timezone"))
    return (
        {**me, "local_time": told(call.caller.now().replace(second=0, microsecond=0).astimezone(zone))} if zone else me
    )


@users.tool(
    "GET",
    "/users/{user}",
    title="Get user",
    scope="users:read",
    capability="users",
    audit=Sentence("read", lambda call: f"the profile of {call.person()}"),
)
async def get_user(call: Call, user: UserRef) -> models.User:
    """Look up a Calendly user: name, e-mail, time zone, booking page."""
    return await call(models.User, user=user)
