"""What the endpoints of authorization share on a hosted endpoint: their site."""

import asyncio
import os
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from urllib.parse import urlsplit

import httpx2

from auth.endpoints.html import Operator, Pages
from auth.endpoints.site import CALLBACK_PATH, Site
from auth.grants.client_documents import DocumentFetcher
from auth.grants.public_network import PublicNetwork
from auth.protocol.redirect_uris import PRIVATE_USE_SCHEMES
from auth.upstream.application import CALENDLY_DOMAIN, Application, Applications, Configured
from auth.upstream.calendly_login import CalendlyLogin
from auth.upstream.connections import Connections
from auth.upstream.own_application import Registration
from auth.upstream.registration import register
from server.calls.principal import operation_of
from server.calls.selection import Selection
from server.configuration.settings import Settings
from server.configuration.values import is_loopback
from server.installing.front_page import FOLDER
from server.stores.database import Store, audit_log_in


def document_fetcher(settings: Settings) -> DocumentFetcher:
    """Make what fetches the metadata documents of clients, from the public network and nowhere else."""
    return DocumentFetcher(PublicNetwork(), cache(httpx2.create_ssl_context), _redirect_schemes(settings))


def _redirect_schemes(settings: Settings) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*PRIVATE_USE_SCHEMES, *(settings.redirect_schemes or ()))))


def site_for(
    settings: Settings, issuer: str, selection: Selection, store: Store, documents: DocumentFetcher | None
) -> Site:
    """Put together what the endpoints of authorization share.

    Args:
        settings: The operator's.
        issuer: The address that clients use, without a path.
        selection: The tools there are; only their scopes are given.
        store: Where everything is kept.
        documents: Fetches the metadata documents of clients, None where they are not taken.
    """
    database, keyring = store.database, store.keyring
    upstream = _calendly_login(settings, store, f"{issuer}{CALLBACK_PATH}")
    return Site(
        issuer=issuer,
        ceiling=settings.hosted_ceiling,
        operations=tuple(dict.fromkeys(operation_of(each) for tool in selection.listed for each in tool.takes)),
        registered=settings.scopes,
        calendly_issuers=frozenset({settings.issuer, settings.auth_url}),
        sign_in_sources=_sign_in_sources(settings),
        redirect_schemes=_redirect_schemes(settings),
        trusted_proxies=settings.trusted_proxies,
        refresh_grace=timedelta(seconds=settings.refresh_grace),
        database=database,
        keyring=keyring,
        upstream=upstream,
        connections=Connections(
            database,
            keyring,
            upstream,
            reconnect_at=issuer,
            now=utc_now,
            clock=asyncio.get_running_loop().time,
            sleep=asyncio.sleep,
            random=os.urandom,
        ),
        documents=documents,
        pages=Pages(FOLDER, operator=Operator(settings.operator, settings.operator_contact), sandbox=settings.sandbox),
        owners=settings.owners,
        audit_days=settings.audit_days,
        audit_log=audit_log_in(store.archive),
        now=utc_now,
        random=os.urandom,
    )


def _calendly_login(settings: Settings, store: Store, callback: str) -> CalendlyLogin:
    """Make the sign-in at Calendly: with the operator's application, else with one that registers itself."""
    applications: Applications
    if settings.client_id is None:
        applications = Registration(
            store.database,
            store.keyring,
            settings.issuer,
            callback,
            register=partial(register, settings.issuer, callback, settings.scopes),
            now=utc_now,
        )
    else:
        applications = Configured(Application.configured(settings.client_id, settings.client_secret, settings.auth_url))
    return CalendlyLogin(applications, redirect_uri=callback, api_url=settings.api_url, now=utc_now)


def _sign_in_sources(settings: Settings) -> tuple[str, ...]:
    """Where a browser goes to sign in at Calendly, as sources of a Content-Security-Policy.

    Where we registered ourselves, the issuer's metadata says the very address: on Calendly's domain, or any port of the
    issuer's own host where that is this machine (`auth.upstream.application.check_endpoint`).
    """
    address = settings.issuer if settings.client_id is None else settings.auth_url
    parts = urlsplit(address)
    host = parts.hostname or ""
    if f".{host}".endswith(f".{CALENDLY_DOMAIN}"):
        return (f"https://{CALENDLY_DOMAIN}", f"https://*.{CALENDLY_DOMAIN}")
    if not is_loopback(host):
        return (address, f"https://{CALENDLY_DOMAIN}", f"https://*.{CALENDLY_DOMAIN}")
    # CSP Level 3, 2.4: a host-source cannot be an IPv6 address.
    return (f"{parts.scheme}:",) if ":" in host else (f"{parts.scheme}://{host}:*",)


def utc_now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)
