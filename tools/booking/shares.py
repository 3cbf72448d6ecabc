"""Shares: single-use links with settings of their own, which leave the event type as it is."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Final, Literal, NotRequired, Unpack, get_args

import anyio
from pydantic import Field, with_config
from typing_extensions import TypedDict

from calendly import models
from calendly.identifiers import UserId
from calendly.models.location_kinds import LocationKind
from tools.answers.views import Deletion, deleted
from tools.bodies import CLOSED, given, with_nulls
from tools.booking.checks import state_faults
from tools.booking.survey import PATIENCE, kind_of
from tools.contact_fields import ContactRef
from tools.durations import Duration, Durations, check_durations
from tools.endpoints.event_types.settings import is_shared
from tools.fields import (
    ByCreation,
    Count,
    Date,
    EventTypeRef,
    Line,
    MaxPages,
    Name,
    PageToken,
    RangeTime,
    ShareRef,
    Text,
    TimeZone,
    UserRef,
    at_most,
)
from tools.rules import RuleSet, sent_rules
from tools.times import bounds, wire
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ArgumentError
from tools.toolset.lists import Page, page_of
from tools.toolset.searched import nothing_matches, searched, whose

shares = Toolset("shares")

_NOT_LISTED: Final = (
    "Calendly lists neither links that are switched off nor those of meeting polls, and perhaps not those of "
    "create_single_use_scheduling_link."
)

PeriodType = Literal["available_moving", "moving", "fixed", "unlimited"]
_MOVING: Final = frozenset({"available_moving", "moving"})
_OF_PERIODS: Final = {"start_date": {"fixed"}, "end_date": {"fixed"}, "max_booking_time": _MOVING}
_ONE_ON_ONE: Final = (
    "Only one-on-one event types have such links: create_single_use_scheduling_link makes a plain one for this one."
)

Overridden = Literal[
    "contact",
    "name",
    "duration",
    "duration_options",
    "period_type",
    "start_date",
    "end_date",
    "max_booking_time",
    "min_booking_time",
    "hide_location",
    "location_configurations",
    "availability_rule",
]


@with_config(CLOSED)
class PlaceFields(TypedDict):
    """A place to choose from."""

    kind: LocationKind
    location: NotRequired[Annotated[Text, Field(max_length=255)] | None]
    additional_info: NotRequired[Annotated[Text, Field(max_length=255)] | None]
    phone_number: NotRequired[Line | None]
    position: NotRequired[int | None]


@with_config(CLOSED)
class HoursFields(TypedDict):
    """When the link can be booked."""

    timezone: TimeZone
    rules: RuleSet


Places = Annotated[list[PlaceFields], Field(min_length=1), at_most(20)]
Days = Annotated[int, Field(ge=1)]


class ShareFields(TypedDict, total=False):
    """What both tools set alike."""

    name: Name | None
    duration: Duration | None
    duration_options: Durations | None
    period_type: Annotated[PeriodType, Field(description="fixed: the dates; moving: days ahead")] | None
    start_date: Date | None
    end_date: Date | None
    max_booking_time: Annotated[Days, Field(description="days ahead, with moving")] | None
    hide_location: bool | None
    location_configurations: Places | None
    availability_rule: HoursFields | None


def _settings(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as Calendly takes them."""
    rule, places = fields.get("availability_rule"), fields.get("location_configurations")
    return given(
        {
            **fields,
            "availability_rule": {**rule, "rules": sent_rules(rule["rules"])} if rule else None,
            "location_configurations": [given(place) for place in places] if places else None,
        }
    )


def _check(fields: Mapping[str, Any], *, is_whole: bool) -> None:
    """Refuse settings that do not go together; of a change, only what is certain."""
    start, end = fields.get("start_date"), fields.get("end_date")
    if start and end and end < start:
        raise ArgumentError.of("end_date", "Must not be before start_date.")
    check_durations(fields.get("duration"), fields.get("duration_options"))
    period = fields.get("period_type")
    for name in ("start_date", "end_date"):
        if is_whole and period == "fixed" and fields.get(name) is None:
            raise ArgumentError.of(name, "This parameter is required with period_type fixed.")
    for name, periods in _OF_PERIODS.items():
        if fields.get(name) is not None and period is not None and period not in periods:
            raise ArgumentError.of(name, f"Does not belong to period_type {period}.")
    if is_whole and period in _MOVING and fields.get("max_booking_time") is None:
        raise ArgumentError.of("max_booking_time", f"This parameter is required with period_type {period}.")
    if is_whole and period is None and (fields.get("start_date") or fields.get("end_date")):
        raise ArgumentError.of("period_type", "Must be fixed with start_date and end_date.")


