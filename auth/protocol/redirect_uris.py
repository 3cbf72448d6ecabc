"""Where a browser may be sent back to: which addresses a client may register, and when a presented one is registered.

Addresses are compared as strings (OAuth 2.1, 2.3.1). The one exception is the port of an http address on loopback,
which a native client takes as the system gives it (RFC 8252, 7.3). Nothing is normalised, so the syntax is narrow:
what a browser could read differently than we do is no address here.
"""

import re
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from auth.protocol.errors import InvalidRedirectUri

PRIVATE_USE_SCHEMES: Final = ("cursor", "vscode", "vscode-insiders", "windsurf", "claude")
"""The schemes of well-known native clients; an operator may name others."""

LONGEST: Final = 2000

_HOST: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_PORT: Final = r"(?::[1-9][0-9]{0,4})?"
# RFC 3986: what paths and queries are made of. No backslash, quotation mark, angle bracket, space or control.
_REST: Final = r"(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
_HTTPS: Final = re.compile(f"https://{_HOST}{_PORT}{_REST}")
_LOOPBACK: Final = re.compile(rf"(http://(?:127\.0\.0\.1|\[::1\]|localhost)){_PORT}({_REST})")
_PRIVATE_USE: Final = re.compile(r"([a-z][a-z0-9+.-]*):[A-Za-z0-9._~!$&'()*+,;=:@%/?-]+")

# What a browser or a desktop does something else with than to hand it to a client.
_NEVER_SCHEMES: Final = frozenset(
    {
        *("about", "blob", "data", "file", "filesystem", "ftp", "http", "https", "javascript", "mailto", "resource"),
        *("ssh", "tel", "urn", "vbscript", "view-source", "ws", "wss"),
    }
)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")

# The parameters of an authorization response; an address that already has one would be read in two ways.
_RESPONSE_PARAMETERS: Final = frozenset({"code", "state", "iss", "error", "error_description", "error_uri"})


def private_use_schemes(text: str) -> tuple[str, ...]:
    """Read a list of schemes separated by commas. Raises ValueError with a sentence that names the one at fault."""
    schemes = tuple(filter(None, (part.strip() for part in text.split(","))))
    for scheme in schemes:
        if not _SCHEME.fullmatch(scheme) or scheme in _NEVER_SCHEMES:
            raise ValueError(f'"{scheme[:40]}" cannot be the private-use scheme of a redirect URI.')
    return schemes


def check(uri: str, schemes: Collection[str]) -> None:
    """Check an address that a client registers.

    Args:
        uri: The address.
        schemes: The private-use schemes allowed here.

    Raises:
        InvalidRedirectUri: It is none of https, http on loopback and an allowed private-use scheme.
    """
    if len(uri) > LONGEST or not _is_allowed(uri, schemes):
        raise InvalidRedirectUri(
            "A redirect URI is https, http on 127.0.0.1, [::1] or localhost, or of a private-use scheme that this "
            "server allows; without user name, fragment and special characters."
        )
    if _RESPONSE_PARAMETERS.intersection(name for name, _ in parse_qsl(urlsplit(uri).query, keep_blank_values=True)):
        raise InvalidRedirectUri("A redirect URI cannot have parameters of the authorization response.")


def is_registered(presented: str, registered: Iterable[str]) -> bool:
    """Say whether a presented address is one of those registered, by RFC 8252 for ports on loopback."""
    portless = _without_port(presented)
    return any(
        presented == uri or (portless is not None and portless == _without_port(uri))  # an exact match comes first
        for uri in registered
    )


def is_loopback(uri: str) -> bool:
    """Say whether any program on the person's machine could be listening there."""
    return _LOOPBACK.fullmatch(uri) is not None


def destination(uri: str) -> str:
    """Name where an address leads, as a person can judge it: host and port, or the scheme of an application."""
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in {"https", "http"} else f"{parts.scheme}:"


def form_action(uri: str) -> str:
    """Name the address as a source of a Content-Security-Policy `form-action`."""
    parts = urlsplit(uri)
    if parts.scheme not in {"https", "http"}:
        return f"{parts.scheme}:"
    # CSP Level 3, 2.4: a host-source cannot be an IPv6 address.
    return f"{parts.scheme}:" if "[" in parts.netloc else f"{parts.scheme}://{parts.netloc}"


def with_parameters(uri: str, parameters: dict[str, str]) -> str:
    """Add the parameters of a response, keeping those the address has (RFC 6749, 3.1.2)."""
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(parameters)}"


def _is_allowed(uri: str, schemes: Collection[str]) -> bool:
    if _HTTPS.fullmatch(uri) or is_loopback(uri):
        return True
    private = _PRIVATE_USE.fullmatch(uri)
    return private is not None and private[1] in schemes and "@" not in urlsplit(uri).netloc


def _without_port(uri: str) -> tuple[str, str] | None:
    found = _LOOPBACK.fullmatch(uri)
    return None if found is None else (found[1], found[2])
