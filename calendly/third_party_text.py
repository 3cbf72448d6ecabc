"""Names and sentences of strangers, made fit to be shown: what could hide, reorder or forge text is taken out."""

import re
import unicodedata
from typing import Final

# Cc control, Cs surrogate, Co private use, Cn unassigned, Zl and Zp line and paragraph separators.
_UNSHOWN: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
# Of the format characters only the joiners stay: emoji and several scripts are written with them.
_JOINERS: Final = frozenset("\u200c\u200d")


# What has no look of its own: controls but tab and line ends, zero-width and bidirectional characters, separators of
# lines and paragraphs, interlinear annotations, and tags, in which sentences hide from people and not from models.
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """Return `text` with its lines, without what is in it and cannot be seen; joiners stay."""
    return _HIDDEN.sub("", text)


def shown(text: str) -> str:
    """Return `text` on one line, without control, bidirectional-override, tag and other invisible characters."""
    kept = (" " if character.isspace() else character for character in text if _is_shown(character))
    return " ".join("".join(kept).split())


def _is_shown(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cf":
        return character in _JOINERS
    return category not in _UNSHOWN or character.isspace()
