"""Foreign texts inside our sentences: visible, on one line, with a maximum length. Pure."""

from collections.abc import Iterable
from typing import Final

from calendly.third_party_text import shown

LONGEST: Final = 80
"""Characters of a name."""


def one_line(text: str | None, most: int = LONGEST) -> str:
    """Return the visible characters of a text on one line, at most `most`."""
    line = shown(text or "")
    return line if len(line) <= most else f"{line[: most - 1]}…"


def listed(texts: Iterable[str | None], *, most: int, total: int = 0) -> str:
    """Join texts for a sentence, and count those that it does not name.

    Args:
        texts: The texts; empty ones are skipped.
        most: How many to name.
        total: How many there are, if more than `texts`.
    """
    named = [one_line(text) for text in texts if text]
    rest = max(len(named), total if named else 0) - min(len(named), most)
    if rest > 0:
        named = [*named[:most], f"{rest} more"]
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)
