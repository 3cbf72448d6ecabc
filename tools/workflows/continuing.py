"""How a workflow continues in a further call. Pure.

Meetings are read in the order of their start. A token holds the start to continue from and the
meetings with that start that were already returned, since several may begin at the same instant.
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
"""How much time a call needs to continue, in seconds."""

_BETWEEN: Final = "~"


@dataclass(frozen=True, slots=True)
class Position:
    """Where to continue.

    Attributes:
        start: The first start to look at.
        given: The ids of meetings with that start that were already looked at.
    """

    start: datetime
    given: frozenset[str] = field(default_factory=frozenset[str])

    def token(self) -> str:
        """Return it as a token."""
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
        raise ValueError("Expected what an earlier answer gave as continue_from, unchanged.") from None
    return text


Continue = (
    Annotated[Opaque, AfterValidator(_token), Field(description="from an earlier answer; same arguments otherwise")]
    | None
)


class Continued(TypedDict, total=False):
    """The fields around the rows of a list that may stop before the end."""

    continue_from: Annotated[str, Field(description="there is more: call again with it, all else unchanged")]
    timezone: ZoneTold
    left_out: LeftOut
