"""Reads the query and the body of a request. Their size is limited before they are parsed."""

import json
from collections.abc import Iterable, Mapping
from typing import Final, cast
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from auth.protocol.errors import InvalidClientMetadata, InvalidRequest, Stopped

LARGEST_BODY: Final = 64 * 1024
LARGEST_QUERY: Final = 16 * 1024
MOST_FIELDS: Final = 64

_OWN_SITE: Final = frozenset({"same-origin", "none"})

Parameters = Mapping[str, str]
Pairs = list[tuple[str, str]]


class TooLarge(InvalidRequest):
    """The body is larger than any valid one."""

    status = 413


async def read_form(request: Request, *, most_fields: int = MOST_FIELDS) -> Pairs:
    """Read a form-encoded body of at most `most_fields` fields. Raises InvalidRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InvalidRequest("The body must be application/x-www-form-urlencoded.")
    return _pairs((await _read_body(request)).decode("ascii", "replace"), most_fields)


async def read_page_form(request: Request, issuer: str, *, most_fields: int = MOST_FIELDS) -> Pairs:
    """Read a form of one of our pages.

    Our pages send no referrer, so browsers send `Origin: null` with their forms. That is accepted besides our own
    origin: the secret in the form proves where it was shown.

    Args:
        request: The form as it was sent.
        issuer: Our own origin.
        most_fields: How many fields it may have.

    Raises:
        Stopped: The browser says that it comes from a page of another site.
        InvalidRequest: It cannot be read.
    """
    origins = request.headers.getlist("origin")
    site = request.headers.get("sec-fetch-site", "none")  # absent from old browsers; no page can forge it
    if any(origin not in {issuer, "null"} for origin in origins) or site not in _OWN_SITE:
        raise Stopped("This form was sent by a page of another site. Nothing was done.")
    return await read_form(request, most_fields=most_fields)


def read_query(request: Request) -> Pairs:
    """Read the query of a request. Raises InvalidRequest."""
    query = request.scope["query_string"]
    if len(query) > LARGEST_QUERY:
        raise InvalidRequest("The query is too long.")
    return _pairs(query.decode("ascii", "replace"))


async def read_json_object(request: Request) -> dict[str, object]:
    """Read a JSON object. Raises InvalidClientMetadata or TooLarge."""
    return json_object(await _read_body(request))


def json_object(text: bytes) -> dict[str, object]:
    """Parse a JSON object. Raises InvalidClientMetadata."""
    try:
        document = cast("object", json.loads(text))
    except (ValueError, RecursionError):  # RecursionError: nested too deeply
        document = None
    if not isinstance(document, dict):
        raise InvalidClientMetadata("The body must be a JSON object.")
    return cast("dict[str, object]", document)


def single(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the parameters that are not empty (RFC 6749, 3.1 and 3.2).

    Raises:
        InvalidRequest: One is repeated, so two readers of the request could take different values.
    """
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name in parameters:
            raise InvalidRequest("A parameter is there more than once.")
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value}


def required(parameters: Parameters, name: str) -> str:
    """Return a required parameter. Raises InvalidRequest if it is missing."""
    value = parameters.get(name)
    if value is None:
        raise InvalidRequest(f"{name} is missing.")
    return value


def values(pairs: Iterable[tuple[str, str]], name: str) -> list[str]:
    """Return all values of a field."""
    return [value for key, value in pairs if key == name]


def only(pairs: Iterable[tuple[str, str]], name: str) -> str | None:
    """Return the value of a field that is given exactly once and is not empty, else None."""
    found = values(pairs, name)
    return found[0] if len(found) == 1 and found[0] else None


async def _read_body(request: Request) -> bytes:
    """Read a body of at most LARGEST_BODY bytes, whatever its Content-Length says."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise TooLarge("The body is too large.")
    except ClientDisconnect:
        raise InvalidRequest("The body was cut short.") from None
    return bytes(body)


def _pairs(text: str, most_fields: int = MOST_FIELDS) -> Pairs:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=most_fields)
    except ValueError:
        raise InvalidRequest("The parameters cannot be read, or are too many.") from None
    if any("\0" in value for _, value in pairs):  # PostgreSQL cannot store one
        raise InvalidRequest("A parameter has a null character.")
    return pairs
