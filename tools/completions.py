"""What can be filled in for an argument of a prompt or a variable of a resource: the person's own lists, and no others.

The values come of a call of the tool that has them, on behalf of the same agent. Making them of its answer is pure.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from types import MappingProxyType
from typing import Any, Final

from calendly import models
from calendly.third_party_text import shown
from tools.answers.views import Meeting
from tools.endpoints.event_types import list_event_types
from tools.endpoints.scheduled_events import list_scheduled_events
from tools.endpoints.users import get_current_user
from tools.fields import ENOUGH_PAGES, LARGEST_PAGE, is_event_type_name
from tools.times import zone_of
from tools.toolset.declaring import Call
from tools.toolset.lists import Page
from tools.toolset.tool import Tool, tool_of

MOST: Final = 100
"""Values of one completion, which MCP bounds."""

_DAYS_BACK: Final = 31
_DAYS_AHEAD: Final = 366


@dataclass(frozen=True, slots=True)
class Completion:
    """Where the values of an argument come from.

    Attributes:
        tool: What is read for them.
        values: Makes them of its answer and of what time it is.
    """

    tool: Tool
    values: Callable[[Mapping[str, Any], datetime], Iterable[str]]


def beginning_with(typed: str, values: Iterable[str]) -> list[str]:
    """Return the values that begin with what was typed, whatever its case, each once and in their order."""
    begun = typed.casefold()
    return [value for value in dict.fromkeys(values) if value.casefold().startswith(begun)]


async def _bookable(call: Call) -> Page[models.EventType]:
    return await list_event_types(call, active=True, count=LARGEST_PAGE, max_pages=ENOUGH_PAGES)


async def _coming(call: Call) -> Page[Meeting]:
    now = call.caller.now()
    return await list_scheduled_events(
        call, status="active", min_start_time=now, sort="start_time:asc", count=LARGEST_PAGE, max_pages=ENOUGH_PAGES
    )


def event_types(answer: Mapping[str, Any], _now: datetime) -> Iterable[str]:
    """Name event types as they can be looked up: by their name where only one goes by it, else by uuid."""
    rows = answer["collection"]
    known = Counter(str(row.get(field) or "").casefold() for row in rows for field in ("name", "slug"))
    for row in rows:
        name, slug = str(row.get("name") or ""), str(row.get("slug") or "")
        is_alone = known[name.casefold()] == (2 if slug.casefold() == name.casefold() else 1)
        yield name if is_alone and is_event_type_name(name) else _uuid(row)


def meetings(answer: Mapping[str, Any], _now: datetime) -> Iterable[str]:
    """Name coming meetings as people do: what, and when."""
    for row in answer["collection"]:
        yield f"{shown(str(row.get('name')))}, {row.get('local_start') or row.get('start_time')}"


def meeting_ids(answer: Mapping[str, Any], _now: datetime) -> Iterable[str]:
    """Name coming meetings by uuid."""
    return map(_uuid, answer["collection"])


def dates(answer: Mapping[str, Any], now: datetime) -> Iterable[str]:
    """Name the days from today on in the person's zone, and after them the last ones, backwards."""
    zone = zone_of(answer.get("timezone"))
    if zone is None:
        return ()
    today = now.astimezone(zone).date()
    days = chain(range(_DAYS_AHEAD), range(-1, -_DAYS_BACK - 1, -1))
    return ((today + timedelta(days=distance)).isoformat() for distance in days)


_COMING: Final = replace(tool_of(list_scheduled_events), function=_coming)

COMPLETIONS: Final[Mapping[str, Completion]] = MappingProxyType(
    {
        "event_type": Completion(replace(tool_of(list_event_types), function=_bookable), event_types),
        "meeting": Completion(_COMING, meetings),
        "scheduled_event": Completion(_COMING, meeting_ids),
        "date": Completion(tool_of(get_current_user), dates),
    }
)
"""By the name of the argument, wherever it stands."""


def _uuid(row: Mapping[str, Any]) -> str:
    return str(row.get("uri") or "").rpartition("/")[2]
