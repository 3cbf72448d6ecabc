"""Parsers of setting values: each takes the text that a person wrote and returns the value, or raises ValueError.

The message of a ValueError is a sentence that follows the name of the setting. It never repeats a
secret.
"""

import re
from ipaddress import ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from auth.access.levels import Access
from auth.access.text import parse_access
from calendly.identifiers import InvalidIdentifier, UserId
from calendly.pacing.booking_limits import parse_ceilings
from calendly.scopes import SCOPES
from calendly.third_party_text import shown
from server.configuration.terminal import suggestion

MEMORY: Final = "sqlite://"
"""The URL of a database in memory."""

_DATABASE: Final = re.compile(
    r"sqlite://(/(?!:memory:$)[^?]+)?|postgresql://(.*@)?(\[[^/?\]]+\]|[^/:?@]*)(:(?P<port>[0-9]*))?([/?].*)?",
    re.DOTALL,
)
"""The URLs that `storage` opens, repeated here since `storage` takes long to load."""

_OURS: Final = "https://mcp.example.com"
_PAGE: Final = "https://app.example.com"

_LAST_PORT: Final = 65_535
_LONGEST_PORT: Final = 6
"""How many digits of a port are read; more are no port either."""

_LONGEST_NAME: Final = 100
_MOST_WEBHOOK_KEYS: Final = 4
_KEY: Final = re.compile(r"[\x21-\x7e]+")
_CONTACT: Final = re.compile(r"[^\s@:/?&<>\"']{1,64}@[0-9A-Za-z.-]{1,253}|https://[0-9A-Za-z.-]+(:\d+)?(/[!#-;=?-~]*)?")
_SEEN_FROM_CONTAINERS: Final = frozenset({"host.docker.internal", "host.containers.internal"})
_PROGRAM: Final = re.compile(r"(?!https?:|file:|data:)[a-z][a-z0-9+.-]*://[a-z0-9._-]*")
"""The origin of a program that shows its own pages: a scheme of its own, and a host or none."""


