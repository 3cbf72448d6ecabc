"""Redirect URIs: which ones a client may register, and whether one in a request is registered.

URIs are compared as strings (OAuth 2.1, 2.3.1), except for the port of an http URI on loopback, which the system of a
native client chooses (RFC 8252, 7.3). URIs are not normalised, so the accepted syntax is narrow: a URI that a browser
could read differently is refused.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from auth.protocol.errors import InvalidRedirectUri

PRIVATE_USE_SCHEMES: Final = ("cursor", "vscode", "vscode-insiders", "windsurf", "claude")
"""The schemes of well-known native clients. An operator can set others."""

LONGEST: Final = 2000

_HOST: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_PORT: Final = r"(?::[1-9][0-9]{0,4})?"
# RFC 3986: the characters of paths and queries. No backslash, quotation mark, angle bracket, space or control.
_REST: Final = r"(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
_HTTPS: Final = re.compile(f"https://{_HOST}{_PORT}{_REST}")
_LOOPBACK: Final = re.compile(rf"(http://(?:127\.0\.0\.1|\[::1\]|localhost)){_PORT}({_REST})")
_PRIVATE_USE: Final = re.compile(r"([a-z][a-z0-9+.-]*):[A-Za-z0-9._~!$&'()*+,;=:@%/?-]+")

# Browsers and desktops do not pass URIs of these schemes to a client.
_NEVER_SCHEMES: Final = frozenset(
    {
        *("about", "blob", "data", "file", "filesystem", "ftp", "http", "https", "javascript", "mailto", "resource"),
        *("ssh", "tel", "urn", "vbscript", "view-source", "ws", "wss"),
    }
)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")

# The parameters of an authorization response. A URI that already has one would be ambiguous.
_RESPONSE_PARAMETERS: Final = frozenset({"code", "state", "iss", "error", "error_description", "error_uri"})


def private_use_schemes(text: str) -> tuple[str, ...]:
    """Read a list of schemes separated by commas. Raises ValueError with a sentence that names the invalid one."""
    schemes = tuple(filter(None, (part.strip() for part in text.split(","))))
    for scheme in schemes:
        if not _SCHEME.fullmatch(scheme) or scheme in _NEVER_SCHEMES:
            raise ValueError(f'"{scheme[:40]}" cannot be the private-use scheme of a redirect URI.')
    return schemes


def check(uri: str, schemes: Collection[str]) -> None:
    """Check a redirect URI that a client registers.

    Args:
        uri: The redirect URI.
        schemes: The allowed private-use schemes.

    Raises:
        InvalidRedirectUri: It is neither https, nor http on loopback, nor of an allowed private-use scheme.
    """
    if len(uri) > LONGEST or not _is_allowed(uri, schemes):
        raise InvalidRedirectUri(
            "A redirect URI is https, http on 127.0.0.1, [::1] or localhost, or of a private-use scheme that this "
            "server allows; without user name, fragment and special characters."
        )
    if _RESPONSE_PARAMETERS.intersection(name for name, _ in parse_qsl(urlsplit(uri).query, keep_blank_values=True)):
        raise InvalidRedirectUri("A redirect URI cannot have parameters of the authorization response.")


def is_registered(presented: str, registered: Iterable[str]) -> bool:
    """Say whether a redirect URI is registered. Ports on loopback may differ (RFC 8252, 7.3)."""
    portless = _without_port(presented)
    return any(
        presented == uri or (portless is not None and portless == _without_port(uri))  # an exact match comes first
        for uri in registered
    )


def is_loopback(uri: str) -> bool:
    """Say whether a URI leads to the person's own machine, where any program could listen."""
    return _LOOPBACK.fullmatch(uri) is not None


def destination(uri: str) -> str:
    """Return where a URI leads, for people: host and port, or the scheme of an application."""
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in {"https", "http"} else f"{parts.scheme}:"


def form_action(uri: str) -> str:
    """Return a URI as a source of `form-action` in a Content-Security-Policy."""
    parts = urlsplit(uri)
    if parts.scheme not in {"https", "http"}:
        return f"{parts.scheme}:"
    # CSP Level 3, 2.4: a host-source cannot be an IPv6 address.
    return f"{parts.scheme}:" if "[" in parts.netloc else f"{parts.scheme}://{parts.netloc}"


def with_parameters(uri: str, parameters: dict[str, str]) -> str:
    """Add the parameters of a response to a URI and keep those that it has (RFC 6749, 3.1.2)."""
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(parameters)}"


def _is_allowed(uri: str, schemes: Collection[str]) -> bool:
    if _HTTPS.fullmatch(uri) or is_loopback(uri):
        return True
    private = _PRIVATE_USE.fullmatch(uri)
    return private is not None and private[1] in schemes and "@" not in urlsplit(uri).netloc


def _without_port(uri: str) -> tuple[str, str] | None:
    found = _LOOPBACK.fullmatch(uri)
    return None if found is None else (found[1], found[2])
