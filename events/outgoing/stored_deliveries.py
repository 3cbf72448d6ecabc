"""The rows of deliveries: events on their way to subscriptions.

A delivery is due until it arrived or was given up. Claiming one pushes its next attempt 30 seconds
away, so that a process that dies with it leaves it to the others.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
    update,
)

from events.feed.stored_events import StoredEvent
from events.outgoing.stored_subscriptions import StoredSubscription, is_live
from events.tables import event_delivery as table
from events.tables import event_subscription as subscription_table
from events.tables import feed_event
from storage.connection import DatabaseConnection
from storage.database import insert
from storage.rows import columns, find_all
from storage.types import Instant

MOST_OUTSTANDING: Final = 1000
"""Deliveries of one subscription; further events are skipped."""

MOST_QUEUED_AGAIN: Final = 100
"""Earlier events that one request queues."""

OLDEST_ANEW: Final = timedelta(minutes=5)
"""How much older than a subscription an event may be that is found later: else a first look would be a storm."""

MISSED_WITHIN: Final = timedelta(hours=24)
"""How long ago events were given up or missed that a refresh queues again."""

CLAIMED_FOR: Final = timedelta(seconds=30)
KEPT_DONE: Final = timedelta(hours=48)

FOR_GOOD: Final = "for good"
"""The error of a delivery that is never tried again: the callback refused it for good, or it says nothing any more."""

_MOST_CLAIMED: Final = 8


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process attempts now.

    Attributes:
        id: Its id.
        subscription: The id of the subscription.
        event: The id of the row of the event.
        position: Of the event.
        host: Of the callback.
        attempts: How many are made with this one.
        queued_at: When it was queued.
        first_at: When the first attempt was made.
        claim: What marks it as ours.
    """

    id: str
    subscription: str
    event: str
    position: int
    host: str
    attempts: int
    queued_at: datetime
    first_at: datetime
    claim: str


@dataclass(frozen=True, slots=True)
class PostingRoom:
    """How many posts a process can begin.

    Attributes:
        busy: How many are under way to each host.
        most: How many may be under way.
        most_of_host: How many to one host.
    """

    busy: Mapping[str, int]
    most: int
    most_of_host: int

    @property
    def left(self) -> int:
        """How many more may begin."""
        return self.most - sum(self.busy.values())

    @property
    def full(self) -> list[str]:
        """The hosts to which no more may begin."""
        return [host for host, posts in self.busy.items() if posts >= self.most_of_host]

    def chosen(self, due: Sequence[tuple[str, str]]) -> list[str]:
        """Choose from deliveries and their hosts as many of each host as there is room for."""
        left = {host: self.most_of_host - self.busy.get(host, 0) for _, host in due}
        chosen: list[str] = []
        for delivery, host in due:
            if left[host] > 0:
                left[host] -= 1
                chosen.append(delivery)
        return chosen


def delivery_id(subscription: str, event: str) -> str:
    """Return the id of the delivery of an event to a subscription."""
    return hashlib.sha256(f"{subscription}\n{event}".encode()).hexdigest()


def _count_outstanding(subscription: "ColumnElement[str] | str") -> "Select[int]":
    return select(func.count()).where(table.c.subscription == subscription, table.c.state == "due")


_WANTING: Final = select(
    subscription_table.c.id,
    subscription_table.c.host,
    subscription_table.c.name,
    subscription_table.c.filter,
    subscription_table.c.created_at,
    _count_outstanding(subscription_table.c.id).scalar_subquery().label("outstanding"),
).where(
    subscription_table.c.person == bindparam("owner"),
    subscription_table.c.name.in_(bindparam("kinds", expanding=True)),
    subscription_table.c.state == "active",
    is_live(bindparam("now")),
)


