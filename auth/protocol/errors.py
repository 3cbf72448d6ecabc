"""What can go wrong between a client and us, as values of the RFCs.

SignInError
├── OAuthError               a refusal that its client can read: a code and a sentence
│   ├── InvalidRequest       malformed: something is missing, twice there or too large (RFC 6749, 4.1.2.1 and 5.2)
│   ├── InvalidClient        401: unknown, deleted or not who it says it is
│   ├── InvalidGrant         the code or refresh token is unknown, spent, expired or not this client's
│   ├── UnauthorizedClient   this client may not use this way
│   ├── UnsupportedGrantType, UnsupportedResponseType
│   ├── InvalidScope         more than was given, or nothing that exists
│   ├── InvalidTarget        a resource that is not ours (RFC 8707)
│   ├── AccessDenied         a person said no
│   ├── ServerError, TemporarilyUnavailable
│   ├── InvalidRedirectUri, InvalidClientMetadata (RFC 7591, 3.2.2)
│   └── TooManyRequests      429 with the seconds to wait
└── Stopped                  it cannot go on and there is nobody to send the browser back to
    └── NotThere             404: a page of what is not there, or not this person's

A message is one sentence for whoever builds or uses the client, in the characters that `error_description` may have.
"""

from typing import ClassVar


class SignInError(Exception):
    """Anything that keeps a client from getting what it asked for.

    Attributes:
        description: One sentence without private detail.
        status: The HTTP status it is answered with where it is answered directly.
    """

    status: ClassVar[int] = 400

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class OAuthError(SignInError):
    """A refusal that its client can read.

    Attributes:
        error: The error code of the RFCs.
    """

    error: ClassVar[str]


class InvalidRequest(OAuthError):
    """The request is malformed."""

    error = "invalid_request"


class InvalidClient(OAuthError):
    """The client is unknown, was deleted, or did not prove who it is; it registers anew."""

    error = "invalid_client"
    status = 401


class InvalidGrant(OAuthError):
    """The code or refresh token is unknown, spent, expired, revoked or was given to another client."""

    error = "invalid_grant"


class UnauthorizedClient(OAuthError):
    """The client is known, but not for this."""

    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """Only codes and refresh tokens are taken."""

    error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    """Only codes are given."""

    error = "unsupported_response_type"


class InvalidScope(OAuthError):
    """None of the scopes can be given, or more than was given is asked for."""

    error = "invalid_scope"


class InvalidTarget(OAuthError):
    """The resource is not the one this server protects."""

    error = "invalid_target"


class AccessDenied(OAuthError):
    """A person said no, here or at Calendly."""

    error = "access_denied"


class ServerError(OAuthError):
    """Something on this side or at Calendly is broken."""

    error = "server_error"
    status = 500


class TemporarilyUnavailable(OAuthError):
    """Asking again later will help."""

    error = "temporarily_unavailable"
    status = 503


class InvalidRedirectUri(OAuthError):
    """A redirect URI that may not be registered."""

    error = "invalid_redirect_uri"


class InvalidClientMetadata(OAuthError):
    """Another member of a registration that cannot be taken."""

    error = "invalid_client_metadata"


class TooManyRequests(OAuthError):
    """One address asked too often.

    Attributes:
        retry_after: Whole seconds after which it is worth asking again.
    """

    error = "temporarily_unavailable"
    status = 429

    def __init__(self, description: str, *, retry_after: int) -> None:
        super().__init__(description)
        self.retry_after = retry_after


class Stopped(SignInError):
    """Shown to the person, since it is not known where the browser may be sent."""


class NotThere(Stopped):
    """What a person asks for does not exist, or is somebody else's; nobody learns which."""

    status = 404
