"""What lists are answered with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, cast

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models import LogTotals, Pagination, Totals
from tools.toolset.searched import EmptyBecause, Searched

T = TypeVar("T")


WayOn = Callable[[int], Mapping[str, object]]
"""Returns the fields of an answer that lead on after a number of its rows."""


@dataclass(slots=True)
class Resumption:
    """How a list that was cut goes on. The tool that answers it fills this in.

    Attributes:
        way_on: Tells it by the number of rows that fit, None where no token leads on.
        kept: Where the rows of the answer stood in the list as Calendly sent it, None for all of it.
    """

    way_on: WayOn | None = None
    kept: Sequence[int] | None = None

    def in_list(self, rows: int) -> int:
        """Return where in the list as Calendly sent it a row of the answer stood."""
        return rows if self.kept is None else self.kept[rows]

    def cut(self, fitting: int) -> tuple[int, Mapping[str, object]]:
        """Return how many of the rows that fit to answer, and the fields that lead on; none where no token does."""
        return (fitting, self.way_on(fitting)) if fitting and self.way_on else (fitting, {})


class LeftOut(TypedDict, total=False):
    """What did not fit into the answer: rows at its end, or parts of long texts."""

    rows: int
    how_to_go_on: str


ZoneTold = Annotated[str, Field(description="of the local times")]


class Page(TypedDict, Generic[T], total=False):
    """A paged list as Calendly sends it: the rows, and how to ask for more."""

    collection: list[T]
    pagination: Pagination
    searched: Searched
    empty_because: EmptyBecause
    timezone: ZoneTold
    left_out: LeftOut


class CountedPage(Page[T], Totals, total=False):
    """A page of a list that says how many rows there are."""


class LogPage(CountedPage[T], LogTotals, total=False):
    """A page of the activity log."""


PageT = TypeVar("PageT", bound=Page[Any])


class Rows(TypedDict, Generic[T], total=False):
    """A list that Calendly does not page."""

    collection: list[T]
    searched: Searched
    empty_because: EmptyBecause
    timezone: ZoneTold
    left_out: LeftOut


def page_of(page: PageT, looked: Searched, nothing: str) -> PageT:
    """Return a page with what was searched, and with `nothing` as the reason if it is empty."""
    why = {} if page.get("collection") else {"empty_because": nothing}
    return cast("PageT", {**page, "searched": looked, **why})


def rows_of(rows: list[T], looked: Searched, nothing: str) -> Rows[T]:
    """Return rows with what was searched, and with `nothing` as the reason if there are none."""
    told: Rows[T] = {"collection": rows, "searched": looked}
    return told if rows else {**told, "empty_because": nothing}
