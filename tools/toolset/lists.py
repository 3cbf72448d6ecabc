"""What lists are answered with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models import Pagination

T = TypeVar("T")


WayOn = Callable[[int], Mapping[str, object]]
"""Returns the fields of an answer that lead on after a number of its rows."""


@dataclass(slots=True)
class Resumption:
    """How a list that was cut goes on. The tool that answers it fills this in.

    Attributes:
        way_on: Tells it by the number of rows that fit, None where no token leads on.
    """

    way_on: WayOn | None = None


class LeftOut(TypedDict, total=False):
    """What did not fit into the answer: rows at its end, or parts of long texts."""

    rows: int
    how_to_go_on: str


ZoneTold = Annotated[str, Field(description="of the local times")]


class Page(TypedDict, Generic[T], total=False):
    """A paged list as Calendly sends it: the rows, and how to ask for more."""

    collection: list[T]
    pagination: Pagination
    timezone: ZoneTold
    left_out: LeftOut


class Rows(TypedDict, Generic[T], total=False):
    """A list that Calendly does not page."""

    collection: list[T]
    timezone: ZoneTold
    left_out: LeftOut
