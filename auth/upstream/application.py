"""Our OAuth application at Calendly, and the addresses of Calendly's that it may use."""

import ipaddress
from dataclasses import dataclass, field
from typing import Final, Protocol, Self
from urllib.parse import urlsplit

from auth.upstream.login import LoginRefused

CALENDLY_DOMAIN: Final = "calendly.com"


@dataclass(frozen=True, slots=True)
class Application:
    """Who we are at Calendly, and its endpoints.

    Attributes:
        client_id: Calendly's name for us.
        client_secret: None for a public client, whose only proof is PKCE.
        authorization_endpoint: Where a browser is sent.
        token_endpoint: Where codes and refresh tokens are sent.
        revocation_endpoint: Where tokens are revoked.
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
        """Return the application. Raises CalendlyLoginError when there is none."""
        ...

    async def disowned(self, application: Application) -> None:
        """Take note that Calendly does not know the application."""
        ...


@dataclass(frozen=True, slots=True)
class Configured:
    """The one application that the settings name: `Applications`.

    Attributes:
        application: It.
    """

    application: Application

    async def current(self) -> Application:
        """Return it."""
        return self.application

    async def disowned(self, application: Application) -> None:
        """Do nothing: only the operator can mend the settings."""


def check_endpoint(url: str, issuer: str) -> str:
    """Return an address of the metadata that secrets and browsers may be sent to.

    Args:
        url: https on calendly.com or a subdomain; or on the issuer's host, where that is this machine.
        issuer: `CALENDLY_ISSUER`.

    Raises:
        LoginRefused: Any other address.
    """
    if not _is_permitted(url, issuer):
        raise LoginRefused(
            f"Calendly's metadata names an address that is neither on {CALENDLY_DOMAIN} nor on the issuer's host."
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
