"""The composition root of the hosted endpoint, to be read from top to bottom: many people, each with their agents."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Collection, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, TypeVar

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from auth.audit.log import AuditNote
from auth.authorization import Authorization
from auth.endpoints.site import Site
from auth.endpoints.sweep import keep_house
from auth.grants.client_documents import DocumentFetcher
from calendly.client import Calendly
from calendly.request import Account
from events.feed.feed import Feeds
from events.incoming.receiver import Receiver
from events.incoming.webhooks import WebhookAction, Webhooks
from events.looks.background import BackgroundLooks
from events.outgoing.callbacks import CallbackPoster
from events.outgoing.endings import Endings
from server.app import calendly_for, clock_watch, has_events, mcp_server, origins, rules, with_sandbox
from server.calls.caller import Callers
from server.calls.clock import ClockWatch
from server.calls.events.empty_polls import tell_empty_polls
from server.calls.events.feed import AccountReads
from server.calls.handlers import Handlers
from server.calls.selection import Selection, select
from server.configuration.settings import Settings
from server.configuration.values import is_loopback
from server.event_methods.methods import EventsAnswers
from server.hosted.chores import Chore, Chores
from server.hosted.confirm_page import AgentsPage
from server.hosted.connected_people import ConnectedPeople
from server.hosted.event_delivery import callback_poster, endings_of, event_delivery
from server.hosted.own_names import OwnNames
from server.hosted.peoples_events import PeoplesEvents, check_webhooks
from server.hosted.principals import SignedIn
from server.hosted.receiving import ReceiverEndpoint, receiver_route
from server.hosted.site import document_fetcher, site_for, utc_now
from server.installing.front_page import error_page, front_page
from server.stores.database import Store, open_store, watch_database
from server.stores.events import EventStore, keep_events
from server.stores.stores import Stores
from server.transports.bearer import BearerCheck
from server.transports.guard import Reach, first_segment
from server.transports.http import Surroundings, http_app
from tools import ALL, HostedWorkflow
from tools.events import list_received_events
from tools.toolset.tool import tool_of

_log: Final = logging.getLogger(__name__)

T = TypeVar("T")


def hosted_selection(settings: Settings) -> Selection:
    """Select the tools of a hosted endpoint. Raises UsageError where a setting names what does not exist."""
    return select(ALL, rules(settings, settings.hosted_ceiling, limited_to=settings.scopes, is_hosted=True))


@dataclass(frozen=True, slots=True)
class Outside:
    """What is asked of addresses that strangers name.

    Attributes:
        documents: Makes what fetches the metadata documents of clients.
        poster: Posts events to callbacks.
    """

    documents: Callable[[Settings], DocumentFetcher] = document_fetcher
    poster: CallbackPoster = field(default_factory=callback_poster)


@asynccontextmanager
async def hosting(
    settings: Settings, selection: Selection, address: str, outside: Outside
) -> AsyncGenerator[Starlette]:
    """Make the ASGI application of a hosted endpoint, with the embedded sandbox where it is asked for.

    Args:
        settings: The operator's.
        selection: The tools there are.
        address: Where it listens, without a path.
        outside: What is asked of addresses that strangers name.

    Raises CommandError where the sandbox cannot listen, or the database cannot be used.
    """
    async with AsyncExitStack() as stack:
        settings = await with_sandbox(settings, stack)
        parts = await _open_parts(settings, selection, address, outside, stack)
        handlers = Handlers(
            ALL, selection, _callers(parts), origins(settings), output_schemas=settings.output_schemas == "on"
        )
        delivery = event_delivery(parts.site, parts.events, parts.endings, parts.principals.known_as)
        answers = delivery.answers(handlers, settings) if has_events(parts.site.ceiling) else None
        chores = Chores(asyncio.sleep)
        of_events = () if answers is None else delivery.chores(asyncio.sleep)
        await stack.enter_async_context(chores.beside((*_chores(parts), *of_events)))
        is_read = any(tool is tool_of(list_received_events) for tool in selection.listed)
        listen = delivery.listening(handlers) if answers is not None and is_read else None
        server = mcp_server(handlers, selection, None if answers is None else partial(_known, answers), listen)
        yield http_app(server, _surroundings(parts, handlers, answers, chores))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What a hosted endpoint is put together from.

    Attributes:
        settings: The operator's.
        store: The open database.
        site: What the endpoints of authorization share.
        principals: Says who calls.
        calendly: Makes the client of Calendly's API.
        clock_watch: Compares this machine's clock with Calendly's.
        clock: Returns the monotonic time, in seconds.
        events: The feeds of people, and the looks that fill them.
        webhooks: Keeps the subscriptions of people at Calendly.
        endings: Ends subscriptions of agents.
    """

    settings: Settings
    store: Store
    site: Site
    principals: SignedIn
    calendly: Callable[[], Calendly]
    clock_watch: ClockWatch
    clock: Callable[[], float]
    events: EventStore
    webhooks: Webhooks
    endings: Endings


