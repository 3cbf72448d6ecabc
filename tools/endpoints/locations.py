"""Meeting locations: where a person can hold meetings."""

from calendly import models
from calendly.identifiers import UserId
from tools.fields import UserRef
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.lists import Rows, rows_of
from tools.toolset.searched import searched, whose

locations = Toolset("locations")


@locations.tool(
    "GET",
    "/locations",
    title="List meeting locations",
    scope="locations:read",
    capability="availability",
    audit=Sentence("list", lambda call: f"the meeting locations of {call.person()}"),
)
async def list_user_meeting_locations(call: Call, user: UserRef | None = None) -> Rows[models.UserMeetingLocation]:
    """List the places where a person can hold meetings, and whether video calls are connected. Default: you."""
    owner = user or UserId.ME
    rows = await call.rows(models.UserMeetingLocation, query={"user": await call.uri(owner)})
    return rows_of(rows, searched(whose(owner)), "No place is set up.")
