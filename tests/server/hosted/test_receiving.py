"""The address at which Calendly posts, as an ASGI application."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import anyio
import httpx2
import pytest
from starlette.applications import Starlette

from events.incoming import stored_receivers
from events.incoming.incoming import LARGEST_BODY, receiver_digest
from events.incoming.receiver import IN_HAND, WAITING, Receiver
from events.incoming.stored_receivers import StoredReceiver
from events.incoming.webhooks import PATH
from sandbox.state.deliveries import signature
from server.hosted.receiving import ReceiverEndpoint, receiver_route
from tests.audit_log import Shelf, audit_log_in_memory
from tests.databases import open_migrated
from tests.events.feeds import KEYRING, Clock, feeds_in
from tests.events.histories import PERSON
from tests.events.incoming import posts
from tests.events.incoming.posts import Post

SECRET, KEY = "receiver-secret", "signing-key"
MESSAGE = {
    "event": "invitee.created",
    "created_at": "2026-12-01T12:00:01.000000Z",
    "created_by": PERSON,
    "payload": {"uri": "https://api.calendly.com/scheduled_events/E/invitees/I", "created_at": "2026-12-01T12:00:00Z"},
}
WRONG = "The signature is not one of Calendly's for this receiver"
BODY = json.dumps(MESSAGE).encode()


@dataclass
class Gate:
    """The endpoint, a client of it, and what it wrote in the audit log."""

    endpoint: ReceiverEndpoint
    app: Starlette
    http: httpx2.AsyncClient
    shelf: Shelf
    clock: Clock
    seconds: list[float]

    def headers(self, key: str = KEY, body: bytes = BODY) -> dict[str, str]:
        """Sign a body."""
        return {"Calendly-Webhook-Signature": signature(key, self.clock.now, body)}

    async def post(
        self, secret: str = SECRET, body: bytes = BODY, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """Post a body, signed unless the headers say otherwise."""
        return await self.http.post(f"{PATH}/{secret}", content=body, headers=headers or self.headers(body=body))

    async def send(self, post: Post) -> tuple[int, bytes]:
        """Send a request as it is; the status and the body of the answer."""
        answered: list[dict[str, Any]] = []
        halves = [post.body[: len(post.body) // 2], post.body[len(post.body) // 2 :]]

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": halves.pop(0), "more_body": bool(halves)}

        async def send(message: Any) -> None:  # noqa: ANN401 - whatever ASGI has
            answered.append(message)

        path = f"{PATH}/{SECRET if post.is_known else 'another-secret'}"
        headers = [(name.encode(), value.encode()) for name, value in post.sent]
        scope = {"type": "http", "method": post.method, "path": path, "query_string": b"", "headers": headers}
        await self.app(scope, receive, send)
        start, *parts = answered
        return start["status"], b"".join(part.get("body", b"") for part in parts)

    async def noted(self) -> list[str]:
        """Return the sentences in the audit log."""
        await self.endpoint.audit_log.recent()
        return [entry.sentence for entry in self.shelf.entries]


@asynccontextmanager
async def gate(person: str = PERSON, key: str = KEY, keys: tuple[str, ...] = ()) -> AsyncGenerator[Gate]:
    """Stand at the address of one receiver."""
    shelf, clock, seconds = Shelf(), Clock(), [0.0]
    async with open_migrated() as database:
        feeds = feeds_in(database, clock)
        await feeds.begin(person)
        digest = receiver_digest(SECRET)
        sealed = KEYRING.seal(key.encode(), **stored_receivers.key_place(digest))
        async with database.begin() as connection:
            row = StoredReceiver(
                receiver_digest=digest,
                person=person,
                family="meetings",
                state="live",
                key_ciphertext=sealed,
                created_at=clock.now,
            )
            await stored_receivers.add(connection, row)
        receiver = Receiver(database=database, keyring=KEYRING, feeds=feeds, keys=keys, now=clock)
        log = audit_log_in_memory(shelf, clock)
        endpoint = ReceiverEndpoint(receiver=receiver, audit_log=log, clock=lambda: seconds[0])
        app = Starlette(routes=[receiver_route(endpoint)])
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as http:
            yield Gate(endpoint, app, http, shelf, clock, seconds)


@pytest.fixture(scope="module")
async def door() -> AsyncGenerator[Gate]:
    """Stand at a receiver that every case of the table is sent to."""
    async with gate(posts.PERSON, posts.OWN, (posts.OLD, posts.NEW)) as at:
        yield at


@pytest.mark.requirement("webhook-checks")
@pytest.mark.parametrize(("post", "status"), posts.CASES.values(), ids=posts.CASES)
async def test_a_delivery_is_taken_only_as_calendly_sends_it(door: Gate, post: Post, status: int) -> None:
    door.clock.now = datetime.fromtimestamp(post.now, UTC)
    before = await stored(door)
    answered, sentence = await door.send(post)
    assert answered == status
    assert sentence.count(b"\n") == (0 if status == 204 else 1)
    assert not any(word.encode() in sentence for word in (posts.OWN, posts.PERSON, "invitee", "Zoë"))
    if status != 204:
        assert await stored(door) == before


async def stored(at: Gate) -> int:
    """Count the events in the feed."""
    feed = await at.endpoint.receiver.feeds.find(posts.PERSON)
    assert feed is not None
    return feed.head


def test_the_table_has_at_least_forty_cases() -> None:
    assert len(posts.CASES) >= 40


@pytest.mark.requirement("webhook-audit")
async def test_each_post_is_answered_and_noted_without_anything_of_it() -> None:
    async with gate() as at:
        first, again = await at.post(), await at.post()
        assert [(answer.status_code, answer.content) for answer in (first, again)] == [(204, b"")] * 2
        strange = json.dumps(MESSAGE | {"event": "invitee.{person}"}).encode()
        assert (await at.post(body=strange)).status_code == 204
        foreign = await at.post(headers=at.headers("foreign-key"))
        assert (foreign.status_code, foreign.text.count("\n")) == (401, 1)
        unknown = await at.post("another-secret")
        assert (unknown.status_code, unknown.text) == (404, "There is no receiver at this address.\n")
        put = await at.http.put(f"{PATH}/{SECRET}", content=BODY)
        assert (put.status_code, put.headers["Allow"]) == (405, "POST")
        noted = [line.replace(at.shelf.redactor.name(PERSON), "somebody") for line in await at.noted()]
        assert noted == [
            "Calendly told 'invitee.created' of somebody: allowed",
            "Calendly told 'invitee.created' of somebody which was known: allowed",
            "Calendly told an event of another name of somebody: allowed",
            f"somebody posted to the receiver of somebody: refused, {WRONG}",
            "somebody posted to an address of receivers: refused, There is no receiver at this address",
            "somebody posted to an address of receivers: refused, Only POST is answered here",
        ]


async def test_a_body_that_is_too_large_or_too_slow_or_broken_off_is_refused() -> None:
    async with gate() as at:

        async def dripping() -> AsyncGenerator[bytes]:
            for _ in range(LARGEST_BODY // 1024):
                yield b"x" * 1024
            yield b"x"

        async def silent() -> AsyncGenerator[bytes]:
            yield b"x"
            await anyio.sleep_forever()

        large = await at.http.post(f"{PATH}/{SECRET}", content=dripping())
        assert (large.status_code, large.headers["Connection"]) == (413, "close")
        at.endpoint.slowest = 0.0
        slow = await at.http.post(f"{PATH}/{SECRET}", content=silent())
        assert (slow.status_code, slow.headers["Connection"]) == (408, "close")
        compressed = await at.post(headers={**at.headers(), "Content-Encoding": "gzip"})
        assert compressed.status_code == 415


@pytest.mark.requirement("webhook-room")
async def test_a_post_that_finds_no_room_is_asked_for_again() -> None:
    async with gate() as at:
        go_on = asyncio.Event()

        async def held() -> AsyncGenerator[bytes]:
            await go_on.wait()
            yield BODY

        async def post(answers: list[int]) -> None:
            answer = await at.http.post(f"{PATH}/{SECRET}", content=held(), headers=at.headers())
            answers.append(answer.status_code)

        answers: list[int] = []
        async with anyio.create_task_group() as posts:
            for _ in range(IN_HAND + WAITING):
                posts.start_soon(post, answers)
            await anyio.wait_all_tasks_blocked()
            refused = await at.post()
            assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
            go_on.set()
        assert answers == [204] * (IN_HAND + WAITING)


@pytest.mark.requirement("webhook-audit")
async def test_posts_to_unknown_addresses_are_noted_sixty_times_a_minute_and_then_counted() -> None:
    async with gate() as at:
        for _ in range(75):
            await at.post("unknown")
        assert len(await at.noted()) == 60
        at.seconds[0] = 60.0
        await at.post("unknown")
        assert (await at.noted())[60:] == [
            "15 more posts to addresses of receivers in a minute: refused",
            "somebody posted to an address of receivers: refused, There is no receiver at this address",
        ]
