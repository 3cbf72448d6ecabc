"""Texts of others inside sentences of ours: on one line, visible, and of a bounded length. Pure."""

from collections.abc import Iterable
from typing import Final

from calendly.third_party_text import shown

_LONGEST: Final = 80


def one_line(text: str | None, most: int = _LONGEST) -> str:
    """Return the visible characters of a text on one line, at most `most` of them."""
    line = shown(text or "")
    return line if len(line) <= most else f"{line[: most - 1]}…"


def listed(texts: Iterable[str | None], *, most: int, total: int = 0) -> str:
    """Return texts as a list in a sentence, which counts those that it leaves out.

    Args:
        texts: An empty one is passed over.
        most: How many are named.
        total: How many there are, where that is more than `texts`.
    """
    named = [one_line(text) for text in texts if text]
    rest = max(len(named), total if named else 0) - min(len(named), most)
    if rest > 0:
        named = [*named[:most], f"{rest} more"]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
