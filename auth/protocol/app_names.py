"""Names of apps, which choose them themselves, so that none looks like another. Pure.

A letter that is made to look like a Latin one is shown by its code point: a Cyrillic letter in a word of Latin ones, a
word of nothing but such letters, a letter of another width, style or phonetic alphabet (Unicode Technical Standard 39).
"""

import re
import unicodedata
from typing import Final

from calendly.third_party_text import shown

LONGEST: Final = 60
"""Characters of a name on a page."""

_WORD: Final = re.compile(r"[^\W\d_]+")
# Letters of Cyrillic, Greek, Armenian and Cherokee that look like Latin ones.
_ALIKE: Final = frozenset(
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03b1\u03b3\u03b9\u03ba\u03bd\u03bf\u03c1\u03c3\u03c5\u03c7"
    "\u0405\u0406\u0408\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0430\u0433\u0435\u043a\u043e\u043f\u0440\u0441\u0442\u0443\u0445"
    "\u0455\u0456\u0458\u0475\u04ae\u04af\u04bb\u04c0\u04cf\u0501\u050c\u051a\u051b\u051c\u051d"
    "\u054d\u054f\u0555\u0561\u0563\u0566\u0570\u0575\u0578\u057d\u0581\u0584\u0585"
    "\u13a0\u13a1\u13a2\u13a5\u13a9\u13aa\u13ab\u13ac\u13b3\u13b7\u13bb\u13bd\u13c0\u13c2\u13c3\u13cf\u13d4\u13d9\u13da\u13de\u13df\u13e2\u13e6\u13f4"
)
_SCRIPTS: Final = frozenset({"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"})
"""The alphabets that have letters like Latin ones, as the names of their letters begin."""

_PHONETIC: Final = (range(0x250, 0x2B0), range(0x1D00, 0x1DC0), range(0xA720, 0xA800))
_DOTLESS: Final = "\u0131\u0237"


def unmistakable(name: str) -> str:
    """Return a name on one line, cut to 60 characters, in which letters made to look like others are code points."""
    line = shown(name)
    cut = line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
    return _WORD.sub(lambda word: _spelled(word[0]), cut)


def _spelled(word: str) -> str:
    return (
        word
        if word.isascii()
        else "".join(_by_code_point(letter) if _poses(letter, word) else letter for letter in word)
    )


def _by_code_point(letter: str) -> str:
    return f"[U+{ord(letter):04X}]"


def _poses(letter: str, word: str) -> bool:
    """Say whether a letter looks like a Latin one that it is not."""
    if letter.isascii():
        return False
    plain = unicodedata.normalize("NFKC", letter)
    if plain.isascii() or letter in _DOTLESS or any(ord(letter) in block for block in _PHONETIC):
        return True
    if _script(letter) not in _SCRIPTS:
        return False
    return "LATIN" in {*map(_script, word)} or all(other in _ALIKE for other in word)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
