"""Our OAuth application at Calendly, and which addresses of Calendly's it may speak to."""

import ipaddress
from dataclasses import dataclass, field
from typing import Protocol, Self
from urllib.parse import urlsplit

from auth.upstream.login import LoginRefused

CALENDLY_DOMAIN = "calendly.com"


@dataclass(frozen=True, slots=True)
class Application:
    """Who we are at Calendly, and where it answers us.

    Attributes:
        client_id: Calendly's name for us.
        client_secret: None for a public client, which proves itself by PKCE alone.
        authorization_endpoint: Where a browser is sent.
        token_endpoint: Where codes and refresh tokens go.
        revocation_endpoint: Where tokens end.
    """

    client_id: str
    client_secret: str | None = field(repr=False)
    authorization_endpoint: str
    token_endpoint: str
    revocation_endpoint: str

    @classmethod
    def configured(cls, client_id: str, client_secret: str | None, auth_url: str) -> Self:
        """Describe an application that a person made at Calendly; `auth_url` is `CALENDLY_AUTH_URL`."""
        oauth = f"{auth_url.rstrip('/')}/oauth"
        return cls(client_id, client_secret or None, f"{oauth}/authorize", f"{oauth}/token", f"{oauth}/revoke")


class Applications(Protocol):
    """Where the application comes from: the settings, or our own registration."""

    async def current(self) -> Application:
        """Return the application. Raises CalendlyLoginError when there is none to be had."""
        ...

    async def disowned(self, application: Application) -> None:
        """Hear that Calendly does not know the application (any more)."""
        ...


@dataclass(frozen=True, slots=True)
class Configured:
    """The one application that the settings name."""

    application: Application

    async def current(self) -> Application:
        """Return it."""
        return self.application

    async def disowned(self, application: Application) -> None:
        """Do nothing: whoever set it has to see to it."""


def check_endpoint(url: str, issuer: str) -> str:
    """Return an address that metadata names, if it is one we may send secrets and browsers to.

    Args:
        url: https at calendly.com or below it; or at the issuer's own host, where that is this machine.
        issuer: `CALENDLY_ISSUER`.

    Raises:
        LoginRefused: It is any other.
    """
    if not _is_permitted(url, issuer):
        raise LoginRefused(
            f"Calendly's metadata names an address that is neither on {CALENDLY_DOMAIN} nor our issuer's."
        )
    return url


def is_loopback(host: str) -> bool:
    """Say whether a host name or address is this machine (RFC 6761, 6.3; RFC 1122, 3.2.1.3)."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_permitted(url: str, issuer: str) -> bool:
    try:
        parts, ours = urlsplit(url), urlsplit(issuer)
        port = parts.port
    except ValueError:
        return False
    host = parts.hostname or ""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or "@" in parts.netloc or "#" in url:
        return False
    if host == ours.hostname and is_loopback(host):
        return parts.scheme in {"http", "https"}
    return parts.scheme == "https" and port in {None, 443} and f".{host}".endswith(f".{CALENDLY_DOMAIN}")
