"""Completions for arguments of prompts and variables of resources, from the person's own lists.

The values come from a tool call on behalf of the same agent. Making them from its answer is pure.
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
from tools.endpoints.event_types.event_types import list_event_types
from tools.endpoints.scheduled_events import list_scheduled_events
from tools.endpoints.users import get_current_user
from tools.events import list_received_events
from tools.fields import ENOUGH_PAGES, LARGEST_PAGE, is_event_type_name
from tools.matching import folded
from tools.toolset.declaring import Call
from tools.toolset.lists import Page
from tools.toolset.tool import Tool, tool_of
from tools.zones import zone_of

MOST: Final = 100
"""Most values of one completion (MCP)."""

_DAYS_BACK: Final = 31
_DAYS_AHEAD: Final = 366


@dataclass(frozen=True, slots=True)
class Completion:
    """The source of an argument's values.

    Attributes:
        tool: The tool to call.
        values: Makes the values from its answer and the current time.
    """

    tool: Tool
    values: Callable[[Mapping[str, Any], datetime], Iterable[str]]


def beginning_with(typed: str, values: Iterable[str]) -> list[str]:
    """Return the values that begin with the typed text, ignoring case, without duplicates, in order."""
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
    """List event types by name, or by uuid where the name is not unique."""
    rows = answer["collection"]
    known = Counter(folded(str(row.get(field) or "")) for row in rows for field in ("name", "slug"))
    for row in rows:
        name, slug = str(row.get("name") or ""), str(row.get("slug") or "")
        is_alone = known[folded(name)] == (2 if folded(slug) == folded(name) else 1)
        yield name if is_alone and is_event_type_name(name) else _uuid(row)


def meetings(answer: Mapping[str, Any], _now: datetime) -> Iterable[str]:
    """List coming meetings by name and time."""
    for row in answer["collection"]:
        yield f"{shown(str(row.get('name')))}, {row.get('local_start') or row.get('start_time')}"


def meeting_ids(answer: Mapping[str, Any], _now: datetime) -> Iterable[str]:
    """List coming meetings by uuid."""
    return map(_uuid, answer["collection"])


def event_ids(answer: Mapping[str, Any], _now: datetime) -> Iterable[str]:
    """List what happened last by its id, the newest first."""
    return (str(row.get("event_id")) for row in reversed(answer["collection"]))


def dates(answer: Mapping[str, Any], now: datetime) -> Iterable[str]:
    """List the days from today in the person's zone, then the past days backwards."""
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
        "event_id": Completion(tool_of(list_received_events), event_ids),
        "date": Completion(tool_of(get_current_user), dates),
    }
)
"""By the name of the argument."""


def _uuid(row: Mapping[str, Any]) -> str:
    return str(row.get("uri") or "").rpartition("/")[2]
