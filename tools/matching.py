"""Finding what a person means among Calendly's texts, such as questions and names. Pure.

What two people write for the same words differs in case, spaces, quotation marks, dashes, Unicode
forms and invisible characters. Calendly compares byte for byte, so its own text is what is sent.
"""

import re
import unicodedata
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

_ALIKE: Final = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u00b4\u02bc`",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
    "": "".join(map(chr, range(0xFE00, 0xFE10))),  # variation selectors: how an emoji is drawn
}
_PLAIN: Final = str.maketrans({letter: plain for plain, letters in _ALIKE.items() for letter in letters})
_NO_ACCENTS: Final = dict.fromkeys(range(0x300, 0x370)) | str.maketrans(
    {"\u00f8": "o", "\u0142": "l", "\u0111": "d", "\u0131": "i", "\u00e6": "ae", "\u0153": "oe"}
)
"""Combining accents, and letters with a stroke, which Unicode does not take apart."""

_BLANK_BEFORE_MARK: Final = re.compile(" (?=[?!:;.,])")
_SIMILAR: Final = 0.6
_SIMILAR_WORD: Final = 0.75
_INVISIBLE: Final = frozenset({"Cf", "Cc", "Cs"})


def folded(text: str) -> str:
    """Return what is the same for all ways to write a text."""
    plain = unicodedata.normalize("NFKC", text.translate(_PLAIN)).translate(_PLAIN)
    other = {ord(letter): " " if letter.isspace() else "" for letter in set(plain) if not _is_kept(letter)}
    words = " ".join(unicodedata.normalize("NFKC", plain.translate(other).casefold()).split())
    return _BLANK_BEFORE_MARK.sub("", words)


def unaccented(text: str) -> str:
    """Return a folded text without accents: what is searched for is often typed without them."""
    parts = unicodedata.normalize("NFKD", folded(text)).translate(_NO_ACCENTS)
    return unicodedata.normalize("NFKC", parts)


def holds(text: str, part: str) -> bool:
    """Return whether a text holds what was searched for, however both are written."""
    return unaccented(part) in unaccented(text)


def turned(name: str) -> str:
    """Return a name whose last name comes first, before a comma, with that last; any other text as it is."""
    last, _, first = map(str.strip, name.partition(","))
    return f"{first} {last}" if first and last and "," not in first else name


def the_one(text: str, among: Iterable[str]) -> str | None:
    """Return the text that is meant: the same one, else the only one that is written alike; None if there is none."""
    there = list(among)
    if text in there:
        return there[there.index(text)]
    alike = [one for one in there if folded(one) == folded(text)]
    return alike[0] if len(alike) == 1 else None


def near(text: str, names: Iterable[str]) -> list[str]:
    """Return the names that hold a text; else those that are written much like it, whole or in one of their words."""
    there = dict.fromkeys(names)
    within = [name for name in there if holds(name, text)]
    if within:
        return within
    wanted, by_name = unaccented(text), {unaccented(name): name for name in there}
    by_word = {word: key for key in by_name for word in key.split()}
    keys = get_close_matches(wanted, list(by_name), cutoff=_SIMILAR)
    keys += [by_word[word] for word in get_close_matches(wanted, list(by_word), cutoff=_SIMILAR_WORD)]
    return [by_name[key] for key in dict.fromkeys(keys)]


def _is_kept(letter: str) -> bool:
    return not letter.isspace() and unicodedata.category(letter) not in _INVISIBLE
