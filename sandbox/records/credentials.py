"""Tokens, authorization codes, and the OAuth applications they are issued to."""

from dataclasses import dataclass
from datetime import datetime


@dataclass
class StoredAccessToken:
    """An access token or a personal access token.

    Attributes:
        value: The token.
        user: Id of the user it acts for.
        scopes: What it grants; None for a token from before scopes, which grants everything.
        client: Id of the application; None for a personal access token.
        grant: The sign-in it came from.
        issued_at: When it was issued.
        expires_at: When it expires; None is never.
        revoked: Whether it was revoked.
    """

    value: str
    user: str
    scopes: frozenset[str] | None
    client: str | None = None
    grant: str | None = None
    issued_at: datetime | None = None
    expires_at: datetime | None = None
    revoked: bool = False


@dataclass
class StoredRefreshToken:
    """A refresh token, which works once. The fields are those of an access token."""

    value: str
    user: str
    scopes: frozenset[str]
    client: str
    grant: str
    issued_at: datetime
    revoked: bool = False


@dataclass
class StoredAuthorizationCode:
    """An authorization code, which works once.

    Attributes:
        value: The code.
        user: Id of the user who signed in.
        scopes: What the tokens will grant.
        client: Id of the application.
        redirect_uri: Where it was sent.
        challenge: The PKCE challenge, None without PKCE.
        expires_at: When it expires.
        grant: The sign-in it came from.
        used: Whether it was redeemed.
    """

    value: str
    user: str
    scopes: frozenset[str]
    client: str
    redirect_uri: str
    challenge: str | None
    expires_at: datetime
    grant: str
    used: bool = False


@dataclass(frozen=True)
class StoredOAuthClient:
    """An OAuth application.

    Attributes:
        id: The client id.
        name: What the consent page calls it.
        secret: The client secret; None for a public client, which needs PKCE.
        redirect_uris: Where it may be answered; None allows any http loopback address.
        signing_key: The key that signs its webhooks; None for one that registered itself, which was shown none.
    """

    id: str
    name: str
    secret: str | None
    redirect_uris: tuple[str, ...] | None
    signing_key: str | None
