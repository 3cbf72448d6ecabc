"""Names and sentences of strangers, made fit to be shown: what could hide, reorder or forge text is taken out."""

import unicodedata
from typing import Final

# Cc control, Cs surrogate, Co private use, Cn unassigned, Zl and Zp line and paragraph separators.
_UNSHOWN: Final = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})
# Of the format characters only the joiners stay: emoji and several scripts are written with them.
_JOINERS: Final = frozenset("\u200c\u200d")


def shown(text: str) -> str:
    """Return `text` on one line, without control, bidirectional-override, tag and other invisible characters."""
    kept = (" " if character.isspace() else character for character in text if _is_shown(character))
    return " ".join("".join(kept).split())


def _is_shown(character: str) -> bool:
    category = unicodedata.category(character)
    if category == "Cf":
        return character in _JOINERS
    return category not in _UNSHOWN or character.isspace()
