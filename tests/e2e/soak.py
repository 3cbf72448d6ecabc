"""What can go wrong with a booking or a rescheduling, drawn from a seed: before, while and after Calendly acts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from tests.sandbox.api import Json

BOOKING: Final = "/invitees"

Fault = Mapping[str, Any]

BEFORE: Final[Sequence[Fault]] = [
    {"drop": True},
    {"status": 500},
    {"status": 503, "body": "<html>"},
    {"status": 400, "body": {"title": "Invalid Argument", "message": "No."}},
    {"status": 403, "body": {"title": "Permission Denied"}},
    {"status": 429, "headers": {"Retry-After": "1"}},
    {"status": 429, "headers": {"Retry-After": "1"}, "times": 5},
    {"delay": 20, "status": 502},
    {"delay": 40, "drop": True},
]
"""What keeps Calendly from acting, whether or not that can be known."""

DURING: Final[Sequence[Fault]] = [{"delay": 5}, {"delay": 29}, {"delay": 31}, {"delay": 45}]
"""Calendly acts, in time or after everybody has given up."""

AFTER: Final[Sequence[Fault]] = [
    {"drop": "after"},
    {"delay": 10, "drop": "after"},
    {"status": 500, "after": True},
    {"status": 504, "after": True, "body": ""},
    {"status": 302, "after": True, "body": ""},
    {"status": 201, "after": True, "body": '{"resource": {"uri": "https://api.cal'},
    {"status": 201, "after": True, "body": {"resource": []}},
    {"status": 204, "after": True},
    {"delay": 25, "status": 201, "after": True, "body": {}},
]
"""Calendly has acted, and the answer is lost or cut short."""

READS: Final[Sequence[Fault]] = [
    {"path": "/scheduled_events", "status": 500},
    {"path": "/scheduled_events", "status": 403, "body": {"title": "Permission Denied"}},
    {"path": "/scheduled_events", "delay": 20},
    {"path": "/scheduled_events", "status": 200, "body": '{"collection": [{"uri": "htt'},
    {"path": "/scheduled_events", "status": 200, "body": {"collection": []}},
    {"path": "/scheduled_events/*/invitees", "drop": True},
    {"path": "/event_types/*", "status": 503},
    {"path": "/event_type_available_times", "status": 500},
    {"path": "/event_type_available_times", "delay": 20},
    {"path": "/users/me", "drop": True},
]
"""What keeps a booking from being looked into, or found."""

ACTING: Final = (*BEFORE, *DURING, *AFTER)


@dataclass(frozen=True, slots=True)
class Plan:
    """One booking and what goes wrong with it.

    Attributes:
        number: Which one it is.
        kind: The name of its event type.
        faults: What the sandbox is told to do, in its order.
        read_lag: Seconds until lists show the booking.
        together: How many calls carry the key at once.
        patience: Seconds after which the client gives up the first call; None where it never does.
        pauses: Seconds before each repeat.
    """

    number: int
    kind: str
    faults: tuple[Fault, ...]
    read_lag: int
    together: int
    patience: float | None
    pauses: tuple[int, ...]

    @property
    def key(self) -> str:
        """Its idempotency key."""
        return f"key {self.number}"

    @property
    def email(self) -> str:
        """Its invitee, of whom there is no other booking."""
        return f"lee-{self.number}@acme.example"


def plan_of(number: int) -> Plan:
    """Draw the plan of a number, always the same; any run of 24 numbers meets each fault, and none."""
    random = Random(number)  # noqa: S311 - it has to come out the same every time
    acting = (*ACTING, None, None)[number % (len(ACTING) + 2)]
    faults = [{"method": "POST", "path": BOOKING, **acting}] if acting else []
    reads = (READS[number % len(READS)], random.choice(READS))
    faults += [{"method": "GET", "times": random.choice((1, 2, 9)), **read} for read in reads]
    return Plan(
        number=number,
        kind=random.choice(("Intro call", "Deep dive", "Product workshop", "Support triage", "Morning coffee")),
        faults=tuple(faults),
        read_lag=random.choice((0, 0, 2, 10, 60)),
        together=random.choice((1, 1, 1, 2, 3)),
        patience=random.choice((None, None, None, 0.5, 4.0, 31.0)),
        pauses=tuple(random.choice((0, 3, 20)) for _ in range(random.randrange(1, 4))),
    )


def arguments_of(plan: Plan, body: Json) -> dict[str, Any]:
    """Return what the agent calls with: a booking that nothing is wrong with, and its key."""
    return {**body, "invitee": {**body["invitee"], "email": plan.email}, "idempotency_key": plan.key}


CANCELING: Final = "/scheduled_events/*/cancellation"

MOVES: Final[Sequence[Fault]] = [
    *({"method": "POST", "path": BOOKING, **fault} for fault in ACTING),
    *({"method": "POST", "path": CANCELING, **fault} for fault in ACTING),
    *({"method": "GET", **fault} for fault in READS),
    {"method": "GET", "path": "/scheduled_events/*", "status": 500, "times": 3},
    {"method": "GET", "path": "/scheduled_events/*", "drop": True},
    {"method": "GET", "path": "/scheduled_events/*", "status": 403, "body": "<html>"},
    {"method": "GET", "path": "/user_busy_times", "status": 424},
    {"method": "GET", "path": "/user_availability_schedules", "delay": 20},
]
"""A fault at every point of a rescheduling."""


KINDS_MOVED: Final = ("Intro call", "Deep dive", "Morning coffee", "Board briefing")


@dataclass(frozen=True, slots=True)
class MovePlan:
    """One rescheduling and what goes wrong with it.

    Attributes:
        number: Which one it is.
        kind: The name of its event type.
        overlaps: The new time overlaps the old one.
        faults: What the sandbox is told to do, in its order.
        read_lag: Seconds until lists show a booking.
        together: How many calls move it at once.
        patience: Seconds after which the client gives up the first call; None where it never does.
    """

    number: int
    kind: str
    overlaps: bool
    faults: tuple[Fault, ...]
    read_lag: int
    together: int
    patience: float | None

    @property
    def email(self) -> str:
        """Its invitee, who has no other meeting."""
        return f"move-{self.number}@acme.example"


def move_plan_of(number: int) -> MovePlan:
    """Draw the plan of a number, always the same; any run of 30 numbers meets each fault."""
    random = Random(f"move {number}")  # noqa: S311 - it has to come out the same every time
    overlaps = random.random() < 0.3
    others = [random.choice(MOVES) for _ in range(random.choice((0, 0, 1)))]
    return MovePlan(
        number=number,
        kind="Deep dive" if overlaps else random.choice(KINDS_MOVED),
        overlaps=overlaps,
        faults=(MOVES[number % len(MOVES)], MOVES[(number + 30) % len(MOVES)], *others),
        read_lag=random.choice((0, 0, 2, 10, 60)),
        together=random.choice((1, 1, 1, 2)),
        patience=random.choice((None, None, None, 0.5, 4.0, 31.0)),
    )
