"""The state of one sandbox: clock, records, rate limits, faults, mails, and the requests it received."""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sandbox.errors import ApiError, too_many_requests
from sandbox.records.as_json import JsonObject, event_type_payload, stamp, webhook_payload
from sandbox.records.contacts import StoredContact
from sandbox.records.credentials import StoredAccessToken
from sandbox.records.event_types import StoredEventType
from sandbox.records.meeting_recaps import StoredMeetingRecap
from sandbox.records.people import Plan, StoredUser
from sandbox.records.routing_forms import StoredSubmission
from sandbox.records.routing_forms_as_json import submission_json
from sandbox.records.scheduled_events import StoredInvitee, StoredScheduledEvent
from sandbox.records.webhooks import StoredWebhookSubscription
from sandbox.seed.account import UNTIDY_TOKEN, seeded_records
from sandbox.seed.untidy import add_untidy
from sandbox.state.clock import SandboxClock
from sandbox.state.deliveries import Deliveries
from sandbox.state.faults import Faults
from sandbox.state.outbox import Outbox
from sandbox.state.rate_limits import BOOKING, PER_MINUTE, TOKEN_REQUESTS, CallLimit, Meters, Reading

RECEIVED_MOST: Final = 20_000

ContactEvent = Literal["contact.created", "contact.updated", "contact.deleted"]
EventTypeEvent = Literal["event_type.created", "event_type.updated"]
InviteeEvent = Literal["invitee.created", "invitee.canceled", "invitee_no_show.created", "invitee_no_show.deleted"]
RecapEvent = Literal["meeting_recap.updated", "meeting_recap.deleted"]


@dataclass
class ReceivedCall:
    """One request that the sandbox received.

    Attributes:
        time: When it arrived.
        method: The HTTP method.
        path: The path, redacted.
        query: The part after the question mark, redacted.
        status: The status of the response; None before it, and when the connection was dropped.
    """

    time: datetime
    method: str
    path: str
    query: str
    status: int | None = None


@dataclass
class LimitSettings:
    """The limits that a control sets.

    Attributes:
        per_minute: Requests per minute and user; None follows the plan of the organization.
        retry_after: Whether a 429 carries `Retry-After`.
        available_times_days: The longest range of one request for available times.
        available_times_quietly: A longer range is cut to it, and not refused.
    """

    per_minute: int | None = None
    retry_after: bool = False
    available_times_days: int = 31
    available_times_quietly: bool = False


class Sandbox:
    """The state of one sandbox.

    Args:
        clock: Its clock. The meetings of the seeded account lie around its time.
    """

    def __init__(self, clock: SandboxClock) -> None:
        self.clock = clock
        self.deliveries = Deliveries(clock)
        self.reset()

    def reset(self) -> None:
        """Return to the initial state: real time, the seeded account, no faults, nothing received or sent."""
        self.clock.reset()
        self.deliveries.forget()
        self._seeded_at = self.clock.now()
        self.records = seeded_records(self._seeded_at)
        self.limits = LimitSettings()
        self.meters = Meters()
        self.faults = Faults()
        self.outbox = Outbox()
        self.received: deque[ReceivedCall] = deque(maxlen=RECEIVED_MOST)
        self.read_lag = timedelta()

    def access_token(self, value: str) -> StoredAccessToken | None:
        """Return an access token; None where it is unknown. The first use of the untidy one adds its organization."""
        if value == UNTIDY_TOKEN and value not in self.records.access_tokens:
            add_untidy(self.records, self._seeded_at)
        return self.records.access_tokens.get(value)

    def spend_request(self, user: StoredUser | None) -> Reading:
        """Count an API request. Requests without a known token share the limit of a Free plan."""
        plan: Plan = "free" if user is None else self.records.organizations[user.organization].plan
        per_minute = CallLimit(self.limits.per_minute or PER_MINUTE[plan], 60)
        return self.meters.spend("requests", "" if user is None else user.id, (per_minute,), self.clock.now())

    def spend_booking(self, user: StoredUser) -> Reading:
        """Count a booking, which has rate limits of its own."""
        plan = self.records.organizations[user.organization].plan
        return self.meters.spend("booking", user.id, BOOKING[plan], self.clock.now())

    def spend_token_request(self, user: str) -> Reading:
        """Count a request for tokens of a user."""
        return self.meters.spend("tokens", user, (TOKEN_REQUESTS,), self.clock.now())

    def too_fast(self, reading: Reading) -> ApiError:
        """Return the 429 for a reached limit.

        It carries `Retry-After` only where a control asks for it.
        """
        retry_after = {"Retry-After": str(reading.reset)} if self.limits.retry_after else {}
        return too_many_requests({**reading.headers, **retry_after})

    def announce(self, name: InviteeEvent, event: StoredScheduledEvent, invitee: StoredInvitee) -> None:
        """Send a webhook about an invitee to every subscription that covers the event."""
        self._send(name, event.organization, event.hosts, webhook_payload(self.records, event, invitee))

    def announce_contact(self, name: ContactEvent, contact: StoredContact, shown: JsonObject) -> None:
        """Send a webhook about a contact to every subscription that covers whose it is."""
        owner = self.records.users[contact.owner]
        self._send(name, owner.organization, (owner.id,), {"user_uuid": owner.id, "contact": shown})

    def announce_event_type(self, name: EventTypeEvent, kind: StoredEventType) -> None:
        """Send a webhook about an event type to every subscription that covers its owner or a host."""
        self._send(name, kind.organization, (kind.owner, *kind.hosts), event_type_payload(self.records, kind))

    def announce_recap(self, name: RecapEvent, recap: StoredMeetingRecap, shown: JsonObject) -> None:
        """Send a webhook about a meeting recap to every subscription that covers whose it is."""
        owner = self.records.users[recap.user]
        self._send(name, owner.organization, (owner.id,), {"event": recap.event_uri, "recap": shown})

    def announce_submission(self, submission: StoredSubmission) -> None:
        """Send a webhook about what somebody answered in a routing form to the organization's subscriptions."""
        organization = self.records.routing_forms[submission.form].organization
        payload = submission_json(self.records, submission)
        self._send("routing_form_submission.created", organization, (), payload)

    def _send(self, name: str, organization: str, people: Iterable[str], payload: JsonObject) -> None:
        for hook in self.records.webhooks.values():
            if hook.state == "active" and name in hook.events and self._concerns(hook, organization, set(people)):
                message: dict[str, object] = {
                    "event": name,
                    "created_at": stamp(self.clock.now()),
                    "created_by": self.records.users[hook.creator].uri,
                    "payload": payload,
                }
                self.deliveries.send(hook, message)

    def _concerns(self, hook: StoredWebhookSubscription, organization: str, people: Collection[str]) -> bool:
        if hook.organization != organization:
            return False
        if hook.scope == "organization":
            return True
        if hook.scope == "user":
            return hook.subject in people
        group = self.records.groups.get(hook.subject or "")
        return group is not None and not group.members.isdisjoint(people)
