"""What lists are answered with."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field
from typing_extensions import TypedDict

from calendly.models import Pagination

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
    timezone: ZoneTold
    left_out: LeftOut


class Rows(TypedDict, Generic[T], total=False):
    """A list that Calendly does not page."""

    collection: list[T]
    timezone: ZoneTold
    left_out: LeftOut
