"""Takes access tokens out of answers: a proxy in front of Calendly may repeat the request that it got. Pure."""

import json
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from typing import Final
from urllib.parse import quote, unquote_to_bytes

_IN_ITS_PLACE: Final = b"(withheld)"

_SHORTEST: Final = 8
"""What is shorter is no token of Calendly's, and may be a word of the answer."""

_TOKENS_IN_USE: Final = 16
"""Of so many tokens the forms are kept: making them anew takes as long as the rest of a search."""

_MOST_ENCODINGS: Final = 3
"""How often a text may be percent-encoded over again."""

_INVISIBLE: Final = bytes({*range(256)} - {*range(0x21, 0x7F)})
_ESCAPE: Final = re.compile(rb"\\(?:u[0-9A-Fa-f]{4}|[^u])")
_ESCAPED: Final = re.compile(rb"\\u00([2-7][0-9A-Fa-f])")
_HEADER: Final = re.compile(
    r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|user-agent|trace(?:parent|state)|x-[a-z0-9-]+)([\"']?\s*[:=]\s*[\"']?)(?:(?:basic|bearer|digest)\s+)?[^\s\"'<>,]+"
)
_BEARER: Final = re.compile(r"(?i)\b(bearer)(\s+)(?=[^\s\"'<>,]*[0-9])[^\s\"'<>,]{8,}")


def without_token(body: bytes, token: str) -> bytes | None:
    """Return a body without the access token of its request, as it is or encoded.

    The forms are those in which a header comes back: plain, percent-encoded, escaped for JSON, and
    base64, where it stands at any place of what was encoded. None for a body that spells the token
    in a way of its own: broken by line ends or invisible characters, each letter encoded.
    """
    if len(token) < _SHORTEST:
        return body
    if b"\\u00" in body:
        body = _ESCAPED.sub(_unescaped, body)
    for form in _forms(token):
        if form in body:
            body = body.replace(form, _IN_ITS_PLACE)
    spelled = _spelled(body)
    return None if any(form in spelled for form in _spelled_forms(token)) else body


def without_credentials(text: str) -> str:
    """Return the text of an error without the values of headers that carry credentials."""
    for pattern in (_HEADER, _BEARER):
        text = pattern.sub(r"\1\2(withheld)", text)
    return text


@lru_cache(_TOKENS_IN_USE)
def _forms(token: str) -> frozenset[bytes]:
    """Return the forms of a token in which a header comes back."""
    return frozenset(_written(token))


@lru_cache(_TOKENS_IN_USE)
def _spelled_forms(token: str) -> frozenset[bytes]:
    return frozenset(map(_spelled, _forms(token)))


def _written(token: str) -> Iterator[bytes]:
    plain = token.encode()
    escaped = json.dumps(token)[1:-1].encode()
    yield from {plain, quote(token, safe="").encode(), escaped, escaped.replace(b"/", b"\\/")}
    for encode in (b64encode, urlsafe_b64encode):
        for before in range(3):
            # Without the letters at both ends, which other bytes beside the token change too.
            encoded = encode(bytes(before) + plain)
            yield encoded[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]


def _spelled(text: bytes) -> bytes:
    """Return the visible letters of a text, those that were percent-encoded or written as an entity too."""
    if b"\\" in text:
        text = _ESCAPE.sub(b"", text)
    for _ in range(_MOST_ENCODINGS):
        if b"%" not in text:
            break
        text = unquote_to_bytes(text)
    if b"&#" in text:
        text = unescape(text.decode("latin-1")).encode("ascii", "ignore")
    return text.translate(None, _INVISIBLE)


def _unescaped(found: re.Match[bytes]) -> bytes:
    character = bytes([int(found[1], 16)])
    return found[0] if character in b'"\\' else character