def _check_not_past(call: Call, end_date: str | None) -> None:
    """Refuse dates that are over in every time zone."""
    if end_date and end_date < f"{call.caller.now() - timedelta(days=1):%Y-%m-%d}":
        raise ArgumentError.of("end_date", "Is past: nobody could book.")


@shares.tool(
    "POST",
    "/shares",
    title="Create share",
    scope="shares:write",
    capability="scheduling_links",
    audit=Sentence("create", "a link with settings of its own[ for the event type {event_type}]"),
)
async def create_share(
    call: Call,
    event_type: EventTypeRef,
    **fields: Unpack[ShareFields],
) -> models.Share:
    """Create a single-use booking link with a length, dates, hours or places of its own, such as for one lead.

    It serves one booking of a one-on-one event type, which stays as it is. Nobody is e-mailed: hand out booking_url.
    """
    _check(fields, is_whole=True)
    _check_not_past(call, fields.get("end_date"))
    await call.precheck()
    kind: models.EventType | None = None
    with anyio.move_on_after(PATIENCE):
        kind = await kind_of(call, event_type)
    if kind is not None and (faults := state_faults(kind, "event_type")):
        raise ArgumentError(*faults)
    if kind is not None and is_shared(kind):
        raise ArgumentError.of("event_type", _ONE_ON_ONE, "Use create_single_use_scheduling_link instead.")
    return await call(models.Share, body={"event_type": event_type.uri, **_settings(fields)})


@shares.tool(
    "GET",
    "/shares",
    title="List shares",
    scope="shares:read",
    capability="scheduling_links",
    audit=Sentence("list", "your links with settings of their own"),
)
async def list_shares(
    call: Call,
    user: Annotated[UserRef, Field(description="only you")] | None = None,
    min_created_at: RangeTime | None = None,
    max_created_at: RangeTime | None = None,
    event_type: EventTypeRef | None = None,
    sort: ByCreation = "created_at:desc",
    count: Count = 20,
    page_token: PageToken | None = None,
    max_pages: MaxPages = 1,
) -> Page[models.Share]:
    """List your single-use links that have settings of their own (shares): active, booked and expired ones."""
    owner = user or UserId.ME
    first, last = await bounds(call.caller, ("min_created_at", "max_created_at"), min_created_at, max_created_at)
    filters = {
        "min_created_at": wire(first) if first else None,
        "max_created_at": wire(last) if last else None,
        "event_type": await call.uri(event_type),
    }
    page = await call.pages(
        models.Share,
        query={"user": await call.uri(owner), **filters, "sort": sort},
        count=count,
        page_token=page_token,
        max_pages=max_pages,
    )
    looked = searched(whose(owner), start=first, end=last)
    return page_of(page, looked, nothing_matches(filters, page_token, beyond=_NOT_LISTED))


@shares.tool(
    "PATCH",
    "/shares/{share}",
    title="Update share",
    scope="shares:write",
    capability="scheduling_links",
    audit=Sentence("update", "the link {share}"),
)
async def update_share(
    call: Call,
    share: ShareRef,
    contact: Annotated[ContactRef, Field(description="for whom: name, e-mail, uuid or URI")] | None = None,
    min_booking_time: Days | None = None,
    reset: Annotated[list[Overridden], at_most(12), Field(description="put back to the event type's")] | None = None,
    **fields: Unpack[ShareFields],
) -> models.Share:
    """Update a single-use link that nobody has booked yet. What is left out stays."""
    wanted = _settings({"contact": await call.uri(contact), "min_booking_time": min_booking_time, **fields})
    _check(fields, is_whole=False)
    _check_not_past(call, fields.get("end_date"))
    body = with_nulls(wanted, "reset", reset)
    if not body:
        raise ArgumentError.of("share", f"Name something to change: {', '.join(get_args(Overridden))}.")
    return await call(models.Share, share=share, body=body)


@shares.tool(
    "DELETE",
    "/shares/{share}",
    title="Delete share",
    scope="shares:write",
    capability="scheduling_links",
    audit=Sentence("delete", "the link {share}"),
    destructive=True,
)
async def delete_share(call: Call, share: ShareRef) -> Deletion:
    """Delete a single-use link that nobody has booked: it can be opened no more."""
    await call.done(share=share)
    return deleted(share)
