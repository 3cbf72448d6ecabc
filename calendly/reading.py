"""What Calendly's reply means: status and body in, an object or an error out."""

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Final, NoReturn, cast

from calendly.errors import (
    CalendlyError,
    Conflict,
    Detail,
    InsufficientScope,
    InvalidArgument,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Refusal,
    Unauthenticated,
    UpstreamError,
    unreadable,
)
from calendly.request import JSON, Request
from calendly.third_party_text import visible

# An error is read by a person or an agent; whatever is longer than this is no message.
_LONGEST_TEXT: Final = 1_000
_MOST_DETAILS: Final = 50

_BY_STATUS: Final[Mapping[int, type[Refusal]]] = {
    HTTPStatus.UNAUTHORIZED: Unauthenticated,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.FAILED_DEPENDENCY: UpstreamError,  # Calendly could not reach the person's own calendar
    HTTPStatus.TOO_MANY_REQUESTS: RateLimited,
}

# Cancelling what is canceled or past answers 403 with one of these messages and the title of a missing permission.
_CONFLICTS: Final = frozenset({"event is already canceled", "event in the past"})


def judge(request: Request, status: int, body: bytes | None, retry_after: float | None) -> JSON:
    """Return the object that Calendly answered; `{}` for 204 and for an empty success of a DELETE.

    Args:
        request: What was asked.
        status: The HTTP status.
        body: The whole body, decoded by its Content-Encoding; None when that was not possible.
        retry_after: Seconds after which the headers, or our pacing, would have it asked again.

    Raises:
        CalendlyError: Calendly refused or failed, or its answer cannot be understood.
    """
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise _failure(request, status, parse(body) or {}, retry_after)
    if status == HTTPStatus.NO_CONTENT or (request.endpoint.method == "DELETE" and body == b""):
        return {}
    answer = parse(body)
    if answer is None:
        raise unreadable(request, status=status)
    return answer


def parse(body: bytes | None) -> JSON | None:
    """Return the JSON object in a body, None when there is none; the Content-Type, often wrong, plays no part."""
    if not body:
        return None
    try:
        value: object = json.loads(body, parse_constant=_no_number)
        answer = value if _is_plain(body) else _legible(value)
    except (ValueError, RecursionError):
        return None
    return cast("JSON", answer) if isinstance(answer, dict) else None


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON (RFC 8259, 6).")


def _is_plain(body: bytes) -> bool:
    """Whether every character of a body stands for itself and can be seen; a NUL tells UTF-16 apart."""
    return body.isascii() and not any(mark in body for mark in (b"\\u", b"\x7f", b"\0"))


def _legible(value: object) -> object:
    """Return a JSON value whose texts can be written and seen.

    Half a surrogate pair can be escaped in JSON but not written as UTF-8, so it could not be passed on.
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


def _failure(request: Request, status: int, said: JSON, retry_after: float | None) -> CalendlyError:
    title, message = _text(said.get("title")), _text(said.get("message"))
    reason = ": ".join(part for part in (f"Calendly answered {status} {title or ''}".rstrip(), message) if part)
    if not HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR and not request.is_read:
        return OutcomeUnknown(f"{reason.rstrip('.')}. Whether it acted is not known.", status=status)
    scopes = [scope for scope in _list(said.get("required_scopes")) if isinstance(scope, str)]
    return _kind(status, title, message, scopes)(
        reason,
        status=status,
        title=title,
        message=message,
        details=list(_details(said.get("details"))),
        required_scopes=scopes,
        retry_after=retry_after,
    )


def _kind(status: int, title: str | None, message: str | None, scopes: list[str]) -> type[Refusal]:
    if status == HTTPStatus.FORBIDDEN:
        if scopes or (title or "").lower() == "insufficient scope":
            return InsufficientScope
        return Conflict if (message or "").lower().rstrip(".") in _CONFLICTS else PermissionDenied
    known = _BY_STATUS.get(status)
    if known is not None:
        return known
    return InvalidArgument if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR else UpstreamError


def _details(value: object) -> Iterable[Detail]:
    """Read `details` however it is shaped: entries, one entry, or bare sentences."""
    entries = [cast("object", value)] if isinstance(value, dict) else _list(value)
    for entry in entries[:_MOST_DETAILS]:
        fields = cast("dict[str, object]", entry) if isinstance(entry, dict) else {"message": entry}
        texts = {
            name: text for name in ("parameter", "message", "code") if (text := _text(fields.get(name))) is not None
        }
        if texts:
            yield cast("Detail", cast("object", texts))


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []


def _text(value: object) -> str | None:
    return value[:_LONGEST_TEXT] if isinstance(value, str) and value else None
