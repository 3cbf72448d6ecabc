"""What opens the sandbox: tokens, codes, and the applications they are given to."""

from dataclasses import dataclass
from datetime import datetime


@dataclass
class StoredAccessToken:
    """A key to the API. `scopes` None is from before scopes and may do everything; `client` None is personal."""

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
    """Good for one renewal."""

    value: str
    user: str
    scopes: frozenset[str]
    client: str
    grant: str
    issued_at: datetime
    revoked: bool = False


@dataclass
class StoredAuthorizationCode:
    """What the browser carries back; good once, within ten minutes."""

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
    """An application. `secret` None is public (PKCE required); `redirect_uris` None takes any http loopback address."""

    id: str
    name: str
    secret: str | None
    redirect_uris: tuple[str, ...] | None
    signing_key: str
