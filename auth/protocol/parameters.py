"""Reading what a request carries: bounded before it is parsed, and every parameter once."""

import json
from collections.abc import Iterable, Mapping
from typing import Final, cast
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request

from auth.protocol.errors import InvalidClientMetadata, InvalidRequest

LARGEST_BODY: Final = 64 * 1024
LARGEST_QUERY: Final = 16 * 1024
MOST_FIELDS: Final = 64

Parameters = Mapping[str, str]
Pairs = list[tuple[str, str]]


class TooLarge(InvalidRequest):
    """The body is larger than anything that is meant here."""

    status = 413


async def read_form(request: Request, *, most_fields: int = MOST_FIELDS) -> Pairs:
    """Read a form-encoded body of at most so many fields.

    Raises:
        InvalidRequest: It is none, or too large.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise InvalidRequest("The body must be application/x-www-form-urlencoded.")
    return _pairs((await _read_body(request)).decode("ascii", "replace"), most_fields)


def read_query(request: Request) -> Pairs:
    """Read the query of a request. Raises InvalidRequest."""
    query = request.scope["query_string"]
    if len(query) > LARGEST_QUERY:
        raise InvalidRequest("The query is too long.")
    return _pairs(query.decode("ascii", "replace"))


async def read_json_object(request: Request) -> dict[str, object]:
    """Read a JSON object.

    Raises:
        InvalidClientMetadata: It is none.
        TooLarge: It is too large.
    """
    return json_object(await _read_body(request))


def json_object(text: bytes) -> dict[str, object]:
    """Parse a JSON object. Raises InvalidClientMetadata."""
    try:
        document = cast("object", json.loads(text))
    except (ValueError, RecursionError):  # RecursionError: nested deeper than anything that is meant
        document = None
    if not isinstance(document, dict):
        raise InvalidClientMetadata("The body must be a JSON object.")
    return cast("dict[str, object]", document)


def single(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return parameters that come once each; an empty one is as good as absent (RFC 6749, 3.1 and 3.2).

    Raises:
        InvalidRequest: One came twice, so two readers of the request might understand different things.
    """
    parameters: dict[str, str] = {}
    for name, value in pairs:
        if name in parameters:
            raise InvalidRequest("A parameter is there more than once.")
        parameters[name] = value
    return {name: value for name, value in parameters.items() if value}


def required(parameters: Parameters, name: str) -> str:
    """Return a parameter that must be there. Raises InvalidRequest."""
    value = parameters.get(name)
    if value is None:
        raise InvalidRequest(f"{name} is missing.")
    return value


async def _read_body(request: Request) -> bytes:
    """Read a body of at most LARGEST_BODY, whatever it says of its own length."""
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
    if any("\0" in value for _, value in pairs):  # which PostgreSQL could not store
        raise InvalidRequest("A parameter has a null character.")
    return pairs
