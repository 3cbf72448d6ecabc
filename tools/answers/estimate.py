"""An upper estimate of tokens, without the vocabulary. Pure.

It is for o200k, and for JSON as agents read it. What strangers type is counted at its worst: a token
is at least a byte; almost every pair of letters is one token, so a word has at most two tokens for
three letters; digits go by threes. What nobody types is counted closer: names of fields, addresses
of Calendly. English prose comes out at two to three times its tokens, an identifier or a time at
what it costs.
"""

import re
from typing import Final

_BLANK: Final = "\n"
"""What takes the place of counted text; JSON on one line has no other newline."""

_FIELD: Final = re.compile(r'[{,]?"([a-z][a-z0-9_]*)":')
_LETTERS_OF_FIELD: Final = 4
"""How many letters of a field's name are a token, rounded up for each word in it."""

_ADDRESS: Final = re.compile(
    r"https://(?:api\.)?calendly\.com/"
    "(?:users|organizations|event_types|scheduled_events|cancellations|reschedulings)/"
)
_COST_OF_ADDRESS: Final = 12

_ESCAPE: Final = re.compile(r"\\u[0-9a-f]{4}|\\.")
_COST_OF_ESCAPE: Final = 3

_WORD: Final = re.compile(" ?[A-Z]?[a-z]+")
_CAPITAL: Final = re.compile("[A-Z][a-z]")
_RARE: Final = re.compile("[jkqxz]")
"""Letters with which some pairs are two tokens."""

_DIGITS: Final = re.compile("[0-9]{1,3}")

_LETTER: Final = re.compile(
    "[\xa0-\xda\xdc-\u0109\u0390-\u03a1\u03b1-\u03ce\u0410-\u044f\u05d0-\u05ea\u0621-\u063a"
    "\u304a-\u3061\u307b-\u308d\u30a6-\u30c1\u30cd-\u30ed]"
)
"""Letters that are one token: Latin, Greek, Cyrillic, Hebrew and Arabic alphabets, kana."""


def estimate(text: str) -> int:
    """Return how many tokens a JSON text has at most."""
    total = 0.0
    text, fields = _without(_FIELD, text)
    total += sum(1 + sum(-(-len(word) // _LETTERS_OF_FIELD) for word in name.split("_")) for name in fields)
    for pattern, cost in ((_ESCAPE, _COST_OF_ESCAPE), (_ADDRESS, _COST_OF_ADDRESS)):
        text, found = _without(pattern, text)
        total += cost * len(found)
    total += len(_CAPITAL.findall(text)) + len(_RARE.findall(text)) * 2 / 3
    text, words = _without(_WORD, text)
    total += (2 * sum(map(len, words)) + len(words)) / 3
    for pattern in (_DIGITS, _LETTER):
        text, found = _without(pattern, text)
        total += len(found)
    # Of two quotes one is counted: they stand beside colons and commas, which belong to the same token.
    return int(total + len(text.encode(errors="surrogatepass")) - text.count(_BLANK) - text.count('"') / 2) + 1


def _without(pattern: re.Pattern[str], text: str) -> tuple[str, list[str]]:
    found = pattern.findall(text)
    return (pattern.sub(_BLANK, text) if found else text), found
