"""The statements on the receivers: addresses of ours, one for each of Calendly's subscriptions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import ColumnElement, bindparam, delete, insert, or_, select, update

from events.tables import feed
from events.tables import receiver as table
from storage.connection import DatabaseConnection
from storage.keys import KeyRing
from storage.lookups import Lookup
from storage.rows import columns, find_all, find_one, values
from storage.types import sealed_for

_Value = datetime | str | int | ColumnElement[int] | None

ReceiverState = Literal["making", "live", "replaced", "off"]

REPLACED_LIVES: Final = timedelta(hours=24)
"""How long the address and the key before a repair are still good."""

UNFINISHED_LIVES: Final = timedelta(minutes=10)
"""After which a subscription whose making did not end counts as not made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReceiver:
    """A receiver, as it is stored.

    Attributes:
        receiver_digest: Of the secret in its address.
        person: The person's Calendly user URI.
        family: The family of events that it is for.
        state: What has become of it.
        key_ciphertext: What Calendly signs with, sealed.
        created_at: When its making began.
        calendly_uri: Calendly's subscription, None while it is made.
        valid_until: Until when a replaced one takes deliveries.
        checked_at: When Calendly's subscription was last read.
        last_at: The last verified delivery, or one a minute before it at most.
        refused: Signatures refused in a row.
        repairs: How often it was repaired in the day that began at `repaired_at`.
        repaired_at: When the first of these repairs was.
    """

    receiver_digest: str
    person: str
    family: str
    state: ReceiverState
    key_ciphertext: bytes
    created_at: datetime
    calendly_uri: str | None = None
    valid_until: datetime | None = None
    checked_at: datetime | None = None
    last_at: datetime | None = None
    refused: int = 0
    repairs: int = 0
    repaired_at: datetime | None = None

    def key(self, keyring: KeyRing) -> str:
        """Return the key that Calendly signs with. Raises UnreadableSecret."""
        return keyring.open(self.key_ciphertext, **key_place(self.receiver_digest)).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressedReceiver(StoredReceiver):
    """A receiver that somebody posts to.

    Attributes:
        proved_at: Since when the webhook of its person's meetings is proved.
    """

    proved_at: datetime | None

    def takes(self, now: datetime) -> bool:
        """Say whether it takes deliveries: it is live, or was replaced a short while ago."""
        until = self.valid_until if self.state == "replaced" else None
        return self.state == "live" or (until is not None and until > now)


ADDRESSED: Final = Lookup(
    select(*columns(AddressedReceiver, table, proved_at=feed.c.proved_at))
    .join_from(table, feed, table.c.person == feed.c.person, isouter=True)
    .where(table.c.receiver_digest == bindparam("digest"))
)
"""Finds an AddressedReceiver."""


def key_place(digest: str) -> dict[str, str]:
    """Return the place that the key of a receiver is sealed for."""
    return sealed_for(table.c.key_ciphertext, digest)


async def add(connection: DatabaseConnection, new: StoredReceiver) -> None:
    """Store a new receiver."""
    await connection.execute(insert(table).values(values(new, table)))


async def of_person(connection: DatabaseConnection, person: str) -> list[StoredReceiver]:
    """Find all receivers of a person, the oldest first."""
    query = select(*columns(StoredReceiver, table)).where(table.c.person == person).order_by(table.c.created_at)
    return await find_all(connection, StoredReceiver, query)


async def find_all_on(connection: DatabaseConnection) -> list[StoredReceiver]:
    """Find the receivers of all people that are on or being made."""
    is_on = table.c.state.in_(("making", "live"))
    query = select(*columns(StoredReceiver, table)).where(is_on).order_by(table.c.person, table.c.family)
    return await find_all(connection, StoredReceiver, query)


async def find_on(connection: DatabaseConnection, person: str, family: str) -> StoredReceiver | None:
    """Find the receiver by which a family of events comes, or will once it is made."""
    is_on = table.c.state.in_(("making", "live"))
    query = select(*columns(StoredReceiver, table)).where(table.c.person == person, table.c.family == family, is_on)
    return await find_one(connection, StoredReceiver, query.limit(1))


async def known(connection: DatabaseConnection, digests: Sequence[str]) -> set[str]:
    """Find out for which of these receivers Calendly has its subscription rightly."""
    query = select(table.c.receiver_digest).where(
        table.c.receiver_digest.in_(digests), table.c.state.in_(("making", "live"))
    )
    return set((await connection.execute(query)).scalars())


async def find_people(connection: DatabaseConnection) -> list[str]:
    """Find the people who have a receiver."""
    return list((await connection.execute(select(table.c.person).distinct().order_by(table.c.person))).scalars())


async def is_made(connection: DatabaseConnection, digest: str, calendly_uri: str, now: datetime) -> bool:
    """Note that Calendly made the subscription of a receiver; False where nobody waits for it any more."""
    made = update(table).where(table.c.receiver_digest == digest, table.c.state == "making")
    done = await connection.execute(made.values(state="live", calendly_uri=calendly_uri, checked_at=now))
    return done.rowcount == 1


async def replace(connection: DatabaseConnection, digest: str, now: datetime) -> None:
    """Retire a receiver that another one takes the place of."""
    await _change(connection, digest, state="replaced", valid_until=now + REPLACED_LIVES)


async def switch_off(connection: DatabaseConnection, digest: str) -> None:
    """Note that Calendly has the subscription of a receiver no more."""
    await _change(connection, digest, state="off", calendly_uri=None)


async def note_delivery(connection: DatabaseConnection, digest: str, now: datetime) -> None:
    """Note a verified delivery."""
    await _change(connection, digest, last_at=now, refused=0)


async def count_repairs(connection: DatabaseConnection, digest: str, repairs: int) -> None:
    """Note how often a receiver had to be repaired in the day that began with the first of these repairs."""
    await _change(connection, digest, repairs=repairs)


async def count_refusal(connection: DatabaseConnection, digest: str) -> None:
    """Count a delivery whose signature was refused."""
    await _change(connection, digest, refused=table.c.refused + 1)


async def drop(connection: DatabaseConnection, digests: Sequence[str]) -> None:
    """Delete receivers."""
    await connection.execute(delete(table).where(table.c.receiver_digest.in_(digests)))


async def is_turn(connection: DatabaseConnection, person: str, due: datetime, now: datetime) -> bool:
    """Take this process's turn to check the subscriptions of a person; False where another one did so after `due`."""
    older = or_(table.c.checked_at.is_(None), table.c.checked_at <= due)
    taken = update(table).where(table.c.person == person, older).values(checked_at=now)
    return (await connection.execute(taken)).rowcount > 0


async def prove(connection: DatabaseConnection, person: str, proved_at: datetime | None) -> None:
    """Note that the webhook of a person's meetings is proved, or with None that it is not any more.

    What came while nothing told is then looked for at once, and looks go on at their pace.
    """
    changed = update(feed).where(feed.c.person == person)
    if proved_at is None:
        changed = changed.values(proved_at=None, looks_next_at=None)
    else:
        changed = changed.where(feed.c.proved_at.is_(None)).values(proved_at=proved_at)
    await connection.execute(changed)


async def _change(connection: DatabaseConnection, digest: str, **changed: _Value) -> None:
    await connection.execute(update(table).where(table.c.receiver_digest == digest).values(changed))
