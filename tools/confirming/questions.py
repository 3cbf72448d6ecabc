"""The parts of questions to a person, and the entry of a writing tool.

A question says what happens, when (in the zones of all concerned), and whom Calendly e-mails, where it does.
Its facts come from Calendly, read on behalf of the same caller; if they may not be read, it names the identifier.
What does not exist is found before, as the person. Texts of other people are shortened to one visible line, so
that nobody can inject a question of their own.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from calendly.errors import CalendlyError, InsufficientScope, NotFound, PermissionDenied
from calendly.identifiers import EventTypeId, InvalidIdentifier, UserId
from tools.endpoints.event_types import get_event_type
from tools.endpoints.users import get_user
from tools.times import zone_for
from tools.toolset import wording
from tools.toolset.declaring import Call, Function
from tools.toolset.effects import Affected
from tools.toolset.errors import ToolError
from tools.toolset.tool import EndpointTool, endpoint_of
from tools.toolset.wording import one_line
from tools.zones import zone_of

P = ParamSpec("P")
T = TypeVar("T")

LONGEST_URL: Final = 200
_MOST_CLOCKS: Final = 4
_MOST_NAMED: Final = 12
"""Enough for the eleven people of the largest booking."""


async def _unlimited(_call: Call, _aspects: Collection[str], **_: object) -> Affected:
    """Return nothing affected: no condition limits the tool."""
    return Affected()


@dataclass(frozen=True, slots=True)
class WriteEffects:
    """The question and the subject of a writing tool's calls.

    Attributes:
        question: Writes the question; called with the parameters of the tool.
        affected: Finds out what the call is about, for conditions such as "only these event types";
            called with the aspects to find out, then with the parameters of the tool. Left out for
            a tool that no condition can limit.
    """

    question: Callable[..., Awaitable[str]]
    affected: Callable[..., Awaitable[Affected]] = _unlimited


@dataclass(frozen=True, slots=True)
class Clock:
    """Somebody whom a meeting affects, and the name of their zone."""

    who: str
    timezone: str | None


async def if_allowed(reading: Awaitable[T]) -> T | None:
    """Return what was read, None if that was refused or failed."""
    try:
        return await reading
    except (CalendlyError, ToolError):
        return None


async def about(call: Call, reading: Function[P, T], *arguments: P.args, **named: P.kwargs) -> T | None:
    """Read what a call is about, as the person and before they are asked; None if that may not be read, or fails.

    Raises:
        NotFound: There is no such thing.
        InsufficientScope, PermissionDenied: The call changes it, and who may not read it may not change it either.
    """
    try:
        return await call.inquire(reading)(*arguments, **named)
    except NotFound:
        raise
    except (InsufficientScope, PermissionDenied) as refused:
        own, other = call.tool, endpoint_of(reading)
        if not isinstance(own, EndpointTool) or not set(other.endpoint.parameters) <= set(own.endpoint.parameters):
            return None
        told = refused.retold(refused.reason)
        if isinstance(refused, InsufficientScope):
            told.required_scopes = own.scopes  # a write scope includes its read scope
        raise told from None
    except (CalendlyError, ToolError):
        return None


async def person_named(call: Call, user: UserId | None) -> str:
    """Return a user's name for a question. Raises NotFound."""
    if user is None or user.is_me:
        return "you"
    await about(call, get_user, user)
    person = await if_allowed(call.via(get_user)(user))
    return one_line(person.get("name")) if person else f"the user {user}"


async def event_type_named(call: Call, event_type: EventTypeId) -> str:
    """Return an event type's name for a question. Raises NotFound."""
    await about(call, get_event_type, event_type)
    kind = await if_allowed(call.via(get_event_type)(event_type))
    return f"'{one_line(kind.get('name'))}'" if kind else f"the event type {event_type}"


async def local_time(call: Call, time: datetime | None, others: Iterable[Clock] = ()) -> str:
    """Return ` on Tue 1 Dec 2026, 10:00 (Europe/Berlin; 04:00 America/New_York for Lee)`; empty without a time.

    First in the person's own zone, then for others whose clock differs.
    """
    if time is None or time.tzinfo is None:
        return ""
    zone = await zone_for(call.caller) or UTC
    local = time.astimezone(zone)
    names = dict[ZoneInfo, list[str]]()
    for clock in others:
        other = zone_of(clock.timezone)
        if other is not None and time.astimezone(other).utcoffset() != local.utcoffset():
            names.setdefault(other, []).append(clock.who)
    told = [f"; {_clock(time.astimezone(other), local)} {other} for {listed(who)}" for other, who in names.items()]
    more = f"; {len(told) - _MOST_CLOCKS} more time zones" if len(told) > _MOST_CLOCKS else ""
    return f" on {_date(local)}, {local:%H:%M} ({zone}{''.join(told[:_MOST_CLOCKS])}{more})"


async def clock_of(call: Call, uri: str | None) -> Clock | None:
    """Return the clock of a user; None if it may not be read, or is the person's own, with which a question begins."""
    try:
        user = UserId.parse(uri or "")
    except InvalidIdentifier:
        return None
    me = await if_allowed(call.caller.identity())
    if me is not None and me.timezone and user == me.user:
        return None
    person = await if_allowed(call.via(get_user)(user))
    return Clock(person.get("name") or "the host", person.get("timezone")) if person else None


def _clock(local: datetime, other: datetime) -> str:
    return f"{local:%H:%M}" if local.date() == other.date() else f"{_date(local)}, {local:%H:%M}"


def _date(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b %Y}"


def listed(texts: Iterable[str | None], total: int = 0) -> str:
    """Join texts for a question; it counts those of `total` that it does not name."""
    return wording.listed(texts, most=_MOST_NAMED, total=total)
