"""Sends webhooks: signed, in the background, retried with growing pauses for up to a day."""

import asyncio
import hashlib
import hmac
import json
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx2

from sandbox.records.webhooks import StoredWebhookSubscription
from sandbox.state.clock import SandboxClock

# Calendly publishes neither its pauses nor its timeout.
FIRST_PAUSE: Final = timedelta(minutes=1)
LONGEST_PAUSE: Final = timedelta(hours=3)
GIVE_UP_AFTER: Final = timedelta(hours=24)
ANSWER_SECONDS: Final = 10.0

# Reserved names (RFC 2606). Deliveries there succeed without a request.
_NOBODY: Final = (".example", ".invalid", ".test")


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
    """The webhook messages that are being delivered.

    Args:
        clock: Times the retries.
    """

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._client: httpx2.AsyncClient | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, subscription: StoredWebhookSubscription, message: dict[str, object]) -> None:
        """Send a message in the background."""
        body = json.dumps(message, separators=(",", ":")).encode()
        task = asyncio.create_task(self._deliver(subscription, body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def forget(self) -> None:
        """Drop every message not yet delivered."""
        for task in self._tasks:
            task.cancel()

    async def close(self) -> None:
        """Drop every message and close the connections."""
        self.forget()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    async def _deliver(self, subscription: StoredWebhookSubscription, body: bytes) -> None:
        failures = 0
        while subscription.state == "active" and not await self._attempt(subscription, body):
            failures += 1
            self._note_failure(subscription)
            await self._clock.wait_until(self._clock.now() + pause_after(failures))

    def _note_failure(self, subscription: StoredWebhookSubscription) -> None:
        now = self._clock.now()
        if subscription.retry_started_at is None:
            subscription.retry_started_at = now
        if now - subscription.retry_started_at >= GIVE_UP_AFTER:
            subscription.state = "disabled"
            subscription.updated_at = now

    async def _attempt(self, subscription: StoredWebhookSubscription, body: bytes) -> bool:
        """Send once and return whether it succeeded, which only a 2xx is."""
        if (urlsplit(subscription.callback_url).hostname or "").endswith(_NOBODY):
            return True
        headers = {"Content-Type": "application/json"}
        if subscription.signing_key:
            headers["Calendly-Webhook-Signature"] = signature(subscription.signing_key, self._clock.now(), body)
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False, follow_redirects=False)
        try:
            answer = await self._client.post(subscription.callback_url, content=body, headers=headers)
        except httpx2.HTTPError:
            return False
        if answer.is_success:
            subscription.retry_started_at = None
        return answer.is_success
