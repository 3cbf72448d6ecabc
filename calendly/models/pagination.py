"""Pagination of lists."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict


class Pagination(TypedDict, total=False):
    """Where this page is in its list."""

    count: int | None
    next_page: str | None
    previous_page: str | None
    next_page_token: Annotated[str | None, Field(description="send as page_token for the next page")]
    previous_page_token: str | None
