"""What Calendly is asked in half a day by everything that runs in the background."""

from collections import Counter
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta

import anyio
import pytest
from sqlalchemy import insert

from calendly.request import JSON, Request
from events.looks.background import BackgroundLooks
from events.looks.looks import Looks
from events.tables import event_subscription
from tests.events.incoming.calendly_side import Scene
from tests.events.incoming.test_receiver import message, signed

HALF_A_DAY = timedelta(hours=12)
EVERY = timedelta(minutes=5)


@dataclass
class Background:
    """The chores of a server."""

    scene: Scene

    per_minute = 500

    def __post_init__(self) -> None:
        """Begin to look."""
        self.looks = Looks(feeds=self.scene.webhooks.feeds, owner="replica", sleep=anyio.sleep)

    async def send(self, request: Request) -> JSON:
        """See `events.looks.looks.PersonAccess`."""
        return await self.scene.calendly.send(self.scene.person, request)

    async def asked(self) -> Counter[str]:
        """Let half a day pass; what Calendly was asked."""
        self.scene.calendly.sent.clear()
        for _ in range(HALF_A_DAY // EVERY):
            self.scene.clock.now += EVERY
            await self.scene.webhooks.check_due()
            await BackgroundLooks(self.looks, lambda _: self).round()
        return Counter(self.scene.calendly.sent)

    async def listen(self) -> None:
        """Have an agent subscribed."""
        row = {"id": "sub_1", "grant": "G", "person": self.scene.person, "name": "meeting.booked", "arguments": "{}"}
        sealed = {"host": "h", "url_ciphertext": b"u", "secret_ciphertext": b"s"}
        state = {"created_at": self.scene.clock.now, "state": "active", "truncated": False}
        async with self.scene.webhooks.database.begin() as connection:
            await connection.execute(insert(event_subscription).values(**row, **sealed, **state))


@pytest.fixture
async def background(scene: Scene) -> AsyncGenerator[Background]:
    made = Background(scene)
    await scene.webhooks.feeds.begin(scene.person)
    yield made
    await made.looks.close()


@pytest.mark.requirement("looks-quiet")
async def test_for_whom_nobody_listens_and_no_webhook_tells_nothing_is_asked(background: Background) -> None:
    assert await background.asked() == {}


@pytest.mark.requirement("looks-quiet", "webhook-checked")
async def test_beside_a_proved_webhook_its_state_is_read_each_hour_and_the_meetings_every_six(
    background: Background,
) -> None:
    scene = background.scene
    await scene.webhooks.watch(scene.person)
    await background.listen()
    body = message(scene)
    assert (await scene.receiver.receive(await scene.secret(), signed(scene, body), body)).is_new
    asked = await background.asked()
    meetings = asked.pop("GET /scheduled_events")
    assert (asked.pop("GET /webhook_subscriptions"), meetings) in {(12, 2), (12, 3)}
    # The first look reads who was invited lately.
    assert asked.total() <= 10
    again = await background.asked()
    assert again == {"GET /webhook_subscriptions": 12, "GET /scheduled_events": 2}
