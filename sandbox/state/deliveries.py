"""Sends webhooks: signed, in the background, retried with growing pauses for up to a day."""

import asyncio
import hashlib
import hmac
import json
from collections import deque
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from sandbox.records.identifiers import new_id
from sandbox.records.webhooks import StoredWebhookSubscription
from sandbox.state.clock import SandboxClock
from sandbox.state.delivery_faults import DeliveryFault, DeliveryFaults, ReversedTurn

# Calendly publishes neither its pauses nor its timeout.
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=3)
GIVE_UP_AFTER: Final = timedelta(hours=24)
ANSWER_SECONDS: Final = 10.0

# A delivery that waits for a later one to overtake it goes after this time in any case.
LONGEST_TURN: Final = timedelta(minutes=1)

KEPT_MOST: Final = 20_000

# Reserved names (RFC 2606). Deliveries there succeed without a request.
_NOBODY: Final = (".example", ".invalid", ".test")

_SIGNED_LONG_AGO: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Attempt:
    """One attempt at a delivery.

    Attributes:
        time: When it was answered, or failed.
        status: The status of the answer; None where there was none.
    """

    time: datetime
    status: int | None

    @property
    def succeeded(self) -> bool:
        """Whether it was answered with a 2xx."""
        return self.status is not None and self.status // 100 == 2  # noqa: PLR2004 - HTTP's class of success


@dataclass
class Delivery:
    """One message on its way to one subscription.

    Attributes:
        event: The name of the event.
        body: What is sent, the same each time.
        attempts: Oldest first.
    """

    event: str
    subscription: StoredWebhookSubscription
    body: bytes
    id: str = field(default_factory=new_id)
    attempts: list[Attempt] = field(default_factory=list[Attempt])


def signature(key: str, sent_at: datetime, body: bytes) -> str:
    """Sign a delivery.

    Returns:
        `t=<unix seconds>,v1=<hex>`, where v1 is the HMAC-SHA256 of `t.body` with the text of the key.
    """
    seconds = int(sent_at.timestamp())
    digest = hmac.new(key.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={digest}"


def pause_after(failures: int) -> timedelta:
    """Return the pause after `failures` in a row: twice as long each time, up to a limit."""
    return min(FIRST_PAUSE * (1 << min(failures - 1, 8)), LONGEST_PAUSE)


class Deliveries:
    """The webhook messages that were sent or are on their way.

    Args:
        clock: Times the retries. Signatures carry its real time, which is what a receiver compares.
    """

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._client: httpx2.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.kept: deque[Delivery] = deque(maxlen=KEPT_MOST)
        self.faults = DeliveryFaults()

    def send(self, subscription: StoredWebhookSubscription, message: dict[str, object]) -> None:
        """Send a message in the background, until it arrives or the subscription is disabled."""
        body = json.dumps(message, separators=(",", ":")).encode()
        delivery = Delivery(str(message["event"]), subscription, body)
        self.kept.append(delivery)
        self._start(self._deliver(delivery))

    def replay(self, delivery: Delivery, times: int) -> None:
        """Send a delivery again in the background, whatever became of it or of its subscription."""
        self._start(self._repeat(delivery, times))

    def forget(self) -> None:
        """Drop every message and every fault."""
        for task in self._tasks:
            task.cancel()
        self.kept.clear()
        self.faults = DeliveryFaults()

    async def close(self) -> None:
        """Drop every message and close the connections."""
        self.forget()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        failures = 0
        while delivery.subscription.state == "active" and not await self._attempt(delivery):
            failures += 1
            self._note_failure(delivery.subscription)
            await self._clock.wait_until(self._clock.now() + pause_after(failures))

    async def _repeat(self, delivery: Delivery, times: int) -> None:
        for _ in range(times):
            await self._attempt(delivery)

    def _note_failure(self, subscription: StoredWebhookSubscription) -> None:
        now = self._clock.now()
        if subscription.retry_started_at is None:
            subscription.retry_started_at = now
        if now - subscription.retry_started_at >= GIVE_UP_AFTER:
            subscription.state = "disabled"
            subscription.updated_at = now

    async def _attempt(self, delivery: Delivery) -> bool:
        """Send once, as a fault has it, and return whether it succeeded, which only a 2xx is."""
        if (urlsplit(delivery.subscription.callback_url).hostname or "").endswith(_NOBODY):
            delivery.attempts.append(Attempt(self._clock.now(), 200))
            return True
        fault, turn = self.faults.take()
        try:
            await self._hold(fault, turn)
            for _ in range(1 + fault.duplicate):
                status = None if fault.drop else await self._post(delivery, fault)
                delivery.attempts.append(Attempt(self._clock.now(), status))
        finally:
            turn.passed.set()
        arrived = delivery.attempts[-1].succeeded
        if arrived:
            delivery.subscription.retry_started_at = None
        return arrived

    async def _hold(self, fault: DeliveryFault, turn: ReversedTurn) -> None:
        if turn.awaited is not None:
            await self._clock.wait_for(turn.awaited, LONGEST_TURN)
        if fault.delay:
            await self._clock.wait_until(self._clock.now() + timedelta(seconds=fault.delay))

    async def _post(self, delivery: Delivery, fault: DeliveryFault) -> int | None:
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False, follow_redirects=False)
        headers = {"Content-Type": "application/json", **self._signed(delivery, fault)}
        body = _flipped(delivery.body) if fault.corrupt == "body" else delivery.body
        try:
            answer = await self._client.post(delivery.subscription.callback_url, content=body, headers=headers)
        except httpx2.HTTPError:
            return None
        return answer.status_code

    def _signed(self, delivery: Delivery, fault: DeliveryFault) -> dict[str, str]:
        key = delivery.subscription.signing_key
        if not key:
            return {}
        sent_at = self._clock.real_now() - (_SIGNED_LONG_AGO if fault.corrupt == "time" else timedelta())
        text = signature(key, sent_at, delivery.body)
        if fault.corrupt == "signature":
            text = text[:-1] + ("0" if text[-1] != "0" else "1")
        return {"Calendly-Webhook-Signature": text}


def _flipped(body: bytes) -> bytes:
    """Return the body with one bit changed, in its middle."""
    middle = len(body) // 2
    return body[:middle] + bytes([body[middle] ^ 1]) + body[middle + 1 :]
