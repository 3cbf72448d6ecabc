"""Pages of a list: count, page_token, sort, and the `pagination` object."""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar
from urllib.parse import urlencode

from sandbox.records.identifiers import API
from sandbox.requests.fields import InputFields

DEFAULT_COUNT: Final = 20
MOST: Final = 100


T = TypeVar("T")
SortKeys = Mapping[str, Callable[[T], str | int | datetime]]


@dataclass(frozen=True)
class PageRequest:
    """The page of a list that a request asks for.

    Attributes:
        path: The path of the request.
        query: The query of the request.
        count: The most rows on the page.
        offset: How many rows precede the page.
    """

    path: str
    query: Mapping[str, str]
    count: int
    offset: int

    def answer(self, rows: Sequence[T], shape: Callable[[T], dict[str, object]]) -> dict[str, object]:
        """Return the page of `rows`: `collection` and `pagination`, whose `count` is that of this page."""
        cut = rows[self.offset : self.offset + self.count]
        following = self.offset + self.count
        following_token = _token(self.query, following) if following < len(rows) else None
        preceding_token = _token(self.query, max(0, self.offset - self.count)) if self.offset else None
        return {
            "collection": [shape(row) for row in cut],
            "pagination": {
                "count": len(cut),
                "next_page": self._url(following_token),
                "previous_page": self._url(preceding_token),
                "next_page_token": following_token,
                "previous_page_token": preceding_token,
            },
        }

    def _url(self, token: str | None) -> str | None:
        return None if token is None else f"{API}{self.path}?{urlencode({**self.query, 'page_token': token})}"


def read_page(fields: InputFields, path: str, query: Mapping[str, str], *, most: int = MOST) -> PageRequest:
    """Read `count`, at most `most`, and `page_token`. A token works only with the filters it was made for."""
    count_text = fields.text("count") or str(DEFAULT_COUNT)
    count = int(count_text) if re.fullmatch(r"[0-9]{1,4}", count_text) else 0
    if not 1 <= count <= most:
        fields.refuse("count", f"must be between 1 and {most}")
    token = fields.text("page_token")
    offset = _offset(query, token) if token else 0
    if offset is None:
        fields.refuse("page_token", "is invalid for these parameters")
    return PageRequest(path, query, count, offset or 0)


def read_sort(fields: InputFields, keys: SortKeys[T], default: str) -> Callable[[list[T]], list[T]]:
    """Read `sort`, a comma-separated list of field:direction, and return a function that sorts rows."""
    wanted: list[tuple[Callable[[T], str | int | datetime], bool]] = []
    for part in (fields.text("sort") or default).split(","):
        name, _, direction = part.strip().partition(":")
        if name not in keys or direction not in {"asc", "desc"}:
            fields.refuse("sort", f"must be field:asc or field:desc, with a field of: {', '.join(keys)}")
            continue
        wanted.append((keys[name], direction == "desc"))

    def sort(rows: list[T]) -> list[T]:
        for key, descending in reversed(wanted):
            rows = sorted(rows, key=key, reverse=descending)
        return rows

    return sort


def _filters(query: Mapping[str, str]) -> str:
    kept = sorted((name, value) for name, value in query.items() if name not in {"page_token", "count"})
    return hashlib.sha256(json.dumps(kept).encode()).hexdigest()[:16]


def _token(query: Mapping[str, str], offset: int) -> str:
    return base64.urlsafe_b64encode(f"{offset}.{_filters(query)}".encode()).decode().rstrip("=")


def _offset(query: Mapping[str, str], token: str) -> int | None:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
    except (binascii.Error, ValueError):
        return None
    offset, _, filters = text.partition(".")
    return int(offset) if re.fullmatch(r"[0-9]{1,9}", offset) and filters == _filters(query) else None
