"""Reads Calendly's answer: turns status and body into an object or an error."""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final, NoReturn, cast

from calendly.errors import (
    CalendlyError,
    CalendlyRefusal,
    Conflict,
    Detail,
    InsufficientScope,
    InvalidArgument,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    Unreachable,
    UpstreamError,
    unreadable,
)
from calendly.redaction import without_credentials
from calendly.request import JSON, Request
from calendly.third_party_text import shown, visible

# How much of an error is kept: it is repeated to agents, whose context it must not fill.
_LONGEST_TEXT: Final = 1_000
_LONGEST_OF_DETAIL: Final = 200
_MOST_DETAILS: Final = 10
_MOST_SCOPES: Final = 30
_SCOPE: Final = re.compile(r"[\w:.-]{1,60}")

_BY_STATUS: Final[Mapping[int, type[CalendlyRefusal]]] = {
    HTTPStatus.UNAUTHORIZED: Unauthenticated,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.FAILED_DEPENDENCY: UpstreamError,  # Calendly could not reach the person's own calendar
    HTTPStatus.TOO_MANY_REQUESTS: RateLimited,
}

_PAGES_OF_PROXIES: Final = frozenset({400, 401, 403, 404, 407, 451})
_ERRORS_OF_PROXIES: Final = frozenset({401, 403, 407, 451})
"""How proxies and firewalls refuse a request: with a web page, or with an error of their own."""

_OF_CALENDLY: Final = frozenset({"title", "details", "required_scopes"})
"""Fields of Calendly's errors, each of which tells them from those of others."""

# A 403 with one of these messages is a conflict, though its title is that of a missing permission.
_CONFLICTS: Final = frozenset({"event is already canceled", "event in the past"})


def judge(request: Request, status: int, body: bytes | None, retry_after: float | None) -> JSON:
    """Return the object in Calendly's answer, `{}` for a 204 and for an empty success of a DELETE.

    Args:
        request: The request.
        status: The HTTP status.
        body: The whole decoded body; None if it could not be decoded.
        retry_after: Seconds until a repeat makes sense, from the headers or our pacing.

    Raises:
        CalendlyError: Calendly refused or failed, or its answer is not readable.
    """
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        said = parse(body) or {}
        raise _blocked(status, body, said) or _failure(request, status, said, retry_after)
    if status == HTTPStatus.NO_CONTENT or (request.endpoint.method == "DELETE" and body == b""):
        return {}
    answer = parse(body)
    if answer is None:
        raise unreadable(request, status=status)
    return answer


def parse(body: bytes | None) -> JSON | None:
    """Return the JSON object in a body, None if there is none.

    The Content-Type is often wrong and ignored.
    """
    if not body:
        return None
    try:
        value: object = _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
        answer = value if _is_plain(body) else _legible(value)
    except (ValueError, RecursionError):
        return None
    return cast("JSON", answer) if isinstance(answer, dict) else None


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON (RFC 8259, 6).")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_number)


def _is_plain(body: bytes) -> bool:
    """Return whether a body is visible ASCII without escapes. A NUL would mean UTF-16."""
    return body.isascii() and not any(mark in body for mark in (b"\\u", b"\x7f", b"\0"))


def _legible(value: object) -> object:
    """Return a JSON value whose texts are visible and valid Unicode.

    JSON can escape half a surrogate pair, which UTF-8 cannot encode.
    """
    match value:
        case str():
            if value.isascii() and value.isprintable():
                return value
            return visible(value.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
        case list():
            return [_legible(item) for item in cast("list[object]", value)]
        case dict():
            return {_legible(name): _legible(item) for name, item in cast("dict[str, object]", value).items()}
        case _:
            return value


def _blocked(status: int, body: bytes | None, said: JSON) -> Unreachable | None:
    """Return the error for a refusal that is a web page, or says something else than Calendly's do; None otherwise."""
    text = (body or b"").lstrip(b"\xef\xbb\xbf \t\r\n")
    is_page = text.startswith(b"<")
    is_foreign = bool(text) and _OF_CALENDLY.isdisjoint(said)
    if not (status in _PAGES_OF_PROXIES if is_page else status in _ERRORS_OF_PROXIES and is_foreign):
        return None
    what = "a web page" if is_page else "an error that is not Calendly's"
    return Unreachable(
        f"The request was blocked before Calendly answered: a proxy or firewall in between answered {status} with "
        f"{what}. It says nothing about the token, the person or the arguments.",
        status=status,
    )


def _failure(request: Request, status: int, said: JSON, retry_after: float | None) -> CalendlyError:
    title, message = _text(said.get("title"), _LONGEST_OF_DETAIL), _text(said.get("message"))
    reason = ": ".join(part for part in (f"Calendly answered {status} {title or ''}".rstrip(), message) if part)
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and not request.is_read:
        reason = f"{reason.rstrip('.')}. Whether it acted is not known."
        return OutcomeUnknown(
            reason, status=status, title=title, message=message, details=list(_details(said.get("details")))
        )
    scopes = [
        scope for scope in _list(said.get("required_scopes")) if isinstance(scope, str) and _SCOPE.fullmatch(scope)
    ]
    return _kind(status, title, message, scopes)(
        reason,
        status=status,
        title=title,
        message=message,
        details=list(_details(said.get("details"))),
        required_scopes=scopes[:_MOST_SCOPES],
        retry_after=retry_after,
    )


def _kind(status: int, title: str | None, message: str | None, scopes: list[str]) -> type[CalendlyRefusal]:
    if status == HTTPStatus.FORBIDDEN:
        if scopes or (title or "").lower() == "insufficient scope":
            return InsufficientScope
        return Conflict if (message or "").lower().rstrip(".") in _CONFLICTS else PermissionDenied
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    return InvalidArgument if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR else UpstreamError


def _details(value: object) -> Iterable[Detail]:
    """Read `details` in any shape: entries, one entry, or bare sentences."""
    entries = [cast("object", value)] if isinstance(value, dict) else _list(value)
    for entry in entries[:_MOST_DETAILS]:
        fields = cast("dict[str, object]", entry) if isinstance(entry, dict) else {"message": entry}
        texts = {
            name: text
            for name in ("parameter", "message", "code")
            if (text := _text(fields.get(name), _LONGEST_OF_DETAIL)) is not None
        }
        if texts:
            yield cast("Detail", cast("object", texts))


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _text(value: object, longest: int = _LONGEST_TEXT) -> str | None:
    """Return a text of an error on one line, so that it looks like no line of ours, and without credentials."""
    return without_credentials(shown(value))[:longest] or None if isinstance(value, str) else None
