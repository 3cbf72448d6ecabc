"""The parts of questions to a person, and the entry of a writing tool.

A question says what happens, when (in the zones of all concerned), and whom Calendly e-mails, where it
does. Its facts come from Calendly, read on behalf of the same caller; if they may not be read, it names
the identifier. What does not exist is found before, as the person. Texts of other people are facts of
their own (`tools.toolset.question`).
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, ParamSpec, TypeVar
from zoneinfo import ZoneInfo

from calendly.errors import CalendlyError, InsufficientScope, NotFound, PermissionDenied
from calendly.identifiers import EventTypeId, InvalidIdentifier, UserId
from tools.endpoints.event_types.event_types import get_event_type
from tools.endpoints.users import get_user
from tools.times import zone_for
from tools.toolset.declaring import Call, Function
from tools.toolset.effects import Affected
from tools.toolset.errors import ToolError
from tools.toolset.question import Fact, Question, stated, stored
from tools.toolset.tool import EndpointTool, endpoint_of
from tools.zones import zone_of

P = ParamSpec("P")
T = TypeVar("T")

LONGEST_TEXT: Final = 200
"""Characters of a reason or a web address."""

FOR_GOOD: Final = "This cannot be undone."

ClockOwner = Literal["host", "invitee"]
_ROLES: Final[Mapping[ClockOwner, str]] = {"host": "a host", "invitee": "the invitee"}
_MOST_CLOCKS: Final = 4


async def _unlimited(_call: Call, _aspects: Collection[str], **_: object) -> Affected:
    """Return nothing affected: no condition limits the tool."""
    return Affected()


@dataclass(frozen=True, slots=True)
class WriteEffects:
    """The question and the subject of a writing tool's calls.

    Attributes:
        question: Words the question; called with the parameters of the tool.
        affected: Finds out what the call is about, for conditions such as "only these event types";
            called with the aspects to find out, then with the parameters of the tool. Left out for
            a tool that no condition can limit.
    """

    question: Callable[..., Awaitable[Question]]
    affected: Callable[..., Awaitable[Affected]] = _unlimited


@dataclass(frozen=True, slots=True)
class Clock:
    """Somebody whom a meeting affects, and the name of their zone."""

    role: ClockOwner
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


async def person_fact(call: Call, label: str, user: UserId | None) -> Fact:
    """Return a user's name as a fact. Raises NotFound."""
    if user is None or user.is_me:
        return stated(label, "you")
    await about(call, get_user, user)
    person = await if_allowed(call.via(get_user)(user))
    return stored(label, person.get("name")) if person else stated(label, f"the user {user}")


async def event_type_fact(call: Call, event_type: EventTypeId) -> Fact:
    """Return an event type's name as a fact. Raises NotFound."""
    await about(call, get_event_type, event_type)
    kind = await if_allowed(call.via(get_event_type)(event_type))
    return (
        stored("Event type", kind.get("name")) if kind and kind.get("name") else stated("Event type", str(event_type))
    )


async def local_time(call: Call, time: datetime | None, others: Iterable[Clock] = ()) -> str | None:
    """Return `Tue 1 Dec 2026, 10:00 (Europe/Berlin; 04:00 America/New_York for the invitee)`; None without a time.

    First in the person's own zone, then for others whose clock differs.
    """
    if time is None or time.tzinfo is None:
        return None
    zone = await zone_for(call.caller) or UTC
    local = time.astimezone(zone)
    roles = dict[ZoneInfo, list[ClockOwner]]()
    for clock in others:
        other = zone_of(clock.timezone)
        if other is not None and time.astimezone(other).utcoffset() != local.utcoffset():
            roles.setdefault(other, []).append(clock.role)
    told = [f"; {_clock(time.astimezone(other), local)} {other} for {_for_whom(who)}" for other, who in roles.items()]
    more = f"; {len(told) - _MOST_CLOCKS} more time zones" if len(told) > _MOST_CLOCKS else ""
    return f"{_date(local)}, {local:%H:%M} ({zone}{''.join(told[:_MOST_CLOCKS])}{more})"


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
    return Clock("host", person.get("timezone")) if person else None


def _for_whom(roles: Iterable[ClockOwner]) -> str:
    counted = Counter(roles)
    return " and ".join(_ROLES[role] if count == 1 else f"{count} {role}s" for role, count in counted.items())


def _clock(local: datetime, other: datetime) -> str:
    return f"{local:%H:%M}" if local.date() == other.date() else f"{_date(local)}, {local:%H:%M}"


def _date(local: datetime) -> str:
    return f"{local:%a} {local.day} {local:%b %Y}"
