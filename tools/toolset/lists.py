"""What lists are answered with."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models import Pagination
from tools.toolset.searched import EmptyBecause, Searched

T = TypeVar("T")


class LeftOut(TypedDict, total=False):
    """Rows that did not fit into the answer."""

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


class Rows(TypedDict, Generic[T], total=False):
    """A list that Calendly does not page."""

    collection: list[T]
    searched: Searched
    empty_because: EmptyBecause
    timezone: ZoneTold
    left_out: LeftOut


def page_of(page: Page[T], looked: Searched, nothing: str) -> Page[T]:
    """Return a page with what was searched, and with `nothing` as the reason if it is empty."""
    told: Page[T] = {**page, "searched": looked}
    return told if page.get("collection") else {**told, "empty_because": nothing}


def rows_of(rows: list[T], looked: Searched, nothing: str) -> Rows[T]:
    """Return rows with what was searched, and with `nothing` as the reason if there are none."""
    told: Rows[T] = {"collection": rows, "searched": looked}
    return told if rows else {**told, "empty_because": nothing}
