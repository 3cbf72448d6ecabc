"""Redirect URIs: which ones a client may register, and whether one in a request is registered.

URIs are compared as strings (OAuth 2.1, 2.3.1), except for the port of an http URI on loopback, which the system of a
native client chooses (RFC 8252, 7.3). URIs are not normalised, so the accepted syntax is narrow: a URI that a browser
could read differently is refused. Scheme and host may be in any case (RFC 3986, 3.1 and 3.2.2).
"""

import re
from collections.abc import Collection, Iterable
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from auth.protocol.errors import InvalidRedirectUri

PRIVATE_USE_SCHEMES: Final = ("cursor", "vscode", "vscode-insiders", "windsurf", "claude")
"""The schemes of well-known native clients. An operator can add others."""

LONGEST: Final = 2000

_HOST: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])"
_PORT: Final = r"(?::[1-9][0-9]{0,4})?"
# RFC 3986: the characters of paths and queries. No backslash, quotation mark, angle bracket, space or control.
_REST: Final = r"(?:[/?][A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?"
_HTTPS: Final = re.compile(f"(?i:https)://{_HOST}{_PORT}{_REST}")
_LOOPBACK: Final = re.compile(rf"((?i:http://(?:127\.0\.0\.1|\[::1\]|localhost))){_PORT}({_REST})")
_PRIVATE_USE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~!$&'()*+,;=:@%/?-]+")
_LOOPBACK_NAMES: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_DEFAULT_PORTS: Final = MappingProxyType({"http": 80, "https": 443})

# Browsers and desktops do not pass URIs of these schemes to a client.
_NEVER_SCHEMES: Final = frozenset(
    {
        *("about", "blob", "data", "file", "filesystem", "ftp", "http", "https", "javascript", "mailto", "resource"),
        *("ssh", "tel", "urn", "vbscript", "view-source", "ws", "wss"),
    }
)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*")
_LONGEST_SCHEME: Final = 40

# The parameters of an authorization response. A URI that already has one would be ambiguous.
_RESPONSE_PARAMETERS: Final = frozenset({"code", "state", "iss", "error", "error_description", "error_uri"})


def private_use_schemes(text: str) -> tuple[str, ...]:
    """Read a list of schemes separated by commas. Raises ValueError with a sentence that names the invalid one."""
    schemes = tuple(filter(None, (part.strip() for part in text.split(","))))
    for scheme in schemes:
        if not _SCHEME.fullmatch(scheme) or scheme in _NEVER_SCHEMES:
            raise ValueError(f'"{scheme[:40]}" cannot be the private-use scheme of a redirect URI.')
    return schemes


def check(uri: str, schemes: Collection[str], ours: str | None = None) -> None:
    """Check a redirect URI that a client registers.

    Args:
        uri: The redirect URI.
        schemes: The allowed private-use schemes, in lower case.
        ours: The address of this server, to which it may not lead.

    Raises:
        InvalidRedirectUri: It is neither https, nor http on loopback, nor of an allowed private-use scheme; or it leads
            to this server, or has what the authorization response adds.
    """
    fault = _syntax_fault(uri, schemes)
    if fault is not None:
        raise InvalidRedirectUri(fault)
    if ours is not None and leads_to(uri, ours):
        raise InvalidRedirectUri("A redirect URI leads to the client, not to this server.")
    if _RESPONSE_PARAMETERS.intersection(name for name, _ in parse_qsl(urlsplit(uri).query, keep_blank_values=True)):
        raise InvalidRedirectUri("A redirect URI cannot have parameters of the authorization response.")


def scheme_of(uri: str) -> str | None:
    """Return the scheme of a URI in lower case, as far as one is fit to be logged; None without one."""
    scheme = uri.partition(":")[0][:_LONGEST_SCHEME].lower() if ":" in uri else ""
    return scheme if _SCHEME.fullmatch(scheme) else None


def leads_to(uri: str, origin: str) -> bool:
    """Say whether a checked URI leads to a server, by whichever of its names and by http or https.

    A client there would be this server itself: its pages would get the code, or pass it on.
    """
    return uri.lower().startswith(("https:", "http:")) and _place(uri) == _place(origin)


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


def _syntax_fault(uri: str, schemes: Collection[str]) -> str | None:
    scheme, form = _expected(uri)
    if len(uri) > LONGEST:
        return f"A redirect URI has at most {LONGEST} characters."
    if scheme is None:
        return "A redirect URI begins with a scheme, such as https."
    if form is _PRIVATE_USE and scheme not in schemes:
        remedy = "" if scheme in _NEVER_SCHEMES else "; its operator can allow it (CALENDLY_MCP_REDIRECT_SCHEMES)"
        return f"This server takes no redirect URI of the scheme {scheme}{remedy}."
    if form is _LOOPBACK and (_place(uri) or ("", None))[0] != "localhost":
        return "A redirect URI with http leads to 127.0.0.1, [::1] or localhost; anywhere else it is https."
    if not form.fullmatch(uri) or _place(uri) is None or "@" in urlsplit(uri).netloc:
        return "A redirect URI has a host and a port up to 65535, and no user name, fragment or special character."
    return None


def _expected(uri: str) -> tuple[str | None, re.Pattern[str]]:
    """Return the scheme of a URI, and what a URI of that scheme looks like."""
    scheme = scheme_of(uri)
    return scheme, {"http": _LOOPBACK, "https": _HTTPS}.get(scheme or "", _PRIVATE_USE)


def _place(uri: str) -> tuple[str, int | None] | None:
    """Return host and port of a URI, where all names of this machine are one; None where they cannot be read."""
    try:
        parts = urlsplit(uri)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:  # the port is out of range, or a bracket is alone
        return None
    return "localhost" if host in _LOOPBACK_NAMES else host, port or _DEFAULT_PORTS.get(parts.scheme)


def _without_port(uri: str) -> tuple[str, str] | None:
    found = _LOOPBACK.fullmatch(uri)
    return None if found is None else (found[1], found[2])
