"""No-shows: who did not come, marked by name, address or URI. Calendly marks one invitee at a time, by URI."""

from collections.abc import Sequence
from datetime import tzinfo
from functools import partial
from typing import Annotated, Final, Literal

from pydantic import Field
from typing_extensions import TypedDict

from calendly.errors import CalendlyError, NotFound, OutcomeUnknown
from calendly.models.personal import PERSONAL
from calendly.request import Request
from calendly.side_by_side import side_by_side
from tools.endpoints.invitees import get_event_invitee, list_event_invitees
from tools.endpoints.no_shows import create_invitee_no_show, delete_invitee_no_show
from tools.endpoints.scheduled_events import get_scheduled_event, list_scheduled_events
from tools.fields import Line, RangeTime, ScheduledEventRef, TimeZone, at_most
from tools.times import zone_for
from tools.toolset.audit_sentences import AuditedArguments, Sentence
from tools.toolset.declaring import Call, Workflows
from tools.toolset.effects import DryRun
from tools.toolset.errors import ToolError
from tools.workflows.meetings import starts
from tools.workflows.who_missed import Sought, Target, targets

no_shows = Workflows()

_AGAIN: Final = " Call again for this invitee: who is marked already is left alone."

WantedInvitees = Annotated[
    list[Annotated[Line, PERSONAL]],
    Field(min_length=1, description="names, e-mails or URIs; everyone: all of scheduled_event"),
    at_most(50),
]


def _audited(call: AuditedArguments) -> str:
    number = len(call.values.get("invitees") or ())
    of = call.given("scheduled_event", " of the event {}")
    what = "without the mark of a no-show" if call.values.get("unmark") else "as no-shows"
    return f"{number} invitee{'' if number == 1 else 's'}{of} {what}"


class MarkedRow(TypedDict, total=False):
    """One invitee, and what became of the mark."""

    outcome: Annotated[
        Literal["marked", "unmarked", "already", "failed"], Field(description="marked, unmarked, already or failed")
    ]
    why: Annotated[str, Field(description="of a failure")]
    invitee: Annotated[str, Field(description="invitee URI")]
    name: Annotated[str | None, PERSONAL]
    email: Annotated[str | None, PERSONAL]
    meeting: str | None
    local_start: Annotated[str, Field(description="in timezone")]


class NoShowsMarked(TypedDict, total=False):
    """What became of each mark."""

    collection: list[MarkedRow]
    timezone: str


@no_shows.workflow(
    title="Mark no-shows",
    needs=(
        create_invitee_no_show,
        delete_invitee_no_show,
        list_scheduled_events,
        get_scheduled_event,
        list_event_invitees,
    ),
    uses=(get_event_invitee,),
    audit=Sentence("mark", _audited),
)
async def mark_no_shows(
    call: Call,
    invitees: WantedInvitees,
    scheduled_event: ScheduledEventRef | None = None,
    start_time: Annotated[RangeTime, Field(description="ISO 8601; default: 30 days ago")] | None = None,
    end_time: Annotated[RangeTime, Field(description="ISO 8601; default: now")] | None = None,
    unmark: Annotated[bool, Field(description="true takes the marks back")] = False,
    timezone: TimeZone | None = None,
) -> NoShowsMarked:
    """Mark invitees who did not come to your past meetings as no-shows, or take the marks back.

    Without scheduled_event they are looked for in that range; whoever had several meetings in it is not guessed.
    """
    await call.precheck()
    sought = Sought(
        invitees=invitees, scheduled_event=scheduled_event, start=start_time, end=end_time, timezone=timezone
    )
    found = await targets(call, sought)
    zone = await zone_for(call.caller, timezone)
    due = [target for target in found if (target.mark is None) is not unmark]
    if due:
        call = await call.authorize()
    if due and call.is_dry_run:
        raise DryRun(*[request for target in due for request in await _requests(call, target, unmark=unmark)])
    results = await side_by_side([partial(_written, call, target, unmark=unmark) for target in due])
    failures = [result for result in results if isinstance(result, Exception)]
    if failures and len(failures) == len(found):
        raise failures[0]
    became = dict(zip([target.identifier for target in due], results, strict=True))
    done: Literal["marked", "unmarked"] = "unmarked" if unmark else "marked"
    answer: NoShowsMarked = {
        "collection": [_row(target, became.get(target.identifier, "already"), done, zone) for target in found]
    }
    return {**answer, "timezone": str(zone)} if zone else answer


async def _requests(call: Call, target: Target, *, unmark: bool) -> Sequence[Request]:
    try:
        await _write(call, target, unmark=unmark)
    except DryRun as stopped:
        return stopped.requests
    return ()


async def _write(call: Call, target: Target, *, unmark: bool) -> None:
    if not unmark:
        await call.via(create_invitee_no_show)(target.identifier)
    elif target.mark is not None:
        await call.via(delete_invitee_no_show)(target.mark)


async def _written(call: Call, target: Target, *, unmark: bool) -> Exception | None:
    """Write one mark. Returns why it failed, None if it did not."""
    try:
        await _write(call, target, unmark=unmark)
    except NotFound as gone:
        return None if unmark else gone
    except OutcomeUnknown as unknown:
        is_marked = await _is_marked(call, target)
        return unknown if is_marked is None or is_marked is unmark else None
    except (CalendlyError, ToolError) as refused:
        return refused
    return None


async def _is_marked(call: Call, target: Target) -> bool | None:
    """Return whether the invitee has a mark now; None if that cannot be read."""
    try:
        invitee = await call.via(get_event_invitee)(target.identifier)
    except (CalendlyError, ToolError):
        return None
    return bool(invitee.get("no_show"))


def _row(
    target: Target, became: Exception | str | None, done: Literal["marked", "unmarked"], zone: tzinfo | None
) -> MarkedRow:
    start = starts(target.event)
    row: MarkedRow = {
        "outcome": done,
        "invitee": target.identifier.uri,
        "name": target.invitee.get("name"),
        "email": target.invitee.get("email"),
        "meeting": target.event.get("name"),
    }
    if start and zone:
        row["local_start"] = start.astimezone(zone).isoformat(timespec="minutes")
    if isinstance(became, Exception):
        again = _AGAIN if isinstance(became, OutcomeUnknown) else ""
        return {**row, "outcome": "failed", "why": f"{became}{again}"}
    return {**row, "outcome": "already"} if became else row
