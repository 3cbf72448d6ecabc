"""The rows of subscriptions, and of callbacks that passed their challenge."""

import hashlib
import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BindParameter, ColumnElement, Select, and_, delete, func, literal, or_, select, update

from events.tables import event_subscription as table
from events.tables import verified_callback
from storage.connection import DatabaseConnection
from storage.database import insert
from storage.errors import UnreadableSecret
from storage.keys import KeyRing
from storage.types import Instant, sealed_for

FORMER_SECRET_LIFE: Final = timedelta(minutes=15)
"""How long a secret signs beside the one that replaced it."""

KEPT_EXPIRED: Final = timedelta(hours=24)
"""How long an expired subscription is kept, so that a late refresh goes on where it was."""

_MILLISECOND: Final = timedelta(milliseconds=1)

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSubscription:
    """A subscription.

    Attributes:
        id: Its id.
        grant: The id of the grant it belongs to.
        person: Whose events.
        name: The kind of events.
        arguments: What narrows them, as it was sent.
        filter: The uuid of the event type or routing form that they are narrowed to.
        host: Of the callback.
        url: Of the callback.
        secret: What signs.
        former_secret: What signed before.
        former_until: Until when that signs too.
        created_at: When it began.
        expires_at: When it ends, None without an end.
        max_age: Older events are left out.
        state: `active`, or `suspended` when nothing got through.
        failed_since: The first failure after the last post that arrived.
        failures: How many there were since.
        last_at: When a post arrived last.
        last_error: The last error in one word.
        truncated: Events were skipped since the last refresh.
    """

    id: str
    grant: str
    person: str
    name: str
    arguments: Mapping[str, Any]
    filter: str | None
    host: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    former_secret: str | None = field(default=None, repr=False)
    former_until: datetime | None = None
    created_at: datetime
    expires_at: datetime | None
    max_age: timedelta | None = None
    state: str = "active"
    failed_since: datetime | None = None
    failures: int = 0
    last_at: datetime | None = None
    last_error: str | None = None
    truncated: bool = False

    def secrets(self, now: datetime) -> list[str]:
        """Return what signs now, the present secret first."""
        former = self.former_secret if self.former_until is not None and now < self.former_until else None
        return [self.secret] if former is None else [self.secret, former]

    def is_over(self, now: datetime) -> bool:
        """Return whether it has expired."""
        return self.expires_at is not None and self.expires_at <= now


def is_live(now: datetime | BindParameter[Any]) -> ColumnElement[bool]:
    """Return the condition that a subscription has not expired."""
    return or_(table.c.expires_at.is_(None), table.c.expires_at > now)


@dataclass(frozen=True, slots=True)
class SubscriptionRows:
    """Reads and writes subscriptions, whose URLs and secrets are sealed under a key ring.

    One that cannot be opened, since its key is lost, counts as not there: its agent can make it anew.
    """

    keyring: KeyRing = field(repr=False)

    async def find(self, connection: DatabaseConnection, subscription: str) -> StoredSubscription | None:
        """Find a subscription by its id."""
        found = await self._find(connection, select(table).where(table.c.id == subscription))
        return found[0] if found else None

    async def of_grant(self, connection: DatabaseConnection, grant: str) -> list[StoredSubscription]:
        """Find the subscriptions of a grant, the oldest first."""
        return await self._find(connection, select(table).where(table.c.grant == grant).order_by(table.c.created_at))

    async def every(self, connection: DatabaseConnection, person: str | None = None) -> list[StoredSubscription]:
        """Find all subscriptions, or those of a person, the oldest first."""
        query = select(table).order_by(table.c.created_at)
        return await self._find(connection, query if person is None else query.where(table.c.person == person))

    async def put(self, connection: DatabaseConnection, row: StoredSubscription) -> None:
        """Store a subscription in place of what is there."""
        sealed = {
            "url_ciphertext": self._sealed(row.id, "url_ciphertext", row.url),
            "secret_ciphertext": self._sealed(row.id, "secret_ciphertext", row.secret),
            "former_secret_ciphertext": row.former_secret
            and self._sealed(row.id, "former_secret_ciphertext", row.former_secret),
        }
        plain = {name: getattr(row, name) for name in _PLAIN}
        values = {
            **plain,
            **sealed,
            "arguments": json.dumps(row.arguments, sort_keys=True, separators=(",", ":")),
            "max_age": None if row.max_age is None else row.max_age // _MILLISECOND,
        }
        statement = insert(connection, table).values(values)
        await connection.execute(statement.on_conflict_do_update(index_elements=[table.c.id], set_=values))

    async def _find(self, connection: DatabaseConnection, query: Select[*tuple[Any, ...]]) -> list[StoredSubscription]:
        found = [self._opened(row) for row in (await connection.execute(query)).mappings()]
        return [subscription for subscription in found if subscription is not None]

    def _opened(self, row: Mapping[Any, Any]) -> StoredSubscription | None:
        try:
            return self._read(row)
        except UnreadableSecret as fault:
            _log.warning("the subscription %s is left out: %s", row["id"], fault)
            return None

    def _read(self, row: Mapping[Any, Any]) -> StoredSubscription:
        subscription = row["id"]
        former = row["former_secret_ciphertext"]
        return StoredSubscription(
            **{name: row[name] for name in _PLAIN},
            arguments=json.loads(row["arguments"]),
            url=self._text(subscription, "url_ciphertext", row["url_ciphertext"]),
            secret=self._text(subscription, "secret_ciphertext", row["secret_ciphertext"]),
            former_secret=former and self._text(subscription, "former_secret_ciphertext", former),
            max_age=None if row["max_age"] is None else row["max_age"] * _MILLISECOND,
        )

    def _sealed(self, subscription: str, column: str, text: str) -> bytes:
        return self.keyring.seal(text.encode(), **sealed_for(table.c[column], subscription))

    def _text(self, subscription: str, column: str, sealed: bytes) -> str:
        return self.keyring.open(sealed, **sealed_for(table.c[column], subscription)).decode()


