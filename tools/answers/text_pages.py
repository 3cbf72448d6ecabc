"""Pages of a long text, which end with a line where they can. Pure."""

import json
from bisect import bisect_right
from typing import Final, NamedTuple

from tools.answers.estimate import estimate

_MOST_CHARACTERS: Final = 4
"""Characters of a token, of which the estimate counts fewer in whatever people say."""


class TextPage(NamedTuple):
    """A part of a text.

    Attributes:
        text: The part.
        following: The character with which the next part begins, None after the last.
    """

    text: str
    following: int | None


def text_page(text: str, offset: int, most: int) -> TextPage:
    """Return as much of a text from a character on as costs at most so many tokens, written as JSON."""
    rest = text[offset : offset + most * _MOST_CHARACTERS]
    fitting = bisect_right(range(1, len(rest) + 1), most, key=lambda end: written_cost(rest[:end]))
    if offset + fitting >= len(text):
        return TextPage(rest, None)
    end = rest.rfind("\n", 0, fitting) + 1 or max(fitting, 1)
    return TextPage(rest[:end], offset + end)


def written_cost(value: object) -> int:
    """Return how many tokens a value has at most, written as JSON."""
    return estimate(json.dumps(value, ensure_ascii=False))
