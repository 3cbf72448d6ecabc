"""Tokens of ours for a list that was cut inside a page: they name Calendly's page and the rows to skip. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from tools.toolset.errors import ArgumentError

_OURS: Final = "cut:"
"""How they begin. Calendly's have no colon."""

_USUAL_MOST: Final = 100
"""Most rows of a page, except where more are asked for."""

_FORM: Final = re.compile(r"cut:([0-9]{1,3}):([1-9][0-9]{0,2}|1000):(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class PagePlace:
    """Where in a list to begin.

    Attributes:
        token: Calendly's token of the page, None for the first.
        count: The size of its pages.
        skip: How many rows of the page were told already.
    """

    token: str | None
    count: int
    skip: int = 0

    @classmethod
    def of(cls, page_token: str | None, count: int) -> "PagePlace":
        """Read the arguments of a list. Raises ArgumentError for a token of ours that was changed."""
        if page_token is None or not page_token.startswith(_OURS):
            return cls(page_token, count)
        found = _FORM.fullmatch(page_token)
        if found is None or int(found[2]) > max(count, _USUAL_MOST):
            raise ArgumentError.of("page_token", "Expected what an earlier answer gave as next_page_token, unchanged.")
        return cls(found[3] or None, int(found[2]), int(found[1]))

    def page_token(self) -> str:
        """Return it as a token."""
        return f"{_OURS}{self.skip}:{self.count}:{self.token or ''}"

    def after(self, rows: int, pages: Iterable[tuple[str | None, int]]) -> "PagePlace":
        """Return the place after some rows.

        Args:
            rows: How many rows from here on were told; fewer than there are.
            pages: The token and the number of rows of each page from here on.
        """
        skip = self.skip + rows
        for token, length in pages:
            if skip < length:
                return replace(self, token=token, skip=skip)
            skip -= length
        raise ValueError("There are not so many rows.")
