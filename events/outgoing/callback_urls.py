"""Which URLs may be posted to: what an agent may name, and what the operator allows. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from events.outgoing.wire import LONGEST_URL, EventsRefusal, Meaning

Callbacks = Literal["public", "listed", "off"]

_PRINTABLE: Final = re.compile(r"[!-~]+")
_HOST: Final = re.compile(r"[a-z0-9](?:[a-z0-9._-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")
_PORTS: Final = {"https": 443, "http": 80}
_FIELD: Final = "delivery.url"
_HTTPS_ALONE: Final = "Use an https address with a host and without a user name."
_NO_HOST: Final = "must be hosts such as n8n.example.com or 10.0.0.5:5678, separated by commas."


@dataclass(frozen=True, slots=True)
class CallbackHost:
    """A host that may be posted to, at one port or, where that is None, at any.

    Attributes:
        name: In lower case and without a final full stop, an IPv6 address at its shortest and without brackets.
        port: None for any.
    """

    name: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `host` or `host:port`. Raises ValueError."""
        try:
            parts = urlsplit(f"//{text.strip()}")
            name, port = _spelled(parts.hostname or ""), parts.port
        except ValueError:
            raise ValueError(_NO_HOST) from None
        if parts.netloc != text.strip() or "@" in text or port == 0:
            raise ValueError(_NO_HOST)
        return cls(name, port)


@dataclass(frozen=True, slots=True)
class CallbackUrl:
    """Where events are posted.

    Attributes:
        url: As it was sent.
        host: The host with its port, for limits, pages and the audit log.
        is_listed: The operator lists the host: it may be private, and it is not challenged.
    """

    url: str
    host: str
    is_listed: bool


@dataclass(frozen=True, slots=True)
class CallbackRules:
    """What the operator allows.

    Attributes:
        callbacks: Any public host, the listed hosts only, or none.
        hosts: The listed hosts.
    """

    callbacks: Callbacks = "public"
    hosts: tuple[CallbackHost, ...] = ()

    def check(self, url: str) -> CallbackUrl:
        """Check a URL that an agent names.

        Raises EventsRefusal: InvalidParams for a URL that cannot be one, Forbidden for a host that is not listed.
        """
        scheme, host, port = _read(url)
        is_listed = any(each.name == host and each.port in {None, port} for each in self.hosts)
        if scheme != "https" and not (is_listed and _is_loopback(host)):
            raise _invalid("Callbacks are https addresses.")
        if self.callbacks == "off" or (self.callbacks == "listed" and not is_listed):
            raise EventsRefusal(
                Meaning.FORBIDDEN,
                "The operator of this server does not allow callbacks to this host: ask for it, or poll instead.",
                {"reason": "callback"},
            )
        shown = f"[{host}]" if ":" in host else host
        return CallbackUrl(url, shown if port == _PORTS[scheme] else f"{shown}:{port}", is_listed)


def callback_hosts(names: Iterable[str]) -> tuple[CallbackHost, ...]:
    """Read the hosts that an operator lists. Raises ValueError."""
    return tuple(map(CallbackHost.parse, names))


def _read(url: str) -> tuple[str, str, int]:
    if len(url) > LONGEST_URL or not _PRINTABLE.fullmatch(url) or "\\" in url or "#" in url:
        raise _invalid(f"Use at most {LONGEST_URL} visible ASCII characters, without a backslash or fragment.")
    try:
        parts = urlsplit(url)
        host, port = _spelled(parts.hostname or ""), parts.port
    except ValueError:
        raise _invalid(_HTTPS_ALONE) from None
    if parts.scheme not in _PORTS or "@" in parts.netloc or port == 0:
        raise _invalid(_HTTPS_ALONE)
    return parts.scheme, host, _PORTS[parts.scheme] if port is None else port


def _spelled(host: str) -> str:
    """Return a host in the one spelling by which it is listed, counted and shown. Raises ValueError."""
    name = host.removesuffix(".")  # which only says that the name is whole (RFC 3986, 3.2.2)
    if not _HOST.fullmatch(name):
        raise ValueError(name)
    return ip_address(name).compressed if ":" in name else name


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _invalid(advice: str) -> EventsRefusal:
    return EventsRefusal(Meaning.INVALID_PARAMS, f"{_FIELD} cannot be used. {advice}", {"field": _FIELD})
