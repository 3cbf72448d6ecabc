"""The errors between a client and this server, as the RFCs define them.

SignInError
├── OAuthError               a refusal for the client: a code and a sentence
│   ├── InvalidRequest       malformed: something is missing, repeated or too large (RFC 6749, 4.1.2.1 and 5.2)
│   ├── InvalidClient        401: unknown, deleted or not authenticated
│   ├── InvalidGrant         the code or refresh token is unknown, used, expired or another client's
│   ├── UnauthorizedClient   this client may not use this grant type
│   ├── UnsupportedGrantType, UnsupportedResponseType
│   ├── InvalidScope         more than was granted, or nothing that exists
│   ├── InvalidTarget        a resource that is not ours (RFC 8707)
│   ├── AccessDenied         the person declined
│   ├── ServerError, TemporarilyUnavailable
│   ├── InvalidRedirectUri, InvalidClientMetadata (RFC 7591, 3.2.2)
│   └── TooManyRequests      429 with the seconds to wait
└── Stopped                  shown to the person: there is no valid redirect URI
    ├── Forgotten            the client was deleted, or never registered
    └── NotThere             404: the page does not exist, or belongs to somebody else

A message is one sentence for people who build or use the client, in the characters allowed in `error_description`.
"""

from typing import ClassVar


class SignInError(Exception):
    """Base class of all errors.

    Attributes:
        description: A sentence without private detail.
        status: The HTTP status of a direct answer.
    """

    status: ClassVar[int] = 400

    def __init__(self, description: str) -> None:
        super().__init__(description)
        self.description = description


class OAuthError(SignInError):
    """A refusal for the client.

    Attributes:
        error: The error code of the RFCs.
    """

    error: ClassVar[str]


class InvalidRequest(OAuthError):
    """The request is malformed."""

    error = "invalid_request"


class InvalidClient(OAuthError):
    """The client is unknown, was deleted, or is not authenticated. It registers again."""

    error = "invalid_client"
    status = 401


class InvalidGrant(OAuthError):
    """The code or refresh token is unknown, used, expired, revoked or was given to another client."""

    error = "invalid_grant"


class UnauthorizedClient(OAuthError):
    """The client is known, but may not do this."""

    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """The grant type is neither a code nor a refresh token."""

    error = "unsupported_grant_type"


class UnsupportedResponseType(OAuthError):
    """The response type is not a code."""

    error = "unsupported_response_type"


class InvalidScope(OAuthError):
    """None of the scopes can be granted, or more is asked for than was granted."""

    error = "invalid_scope"


class InvalidTarget(OAuthError):
    """The resource is not the one that this server protects."""

    error = "invalid_target"


class AccessDenied(OAuthError):
    """The person declined, here or at Calendly."""

    error = "access_denied"


class ServerError(OAuthError):
    """Something failed here or at Calendly."""

    error = "server_error"
    status = 500


class TemporarilyUnavailable(OAuthError):
    """The request may succeed later."""

    error = "temporarily_unavailable"
    status = 503


class InvalidRedirectUri(OAuthError):
    """A redirect URI may not be registered."""

    error = "invalid_redirect_uri"


class InvalidClientMetadata(OAuthError):
    """A member of a registration is not valid, other than a redirect URI."""

    error = "invalid_client_metadata"


class TooManyRequests(OAuthError):
    """A client address reached its rate limit.

    Attributes:
        retry_after: After how many whole seconds the client may try again.
    """

    error = "temporarily_unavailable"
    status = 429

    def __init__(self, description: str, *, retry_after: int) -> None:
        super().__init__(description)
        self.retry_after = retry_after


class Stopped(SignInError):
    """Shown to the person, because there is no valid redirect URI."""


class Forgotten(Stopped):
    """The client is not registered, or no longer: it has to register again before anybody can let it in."""

    def __init__(self) -> None:
        super().__init__(
            "This server does not know the app that sent you here, or no longer: one that nobody lets in is forgotten "
            "after 30 days, one that is not used after 90. To go on, have the app forget its sign-in to this server "
            "(sign out of it there, or remove the server and add it again) and connect anew: it then registers again."
        )


class NotThere(Stopped):
    """What a person asks for does not exist or belongs to somebody else; the answer does not say which."""

    status = 404