_PLAIN: Final = (
    "id",
    "grant",
    "person",
    "name",
    "filter",
    "host",
    "former_until",
    "created_at",
    "expires_at",
    "state",
    "failed_since",
    "failures",
    "last_at",
    "last_error",
    "truncated",
)


async def count(connection: DatabaseConnection, grant: str, person: str, now: datetime) -> tuple[int, int]:
    """Return how many live subscriptions a grant and a person have."""
    query = select(func.count(), func.count().filter(table.c.grant == grant)).where(
        table.c.person == person, is_live(now)
    )
    of_person, of_grant = (await connection.execute(query)).one()
    return of_grant, of_person


async def delete_subscriptions(connection: DatabaseConnection, subscriptions: Collection[str]) -> None:
    """Delete subscriptions, and with them what is on its way to them."""
    await connection.execute(delete(table).where(table.c.id.in_(subscriptions)))


async def delete_expired(connection: DatabaseConnection, subscription: str, now: datetime) -> None:
    """Delete a subscription that is over. One that its agent has made anew meanwhile stays."""
    await connection.execute(delete(table).where(table.c.id == subscription, ~is_live(now)))


async def expire(connection: DatabaseConnection, subscription: str, now: datetime) -> bool:
    """Let a live subscription expire. Returns whether it was live. Should its agent make it anew, it begins now."""
    mine = and_(table.c.id == subscription, is_live(now))
    over = {"expires_at": now, "created_at": now}
    return (await connection.execute(update(table).where(mine).values(over))).rowcount > 0


async def note_arrival(connection: DatabaseConnection, subscription: str, now: datetime) -> None:
    """Note that a post arrived."""
    healthy = {"last_at": now, "last_error": None, "failed_since": None, "failures": 0}
    await connection.execute(update(table).where(table.c.id == subscription).values(healthy))


async def note_failure(
    connection: DatabaseConnection, subscription: str, error: str, now: datetime
) -> tuple[datetime, int] | None:
    """Note that a post failed. Returns since when, and how many have; None when the subscription is gone."""
    statement = (
        update(table)
        .where(table.c.id == subscription)
        .values(
            last_error=error,
            failed_since=func.coalesce(table.c.failed_since, literal(now, Instant)),
            failures=table.c.failures + 1,
        )
        .returning(table.c.failed_since, table.c.failures)
    )
    found = (await connection.execute(statement)).one_or_none()
    return None if found is None else (found[0], found[1])


async def suspend(connection: DatabaseConnection, subscription: str) -> bool:
    """Suspend an active subscription. Returns whether it was active."""
    mine = and_(table.c.id == subscription, table.c.state == "active")
    return (await connection.execute(update(table).where(mine).values(state="suspended"))).rowcount > 0


def callback_key(grant: str, url: str) -> str:
    """Return under which key it is stored that a callback of a grant passed its challenge."""
    return hashlib.sha256(f"{grant}\n{url}".encode()).hexdigest()


async def has_passed(connection: DatabaseConnection, grant: str, url: str, now: datetime) -> bool:
    """Return whether a callback of a grant has passed its challenge, and that counts still."""
    key = callback_key(grant, url)
    query = select(verified_callback.c.id).where(verified_callback.c.id == key, verified_callback.c.valid_until > now)
    return await connection.scalar(query) is not None


async def pass_until(connection: DatabaseConnection, grant: str, url: str, until: datetime) -> None:
    """Note until when a callback counts as having passed its challenge, unless that is longer already."""
    row = {"id": callback_key(grant, url), "grant": grant, "valid_until": until}
    statement = insert(connection, verified_callback).values(row)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=[verified_callback.c.id],
            set_={"valid_until": until},
            where=verified_callback.c.valid_until < until,
        )
    )


async def shorten_pass(connection: DatabaseConnection, grant: str, url: str, until: datetime) -> None:
    """Let a passed challenge count no longer than until then: its last subscription has ended."""
    mine = and_(verified_callback.c.id == callback_key(grant, url), verified_callback.c.valid_until > until)
    await connection.execute(update(verified_callback).where(mine).values(valid_until=until))


async def forget_former_secrets(connection: DatabaseConnection, now: datetime) -> None:
    """Delete the secrets that sign no more."""
    over = table.c.former_until <= now
    await connection.execute(update(table).where(over).values(former_secret_ciphertext=None, former_until=None))
