"""What the questions to a person are made of, and the entry in which a writing tool has its own.

A question says what happens, when in the person's own zone, and who gets an e-mail. Its facts come from Calendly, read
on behalf of the same caller; where they may not be read, it names the identifier instead. Texts of other people are cut
short and kept on one line of visible characters, so that nobody writes a question of their own into ours.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeVar

from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId, UserId
from tools.endpoints.event_types import get_event_type
from tools.endpoints.users import get_user
from tools.times import zone_for
from tools.toolset import wording
from tools.toolset.declaring import Call
from tools.toolset.effects import Affected
from tools.toolset.errors import ToolError
from tools.toolset.wording import one_line

T = TypeVar("T")

LONGEST_URL: Final = 200
_MOST_NAMED: Final = 12
"""All eleven whom a booking can reach are named."""


async def _unlimited(_call: Call, _aspects: Collection[str], **_: object) -> Affected:
    """Know of nothing that a condition could limit."""
    return Affected()


@dataclass(frozen=True, slots=True)
class WriteEffects:
    """What is told of a writing tool's call before it is sent.

    Attributes:
        question: Writes what a person is asked; called with the parameters of the tool.
        affected: Finds out what the call is about, for conditions such as "only these event types"; called with the
            aspects to find out, then with the parameters of the tool. Left out where no condition can limit the tool.
    """

    question: Callable[..., Awaitable[str]]
    affected: Callable[..., Awaitable[Affected]] = _unlimited


async def if_allowed(reading: Awaitable[T]) -> T | None:
    """Return what was read, None where that was refused or failed."""
    try:
        return await reading
    except (CalendlyError, ToolError):
        return None


async def person_named(call: Call, user: UserId | None) -> str:
    """Return how a question names a user."""
    if user is None or user.is_me:
        return "you"
    person = await if_allowed(call.via(get_user)(user))
    return one_line(person.get("name")) if person else f"the user {user}"


async def event_type_named(call: Call, event_type: EventTypeId) -> str:
    """Return how a question names an event type."""
    kind = await if_allowed(call.via(get_event_type)(event_type))
    return f"'{one_line(kind.get('name'))}'" if kind else f"the event type {event_type}"


async def local_time(call: Call, time: datetime | None) -> str:
    """Return such as ` on Tue 1 Dec 2026, 10:00 (Europe/Berlin)`, in the person's own zone; empty without a time."""
    if time is None or time.tzinfo is None:
        return ""
    zone = await zone_for(call.caller) or UTC
    local = time.astimezone(zone)
    return f" on {local:%a} {local.day} {local:%b %Y, %H:%M} ({zone})"


def listed(texts: Iterable[str | None], total: int = 0) -> str:
    """Return texts as a list in a question, which counts those of `total` that it leaves out."""
    return wording.listed(texts, most=_MOST_NAMED, total=total)
