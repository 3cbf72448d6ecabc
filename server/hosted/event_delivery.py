"""Subscriptions to events and their deliveries, put together for the hosted endpoint."""

import asyncio
import logging
import os
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from typing import Final, cast

import httpcore2
import httpx2

from auth.endpoints.site import Realm
from auth.grants.bearer import Bearer
from auth.grants.public_network import PublicNetwork
from events.callback_urls import CallbackRules, callback_hosts
from events.callbacks import CallbackPoster
from events.contents import EventContents
from events.deliverer import Deliverer
from events.endings import Endings
from events.feed import Feeds
from events.stored_subscriptions import SubscriptionRows
from events.subscription_sweep import SubscriptionSweep
from events.subscriptions import Subscriptions, challenge_limits
from server.calls.principal import Principal
from server.configuration.settings import Settings
from server.configuration.terminal import DISTRIBUTION
from server.hosted.standings import EventNotes, GrantStandings
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
    """

    subscriptions: Subscriptions
    deliverer: Deliverer
    sweep: SubscriptionSweep

    async def keep_up(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Sweep every minute until cancelled."""
        while True:
            try:
                await self.sweep()
            except StorageUnavailable as fault:
                _log.info("subscriptions will be swept again: %s", fault)  # the database itself tells that it fails
            await sleep(_PAUSE)


def callback_poster(realm: Realm) -> CallbackPoster:
    """Make what posts to callbacks: to the public network, and to what the operator lists."""
    return CallbackPoster(
        network=PublicNetwork(),
        listed_network=cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend()),
        tls=httpx2.create_ssl_context(),
        agent=f"calendly-mcp/{version(DISTRIBUTION)}",
        now=realm.now,
        random=os.urandom,
    )


def event_delivery(
    settings: Settings,
    realm: Realm,
    feeds: Feeds,
    known_as: Callable[[Bearer], Principal],
    woken: asyncio.Event,
    poster: Callable[[Realm], CallbackPoster] = callback_poster,
) -> EventDelivery:
    """Put together what delivers events.

    Args:
        settings: The operator's.
        realm: What knows grants.
        feeds: The feeds of people.
        known_as: Returns for whom a token speaks, as calls know it.
        woken: Set when something was published.
        poster: Makes what posts to callbacks.
    """
    endings = Endings(
        database=realm.database,
        rows=SubscriptionRows(realm.keyring),
        poster=poster(realm),
        rules=CallbackRules(settings.callbacks, callback_hosts(settings.callback_hosts)),
        profile=settings.events_profile,
        noted=EventNotes(realm.audit_log),
        now=realm.now,
    )
    standings = GrantStandings(realm.database, realm.keyring, known_as, realm.now)
    deliverer = Deliverer(
        endings=endings,
        contents=EventContents(feeds),
        standings=standings,
        now=realm.now,
        sleep=asyncio.sleep,
        random_bytes=os.urandom,
        random=random.random,
        woken=woken,
    )
    subscriptions = Subscriptions(endings=endings, feeds=feeds, limits=challenge_limits(realm.now))
    return EventDelivery(subscriptions, deliverer, SubscriptionSweep(endings, standings))
