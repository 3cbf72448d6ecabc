"""The statements behind feeds: one row per person, which whoever publishes locks."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hmac import digest as hmac_digest
from typing import Final

from sqlalchemy import bindparam, delete, or_, select, update

from events.feed.cursor import Cursor
from events.tables import feed
from storage.connection import DatabaseConnection
from storage.database import insert
from storage.keys import KeyRing, RandomBytes
from storage.rows import columns, find_all, find_one
from storage.types import sealed_for

LOOKING_BACK: Final = timedelta(hours=24)
"""How much older than a feed what looks publish may be."""

FRESH: Final = timedelta(seconds=60)
"""How old a look may be for whoever wants to know now."""

_EPOCH_BYTES: Final = 4
_SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class StoredFeed:
    """The feed of a person.

    Attributes:
        person: Their user URI.
        epoch: What tells its cursors from those of another feed.
        head: The last position that was given.
        since: Looks publish nothing older.
        checked_at: When the last look was over.
        look_continues_at: The start of the meetings with which the next look goes on.
        lease_until: Until when a replica looks.
        proved_at: When the webhook first delivered something.
        secret_ciphertext: What keys its digests.
    """

    person: str
    epoch: str
    head: int
    since: datetime
    checked_at: datetime | None
    look_continues_at: str | None
    lease_until: datetime | None
    proved_at: datetime | None
    secret_ciphertext: bytes = field(repr=False)

    @property
    def cursor(self) -> Cursor:
        """The cursor behind its last event."""
        return Cursor(self.epoch, self.head)


@dataclass(frozen=True, slots=True)
class Digests:
    """Makes the digests of a feed, by which it finds invitees and addresses."""

    secret: bytes = field(repr=False)

    @classmethod
    def of(cls, found: StoredFeed, keyring: KeyRing) -> "Digests":
        """Open those of a feed."""
        return cls(keyring.open(found.secret_ciphertext, **sealed_for(feed.c.secret_ciphertext, found.person)))

    def of_text(self, text: str) -> str:
        """Return the digest of a text in 64 hexadecimal digits."""
        return hmac_digest(self.secret, text.encode(errors="surrogatepass"), "sha256").hex()


async def begin(
    connection: DatabaseConnection, person: str, keyring: KeyRing, random: RandomBytes, now: datetime
) -> None:
    """Begin the feed of a person, unless there is one."""
    sealed = keyring.seal(random(_SECRET_BYTES), **sealed_for(feed.c.secret_ciphertext, person))
    row = {
        "person": person,
        "epoch": random(_EPOCH_BYTES).hex(),
        "head": 0,
        "secret_ciphertext": sealed,
        "since": now - LOOKING_BACK,
    }
    await connection.execute(insert(connection, feed).values(row).on_conflict_do_nothing())


async def find(connection: DatabaseConnection, person: str) -> StoredFeed | None:
    """Find the feed of a person."""
    return await find_one(connection, StoredFeed, _FEED, owner=person)


async def find_of(connection: DatabaseConnection, people: Collection[str] | None) -> list[StoredFeed]:
    """Find the feeds of people, of all where that is None."""
    query = select(*columns(StoredFeed, feed))
    return await find_all(connection, StoredFeed, query if people is None else query.where(feed.c.person.in_(people)))


async def hold(connection: DatabaseConnection, person: str) -> StoredFeed | None:
    """Find the feed of a person, and lock its row."""
    return await find_one(connection, StoredFeed, _HELD, owner=person)


async def hold_for(connection: DatabaseConnection, person: str, count: int) -> StoredFeed | None:
    """Find the feed of a person, lock its row, and give so many positions in advance: `set_head` takes back."""
    return await find_one(connection, StoredFeed, _ADVANCED, owner=person, count=count)


async def set_head(connection: DatabaseConnection, person: str, head: int) -> None:
    """Store the last position that was given."""
    await connection.execute(_SET_HEAD, {"owner": person, "position": head})


async def take_lease(connection: DatabaseConnection, person: str, owner: str, now: datetime, until: datetime) -> bool:
    """Let one replica look. False while another one does."""
    free = or_(feed.c.lease_until.is_(None), feed.c.lease_until <= now)
    taken = update(feed).where(feed.c.person == person, free).values(lease_owner=owner, lease_until=until)
    return (await connection.execute(taken)).rowcount == 1


async def end_lease(
    connection: DatabaseConnection, person: str, owner: str, *, checked_at: datetime | None, continues_at: str | None
) -> None:
    """End a look.

    Args:
        connection: A transaction.
        person: Whose feed.
        owner: The replica that looked.
        checked_at: When it was over, None for one that came to no end.
        continues_at: Where the next one goes on.
    """
    row = {"lease_owner": None, "lease_until": None, "look_continues_at": continues_at}
    over = row if checked_at is None else row | {"checked_at": checked_at}
    await connection.execute(update(feed).where(feed.c.person == person, feed.c.lease_owner == owner).values(over))


async def schedule(connection: DatabaseConnection, person: str, at: datetime) -> None:
    """Set when the next look in the background is due."""
    await connection.execute(update(feed).where(feed.c.person == person).values(looks_next_at=at))


async def hasten(connection: DatabaseConnection, person: str, now: datetime) -> None:
    """Have the next look in the background be due once the last is not fresh, unless it is sooner.

    Where a webhook is proved, looks keep their pace.
    """
    found = await find(connection, person)
    if found is None or found.proved_at is not None:
        return
    at = now if found.checked_at is None else max(now, min(now, found.checked_at) + FRESH)
    later = feed.c.looks_next_at > at
    await connection.execute(update(feed).where(feed.c.person == person, later).values(looks_next_at=at))


async def listen(connection: DatabaseConnection, people: Collection[str], until: datetime) -> None:
    """Note until when somebody listens to the feeds of people; what another replica noted is not shortened."""
    sooner = or_(feed.c.listened_until.is_(None), feed.c.listened_until < until)
    await connection.execute(update(feed).where(feed.c.person.in_(people), sooner).values(listened_until=until))


async def heads(connection: DatabaseConnection, people: Collection[str]) -> dict[str, int]:
    """Return the last positions of the feeds of people."""
    rows = await connection.execute(select(feed.c.person, feed.c.head).where(feed.c.person.in_(people)))
    return {row.person: row.head for row in rows}


async def drop(connection: DatabaseConnection, person: str) -> None:
    """Delete the feed of a person, and all that hangs on it."""
    await connection.execute(delete(feed).where(feed.c.person == person))


_FEED: Final = select(*columns(StoredFeed, feed)).where(feed.c.person == bindparam("owner"))
_HELD: Final = _FEED.with_for_update()
_ADVANCED: Final = (
    update(feed)
    .where(feed.c.person == bindparam("owner"))
    .values(head=feed.c.head + bindparam("count"))
    .returning(*columns(StoredFeed, feed))
)
_SET_HEAD: Final = update(feed).where(feed.c.person == bindparam("owner")).values(head=bindparam("position"))
