"""Subscriptions to events and their deliveries, put together for the hosted endpoint."""

import asyncio
import logging
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import version
from typing import Final, cast

import httpcore2
import httpx2
from sqlalchemy import select

from auth.endpoints.site import Site
from auth.grants import agent_rows
from auth.grants.bearer import Bearer
from auth.grants.public_network import PublicNetwork
from events.feed.feed import Feeds
from events.kinds import MEETINGS
from events.outgoing.callback_urls import CallbackRules, callback_hosts
from events.outgoing.callbacks import CallbackPoster
from events.outgoing.contents import EventContents
from events.outgoing.deliverer import Deliverer
from events.outgoing.endings import Endings
from events.outgoing.stored_subscriptions import SubscriptionRows
from events.outgoing.subscription_sweep import SubscriptionSweep
from events.outgoing.subscriptions import Subscriptions, challenge_limits
from events.tables import receiver
from server.calls.events.notes import EventNotes
from server.calls.handlers import Handlers
from server.calls.principal import Principal
from server.configuration.settings import Settings
from server.configuration.terminal import DISTRIBUTION
from server.event_methods.checks import EventChecks
from server.event_methods.listening import Listening
from server.event_methods.methods import EventsAnswers, poll_limits
from server.hosted.chores import Chore
from server.hosted.site import utc_now
from server.hosted.standings import GrantStandings
from server.stores.events import EventStore
from storage.database import Database
from storage.errors import StorageUnavailable

_PAUSE: Final = 60.0
"""Between two sweeps, in seconds."""

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EventDelivery:
    """What delivers events.

    Attributes:
        subscriptions: Makes and ends subscriptions.
        deliverer: Delivers what is due.
        sweep: Ends what is over.
        standings: Tells what grants may see.
        events: The feeds of people, and who listens to them.
    """

    subscriptions: Subscriptions
    deliverer: Deliverer
    sweep: SubscriptionSweep
    standings: GrantStandings
    events: EventStore

    def answers(self, handlers: Handlers, settings: Settings) -> EventsAnswers:
        """Make what answers MCP Events.

        Args:
            handlers: Call tools.
            settings: The operator's.
        """
        endings = self.subscriptions.endings
        return EventsAnswers(
            checks=EventChecks(handlers=handlers, families=partial(live_families, endings.database)),
            profile=endings.profile,
            polls=poll_limits(endings.now),
            subscribing=self.subscriptions,
            is_posting=settings.callbacks != "off",
        )

    def listening(self, handlers: Handlers) -> Listening:
        """Make what answers `subscriptions/listen`.

        Args:
            handlers: Know which tools a request may call.
        """
        endings = self.subscriptions.endings
        return Listening(
            handlers=handlers,
            feeds=self.events.feeds,
            listeners=self.events.listeners,
            standing=self.standings.principal,
            noted=endings.noted,
            profile=endings.profile,
        )

    def chores(self, sleep: Callable[[float], Awaitable[None]]) -> list[Chore]:
        """Return what goes on until it is cancelled: delivering, hearing of replicas, sweeping."""
        return [self.deliverer.run, partial(self.events.listeners.run, sleep), partial(self._keep_house, sleep)]

    async def _keep_house(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        while True:
            await sleep(_PAUSE)
            try:
                await self.sweep()
            except StorageUnavailable as fault:
                _log.info("subscriptions will be swept again: %s", fault)  # the database itself tells that it fails


async def live_families(database: Database, person: str) -> frozenset[str]:
    """Return the families of kinds that are on for a person: meetings, and those of which a webhook tells."""
    query = select(receiver.c.family).where(receiver.c.person == person, receiver.c.state == "live")
    async with database.read() as connection:
        return frozenset({MEETINGS.name, *(await connection.execute(query)).scalars()})


def callback_poster() -> CallbackPoster:
    """Make what posts to callbacks: to the public network, and to what the operator lists."""
    return CallbackPoster(
        network=PublicNetwork(),
        listed_network=cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend()),
        tls=cache(httpx2.create_ssl_context),
        agent=f"calendly-mcp/{version(DISTRIBUTION)}",
        now=utc_now,
        random=os.urandom,
    )


def endings_of(settings: Settings, site: Site, poster: CallbackPoster) -> Endings:
    """Make what ends subscriptions.

    Args:
        settings: The operator's.
        site: What knows grants.
        poster: Tells their callbacks.
    """
    return Endings(
        database=site.database,
        rows=SubscriptionRows(site.keyring),
        poster=poster,
        rules=CallbackRules(settings.callbacks, callback_hosts(settings.callback_hosts)),
        profile=settings.events_profile,
        noted=EventNotes(site.audit_log),
        names=agent_rows.names,
        now=site.now,
    )


def event_delivery(
    site: Site, events: EventStore, endings: Endings, known_as: Callable[[Bearer], Principal]
) -> EventDelivery:
    """Put together what delivers events.

    Args:
        site: What knows grants.
        events: The feeds of people.
        endings: Ends subscriptions.
        known_as: Returns for whom a token speaks, as calls know it.
    """
    standings = GrantStandings(site.database, site.keyring, known_as, site.now)
    deliverer = Deliverer(
        endings=endings,
        contents=EventContents(events.feeds, events.own_changes),
        standings=standings,
        now=site.now,
        sleep=asyncio.sleep,
        random_bytes=os.urandom,
        random=random.random,
        woken=events.queued,
    )
    subscriptions = subscriptions_of(endings, events.feeds)
    return EventDelivery(subscriptions, deliverer, SubscriptionSweep(endings, standings), standings, events)


def subscriptions_of(endings: Endings, feeds: Feeds) -> Subscriptions:
    """Make what makes subscriptions to feeds, and `endings` end."""
    return Subscriptions(endings=endings, feeds=feeds, limits=challenge_limits(endings.now))
