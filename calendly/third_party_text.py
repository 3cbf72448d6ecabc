"""Cleans text of third parties: removes characters that can hide, reorder or forge text."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

# Cc control, Cs surrogate, Co private use, Cn unassigned, Zl and Zp line and paragraph separators.
_UNSHOWN: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
# The only format characters that stay: emoji and several scripts need them.
_JOINERS: Final = frozenset("\u200c\u200d")

# Letters and marks that show nothing: fillers, a blank braille cell, and what only selects another form of a character.
_BLANK: Final = frozenset(
    [*"\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0", *map(chr, (*range(0x180B, 0x1810), *range(0xE0100, 0xE01F0)))]
)
_MOST_MARKS: Final = 4

# Invisible characters: controls except tab and line ends, zero-width and bidirectional characters,
# separators of lines and paragraphs, interlinear annotations, and tags, which can hide sentences that
# models read and people do not see.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


class Visible(str):
    """A text without its invisible characters. `sent` is the text as Calendly sent it."""

    __slots__ = ("sent",)
    sent: str


def visible(text: str) -> str:
    """Return `text` without invisible characters. Its lines and joiners stay."""
    rest = _HIDDEN.sub("", text)
    if rest == text:
        return text
    kept = Visible(rest)
    kept.sent = text
    return kept


def exactly(text: str) -> str:
    """Return a text as Calendly sent it, invisible characters included: Calendly compares byte for byte."""
    return text.sent if isinstance(text, Visible) else text


def shown(text: str) -> str:
    """Return `text` on one line, without control, bidirectional, tag and other invisible characters.

    Empty where nothing of it would be seen.
    """
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = (" " if character.isspace() else character for character in text if _is_shown(character))
    line = " ".join("".join(_few_marks(kept)).split())
    return line if any(map(_is_seen, line)) else ""


def _few_marks(characters: Iterable[str]) -> Iterator[str]:
    """Yield characters, and of the marks that pile up on one of them no more than any script needs."""
    marks = 0
    for character in characters:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if marks <= _MOST_MARKS:
            yield character


def _is_seen(character: str) -> bool:
    """Say whether a character shows something by itself."""
    return unicodedata.category(character)[0] in "LNPS"


def _is_shown(character: str) -> bool:
    if character in _BLANK:
        return False
    category = unicodedata.category(character)
    if category == "Cf":
        return character in _JOINERS
    return category not in _UNSHOWN or character.isspace()