async def fan_out(connection: DatabaseConnection, events: Sequence[StoredEvent], now: datetime) -> bool:
    """Queue a person's events for every subscription that wants them: `events.feed.publishing.FanOut`."""
    is_queued = False
    kinds = sorted({event.kind for event in events})
    found = await connection.execute(_WANTING, {"owner": events[0].person, "kinds": kinds, "now": now})
    for subscription, host, kind, subject, created_at, outstanding in found.all():
        wanted = [
            (event.id, event.position)
            for event in events
            if event.position is not None
            and event.kind == kind
            and subject in {None, event.filter}
            and created_at <= event.occurred_at + OLDEST_ANEW
        ]
        room = max(0, MOST_OUTSTANDING - outstanding)
        await _queue(connection, subscription, host, wanted[:room], now)
        is_queued |= bool(wanted[:room])
        if len(wanted) > room:
            skipped = update(subscription_table).where(subscription_table.c.id == subscription)
            await connection.execute(skipped.values(truncated=True))
    return is_queued


async def queue_missed(
    connection: DatabaseConnection,
    subscription: StoredSubscription,
    *,
    after: int | None,
    now: datetime,
    silent_since: datetime | None = None,
) -> bool:
    """Queue earlier events that were not delivered. Returns whether some were lost: too many, or too long ago.

    Args:
        connection: A transaction.
        subscription: For which.
        after: After this position; None for what was given up or missed lately.
        now: The present.
        silent_since: Nothing has arrived since then, None where that is not known. Of other deliveries it is
            known as long as they are kept.
    """
    wanted = _not_delivered(subscription, now)
    is_lately: ColumnElement[bool] = true()
    lost: ColumnElement[bool] = false()
    if after is not None:
        wanted.append(feed_event.c.position > after)
    else:
        wanted += [
            feed_event.c.stored_at >= subscription.created_at,
            feed_event.c.occurred_at >= subscription.created_at - OLDEST_ANEW,
        ]
        came, given_up = feed_event.c.stored_at, _was_given_up(subscription.id, now)
        is_lately = or_(came >= now - MISSED_WITHIN, and_(came >= now - KEPT_DONE, given_up))
        is_known = or_(came >= min(now - KEPT_DONE, silent_since or now), given_up)
        lost = exists().where(*wanted, ~is_lately, is_known)
    room = min(MOST_QUEUED_AGAIN, max(0, MOST_OUTSTANDING - await _outstanding(connection, subscription.id)))
    query = (
        select(feed_event.c.id, feed_event.c.position)
        .where(*wanted, is_lately, feed_event.c.payload_ciphertext.is_not(None))
        .order_by(feed_event.c.position.desc())
    )
    found = [(row[0], row[1]) for row in await connection.execute(query.limit(room + 1))]
    is_lossy = bool(await connection.scalar(select(lost))) or len(found) > room
    await _queue(connection, subscription.id, subscription.host, found[:room], now)
    return is_lossy


def _not_delivered(subscription: StoredSubscription, now: datetime) -> list[ColumnElement[bool]]:
    """Return the conditions that a subscription wants an event that was not delivered to it."""
    conditions = [
        feed_event.c.person == subscription.person,
        feed_event.c.kind == subscription.name,
        feed_event.c.position.is_not(None),
        ~_was_delivered(subscription.id),
    ]
    if subscription.filter is not None:
        conditions.append(feed_event.c.filter == subscription.filter)
    if subscription.max_age is not None:
        conditions.append(feed_event.c.occurred_at >= now - subscription.max_age)
    return conditions


async def claim_due(connection: DatabaseConnection, now: datetime, claim: str, room: PostingRoom) -> list[Claimed]:
    """Claim the deliveries that are due, those of the oldest events first.

    Args:
        connection: A transaction.
        now: The present.
        claim: Marks them as ours.
        room: How many this process can post.
    """
    due = (
        select(table.c.id, table.c.host)
        .where(table.c.state == "due", table.c.due_at <= now, table.c.host.not_in(room.full))
        .order_by(table.c.due_at, table.c.position)
        .limit(min(room.left, _MOST_CLAIMED))
        .with_for_update(skip_locked=True)
    )
    chosen = room.chosen([(row[0], row[1]) for row in await connection.execute(due)])
    if not chosen:
        return []
    statement = (
        update(table)
        .where(table.c.id.in_(chosen), table.c.state == "due", table.c.due_at <= now)
        .values(
            claim=claim,
            attempts=table.c.attempts + 1,
            due_at=now + CLAIMED_FOR,
            first_at=func.coalesce(table.c.first_at, literal(now, Instant)),
        )
        .returning(*columns(Claimed, table))
    )
    return sorted(await find_all(connection, Claimed, statement), key=lambda claimed: claimed.position)