def is_loopback(host: str) -> bool:
    """Say whether only this machine can reach a host, given as a name or an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def split(names: str) -> tuple[str, ...]:
    """Split names at commas."""
    return tuple(filter(None, (name.strip() for name in names.split(","))))


def read_names(value: object) -> object:
    """Read names separated by commas, unless they are a list already."""
    return split(value) if isinstance(value, str) else value


def read_choice(value: object) -> object:
    """Read one of several words, in whatever case."""
    return value.strip().lower() if isinstance(value, str) else value


def read_token(text: str) -> str:
    """Read an access token."""
    # The token becomes a header (RFC 6750, 2.1). Calendly would answer 401 to one with a space or a
    # line break in it.
    token = text.strip()
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", token):
        raise ValueError('this is no token. It is one word, without quotes and without "Bearer".')
    return token


def read_word(text: str) -> str:
    """Read an identifier or a secret, which is one word."""
    word = text.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", word):
        raise ValueError("must be one word.")
    return word


def read_origin(text: str, example: str = "https://api.calendly.com") -> str:
    """Read an origin: an address without a path, in the form that browsers send; `example` is one for errors."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"must be an address, such as {example}.") from None
    host = parts.hostname
    if port == 0:
        raise ValueError(f"must name a port from 1 to {_LAST_PORT}, or none.")
    if host is None or "@" in parts.netloc or text.rstrip("/") != f"{parts.scheme}://{parts.netloc}":
        raise ValueError(f"must be an address without a path, such as {example}.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("must begin with https://; http:// is for addresses of this machine only.")
    # RFC 6454, 6.2: lower case, without the default port.
    is_default = port in {None, 443 if parts.scheme == "https" else 80}
    return f"{parts.scheme}://{_in_url(host)}" + ("" if is_default else f":{port}")


def http_address(host: str, port: int) -> str:
    """Return the URL of a server of ours that listens on a host and port."""
    return f"http://{_in_url(host)}:{port}"


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host  # RFC 3986, 3.2.2: an IPv6 address stands in brackets


def read_public_url(text: str) -> str:
    """Read the address that clients use; containers on this machine may know it by a name of its own."""
    parts = urlsplit(text)
    if parts.hostname in _SEEN_FROM_CONTAINERS and parts.scheme == "http":
        return read_origin(text.replace(parts.hostname, "localhost", 1)).replace("localhost", parts.hostname, 1)
    return read_origin(text, _OURS)


def read_web_origins(names: tuple[str, ...]) -> tuple[str, ...]:
    """Read what browsers and desktop programs send as `Origin`: of a web page, `app://`, `chrome-extension://ID`."""
    return tuple(name.lower() if _PROGRAM.fullmatch(name.lower()) else read_origin(name, _PAGE) for name in names)


def read_callback_hosts(names: tuple[str, ...]) -> tuple[str, ...]:
    """Read hosts, each with a port or for any."""
    from events.outgoing.callback_urls import callback_hosts  # noqa: PLC0415 - loaded only where events are posted

    callback_hosts(names)
    return names


def read_scopes(value: object) -> object:
    """Read Calendly's scopes, separated by spaces or commas."""
    if not isinstance(value, str):
        return value
    names = value.replace(",", " ").split()
    for name in names:
        if name not in SCOPES:
            hint = suggestion(name, SCOPES) or f"there are: {', '.join(SCOPES)}."
            raise ValueError(f'Calendly has no scope "{name[:60]}"; {hint}')
    return frozenset(names)


def read_redirect_schemes(names: tuple[str, ...]) -> tuple[str, ...]:
    """Read schemes of private-use redirect URIs."""
    from auth.protocol.redirect_uris import private_use_schemes  # noqa: PLC0415 - OAuth is loaded only where it is used

    return private_use_schemes(",".join(names))


def read_networks(value: object) -> object:
    """Read IP addresses and networks, separated by commas."""
    try:
        return tuple(map(ip_network, split(value))) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8, separated by commas.") from None


def read_owners(value: object) -> object:
    """Read e-mail addresses and user URIs, separated by commas."""
    return frozenset(map(_owner, split(value))) if isinstance(value, str) else value


def _owner(name: str) -> str:
    if "@" in name and "/" not in name:
        return name.lower()
    try:
        user = UserId.parse(name) if "/" in name else UserId.ME
    except InvalidIdentifier:
        user = UserId.ME
    if user.is_me:
        raise ValueError(f'must be e-mail addresses or user URIs, separated by commas; "{name[:60]}" is neither.')
    return user.uri


def read_operator(name: str | None) -> str | None:
    """Read a name that pages show."""
    if name is not None and (shown(name) != name or len(name) > _LONGEST_NAME):
        raise ValueError(f"must be a name on one line, of at most {_LONGEST_NAME} visible characters.")
    return name


def read_contact(text: str | None) -> str | None:
    """Read an e-mail address or a web address."""
    if text is not None and not _CONTACT.fullmatch(text):
        raise ValueError("must be an e-mail address, or an address that begins with https://.")
    return text


def read_database_url(text: str) -> str:
    """Read the address of a database, which may hold a password."""
    found = _DATABASE.fullmatch(text)
    if found is None:
        raise ValueError("must be sqlite:///PATH, sqlite:// (in memory) or postgresql://….")
    if not 1 <= int((found["port"] or "")[:_LONGEST_PORT] or 1) <= _LAST_PORT:
        raise ValueError(f"must name a port from 1 to {_LAST_PORT}, or none.")
    return text


def read_webhook_keys(value: object) -> object:
    """Read signing keys of webhooks, separated by commas."""
    if not isinstance(value, str):
        return value
    keys = split(value)
    if len(keys) > _MOST_WEBHOOK_KEYS or not all(map(_KEY.fullmatch, keys)):
        raise ValueError(f"must be at most {_MOST_WEBHOOK_KEYS} keys, separated by commas; each is one word.")
    return keys


def read_keys(text: str) -> str:
    """Read a key ring: `id:base64`, separated by commas."""
    from storage.errors import KeyRingError  # noqa: PLC0415 - the database is loaded only where it is used
    from storage.keys import KeyRing  # noqa: PLC0415 - the same

    word = read_word(text)
    try:
        KeyRing.parse(word)
    except KeyRingError as fault:
        raise ValueError(str(fault)) from None
    return word


def read_access(value: object) -> Access:
    """Read the operator's ceiling of access. Capabilities that are not named stay out of the result."""
    if not isinstance(value, str):
        raise ValueError("must be text of the form capability=level,...")  # noqa: TRY004 - pydantic wants a ValueError
    return dict(parse_access(value))


def read_ceilings(value: object) -> object:
    """Read booking limits."""
    return parse_ceilings(value) if isinstance(value, str) else value
