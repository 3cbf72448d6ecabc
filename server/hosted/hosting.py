"""The composition root of the hosted endpoint, to be read from top to bottom: many people, each with their agents."""

import asyncio
import logging
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

import anyio
import httpx2
from starlette.applications import Starlette
from starlette.routing import Route

from auth.audit.log import AuditNote
from auth.authorization import Authorization
from auth.endpoints.html import Operator, Pages
from auth.endpoints.site import CALLBACK_PATH, Site
from auth.endpoints.sweep import keep_house
from auth.grants.client_documents import DocumentFetcher
from auth.grants.public_network import PublicNetwork
from auth.protocol.redirect_uris import PRIVATE_USE_SCHEMES
from auth.upstream.application import CALENDLY_DOMAIN, Application, Applications, Configured
from auth.upstream.calendly_login import CalendlyLogin
from auth.upstream.connections import Connections
from auth.upstream.own_application import Registration
from auth.upstream.registration import register
from calendly.client import Calendly
from calendly.request import Account
from events.feed.feed import Feeds
from events.incoming.receiver import Receiver
from events.incoming.webhooks import WebhookAction, Webhooks
from events.looks.background import BackgroundLooks
from server.app import calendly_for, clock_watch, has_events, mcp_server, origins, rules, with_sandbox
from server.calls.caller import Callers
from server.calls.events.feed import AccountReads
from server.calls.handlers import Handlers
from server.calls.principal import operation_of
from server.calls.selection import Selection, select
from server.configuration.settings import Settings
from server.configuration.values import is_loopback
from server.event_methods.access import step_up
from server.event_methods.methods import EventsAnswers
from server.hosted.confirm_page import AgentsPage
from server.hosted.connected_people import ConnectedPeople
from server.hosted.event_delivery import endings_of, event_delivery
from server.hosted.own_names import OwnNames
from server.hosted.peoples_events import PeoplesEvents, check_webhooks
from server.hosted.principals import SignedIn
from server.hosted.receiving import ReceiverEndpoint, receiver_route
from server.installing.front_page import FOLDER, error_page, front_page
from server.stores.database import Store, audit_log_in, open_store, watch_database
from server.stores.events import EventStore, keep_events
from server.stores.stores import Stores
from server.transports.bearer import BearerCheck
from server.transports.guard import Reach, first_segment
from server.transports.http import Surroundings, http_app
from tools import ALL, HostedWorkflow

_log: Final = logging.getLogger(__name__)

T = TypeVar("T")


def hosted_selection(settings: Settings) -> Selection:
    """Select the tools of a hosted endpoint. Raises UsageError where a setting names what does not exist."""
    return select(ALL, rules(settings, settings.hosted_ceiling, limited_to=settings.scopes, is_hosted=True))


@asynccontextmanager
async def hosting(
    settings: Settings, selection: Selection, address: str, documents: Callable[[Settings], DocumentFetcher]
) -> AsyncGenerator[Starlette]:
    """Make the ASGI application of a hosted endpoint, with the embedded sandbox where it is asked for.

    Args:
        settings: The operator's.
        selection: The tools there are.
        address: Where it listens, without a path.
        documents: Makes what fetches the metadata documents of clients: `document_fetcher`.

    Raises CommandError where the sandbox cannot listen, or the database cannot be used.
    """
    async with AsyncExitStack() as stack:
        settings = await with_sandbox(settings, stack)
        store = await open_store(settings, stack)
        events = EventStore.over(store.database, store.keyring, _now, settings.events_days, stack)
        clock = asyncio.get_running_loop().time
        watch = clock_watch()
        calendly = calendly_for(settings, stack, watch=watch)
        takes_documents = (settings.client_documents or ("off" if settings.sandbox else "on")) == "on"
        fetcher = documents(settings) if takes_documents else None
        site = site_for(settings, settings.public_url or address, selection, store, fetcher)
        webhooks = webhooks_of(settings, site, events.feeds, calendly, clock)
        endings = endings_of(settings, site)
        of_people = PeoplesEvents(webhooks, endings, _may_be_told(selection))
        site = replace(site, names=OwnNames(calendly, site.connections, clock), events=of_people)
        stack.push_async_callback(site.connections.refresher.finish)
        stack.push_async_callback(site.departures.finish)
        await stack.enter_async_context(site.audit_log.writing())
        authorization = Authorization(site)
        principals = SignedIn(site.connections, site.ceiling, site.issuer, registered_itself=settings.client_id is None)
        callers = Callers(
            calendly=calendly,
            principals=principals,
            audit_log=site.audit_log,
            max_wait=settings.max_wait,
            available_times_days=settings.available_times_days,
            events=partial(_given, events),
            stores=partial(_given, Stores.over(store.database, store.keyring, site.now, by_grant=True)),
            page_of=partial(AgentsPage, site),
            webhooks=webhooks,
            clock=clock,
            sleep=asyncio.sleep,
            clock_watch=watch,
        )
        handlers = Handlers(ALL, selection, callers, origins(settings), output_schemas=settings.output_schemas == "on")

        delivery = event_delivery(site, events, endings, principals.known_as)
        answers = delivery.answers(handlers, settings) if has_events(site.ceiling) else None
        routes = [route for route in authorization.routes() if isinstance(route, Route)]
        around = Surroundings(
            reach=_reach(settings, site.issuer, routes),
            front_page=partial(front_page, site.pages, site.resource, signs_in=True),
            error_page=error_page(site.pages),
            door=_door(authorization, principals, handlers),
            routes=[*routes, _receiving(settings, site, events.feeds, clock)],
            is_ready=store.is_ready,
        )
        chores = [
            keep_house(site, asyncio.sleep),
            check_webhooks(webhooks, asyncio.sleep),
            keep_events(events.feeds, asyncio.sleep),
            BackgroundLooks(events.looks, _access(site, calendly, clock)).run(asyncio.sleep),
            watch_database(store.database, asyncio.sleep),
        ]
        for chore in chores if answers is None else [*chores, *delivery.chores(asyncio.sleep)]:
            await stack.enter_async_context(_beside(chore))
        yield http_app(mcp_server(handlers, selection, None if answers is None else partial(_known, answers)), around)


