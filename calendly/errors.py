"""The errors of requests to Calendly.

CalendlyError
├── CalendlyRefusal       Calendly answered with an error
│   ├── InvalidArgument   400, and every 4xx that is not listed here
│   ├── Unauthenticated   401, or no usable token
│   ├── InsufficientScope 403: the token lacks a scope
│   ├── PermissionDenied  403: the person's role or plan does not allow it
│   ├── NotFound          404
│   ├── Conflict          409, and 403 for an event that is already canceled or past
│   ├── RateLimited       429, or our own pacing before anything was sent (then `status` is None)
│   └── UpstreamError     424, a 5xx or an unreadable answer to a read
├── Unreachable           nothing was done: no connection, a read without an answer in time, or a page by
│                         which a proxy or firewall refused the request before Calendly saw it
└── OutcomeUnknown        a write was sent and its outcome is not known

A deadline has no error of its own; it depends on how far the request came. One that could not start in
time is RateLimited, a read without an answer or a write that was not sent is Unreachable, and a write
that was sent is OutcomeUnknown.
"""

from collections.abc import Sequence
from copy import copy
from typing import Self, TypedDict

from calendly.request import Request


class Detail(TypedDict, total=False):
    """One entry of `details` in Calendly's error body."""

    parameter: str
    message: str
    code: str


class CalendlyError(Exception):
    """A request failed.

    Attributes:
        reason: One sentence without private detail.
        status: The HTTP status of the answer, None without one.
        title: Calendly's own title, None when the body has none.
        message: Calendly's own message, None when the body has none.
        details: Calendly's entries, empty when the body has none.
        added: What was found out since about the failure, empty for nothing.
    """

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        title: str | None = None,
        message: str | None = None,
        details: Sequence[Detail] = (),
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.title = title
        self.message = message
        self.details = list(details)
        self.added = ""

    def retold(self, reason: str) -> Self:
        """Return the same failure with another reason. What it adds to this one is kept apart, too."""
        told, begun = copy(self), self.reason.rstrip(".")
        told.reason, told.args = reason, (reason,)
        told.added = reason.removeprefix(begun).lstrip(". ") if reason.startswith(begun) else ""
        return told


class CalendlyRefusal(CalendlyError):
    """Calendly answered with an error.

    Attributes:
        required_scopes: Scopes of which the token lacks at least one.
        retry_after: Seconds until a repeat makes sense, None when that is not known.
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
        super().__init__(reason, status=status, title=title, message=message, details=details)
        self.required_scopes = tuple(required_scopes)
        self.retry_after = retry_after


class InvalidArgument(CalendlyRefusal):
    """Calendly does not accept the request as it is."""


class Unauthenticated(CalendlyRefusal):
    """The access token is missing, unknown, expired or revoked."""


class InsufficientScope(CalendlyRefusal):
    """The access token lacks one of `required_scopes`."""


class PermissionDenied(CalendlyRefusal):
    """The person's role, plan or ownership does not allow this."""


class NotFound(CalendlyRefusal):
    """There is no such resource, or Calendly does not show it to this person."""


class Conflict(CalendlyRefusal):
    """The resource is in the requested state already, or in one that does not allow the request."""


class RateLimited(CalendlyRefusal):
    """The rate limit is reached, by Calendly's answer or by our pacing.

    `retry_after` is always set.
    """

    retry_after: float


class UpstreamError(CalendlyRefusal):
    """Calendly failed, or its answer to a read is not readable."""


class Unreachable(CalendlyError):
    """Nothing was done: there was no connection, a read got no answer, or a proxy refused the request.

    `status` is the proxy's.
    """


class OutcomeUnknown(CalendlyError):
    """A write was sent and its outcome is not known, so it must not be repeated blindly.

    Attributes:
        goes_on: The same call again finds out what was done, and finishes the rest.
    """

    goes_on = False


def unreadable(request: Request, *, status: int | None = None) -> UpstreamError | OutcomeUnknown:
    """Return the error for an answer to `request` that is not readable."""
    if request.is_read:
        return UpstreamError("Calendly's answer could not be read.", status=status)
    return OutcomeUnknown("Calendly's answer could not be read, so it is not known what it did.", status=status)
