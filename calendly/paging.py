"""Follows Calendly's page tokens up to a number of pages, and never in circles."""

from collections.abc import Awaitable, Callable
from typing import Final, TypedDict, cast
from urllib.parse import parse_qs, urlsplit

from calendly.errors import RateLimited, Unreachable
from calendly.request import JSON

_PREVIOUS: Final = ("previous_page", "previous_page_token")


class JoinedPages(TypedDict):
    """Consecutive pages as one.

    Attributes:
        collection: All rows.
        pagination: That of the last page, with the previous page of the first.
    """

    collection: list[object]
    pagination: JSON


async def walk(page: Callable[[str | None], Awaitable[JSON]], page_token: str | None, max_pages: int) -> JoinedPages:
    """Fetch at most `max_pages` pages, from `page_token` on.

    If time runs out on the way, the pages so far are the answer, and `next_page_token` says where to
    go on.

    Args:
        page: Fetches the page at a token, None for the first page. Its `collection` is a list.
        page_token: Where to start.
        max_pages: At least 1.

    Raises:
        CalendlyError: The first page failed, or a later one for another reason than time.
    """
    answer = await page(page_token)
    rows: list[object] = list(answer["collection"])
    pagination = _pagination(answer)
    previous = {name: pagination[name] for name in _PREVIOUS if name in pagination}
    visited = {page_token}
    for _ in range(max_pages - 1):
        token = _next_token(pagination)
        if token is None or token in visited:
            break
        try:
            answer = await page(token)
        except (RateLimited, Unreachable):
            break
        visited.add(token)
        rows += answer["collection"]
        last = _pagination(answer)
        pagination = {name: last[name] for name in last if name not in _PREVIOUS} | previous | {"count": len(rows)}
    if _next_token(pagination) in visited - {None}:  # following it would go in circles
        pagination |= {"next_page_token": None, "next_page": None}
    return {"collection": rows, "pagination": pagination}


def _pagination(answer: JSON) -> JSON:
    """Return the `pagination` of a page. Older bodies have the token only in the URL `next_page`."""
    given: object = answer.get("pagination")
    pagination: JSON = {**cast("JSON", given)} if isinstance(given, dict) else {}
    if "next_page_token" not in pagination and isinstance(url := pagination.get("next_page"), str):
        pagination["next_page_token"] = _token_within(url)
    return pagination


def _token_within(url: str) -> str | None:
    """Return the `page_token` in a URL. The URL is never requested."""
    try:
        return parse_qs(urlsplit(url).query).get("page_token", [None])[0]
    except ValueError:
        return None


def _next_token(pagination: JSON) -> str | None:
    token = pagination.get("next_page_token")
    return token if isinstance(token, str) and token else None