def _door(authorization: Authorization, principals: SignedIn, handlers: Handlers) -> BearerCheck:
    return BearerCheck(
        authorization,
        principals.known_as,
        lambda request, tool: handlers.step_up(request, principals.of_request(request), tool),
        lambda request, kind: step_up(principals.of_request(request), kind),
    )


def _known(answers: EventsAnswers) -> EventsAnswers:
    return answers


@asynccontextmanager
async def _beside(chore: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    """Run what never ends by itself until the block is left. Should it fail, the log says so and the block goes on.

    It is ended by a scope: a cancelled task would break off a transaction, which a scope lets end.
    """
    scope = anyio.CancelScope()

    async def run() -> None:
        with scope:
            await chore

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and not scope.cancel_called:
            _log.error("housekeeping has ended by a fault of this server", exc_info=task.exception())

    task = asyncio.create_task(run())
    task.add_done_callback(ended)
    try:
        yield
    finally:
        scope.cancel()
        await asyncio.wait([task])


def _may_be_told(selection: Selection) -> bool:
    """Whether the operator allows that Calendly tells this server what happens."""
    return any(isinstance(tool, HostedWorkflow) for tool in selection.listed)


def webhooks_of(
    settings: Settings, site: Site, feeds: Feeds, calendly: Callable[[], Calendly], clock: Callable[[], float]
) -> Webhooks:
    """Make what keeps the subscriptions of people at Calendly, which tell what goes into their feeds."""

    async def told(person: str, action: WebhookAction, sentence: str) -> None:
        await site.audit_log.note(AuditNote(action=action, told=sentence, person=person))

    return Webhooks(
        database=site.database,
        keyring=site.keyring,
        feeds=feeds,
        calendly=ConnectedPeople(calendly, site.connections, site.database, clock),
        address=site.issuer,
        calendly_url=settings.api_url,
        told=told,
        now=site.now,
        random=site.random,
    )


def _access(site: Site, calendly: Callable[[], Calendly], clock: Callable[[], float]) -> Callable[[str], AccountReads]:
    """Return what reads Calendly as a person while no agent of theirs calls."""

    def access(person: str) -> AccountReads:
        account = Account(person, "", site.connections.refresher.credentials(person))
        return AccountReads.of(calendly(), account, clock)

    return access


def _receiving(settings: Settings, site: Site, feeds: Feeds, clock: Callable[[], float]) -> Route:
    """Make the route at which Calendly posts."""
    receiver = Receiver(
        database=site.database, keyring=site.keyring, feeds=feeds, keys=settings.webhook_keys, now=site.now
    )
    return receiver_route(ReceiverEndpoint(receiver=receiver, audit_log=site.audit_log, clock=clock))


def document_fetcher(settings: Settings) -> DocumentFetcher:
    """Make what fetches the metadata documents of clients, from the public network and nowhere else."""
    return DocumentFetcher(PublicNetwork(), httpx2.create_ssl_context(), _redirect_schemes(settings))


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
            now=_now,
            clock=asyncio.get_running_loop().time,
            sleep=asyncio.sleep,
            random=os.urandom,
        ),
        documents=documents,
        pages=Pages(FOLDER, operator=Operator(settings.operator, settings.operator_contact), sandbox=settings.sandbox),
        owners=settings.owners,
        audit_days=settings.audit_days,
        audit_log=audit_log_in(store.archive),
        now=_now,
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
            now=_now,
        )
    else:
        applications = Configured(Application.configured(settings.client_id, settings.client_secret, settings.auth_url))
    return CalendlyLogin(applications, redirect_uri=callback, api_url=settings.api_url, now=_now)


async def _given(made: T) -> T:
    return made


def _reach(settings: Settings, address: str, routes: Sequence[Route]) -> Reach:
    """Return who may reach the endpoint, and which of the authorization's paths are pages."""
    open_paths = {route.path for route in routes if _is_open(route)}
    return Reach(
        address=address,
        is_local=is_loopback(settings.host),
        origins=settings.allowed_origins,
        open_paths=open_paths,
        trusted_proxies=settings.trusted_proxies,
        pages={first_segment(route.path) for route in routes if route.path not in open_paths},
    )


def _is_open(route: Route) -> bool:
    """Whether pages of any origin may call an endpoint of authorization: those that answer preflights say so."""
    return "OPTIONS" in (route.methods or ())


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


def _now() -> datetime:
    return datetime.now(UTC)
