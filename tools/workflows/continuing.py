"""How a workflow continues in a further call. Pure.

Meetings are read in the order of their start. A token holds the start to continue from and the
meetings with that start that were already returned, since several may begin at the same instant.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from tools.fields import Opaque
from tools.times import parse_time, wire
from tools.toolset.lists import LeftOut, ZoneTold
from tools.toolset.searched import EmptyBecause, Searched

ENOUGH_TIME: Final = 15.0
"""How much time a call needs to continue, in seconds."""

_BETWEEN: Final = "~"
_ON, _BACK, _SHOWN = "@", "<", "#"


@dataclass(frozen=True, slots=True)
class Position:
    """Where to continue.

    Attributes:
        start: The first start to look at.
        given: The ids of meetings with that start that were already looked at.
        pivot: When a search of the default range began: it goes on from there to the end, then back.
        goes_back: It goes back in time.
        shown: How many were already answered of the times of the day of `start`, or of the rows of the next meeting.
    """

    start: datetime
    given: frozenset[str] = field(default_factory=frozenset[str])
    pivot: datetime | None = None
    goes_back: bool = False
    shown: int = 0

    def token(self) -> str:
        """Return it as a token."""
        pivot = [f"{_BACK if self.goes_back else _ON}{wire(self.pivot)}"] if self.pivot else []
        shown = [f"{_SHOWN}{self.shown}"] if self.shown else []
        return _BETWEEN.join([wire(self.start), *pivot, *shown, *sorted(self.given)])

    @classmethod
    def parse(cls, token: str) -> "Position":
        """Read what `token` wrote. Raises ValueError for anything else."""
        start, *rest = token.split(_BETWEEN)
        place = cls(_instant(start), frozenset(part for part in rest if part[:1] not in {_ON, _BACK, _SHOWN}))
        for part in rest:
            if part[:1] in {_ON, _BACK}:
                place = replace(place, pivot=_instant(part[1:]), goes_back=part[0] == _BACK)
            elif part[:1] == _SHOWN:
                place = replace(place, shown=int(part[1:]))
        return place

    def past(self, event_id: str, start: datetime | None) -> "Position":
        """Return the position after a meeting. One without a start does not move it."""
        if start is None:
            return self
        return replace(
            self,
            start=start,
            given=frozenset({event_id}) | (self.given if start == self.start else frozenset()),
            shown=0,
        )


def _instant(text: str) -> datetime:
    instant = parse_time(text)
    if instant.tzinfo is None:
        raise ValueError("There is no offset.")
    return instant


def _token(text: str) -> str:
    try:
        Position.parse(text)
    except ValueError:
        raise ValueError("Expected what an earlier answer gave as continue_from, unchanged.") from None
    return text


Continue = (
    Annotated[Opaque, AfterValidator(_token), Field(description="from an earlier answer; same arguments otherwise")]
    | None
)


class Missing(TypedDict, total=False):
    """What could not be read, and why."""

    uri: str
    name: str
    why: str


class Continued(TypedDict, total=False):
    """The fields around the rows of a list that may stop before the end."""

    continue_from: Annotated[str, Field(description="there is more: call again with it, all else unchanged")]
    searched: Searched
    missing: Annotated[list[Missing], Field(description="what could not be read, and why")]
    empty_because: EmptyBecause
    timezone: ZoneTold
    left_out: LeftOut
