"""No-shows: marks on invitees who did not come."""

from typing import Annotated

from pydantic import Field

from calendly import models
from tools.answers.views import Deletion, deleted
from tools.fields import InviteeRef, NoShowRef, within
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset

no_shows = Toolset("no_shows")


@no_shows.tool(
    "POST",
    "/invitee_no_shows",
    title="Create no-show mark",
    scope="scheduled_events:write",
    capability="no_shows",
    audit=Sentence("mark", "the invitee {invitee} as a no-show"),
    webhook_event="invitee_no_show.created",
)
async def create_invitee_no_show(
    call: Call, invitee: Annotated[InviteeRef, Field(description="URI")]
) -> models.InviteeNoShow:
    """Mark an invitee as a no-show. mark_no_shows does it by name or address."""
    return await call(models.InviteeNoShow, body={"invitee": within(invitee, None).uri})


@no_shows.tool(
    "GET",
    "/invitee_no_shows/{no_show}",
    title="Get no-show mark",
    scope="scheduled_events:read",
    capability="invitee_data",
    audit=Sentence("read", "the no-show mark {no_show}"),
)
async def get_invitee_no_show(call: Call, no_show: NoShowRef) -> models.InviteeNoShow:
    """Look up a no-show mark: whose it is, and since when."""
    return await call(models.InviteeNoShow, no_show=no_show)


@no_shows.tool(
    "DELETE",
    "/invitee_no_shows/{no_show}",
    title="Delete no-show mark",
    scope="scheduled_events:write",
    capability="no_shows",
    audit=Sentence("delete", "the no-show mark {no_show}"),
    destructive=True,
    webhook_event="invitee_no_show.deleted",
)
async def delete_invitee_no_show(call: Call, no_show: NoShowRef) -> Deletion:
    """Delete a no-show mark: the invitee counts as having come."""
    await call.done(no_show=no_show)
    return deleted(no_show)
