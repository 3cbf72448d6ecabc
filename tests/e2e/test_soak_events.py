"""Deliveries of Calendly's in any order, some of them again, to replicas that are killed; each event is stored once.

The suite posts a hundredth of what `make soak` posts (`--deliveries`), and kills one replica.
"""

import json
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Final

import anyio
import httpx2
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
    """

    settings: dict[str, str]
    stack: ExitStack
    sites: list[Site] = field(default_factory=list[Site])
    kills: int = 0

    def start(self) -> Site:
        """Start one."""
        return self.stack.enter_context(hosted(**self.settings))

    async def kill(self) -> None:
        """Kill them in turn."""
        place = self.kills % 2
        self.kills += 1
        self.sites[place].process.process.kill()
        self.sites[place] = await run_sync(self.start)


@dataclass
class Posting:
    """Posts deliveries as Calendly does: what is not taken is posted again, to whichever replica is asked then."""

    replicas: Replicas
    http: httpx2.AsyncClient
    random: Random
    kills: int
    taken: int = 0

    async def post_all(self, deliveries: Sequence[JSON]) -> None:
        """Post all, several at a time, and kill replicas in between."""
        bodies = [json.dumps(delivery).encode() for delivery in deliveries]
        killed_at = [len(bodies) * number // (self.kills + 1) for number in range(1, self.kills + 1)]
        left = list(reversed(bodies))

        async def poster() -> None:
            while left:
                await self._post(left.pop())
                self.taken += 1
                if killed_at and self.taken >= killed_at[0]:
                    killed_at.pop(0)
                    await self.replicas.kill()

        async with anyio.create_task_group() as posters:
            for _ in range(POSTERS):
                posters.start_soon(poster)

    async def _post(self, body: bytes) -> None:
        while not await self._is_taken(body):
            pass

    async def _is_taken(self, body: bytes) -> bool:
        site = self.random.choice(self.replicas.sites)
        headers = {"Calendly-Webhook-Signature": signature(KEY, datetime.now(UTC), body)}
        try:
            answer = await self.http.post(f"{site.url}{PATH}/{SECRET}", content=body, headers=headers)
        except httpx2.TransportError:  # its process was killed
            return False
        assert answer.status_code in {204, 503}, answer.text
        return answer.status_code == 204


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
    async with (
        open_migrated(replica_settings["CALENDLY_MCP_DATABASE_URL"]) as database,
        httpx2.AsyncClient(timeout=60) as http,
    ):
        await receiver_in(database)
        with two_replicas(replica_settings) as replicas:
            posting = Posting(replicas, http, random, kills)
            await posting.post_all(repeated)
            # An end without its mark's name is settled once all marks are known.
            await Posting(replicas, http, random, 0).post_all(unmarks)
        stored = await in_feed(database)
    expected = {arrival.event_id for arrival in arrivals(sent) if arrival.half != "unmark"}
    ids = [event for _, event in stored]
    assert (posting.taken, replicas.kills) == (len(repeated), kills)
    assert [position for position, _ in stored] == list(range(1, len(stored) + 1))
    assert len(ids) == len(set(ids))
    assert expected <= set(ids)
    assert len(ids) == len(expected) + len(unmarks)
