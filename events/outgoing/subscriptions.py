"""Makes, refreshes and ends subscriptions, as agents ask for it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from events.feed import stored_events, stored_feeds
from events.feed.cursor import Cursor, Place, place_of
from events.feed.feed import Feeds
from events.feed.stored_feeds import StoredFeed
from events.outgoing.callback_urls import CallbackUrl
from events.outgoing.callbacks import Addressee
from events.outgoing.endings import Endings
from events.outgoing.minute_limits import MinuteLimits
from events.outgoing.standing import EventAction, EventNote, EventStanding
from events.outgoing.stored_deliveries import outstanding_positions, queue_missed
from events.outgoing.stored_subscriptions import (
    FORMER_SECRET_LIFE,
    KEPT_EXPIRED,
    StoredSubscription,
    count,
    delete_subscriptions,
    has_passed,
    pass_until,
    shorten_pass,
)
from events.outgoing.subscribing import (
    EventQuery,
    SubscribeRequest,
    UnsubscribeRequest,
    check_room,
    check_secret,
    granted_life,
    subscription_id,
    watermark,
)
from events.outgoing.wire import WEBHOOK
from storage.connection import DatabaseConnection
from storage.errors import StorageUnavailable

_CHALLENGES_OF_GRANT: Final = 5
_CHALLENGES_OF_HOST: Final = 10


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """How deliveries of a subscription have gone.

    Attributes:
        is_active: It is not suspended.
        last_at: When a post arrived last.
        last_error: The last error in one word.
        failed_since: The first failure after the last post that arrived.
    """

    is_active: bool
    last_at: datetime | None
    last_error: str | None
    failed_since: datetime | None


@dataclass(frozen=True, slots=True)
class Subscribed:
    """What a request to subscribe is answered with.

    Attributes:
        id: Of the subscription.
        until: When it ends unless it is refreshed, None without an end.
        cursor: From where resuming loses nothing.
        is_truncated: Events were lost.
        status: How it has gone so far, None for a new one.
    """

    id: str
    until: datetime | None
    cursor: str
    is_truncated: bool
    status: DeliveryStatus | None


async def _not_looking() -> None:
    """Leave it to the background to look at Calendly."""


def challenge_limits(now: Callable[[], datetime]) -> MinuteLimits:
    """Make the limits of challenges."""
    return MinuteLimits("challenges", "At most {most} callbacks are verified a minute: subscribe again later.", now)


@dataclass(frozen=True, slots=True)
class Arranged:
    """What was arranged for a program.

    Attributes:
        subscriptions: The ids of the subscriptions that were made or go on, by the names of their kinds.
        secret: What signs, None where the address has one already.
    """

    subscriptions: Mapping[str, str]
    secret: str | None = field(repr=False)


class AlreadyArranged(Exception):
    """Events are posted to a program already.

    Attributes:
        subscriptions: The ids of the subscriptions by the names of their kinds.
    """

    def __init__(self, subscriptions: Mapping[str, str]) -> None:
        super().__init__("events are posted there already")
        self.subscriptions = subscriptions


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscriptions:
    """The subscriptions of agents.

    Attributes:
        endings: Ends them; its database, rows and rules are those of subscriptions.
        feeds: The feeds of people.
        limits: How many challenges there may be.
    """

    endings: Endings
    feeds: Feeds
    limits: MinuteLimits

    async def subscribe(
        self,
        request: SubscribeRequest,
        standing: EventStanding,
        narrowed_to: str | None,
        look: Callable[[], Awaitable[None]] = _not_looking,
    ) -> Subscribed:
        """Make or refresh a subscription.

        Args:
            request: What is asked for; its kind, mode and arguments are checked.
            standing: Who asks; it may see the kind.
            narrowed_to: The uuid of the event type or routing form that its events are narrowed to.
            look: Looks at Calendly; called where nobody wanted to be told of the person's events before.

        Raises:
            EventsRefusal: URL, secret, a limit or the challenge forbids it.
            NotNoted: The audit log cannot be written, so nothing was changed.
            StorageUnavailable: The database failed.
            What `look` raises; nothing was stored.
        """
        url = self.endings.rules.check(request.url)
        check_secret(request.secret)
        asked = _Asked(request, standing, url, narrowed_to, granted_life(request, is_listed=url.is_listed))
        now = self.endings.now()
        async with self.endings.database.read() as connection:
            before = await self._before(connection, asked, now)
            passed = await has_passed(connection, standing.grant, url.url, now)
            is_first = not (await count(connection, standing.grant, standing.person, now))[1]
        is_suspended = before is not None and before.state == "suspended"
        if not url.is_listed and (is_suspended or not passed):
            grant, host = f"grant {standing.grant}", f"host {url.host}"
            self.limits.take({grant: _CHALLENGES_OF_GRANT, host: _CHALLENGES_OF_HOST})
            await self.endings.poster.challenge(Addressee(url, [request.secret], asked.id))
        if is_first:
            await look()
        did = "subscribed to" if before is None else "renewed its subscription to"
        told = f"{{agent}} {did} events {request.query.name!r} about {{person}}, posted to {url.host}"
        action: EventAction = "subscribe_events" if before is None else "refresh_events"
        await self.endings.noted.keep(_note(action, told, standing))
        await self.feeds.begin(standing.person)
        async with self.endings.database.begin() as connection:
            if before is None:  # a person with a webhook that is not proved may not be due for hours
                await stored_feeds.hasten(connection, standing.person, now)
            return await self._store(connection, asked)

    async def arrange(self, url: str, secret: str, standings: Mapping[str, EventStanding]) -> Arranged:
        """Have events posted to a program of the operator's, without a challenge and without an end: all kinds or none.

        An address has one secret. A suspended subscription goes on; one that is active is left alone.

        Args:
            url: Where to. That it is public, or listed, is checked.
            secret: What signs where nothing of the agent is posted there yet.
            standings: The agent for which it is, by the names of the kinds; it may see them.

        Raises:
            EventsRefusal: The URL or a limit forbids it.
            AlreadyArranged: All of it is posted there already.
            NotNoted: The audit log cannot be written, so nothing was changed.
            StorageUnavailable: The database failed.
        """
        to = self.endings.rules.check(url)
        asked = [_arranged(kind, to, secret, standing) for kind, standing in standings.items()]
        async with self.endings.database.read() as connection:
            asked = await self._still_to_arrange(connection, asked)
        for one in asked:
            told = (
                f"an operator has events {one.request.query.name!r} about {{person}} posted to {{agent}} at {to.host}"
            )
            await self.endings.noted.keep(replace(_note("subscribe_events", told, one.standing), by_operator=True))
        await self.feeds.begin(asked[0].standing.person)
        async with self.endings.database.begin() as connection:
            await stored_feeds.hold(connection, asked[0].standing.person)
            asked = await self._still_to_arrange(connection, asked)  # somebody else may have been faster
            made = {one.request.query.name: (await self._store(connection, one)).id for one in asked}
        return Arranged(made, secret if asked[0].request.secret == secret else None)

    async def _still_to_arrange(self, connection: DatabaseConnection, asked: Sequence["_Asked"]) -> list["_Asked"]:
        """Return what is not posted yet, with the secret of its address. Raises AlreadyArranged and EventsRefusal."""
        now = self.endings.now()
        before = [await self._before(connection, one, now, more) for more, one in enumerate(asked)]
        is_running = [one is not None and one.state == "active" and not one.is_over(now) for one in before]
        if all(is_running):
            raise AlreadyArranged({one.request.query.name: one.id for one in asked})
        url = asked[0].url.url
        of_agent = await self.endings.rows.of_grant(connection, asked[0].standing.grant)
        known = next((one.secret for one in of_agent if one.url == url and one.expires_at is None), None)
        return [
            one if known is None else replace(one, request=replace(one.request, secret=known))
            for one, is_posted in zip(asked, is_running, strict=True)
            if not is_posted
        ]

    async def unsubscribe(self, request: UnsubscribeRequest, standing: EventStanding) -> bool:
        """End a subscription. Returns whether there was one. Raises NotNoted and StorageUnavailable."""
        name = subscription_id(standing.grant, request.url, request.name, request.arguments)
        async with self.endings.database.read() as connection:
            found = await self.endings.rows.find(connection, name)
        if found is None:
            return False
        told = f"{{agent}} unsubscribed from events {found.name!r} about {{person}}, posted to {found.host}"
        await self.endings.noted.keep(_note("unsubscribe_events", told, standing))
        async with self.endings.database.begin() as connection:
            await delete_subscriptions(connection, [name])
            others = await self.endings.rows.of_grant(connection, standing.grant)
            if all(other.url != request.url for other in others):
                await shorten_pass(connection, standing.grant, request.url, self.endings.now() + KEPT_EXPIRED)
        return True

    async def _before(
        self, connection: DatabaseConnection, asked: "_Asked", now: datetime, more: int = 0
    ) -> StoredSubscription | None:
        """Find what is refreshed, None for what is new. Raises EventsRefusal where there is no room for that.

        Args:
            connection: A transaction.
            asked: What is asked for.
            now: The present.
            more: How many others are to be stored with it.
        """
        found = await self.endings.rows.find(connection, asked.id)
        if found is None or found.is_over(now):
            of_grant, of_person = await count(connection, asked.standing.grant, asked.standing.person, now)
            check_room(of_grant + more, of_person + more)
        return None if found is None or found.is_over(now - KEPT_EXPIRED) else found

    async def _store(self, connection: DatabaseConnection, asked: "_Asked") -> Subscribed:
        now = self.endings.now()
        place = await stored_feeds.hold(connection, asked.standing.person)
        if place is None:
            raise StorageUnavailable("The person's feed has just been deleted.")
        before = await self._before(connection, asked, now)
        until = None if asked.life is None else now + asked.life
        cursor = asked.request.query.cursor
        start = None if cursor is None else await _start(connection, cursor, place)
        row = asked.row(before, now, until)
        if before is None and start is not None and not start.is_truncated:
            row = replace(row, created_at=await _begun_at(connection, place, start.position))
        await self.endings.rows.put(connection, row)
        if until is not None and not asked.url.is_listed:
            await pass_until(connection, row.grant, row.url, until + KEPT_EXPIRED)
        was_truncated = before is not None and before.truncated
        if start is not None:
            is_lossy = await queue_missed(connection, row, after=start.position, now=now) or start.is_truncated
        else:
            is_lossy = before is not None and await _queue_again(connection, row, before, now)
        outstanding = await outstanding_positions(connection, row.id)
        mark = str(Cursor(place.epoch, watermark(outstanding, place.head)))
        return Subscribed(row.id, until, mark, was_truncated or is_lossy, None if before is None else _status(before))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request whose URL and secret can be used, who makes it, and for how long it is granted; None without an end."""

    request: SubscribeRequest
    standing: EventStanding
    url: CallbackUrl
    narrowed_to: str | None
    life: timedelta | None

    @property
    def id(self) -> str:
        """The id of the subscription."""
        query = self.request.query
        return subscription_id(self.standing.grant, self.url.url, query.name, query.arguments)

    def row(self, before: StoredSubscription | None, now: datetime, until: datetime | None) -> StoredSubscription:
        """Return the subscription as it is stored."""
        query = self.request.query
        if before is None:
            return StoredSubscription(
                id=self.id,
                grant=self.standing.grant,
                person=self.standing.person,
                name=query.name,
                arguments=query.arguments,
                filter=self.narrowed_to,
                host=self.url.host,
                url=self.url.url,
                secret=self.request.secret,
                created_at=now,
                expires_at=until,
                max_age=query.max_age,
            )
        row = replace(before, filter=self.narrowed_to, expires_at=until, max_age=query.max_age, truncated=False)
        if before.state == "suspended":
            row = replace(row, state="active", failures=0, failed_since=None)
        if before.secret == self.request.secret:
            return row
        return replace(
            row,
            secret=self.request.secret,
            former_secret=before.secret,
            former_until=now + FORMER_SECRET_LIFE,
        )


