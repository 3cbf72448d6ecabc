"""Redirect URIs."""

from urllib.parse import SplitResult, urlencode, urlsplit

from sandbox.records.credentials import StoredOAuthClient
from sandbox.requests.loopback import is_loopback


def is_redirect_uri(address: str) -> bool:
    """Return whether an address can be registered: https, or http on this machine, without a fragment."""
    parts = _split(address)
    return parts is not None and (parts.scheme == "https" or is_loopback_redirect(address))


def is_loopback_redirect(address: str) -> bool:
    """Return whether an address is http on this machine."""
    parts = _split(address)
    return parts is not None and parts.scheme == "http" and is_loopback(parts.hostname or "")


def _split(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return parts if parts.hostname and "#" not in address else None


def accepts(client: StoredOAuthClient, address: str) -> bool:
    """Return whether a client may be answered at an address.

    It must match a registered one exactly.
    """
    return is_loopback_redirect(address) if client.redirect_uris is None else address in client.redirect_uris


def with_parameters(address: str, parameters: dict[str, str]) -> str:
    """Return an address with further query parameters."""
    return f"{address}{'&' if urlsplit(address).query else '?'}{urlencode(parameters)}"
