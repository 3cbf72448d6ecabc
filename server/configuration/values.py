"""How the text of a setting is read: a function takes what somebody wrote and returns the value, or says what is wrong.

A ValueError's message is a sentence that follows the name of the setting; it never repeats a secret.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from auth.access.levels import Access
from auth.access.text import parse_access
from calendly.identifiers import InvalidIdentifier, UserId
from calendly.pacing.booking_limits import parse_ceilings
from calendly.scopes import SCOPES

MEMORY: Final = "sqlite://"
"""The address of a database in memory."""

_FOLDER: Final = "calendly-mcp"
_DATABASE: Final = re.compile(
    r"sqlite://(/(?!:memory:$)[^?]+)?|postgresql://(.*@)?(\[[^/?\]]+\]|[^/:?@]*)(:\d*)?([/?].*)?", re.DOTALL
)
"""What `storage` opens, known here without it: it takes long to load."""


def is_loopback(host: str) -> bool:
    """Whether nobody but this machine can reach `host`, a name or an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def split(names: str) -> tuple[str, ...]:
    """Read a list of names that commas separate."""
    return tuple(filter(None, (name.strip() for name in names.split(","))))


def read_names(value: object) -> object:
    """Read a list of names, where it is not one already."""
    return split(value) if isinstance(value, str) else value


def read_token(text: str) -> str:
    """Read an access token."""
    # It becomes a header (RFC 6750, 2.1): a line break or a space inside is a slip that Calendly would answer with 401.
    token = text.strip()
    if not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", token):
        raise ValueError('this is no token. It is one word, without quotes and without "Bearer".')
    return token


def read_word(text: str) -> str:
    """Read an identifier or a secret of one word."""
    word = text.strip()
    if not re.fullmatch(r"[\x21-\x7e]+", word):
        raise ValueError("must be one word.")
    return word


def read_origin(text: str) -> str:
    """Read an address without a path, written as browsers write it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("must be an address, such as https://api.calendly.com.") from None
    host = parts.hostname
    if host is None or "@" in parts.netloc or text.rstrip("/") != f"{parts.scheme}://{parts.netloc}":
        raise ValueError("must be an address without a path, such as https://api.calendly.com.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError("must begin with https://; http:// is for addresses of this machine only.")
    # RFC 6454, 6.2: in lower case, without the port that goes without saying.
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in {None, 443 if parts.scheme == "https" else 80} else f":{port}")


def read_origins(names: tuple[str, ...]) -> tuple[str, ...]:
    """Read several addresses without a path."""
    return tuple(map(read_origin, names))


def read_scopes(value: object) -> object:
    """Read names of Calendly's scopes that spaces or commas separate."""
    if not isinstance(value, str):
        return value
    names = value.replace(",", " ").split()
    for name in names:
        if name not in SCOPES:
            raise ValueError(f'Calendly has no scope "{name[:60]}".')
    return frozenset(names)


def read_redirect_schemes(names: tuple[str, ...]) -> tuple[str, ...]:
    """Read schemes of private-use redirect URIs."""
    from auth.protocol.redirect_uris import private_use_schemes  # noqa: PLC0415 - nothing of OAuth is loaded where it is unused

    return private_use_schemes(",".join(names))


def read_networks(value: object) -> object:
    """Read addresses and networks that commas separate."""
    try:
        return tuple(map(ip_network, split(value))) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8, separated by commas.") from None


def read_owners(value: object) -> object:
    """Read e-mail addresses and user URIs that commas separate."""
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


def read_database_url(text: str) -> str:
    """Read the address of a database, which may hold a password."""
    if not _DATABASE.fullmatch(text):
        raise ValueError("must be sqlite:///PATH, sqlite:// (in memory) or postgresql://….")
    return text


def read_keys(text: str) -> str:
    """Read a key ring."""
    from storage.errors import KeyRingError  # noqa: PLC0415 - nothing of the database is loaded where it is unused
    from storage.keys import KeyRing  # noqa: PLC0415

    word = read_word(text)
    try:
        KeyRing.parse(word)
    except KeyRingError as fault:
        raise ValueError(str(fault)) from None
    return word


def read_access(value: object) -> Access:
    """Read access; what is not named is left to where the server runs."""
    if not isinstance(value, str):
        raise ValueError("must be text of the form capability=level,...")  # noqa: TRY004 - pydantic wants a ValueError
    return dict(parse_access(value))


def read_ceilings(value: object) -> object:
    """Read ceilings of bookings."""
    return parse_ceilings(value) if isinstance(value, str) else value


def data_folder(environ: Mapping[str, str], platform: str) -> Path:
    """Return where a program keeps the data of its user; `~` stands for their home.

    Args:
        environ: The environment.
        platform: As `sys.platform` names it.
    """
    if Path(environ.get("XDG_DATA_HOME", "")).is_absolute():  # a relative one counts as none (XDG Base Directory)
        return Path(environ["XDG_DATA_HOME"], _FOLDER)
    if platform == "win32":
        return Path(environ.get("LOCALAPPDATA", "~/AppData/Local"), _FOLDER)
    return Path("~/Library/Application Support" if platform == "darwin" else "~/.local/share", _FOLDER)
