"""Deliveries of Calendly's in any order, some of them again, to replicas that are killed; each event is stored once.

The suite posts a hundredth of what `make soak` posts (`--deliveries`), and kills one replica.
"""

import json
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException
from threading import Lock
from typing import Final, Self

import pytest
from anyio.to_thread import run_sync
from sqlalchemy import select

from calendly.request import JSON
from events.feed.feed import Feeds
from events.incoming import stored_receivers
from events.incoming.incoming import receiver_digest
from events.incoming.stored_receivers import StoredReceiver
from events.incoming.webhooks import PATH
from events.tables import feed_event
from sandbox.state.deliveries import signature
from storage.database import Database
from storage.keys import KeyRing
from tests.databases import open_migrated
from tests.e2e.conftest import KEYS
from tests.e2e.hosting import Site, hosted
from tests.events.histories import PERSON, Account, arrivals, seeded

pytestmark = pytest.mark.anyio

SECRET, KEY = "r" * 43, "signing-key"
POSTERS: Final = 8
STEPS: Final = 400
"""Changes of one account; a history takes the longer to make the more there is in it."""

DELIVERIES_OF_A_KILL: Final = 500


def drawn(count: int) -> list[JSON]:
    """Draw so many deliveries, always the same, in the order in which they were sent."""
    found = list[JSON]()
    while len(found) < count:
        account = Account(seeded(len(found)), name=f"{len(found)}-")
        account.go_on(STEPS)
        found += [delivery for change in account.changes for delivery in change.deliveries]
    return found[:count]


@dataclass
class Replicas:
    """Two processes, of which now and then one is killed and another takes its place.

    Attributes:
        settings: What all are told.
        stack: Ends them.
        sites: Those that run.
        kills: How many were killed.
        lock: Lets one be killed at a time.
    """

    settings: dict[str, str]
    stack: ExitStack
    sites: list[Site] = field(default_factory=list[Site])
    kills: int = 0
    lock: Lock = field(default_factory=Lock)

    def start(self) -> Site:
        """Start one."""
        return self.stack.enter_context(hosted(**self.settings))

    def kill(self) -> None:
        """Kill them in turn."""
        with self.lock:
            place = self.kills % 2
            self.kills += 1
            self.sites[place].process.process.kill()
            self.sites[place] = self.start()


@dataclass
class Posting:
    """Posts deliveries as Calendly does: what is not taken is posted again, to whichever replica is asked then.

    Attributes:
        replicas: Where to.
        left: The bodies that are not posted yet.
        killed_at: How many are left when a replica is killed, each time.
        taken: How many were taken.
        lock: Guards these.
    """

    replicas: Replicas
    left: list[bytes]
    killed_at: list[int]
    taken: int = 0
    lock: Lock = field(default_factory=Lock)

    @classmethod
    def of(cls, replicas: Replicas, deliveries: Sequence[JSON], kills: int) -> Self:
        """Prepare to post, the first delivery first."""
        bodies = [json.dumps(delivery).encode() for delivery in reversed(deliveries)]
        return cls(replicas, bodies, [len(bodies) * number // (kills + 1) for number in range(1, kills + 1)])

    def post_all(self) -> None:
        """Post all, several at a time, and kill replicas in between."""
        with ThreadPoolExecutor(POSTERS) as posters:
            for poster in [posters.submit(self._post, number) for number in range(POSTERS)]:
                poster.result()

    def _post(self, number: int) -> None:
        random = seeded(number)
        while (body := self._next()) is not None:
            while not is_taken(body, random.choice(self.replicas.sites)):
                pass
            with self.lock:
                self.taken += 1

    def _next(self) -> bytes | None:
        """Take the next body, and kill a replica where it is time; the other posters go on meanwhile."""
        with self.lock:
            body = self.left.pop() if self.left else None
            is_time = bool(self.killed_at) and len(self.left) <= self.killed_at[-1]
            if is_time:
                self.killed_at.pop()
        if is_time:
            self.replicas.kill()
        return body


def is_taken(body: bytes, site: Site) -> bool:
    """Post a delivery once. A connection of its own costs less than one that is kept by a client that can do all."""
    headers = {"Calendly-Webhook-Signature": signature(KEY, datetime.now(UTC), body)}
    host, _, port = site.url.removeprefix("http://").partition(":")
    with closing(HTTPConnection(host, int(port), timeout=60)) as connection:
        try:
            connection.request("POST", f"{PATH}/{SECRET}", body, headers)
            answer = connection.getresponse()
        except (OSError, HTTPException):  # its process was killed
            return False
        assert answer.status in {204, 503}, answer.read()
        return answer.status == 204


async def receiver_in(database: Database) -> None:
    """Make a feed, and the receiver of it that is posted to."""
    keyring, now = KeyRing.parse(KEYS), datetime.now(UTC)
    await Feeds(database=database, keyring=keyring, now=lambda: now, random=seeded(1).randbytes).begin(PERSON)
    digest = receiver_digest(SECRET)
    row = StoredReceiver(
        receiver_digest=digest,
        person=PERSON,
        family="meetings",
        state="live",
        key_ciphertext=keyring.seal(KEY.encode(), **stored_receivers.key_place(digest)),
        created_at=now,
        checked_at=now,
    )
    async with database.begin() as connection:
        await stored_receivers.add(connection, row)


@contextmanager
def two_replicas(settings: dict[str, str]) -> Generator[Replicas]:
    """Run them."""
    with ExitStack() as stack:
        replicas = Replicas({**settings, "CALENDLY_MCP_LOG_LEVEL": "error"}, stack)
        replicas.sites += [replicas.start(), replicas.start()]
        yield replicas


async def in_feed(database: Database) -> list[tuple[int | None, str]]:
    """Return what is stored, by position."""
    query = select(feed_event.c.position, feed_event.c.event_id).order_by(feed_event.c.position)
    async with database.read() as connection:
        return [(position, event) for position, event in await connection.execute(query)]


@pytest.mark.requirement("feed-once")
async def test_each_event_is_stored_once_although_replicas_are_killed(
    replica_settings: dict[str, str], pytestconfig: pytest.Config
) -> None:
    count: int = pytestconfig.option.deliveries
    sent, random = drawn(count), seeded(count)
    unmarks = [delivery for delivery in sent if delivery["event"] == "invitee_no_show.deleted"]
    repeated = [delivery for delivery in sent for _ in range(random.randint(1, 3))]
    random.shuffle(repeated)
    kills = max(1, count // DELIVERIES_OF_A_KILL)
    async with open_migrated(replica_settings["CALENDLY_MCP_DATABASE_URL"]) as database:
        await receiver_in(database)
        with two_replicas(replica_settings) as replicas:
            posting = Posting.of(replicas, repeated, kills)
            await run_sync(posting.post_all)
            # An end without its mark's name is settled once all marks are known.
            await run_sync(Posting.of(replicas, unmarks, 0).post_all)
        stored = await in_feed(database)
    expected = {arrival.event_id for arrival in arrivals(sent) if arrival.half != "unmark"}
    ids = [event for _, event in stored]
    assert (posting.taken, replicas.kills) == (len(repeated), kills)
    assert [position for position, _ in stored] == list(range(1, len(stored) + 1))
    assert len(ids) == len(set(ids))
    assert expected <= set(ids)
    assert len(ids) == len(expected) + len(unmarks)
