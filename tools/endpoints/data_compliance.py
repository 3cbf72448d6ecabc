"""Data compliance: deleting what Calendly stores about people."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from tools.fields import Email, at_most
from tools.toolset.declaring import Call, Toolset

data_compliance = Toolset()


class DataDeletion(TypedDict, total=False):
    """That Calendly took the request. Calendly itself answers nothing."""

    status: str
    message: str


@data_compliance.tool(
    "POST",
    "/data_compliance/deletion/invitees",
    title="Delete invitee data",
    scope="data_compliance:write",
    capability="data_deletion",
    destructive=True,
    idempotent=True,
    plan="enterprise",
    role="admin",
)
async def delete_invitee_data(
    call: Call, emails: Annotated[list[Email], Field(min_length=1), at_most(1_000)]
) -> DataDeletion:
    """Delete all data of invitees for good (GDPR erasure), across the organization. Cannot be undone.

    Takes up to 7 days. Needs Enterprise and Calendly's data requests permission.
    """
    await call.done(body={"emails": emails})
    await call.caller.bookings.forget(emails)
    return {"status": "accepted", "message": "Calendly deletes the data within 7 days; its activity log shows the end."}