async def is_any_due(connection: DatabaseConnection, now: datetime) -> bool:
    """Return whether a delivery is due, which is cheaper to know than to claim it."""
    due = select(table.c.id).where(table.c.state == "due", table.c.due_at <= now).limit(1)
    return await connection.scalar(due) is not None


async def mark(connection: DatabaseConnection, claimed: Claimed, **values: object) -> bool:
    """Write what came of an attempt, if it is still ours. Returns whether it is."""
    mine = and_(table.c.id == claimed.id, table.c.claim == claimed.claim)
    return (await connection.execute(update(table).where(mine).values(claim=None, **values))).rowcount > 0


async def mark_done(
    connection: DatabaseConnection, claimed: Claimed, state: str, now: datetime, error: str | None = None
) -> bool:
    """Write that a delivery `arrived`, or is `given up`. Returns whether it was still ours."""
    return await mark(connection, claimed, state=state, error=error, due_at=None, done_at=now)


async def give_up_all(connection: DatabaseConnection, subscription: str, now: datetime) -> int:
    """Give up what is due for a subscription. Returns how many events that were."""
    due = and_(table.c.subscription == subscription, table.c.state == "due")
    values = {"state": "given up", "claim": None, "due_at": None, "done_at": now}
    return (await connection.execute(update(table).where(due).values(values))).rowcount


async def delete_deliveries(connection: DatabaseConnection, subscriptions: Collection[str]) -> None:
    """Delete the deliveries of subscriptions."""
    await connection.execute(delete(table).where(table.c.subscription.in_(subscriptions)))


async def outstanding_positions(
    connection: DatabaseConnection, subscription: str, *, but: str | None = None
) -> Sequence[int]:
    """Return the position of the oldest event that has not arrived, if there is one; `but` is a delivery that has.

    One that was given up counts: a refresh may queue it again.
    """
    has_not = and_(table.c.state != "arrived", table.c.error.is_distinct_from(FOR_GOOD))
    query = (
        select(table.c.position)
        .where(table.c.subscription == subscription, has_not, table.c.id != (but or ""))
        .order_by(table.c.position)
        .limit(1)
    )
    return list((await connection.execute(query)).scalars())


async def outstanding_counts(connection: DatabaseConnection) -> Mapping[str, int]:
    """Return how many events are on their way to each subscription; those without any are left out."""
    query = select(table.c.subscription, func.count()).where(table.c.state == "due").group_by(table.c.subscription)
    return {row[0]: row[1] for row in await connection.execute(query)}


async def _outstanding(connection: DatabaseConnection, subscription: str) -> int:
    return await connection.scalar(_count_outstanding(subscription)) or 0


def _was_delivered(subscription: str) -> ColumnElement[bool]:
    is_done = or_(table.c.state.in_(("due", "arrived")), table.c.error == FOR_GOOD)
    return exists().where(table.c.subscription == subscription, table.c.event == feed_event.c.id, is_done)


def _was_given_up(subscription: str, now: datetime) -> ColumnElement[bool]:
    is_done = and_(table.c.state == "given up", table.c.done_at >= now - MISSED_WITHIN)
    return exists().where(table.c.subscription == subscription, table.c.event == feed_event.c.id, is_done)


async def _queue(
    connection: DatabaseConnection, subscription: str, host: str, events: Sequence[tuple[str, int]], now: datetime
) -> None:
    if not events:
        return
    anew: dict[str, Any] = {
        "queued_at": now,
        "first_at": None,
        "attempts": 0,
        "due_at": now,
        "claim": None,
        "state": "due",
        "error": None,
        "done_at": None,
    }
    rows = [
        {
            "id": delivery_id(subscription, event),
            "subscription": subscription,
            "event": event,
            "position": position,
            "host": host,
            **anew,
        }
        for event, position in events
    ]
    statement = insert(connection, table).values(rows)
    await connection.execute(statement.on_conflict_do_update(index_elements=[table.c.id], set_=anew))