def _arranged(kind: str, to: CallbackUrl, secret: str, standing: EventStanding) -> _Asked:
    """Return what asks for all events of a kind, from now on and without an end."""
    query = EventQuery(kind, {}, cursor=None, max_age=None)
    request = SubscribeRequest(query, WEBHOOK, to.url, secret, life=None, is_endless=True)
    return _Asked(request, standing, to, narrowed_to=None, life=None)


async def _start(connection: DatabaseConnection, cursor: str, feed: StoredFeed) -> Place:
    """Find where a subscription goes on from a cursor."""
    kept = await stored_events.oldest(connection, feed.person)
    return place_of(cursor, epoch=feed.epoch, head=feed.head, oldest=kept)


async def _begun_at(connection: DatabaseConnection, feed: StoredFeed, position: int) -> datetime:
    """Return when the event at a position was stored: what happened since is wanted, also what a look finds later."""
    stored_at = await stored_events.stored_at(connection, feed.person, position)
    return stored_at or feed.since + stored_feeds.LOOKING_BACK


async def _queue_again(
    connection: DatabaseConnection, row: StoredSubscription, before: StoredSubscription, now: datetime
) -> bool:
    """Queue what was missed lately. Returns whether something is lost."""
    silent_since = before.failed_since if before.state == "suspended" else None
    return await queue_missed(connection, row, after=None, now=now, silent_since=silent_since)


def _status(before: StoredSubscription) -> DeliveryStatus:
    return DeliveryStatus(
        is_active=True, last_at=before.last_at, last_error=before.last_error, failed_since=before.failed_since
    )


def _note(action: EventAction, told: str, standing: EventStanding) -> EventNote:
    return EventNote(action=action, told=told, person=standing.person, agent=standing.agent, grant=standing.grant)
