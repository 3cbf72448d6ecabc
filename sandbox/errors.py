"""Calendly's errors: one exception, and a function for each title.

Titles, messages and details are Calendly's own texts where they are known.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.responses import JSONResponse, Response

BadParameter = dict[str, str]


class ApiError(Exception):
    """An error that Calendly answers.

    Args:
        status: The HTTP status.
        title: Calendly's short name for the error.
        message: One sentence.
        details: One entry per bad parameter: `parameter`, `message` and sometimes `code`.
        required_scopes: The scopes the token needs, where it lacks one.
        headers: Further headers of the response.
    """

    def __init__(  # noqa: PLR0913 - the fields of the error body
        self,
        status: int,
        title: str,
        message: str,
        *,
        details: Sequence[BadParameter] = (),
        required_scopes: Sequence[str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.body: dict[str, object] = {"title": title, "message": message}
        if details:
            self.body["details"] = list(details)
        if required_scopes:
            self.body["required_scopes"] = list(required_scopes)

    def response(self) -> Response:
        """Return the HTTP response."""
        return JSONResponse(self.body, status_code=self.status, headers=self.headers)


def invalid_argument(*details: BadParameter) -> ApiError:
    """Return the 400 for bad parameters; `details` may be empty."""
    return ApiError(400, "Invalid Argument", "The supplied parameters are invalid.", details=details)


def unauthenticated(message: str) -> ApiError:
    """Return the 401. Calendly has three messages for it."""
    return ApiError(401, "Unauthenticated", message)


def insufficient_scope(required_scopes: Sequence[str]) -> ApiError:
    """Return the 403 for a token without the scope. Its body has no details."""
    message = "This operation requires the scopes listed in the 'required_scopes' array."
    return ApiError(403, "Insufficient scope", message, required_scopes=required_scopes)


def permission_denied(message: str) -> ApiError:
    """Return the 403 for a role, a plan or a state that does not allow the request."""
    return ApiError(403, "Permission Denied", message)


def not_found() -> ApiError:
    """Return the 404."""
    return ApiError(404, "Resource Not Found", "The server could not find the requested resource.")


def already_exists(message: str, *details: BadParameter) -> ApiError:
    """Return the 409."""
    return ApiError(409, "Already Exists", message, details=details)


def too_many_requests(headers: Mapping[str, str] | None = None) -> ApiError:
    """Return the 429. Calendly documents its headers but no body."""
    message = "You have exceeded the rate limit. Try again later."
    return ApiError(429, "Too Many Requests", message, headers=headers)


def body_for(status: int) -> dict[str, object]:
    """Return the body Calendly sends with a status by default."""
    known = {
        400: invalid_argument(),
        401: unauthenticated("The access token is invalid"),
        403: permission_denied("You do not have permission"),
        404: not_found(),
        409: already_exists("Hook with this url already exists"),
        424: ApiError(424, "External Calendar Error", "There is a problem accessing your calendar."),
        429: too_many_requests(),
        500: ApiError(
            500,
            "Internal Server Error",
            "The server encountered an unexpected condition that prevented it from fulfilling the request.",
        ),
    }
    if status in known:
        return known[status].body
    phrase = HTTPStatus(status).phrase
    return {"title": phrase, "message": phrase}
