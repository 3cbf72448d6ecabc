"""Cleans text of third parties: removes characters that can hide, reorder or forge text."""

import re
import unicodedata
from typing import Final

# Cc control, Cs surrogate, Co private use, Cn unassigned, Zl and Zp line and paragraph separators.
_UNSHOWN: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
# The only format characters that stay: emoji and several scripts need them.
_JOINERS: Final = frozenset("\u200c\u200d")


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
    """Return `text` on one line, without control, bidirectional, tag and other invisible characters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    kept = (" " if character.isspace() else character for character in text if _is_shown(character))
    return " ".join("".join(kept).split())


def _is_shown(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cf":
        return character in _JOINERS
    return category not in _UNSHOWN or character.isspace()
