"""Data compliance: deleting what Calendly stores about people."""

from datetime import timedelta
from typing import Annotated, Final

from pydantic import Field
from typing_extensions import TypedDict

from tools.fields import Email, Time, at_most
from tools.times import past_span, wire
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.wording import listed

data_compliance = Toolset()
meeting_data = Toolset("data_compliance")

_MOST_NAMED: Final = 5
OLDEST_DELETED: Final = timedelta(days=731)
"""How far back meetings can be deleted: 24 months."""

_ACCEPTED: Final = "Calendly deletes the data within 7 days; its activity log shows the end."


def _audited(call: AuditedArguments) -> str:
    people = [call.names.hash(str(email)) for email in call.values.get("emails") or ()]
    return f"all data of {listed(people, most=_MOST_NAMED) or 'invitees'}"


class DataDeletion(TypedDict, total=False):
    """The receipt of a deletion request. Calendly's own answer is empty."""

    status: str
    message: str


@data_compliance.tool(
    "POST",
    "/data_compliance/deletion/invitees",
    title="Delete invitee data",
    scope="data_compliance:write",
    capability="data_deletion",
    audit=Sentence("delete", _audited),
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
    await call.caller.ledger()  # what cannot be forgotten here is not deleted there
    await call.done(body={"emails": emails})
    await call.caller.forget(emails)
    return {"status": "accepted", "message": _ACCEPTED}


@meeting_data.tool(
    "POST",
    "/data_compliance/deletion/events",
    title="Delete scheduled event data",
    scope="data_compliance:write",
    capability="data_deletion",
    audit=Sentence("delete", lambda call: f"all data of meetings{call.span('start_time', 'end_time')}"),
    destructive=True,
    idempotent=True,
    plan="enterprise",
    role="admin",
)
async def delete_scheduled_event_data(call: Call, start_time: Time, end_time: Time) -> DataDeletion:
    """Delete all data of past meetings in a time range for good, across the organization.

    At most 24 months back; takes up to 7 days. Needs Enterprise and Calendly's data requests permission.
    """
    start, end, _ = await past_span(call.caller, start_time, end_time, oldest=OLDEST_DELETED)
    await call.done(body={"start_time": wire(start), "end_time": wire(end)})
    return {"status": "accepted", "message": _ACCEPTED}
