"""OAuth errors (RFC 6749, sections 4.1.2.1 and 5.2)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from starlette.responses import JSONResponse, Response

NOT_STORED: Final = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class OAuthRefusal(Exception):
    """An error that an OAuth endpoint answers.

    Args:
        error: A registered error code.
        description: A sentence for the developer of the client.
        status: 400, or 401 for a client that did not authenticate.
    """

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status

    @property
    def members(self) -> dict[str, str]:
        """The two members of the response."""
        return {"error": self.error, "error_description": str(self)}

    def response(self) -> Response:
        """Return the HTTP response. A 401 carries a challenge (RFC 6749, section 5.2)."""
        challenge = {"WWW-Authenticate": 'Basic realm="Calendly"'} if self.status == HTTPStatus.UNAUTHORIZED else {}
        return JSONResponse(self.members, status_code=self.status, headers={**NOT_STORED, **challenge})


def invalid_request(description: str) -> OAuthRefusal:
    """Return the error for a parameter that is missing, malformed or there twice."""
    return OAuthRefusal("invalid_request", description)


def invalid_client() -> OAuthRefusal:
    """Return the error for an unknown client or a wrong secret."""
    return OAuthRefusal("invalid_client", "The client is unknown or did not authenticate.", 401)


def invalid_grant(description: str) -> OAuthRefusal:
    """Return the error for a code or refresh token that does not work."""
    return OAuthRefusal("invalid_grant", description)


def required(form: Mapping[str, str], name: str) -> str:
    """Return a parameter.

    Raises:
        OAuthRefusal: It is missing or empty.
    """
    if not form.get(name):
        raise invalid_request(f"{name} is missing.")
    return form[name]
