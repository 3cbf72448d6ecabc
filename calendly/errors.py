"""What can go wrong when Calendly is asked.

CalendlyError
├── Refusal               Calendly answered with an error
│   ├── InvalidArgument   400, and every 4xx without a line of its own
│   ├── Unauthenticated   401, or no usable token
│   ├── InsufficientScope 403: the token lacks a scope
│   ├── PermissionDenied  403: the person's role or plan does not allow it
│   ├── NotFound          404
│   ├── Conflict          409, and 403 for an event that is already canceled or past
│   ├── RateLimited       429, or our own pacing before anything was sent (`status` is None then)
│   └── UpstreamError     424, a 5xx or an unreadable answer to a read
├── Unreachable           certainly nothing was done: no connection, or a read without an answer in time
└── OutcomeUnknown        a write was sent and what became of it is not known

A deadline has no error of its own. What it means depends on how far the call came: a call that could not start in
time is RateLimited, a read without an answer or a write that was never sent Unreachable, a sent write OutcomeUnknown.
"""

from collections.abc import Sequence
from typing import TypedDict

from calendly.request import Request


class Detail(TypedDict, total=False):
    """One entry of `details` in Calendly's error body."""

    parameter: str
    message: str
    code: str


class CalendlyError(Exception):
    """Anything that kept Calendly from answering what was asked.

    Attributes:
        reason: One sentence without private detail.
        status: The HTTP status that Calendly answered, None without an answer.
    """

    def __init__(self, reason: str, *, status: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


class Refusal(CalendlyError):
    """Calendly answered with an error.

    Attributes:
        title: Calendly's own title, None when the body has none.
        message: Calendly's own message, None when the body has none.
        details: Calendly's entries, empty when the body has none.
        required_scopes: The scopes of which the token lacks one.
        retry_after: Seconds after which it is worth asking again, None when nothing is known.
    """

    def __init__(  # noqa: PLR0913 - the fields of Calendly's error body
        self,
        reason: str,
        *,
        status: int | None = None,
        title: str | None = None,
        message: str | None = None,
        details: Sequence[Detail] = (),
        required_scopes: Sequence[str] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason, status=status)
        self.title = title
        self.message = message
        self.details = list(details)
        self.required_scopes = tuple(required_scopes)
        self.retry_after = retry_after


class InvalidArgument(Refusal):
    """Calendly does not take this request as it is."""


class Unauthenticated(Refusal):
    """The access token is missing, unknown, expired or revoked."""


class InsufficientScope(Refusal):
    """The access token lacks one of `required_scopes`."""


class PermissionDenied(Refusal):
    """The person behind the token may not do this: role, plan or ownership."""


class NotFound(Refusal):
    """Calendly has no such resource, or does not show it to this person."""


class Conflict(Refusal):
    """The resource is already in the asked state, or no longer in one that allows the request."""


class RateLimited(Refusal):
    """Too many requests: Calendly said so, or it would have; `retry_after` is always set."""

    retry_after: float


class UpstreamError(Refusal):
    """Calendly failed, or its answer to a read could not be read."""


class Unreachable(CalendlyError):
    """Certainly nothing was done: there was no connection, or a read got no answer."""


class OutcomeUnknown(CalendlyError):
    """A write was sent; whether Calendly acted on it is not known, so it must not be repeated blindly."""


def unreadable(request: Request, *, status: int | None = None) -> UpstreamError | OutcomeUnknown:
    """Return what it means that Calendly's answer to `request` cannot be understood."""
    if request.is_read:
        return UpstreamError("Calendly's answer could not be read.", status=status)
    return OutcomeUnknown("Calendly's answer could not be read, so it is not known what it did.", status=status)
