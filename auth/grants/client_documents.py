"""Client ID metadata documents: the id of such a client is the https address of its description.

draft-ietf-oauth-client-id-metadata-document. The address comes from a stranger, so the fetch is
limited: https with a verified certificate, public addresses only, no redirect, no cookies, at most
5 kB and 10 seconds. Every failure to fetch has the same message, so that it tells nothing about a
network; the log says more.

Where the environment names a proxy for https, it is used: then it is the proxy that connects. A
name that this machine can resolve has to be public nevertheless.
"""

import logging
import re
import ssl
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import anyio
import httpcore2

from auth.grants.clients import Client, read_metadata
from auth.grants.public_network import PublicNetwork
from auth.protocol.errors import InvalidClient, OAuthError
from auth.protocol.parameters import json_object

LARGEST: Final = 5 * 1024
PATIENCE: Final = 10.0
"""How long a fetch may take, in seconds."""

SHORTEST_LIFE: Final = timedelta(minutes=5)
LONGEST_LIFE: Final = timedelta(hours=24)

# A path is required; no user name, query, fragment, dot segment or escape, and a name rather than
# an address.
_CLIENT_ID: Final = re.compile(
    r"https://(?=[a-z0-9.-]*[a-z])[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?:/[A-Za-z0-9_~!$&'()*+,;=:@.-]*)+"
)
_DOT_SEGMENT: Final = re.compile(r"/\.{1,2}(?:/|$)")
_LONGEST_ID: Final = 500
_LAST_PORT: Final = 65_535
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age=(\d{1,9})(?:[\s,]|$)")

_UNFETCHED: Final = "The client's metadata document could not be fetched."

_LONGEST_SCHEME: Final = 20
_FAULTS: Final = (httpcore2.ProtocolError, httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProxyError)

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Document:
    """A client as its document describes it, and for how long that is valid."""

    client: Client
    life: timedelta


def is_document_address(client_id: str) -> bool:
    """Say whether a client id is the address of a metadata document."""
    found = _CLIENT_ID.fullmatch(client_id) if len(client_id) <= _LONGEST_ID else None
    if found is None or int(found["port"] or 0) > _LAST_PORT:
        return False
    return not client_id.endswith("/") and not _DOT_SEGMENT.search(client_id)


def read_document(client_id: str, body: bytes, schemes: Collection[str]) -> Client:
    """Read a document.

    Raises:
        InvalidClient: It is not one, describes somebody else, or a client that would need a secret.
    """
    try:
        document = json_object(body)
        if document.get("client_id") != client_id:
            raise InvalidClient("It does not name its own address as client_id.")
        if "client_secret" in document:
            raise InvalidClient("It has a client_secret, which everybody can read there.")
        # The document is public, so there is no secret; a method that needs one cannot be meant.
        method = document.get("token_endpoint_auth_method") or "none"
        metadata = read_metadata({**document, "token_endpoint_auth_method": method}, schemes)
        if not metadata.is_public:
            raise InvalidClient("A client with one authenticates with none.")
    except OAuthError as fault:
        raise InvalidClient(f"The client's metadata document cannot be used. {fault.description}") from fault
    return Client(
        id=client_id,
        kind="document",
        name=metadata.shown_name,
        redirect_uris=metadata.redirect_uris,
        auth_method="none",
        secret_digest=None,
        refreshes=metadata.refreshes,
        approved=False,
    )


def life(cache_control: str) -> timedelta:
    """Return how long a document is kept: what its `Cache-Control` says, within bounds."""
    found = _MAX_AGE.search(cache_control.lower())
    return max(SHORTEST_LIFE, min(LONGEST_LIFE, timedelta(seconds=int(found[1]) if found else 0)))


def proxy_for(host: str) -> str | None:
    """Return the proxy for https that the environment names for a host."""
    proxies = getproxies()
    named = None if proxy_bypass(host) else proxies.get("https") or proxies.get("all")
    return named if named is None or "://" in named else f"http://{named}"


class DocumentFetcher:
    """Fetches metadata documents over `network`, verified by `tls`, in `patience` seconds.

    Args:
        network: Where there is no proxy.
        tls: Says whom to trust, when there is something to fetch: the certificates take memory.
        schemes: The private-use schemes allowed in redirect URIs.
        proxy: Returns the proxy for a host, None without one.
        patience: How long a fetch may take.
    """

    def __init__(
        self,
        network: PublicNetwork,
        tls: Callable[[], ssl.SSLContext],
        schemes: Collection[str],
        *,
        proxy: Callable[[str], str | None] = proxy_for,
        patience: float = PATIENCE,
    ) -> None:
        self._network = network
        self._tls = tls
        self._schemes = schemes
        self._proxy = proxy
        self._patience = patience

    async def fetch(self, client_id: str) -> Document:
        """Fetch the document at `client_id`. Raises InvalidClient."""
        try:
            with anyio.fail_after(self._patience):
                body, cache_control = await self._get(client_id)
            return Document(read_document(client_id, body, self._schemes), life(cache_control))
        except (TimeoutError, OSError, ValueError, *_FAULTS) as fault:
            told = f"{type(fault).__name__}: {fault}".partition("\n")[0]
        except InvalidClient as fault:
            _log.warning("the metadata document %s names no client: %s", client_id, fault)
            raise
        _log.warning("the metadata document %s could not be fetched: %s", client_id, told)
        raise InvalidClient(_UNFETCHED)

    async def _get(self, address: str) -> tuple[bytes, str]:
        async with (
            await self._open(address) as pool,
            pool.stream("GET", address, headers={"Accept": "application/json", "User-Agent": "calendly-mcp"}) as answer,
        ):
            headers = {name.lower(): value.decode("latin-1") for name, value in answer.headers}
            kind = headers.get(b"content-type", "").partition(";")[0].strip().lower()
            if answer.status != HTTPStatus.OK or not (kind == "application/json" or kind.endswith("+json")):
                raise httpcore2.ProtocolError(f"status {answer.status}, {kind or 'no content type'}")
            body = bytearray()
            async for chunk in answer.aiter_stream():
                body += chunk
                if len(body) > LARGEST:
                    raise httpcore2.ProtocolError(f"more than {LARGEST} bytes")
            return bytes(body), headers.get(b"cache-control", "")

    async def _open(self, address: str) -> httpcore2.AsyncConnectionPool:
        parts = urlsplit(address)
        host = parts.hostname or ""
        proxy = self._proxy(host)
        if proxy is None:
            return httpcore2.AsyncConnectionPool(ssl_context=self._tls(), network_backend=self._network)
        await self._network.check(host, parts.port or 443)
        where = urlsplit(proxy)
        user = None if where.username is None else (unquote(where.username), unquote(where.password or ""))
        if where.scheme not in {"http", "https"} or not where.hostname:
            raise OSError(f"a proxy of the scheme {where.scheme[:_LONGEST_SCHEME]} cannot be used")
        named = f"{where.scheme}://{where.netloc.rpartition('@')[2]}"
        return httpcore2.AsyncHTTPProxy(named, proxy_auth=user, ssl_context=self._tls())
