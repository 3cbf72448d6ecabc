"""How a workflow goes on in a further call where it stopped in this one. Pure.

Meetings are read in the order of their start. A token says from which start to go on, and which meetings with that
start were given already, since several may begin at the same instant.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from tools.fields import Opaque
from tools.times import parse_time, wire
from tools.toolset.lists import LeftOut, ZoneTold

ENOUGH_TIME: Final = 15.0
"""How long a call must have left to go on looking, in seconds."""

_BETWEEN: Final = "~"


@dataclass(frozen=True, slots=True)
class Position:
    """Where to go on.

    Attributes:
        start: The instant from which on meetings are looked at.
        given: The ids of those that begin at that very instant and were looked at already.
    """

    start: datetime
    given: frozenset[str] = field(default_factory=frozenset[str])

    def token(self) -> str:
        """Write it down."""
        return _BETWEEN.join([wire(self.start), *sorted(self.given)])

    @classmethod
    def parse(cls, token: str) -> "Position":
        """Read what `token` wrote. Raises ValueError for anything else."""
        start, *given = token.split(_BETWEEN)
        instant = parse_time(start)
        if instant.tzinfo is None:
            raise ValueError("There is no offset.")
        return cls(instant, frozenset(given))


def _token(text: str) -> str:
    try:
        Position.parse(text)
    except ValueError:
        raise ValueError("Expected what an earlier answer gave as continue, unchanged.") from None
    return text


_Token = Annotated[
    Opaque, AfterValidator(_token), Field(description="from an earlier answer; same arguments otherwise")
]
Continue = Annotated[_Token | None, Field(alias="continue")]

# `continue` is a keyword, so the field is written as a dictionary.
_Continue = TypedDict(
    "_Continue",
    {"continue": Annotated[str, Field(description="there is more: call again with it, all else unchanged")]},
    total=False,
)


class Continued(_Continue, total=False):
    """What lists have around their rows that may stop before the end."""

    timezone: ZoneTold
    left_out: LeftOut
