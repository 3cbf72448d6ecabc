"""Everything one sandbox holds: time, records, limits, faults, mails, and the calls it received."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sandbox.clock import Clock
from sandbox.deliveries import Deliveries
from sandbox.errors import CalendlyError, too_many_requests
from sandbox.faults import Faults
from sandbox.outbox import Outbox
from sandbox.rate_limits import BOOKING, PER_MINUTE, TOKEN_REQUESTS, Ceiling, Meters, Plan, Reading
from sandbox.records import Invitee, ScheduledEvent, User, WebhookSubscription
from sandbox.seed import seeded_records
from sandbox.shapes import stamp, webhook_payload

RECEIVED_MOST = 20_000

InviteeEvent = Literal["invitee.created", "invitee.canceled"]


@dataclass
class ReceivedCall:
    """One call; `query` is the part behind the question mark; `status` is None while unanswered, and after a drop."""

    time: datetime
    method: str
    path: str
    query: str
    status: int | None = None


@dataclass
class Limits:
    """What a control may change. `per_minute` None means what each person's plan says."""

    per_minute: int | None = None
    retry_after: bool = False
    available_times_days: int = 31


class Sandbox:
    """One Calendly.

    Args:
        clock: its time. The seeded account is laid out around the time it shows.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.deliveries = Deliveries(clock)
        self.reset()

    def reset(self) -> None:
        """Return to how it was at the start: real time, the seeded account, no faults, nothing received or sent."""
        self.clock.reset()
        self.deliveries.forget()
        self.records = seeded_records(self.clock.now())
        self.limits = Limits()
        self.meters = Meters()
        self.faults = Faults()
        self.outbox = Outbox()
        self.received: deque[ReceivedCall] = deque(maxlen=RECEIVED_MOST)
        self.read_lag = timedelta()

    def spend_request(self, user: User | None) -> Reading:
        """Count a call to the API; callers nobody knows share the limit of a Free plan."""
        plan: Plan = "free" if user is None else self.records.organizations[user.organization].plan
        per_minute = Ceiling(self.limits.per_minute or PER_MINUTE[plan], 60)
        return self.meters.spend("requests", "" if user is None else user.id, (per_minute,), self.clock.now())

    def spend_booking(self, user: User) -> Reading:
        """Count a booking call, which has ceilings of its own."""
        plan = self.records.organizations[user.organization].plan
        return self.meters.spend("booking", user.id, BOOKING[plan], self.clock.now())

    def spend_token_request(self, user: str) -> Reading:
        """Count a request for tokens of a person."""
        return self.meters.spend("tokens", user, (TOKEN_REQUESTS,), self.clock.now())

    def too_fast(self, reading: Reading) -> CalendlyError:
        """Return the 429 for a call that found its ceiling reached; Retry-After is sent only when a control says so."""
        retry_after = {"Retry-After": str(reading.reset)} if self.limits.retry_after else {}
        return too_many_requests({**reading.headers, **retry_after})

    def announce(self, happened: InviteeEvent, event: ScheduledEvent, invitee: Invitee) -> None:
        """Send a webhook to each subscription that wants to hear of this."""
        for hook in self.records.webhooks.values():
            if hook.state == "active" and happened in hook.events and self._concerns(hook, event):
                message: dict[str, object] = {
                    "event": happened,
                    "created_at": stamp(self.clock.now()),
                    "created_by": self.records.users[hook.creator].uri,
                    "payload": webhook_payload(self.records, event, invitee),
                }
                self.deliveries.send(hook, message)

    def _concerns(self, hook: WebhookSubscription, event: ScheduledEvent) -> bool:
        if hook.organization != event.organization:
            return False
        if hook.scope == "organization":
            return True
        if hook.scope == "user":
            return hook.subject in event.hosts
        group = self.records.groups.get(hook.subject or "")
        return group is not None and not group.members.isdisjoint(event.hosts)
