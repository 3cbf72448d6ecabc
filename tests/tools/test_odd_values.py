"""Whatever Calendly sends in any field, no tool falls over it: an odd value is left aside, and the rest is answered."""

import json
from collections.abc import Iterator
from functools import cache
from itertools import product
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

import pytest
from typing_extensions import override

from calendly import models
from calendly.errors import CalendlyError
from calendly.request import JSON, Request
from server.calls.identities import identity_of
from tests.cases import case
from tests.sandbox.api import Json
from tests.tools.agent import prepared
from tests.tools.facts import EXAMPLES, Documented, documented, required_arguments, shape
from tools import ALL, Tool
from tools.answers.shown import shown
from tools.toolset.errors import ToolError

MISSING: Final = object()
ODD: Final[tuple[object, ...]] = (MISSING, None, "soon", "2026-12-01T10:00:00", 10**30, [], {"x": [None]}, ["x"])
BERLIN = ZoneInfo("Europe/Berlin")

Path = tuple[str | int, ...]

ENOUGH: dict[str, dict[str, Any]] = {
    "find_meeting_times": {"users": ["me"], "event_types": [EXAMPLES["event_type"]], "match": "any"},
    "find_bookings": {"answer": "a", "columns": ["start", "host", "canceled_by", "answer:1"]},
    "get_agenda": {"date": "2026-12-01", "days": 7},
    "summarize_bookings": {"group_by": ["host", "day", "no_show"], "end_time": "2027-06-01T00:00:00Z"},
    "reschedule_scheduled_event": {"start_time": "2026-12-03T10:00:00Z"},
}
"""Arguments with which a tool looks at more of what it is sent."""


class Oddly(Documented):
    """Calendly as documented, but for one value in the answers of one operation.

    Attributes:
        path: Of the operation.
        answer: To it.
        is_asked: Whether it was asked for.
    """

    def __init__(self, path: str, answer: str) -> None:
        super().__init__()
        self.path = path
        self.answer = answer
        self.is_asked = False

    @override
    async def send(self, request: Request) -> JSON:
        """Answer the operation oddly, and any other as documented."""
        path = shape(request.endpoint.path)
        self.is_asked |= path == self.path
        answer: JSON = json.loads(self.answer if path == self.path else text_of(request.endpoint.method, path))
        return answer


@cache
def text_of(method: str, path: str) -> str:
    """What an operation answers, as it is sent."""
    return json.dumps(documented(method, path))


def places(value: Json, path: Path = ()) -> Iterator[Path]:
    """Every place in an answer, the outermost apart, and of a list the first item alone."""
    inner: list[tuple[str | int, Json]] = []
    if isinstance(value, dict):
        inner = list(cast("dict[str | int, Json]", value).items())
    elif isinstance(value, list):
        inner = list(enumerate(cast("list[object]", value)[:1]))
    for name, item in inner:
        yield (*path, name)
        yield from places(item, (*path, name))


def changed(answer: str, path: Path, odd: object) -> str:
    """An answer with another value at a place, or without any."""
    other = json.loads(answer)
    place: Any = other
    for step in path[:-1]:
        place = place[step]
    if odd is MISSING:
        del place[path[-1]]
    else:
        place[path[-1]] = odd
    return json.dumps(other)


async def answered(tool: Tool, calendly: Documented, known: set[str]) -> None:
    """Call a tool, and show what it answers both ways, unless that is known already."""
    arguments = {**required_arguments(tool), **ENOUGH.get(tool.name, {})}
    call, values = await prepared(tool, calendly, tool.parse(arguments, ()).values())
    try:
        answer = await tool.run(call, values)
    except (CalendlyError, ToolError):
        return  # said in a sentence
    if (text := repr(answer)) not in known:
        for is_full in (False, True):
            shown(tool.shape, answer, BERLIN, is_full=is_full, redacts=not is_full)
        known.add(text)


@pytest.mark.requirement("answer-fields-added", "answer-odd-values")
@pytest.mark.parametrize("tool", ALL, ids=lambda tool: tool.name)
async def test_an_odd_value_in_any_field_raises_nothing(tool: Tool) -> None:
    known = set[str]()
    for endpoint in tool.calls:
        operation = shape(endpoint.endpoint.path)
        text = text_of(endpoint.endpoint.method, operation)
        for path, odd in product(places(json.loads(text)), ODD):
            calendly = Oddly(operation, changed(text, path, odd))
            with case(tool.name, endpoint.name, path, odd):
                await answered(tool, calendly, known)
            if not calendly.is_asked:
                break  # with these arguments it never is, whatever it would answer


@pytest.mark.parametrize("odd", [MISSING, None, "", 7, "http://elsewhere.example", ["x"], {}])
def test_who_somebody_is_needs_no_organization(odd: object) -> None:
    user: Any = {"uri": EXAMPLES["user"], "timezone": "Europe/Berlin", "current_organization": odd}
    read = models.read(models.User, {name: value for name, value in user.items() if value is not MISSING})
    identity = identity_of(read)
    assert (identity.user.uri, identity.timezone, identity.organization) == (EXAMPLES["user"], "Europe/Berlin", None)