async def _open_parts(
    settings: Settings, selection: Selection, address: str, outside: Outside, stack: AsyncExitStack
) -> _Parts:
    """Open the database, and make what everything else of the endpoint needs."""
    store = await open_store(settings, stack)
    events = EventStore.over(store.database, store.keyring, utc_now, settings.events_days, stack)
    clock, watch = asyncio.get_running_loop().time, clock_watch()
    calendly = calendly_for(settings, stack, watch=watch)
    takes_documents = (settings.client_documents or ("off" if settings.sandbox else "on")) == "on"
    fetcher = outside.documents(settings) if takes_documents else None
    site = site_for(settings, settings.public_url or address, selection, store, fetcher)
    webhooks = webhooks_of(settings, site, events.feeds, calendly, clock)
    endings = endings_of(settings, site, outside.poster)
    of_people = PeoplesEvents(webhooks, endings, _may_be_told(selection))
    site = replace(site, names=OwnNames(calendly, site.connections, clock), events=of_people)
    stack.push_async_callback(site.connections.refresher.finish)
    stack.push_async_callback(site.departures.finish)
    await stack.enter_async_context(site.audit_log.writing())
    return _Parts(
        settings=settings,
        store=store,
        site=site,
        principals=SignedIn.at(site, settings),
        calendly=calendly,
        clock_watch=watch,
        clock=clock,
        events=events,
        webhooks=webhooks,
        endings=endings,
    )


def _callers(parts: _Parts) -> Callers:
    """Make what gives each call its caller: who calls, what they may do, and what is kept for them."""
    site, store = parts.site, parts.store
    return Callers(
        calendly=parts.calendly,
        principals=parts.principals,
        audit_log=site.audit_log,
        max_wait=parts.settings.max_wait,
        available_times_days=parts.settings.available_times_days,
        events=partial(_given, parts.events),
        stores=partial(_given, Stores.over(store.database, store.keyring, site.now, by_grant=True)),
        page_of=partial(AgentsPage, site),
        webhooks=parts.webhooks,
        clock=parts.clock,
        sleep=asyncio.sleep,
        clock_watch=parts.clock_watch,
    )


def _surroundings(parts: _Parts, handlers: Handlers, answers: EventsAnswers | None, chores: Chores) -> Surroundings:
    """Make what stands around MCP: who may reach it, the bearer check, the endpoints of authorization, the receiver."""
    site, authorization = parts.site, Authorization(parts.site)
    routes = [route for route in authorization.routes() if isinstance(route, Route)]

    def stop() -> None:
        parts.events.listeners.close()
        chores.stop()

    return Surroundings(
        reach=_reach(parts.settings, site.issuer, routes),
        front_page=partial(front_page, site.pages, site.resource, signs_in=True),
        error_page=error_page(site.pages),
        door=_door(authorization, parts.principals, handlers, answers),
        routes=[*routes, _receiving(parts.settings, site, parts.events.feeds, parts.clock)],
        is_ready=parts.store.is_ready,
        stopping=stop,
    )


def _chores(parts: _Parts) -> Iterable[Chore]:
    """Return what goes on beside the calls, each until it is cancelled."""
    site = parts.site
    looks = BackgroundLooks(parts.events.looks, _access(site, parts.calendly, parts.clock))
    return (
        partial(keep_house, site, asyncio.sleep),
        partial(check_webhooks, parts.webhooks, asyncio.sleep),
        partial(keep_events, parts.events.feeds, asyncio.sleep),
        partial(tell_empty_polls, parts.events.empty_polls, parts.endings.noted, asyncio.sleep),
        partial(looks.run, asyncio.sleep),
        partial(watch_database, parts.store.database, asyncio.sleep),
    )


def _door(
    authorization: Authorization, principals: SignedIn, handlers: Handlers, answers: EventsAnswers | None
) -> BearerCheck:
    async def kind_step_up(request: Request, method: str, kind: str) -> Collection[str]:
        return () if answers is None else await answers.checks.step_up(principals.of_request(request), method, kind)

    return BearerCheck(
        authorization,
        principals.known_as,
        lambda request, tool: handlers.step_up(request, principals.of_request(request), tool),
        kind_step_up,
    )


def _known(answers: EventsAnswers) -> EventsAnswers:
    return answers


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
