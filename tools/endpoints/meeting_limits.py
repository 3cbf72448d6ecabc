"""Meeting limits: how many meetings a person hosts at most in a day, a week and a month."""

from typing import Annotated, Literal

from pydantic import Field

from calendly import models
from calendly.identifiers import UserId
from tools.bodies import with_nulls
from tools.fields import UserRef, at_most
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ArgumentError
from tools.toolset.lists import Rows, rows_of
from tools.toolset.searched import searched, whose

meeting_limits = Toolset("meeting_limits")

Period = Literal["daily_limit", "weekly_limit", "monthly_limit"]
Limit = Annotated[int, Field(ge=1, le=9999)]


class LimitsUpdated(models.MeetingLimits, total=False):
    """The limits after a change, as far as Calendly answers them."""

    status: Annotated[str, Field(description="updated")]


@meeting_limits.tool(
    "GET",
    "/user_meeting_limits",
    title="List meeting limits",
    scope="availability:read",
    capability="availability",
    audit=Sentence("list", lambda call: f"the meeting limits of {call.person()}"),
)
async def list_user_meeting_limits(call: Call, user: UserRef | None = None) -> Rows[models.MeetingLimits]:
    """List how many meetings you host at most a day, a week and a month; null is no limit. Only your own."""
    owner = user or UserId.ME
    rows = await call.rows(models.MeetingLimits, query={"user": await call.uri(owner)})
    return rows_of(rows, searched(whose(owner)), "Calendly tells no limits.")


@meeting_limits.tool(
    "PATCH",
    "/user_meeting_limits",
    title="Update meeting limits",
    scope="availability:write",
    capability="availability",
    audit=Sentence("update", lambda call: f"the meeting limits of {call.person()}"),
)
async def update_user_meeting_limits(
    call: Call,
    user: UserRef | None = None,
    daily_limit: Limit | None = None,
    weekly_limit: Limit | None = None,
    monthly_limit: Limit | None = None,
    no_limit: Annotated[list[Period], at_most(3), Field(description="limits to remove")] | None = None,
) -> LimitsUpdated:
    """Update how many meetings you host at most a day, a week and a month; what is left out stays. Only your own."""
    limits = {"daily_limit": daily_limit, "weekly_limit": weekly_limit, "monthly_limit": monthly_limit}
    body = with_nulls(limits, "no_limit", no_limit)
    if not body:
        raise ArgumentError.of("no_limit", "Nothing to change: pass a limit, or name one here to remove it.")
    answer = await call.bare(models.MeetingLimits, query={"user": await call.uri(user or UserId.ME)}, body=body)
    return {**answer, "status": "updated"}
