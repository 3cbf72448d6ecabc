"""Many bookings and reschedulings, each with something that goes wrong.

A key books once, and no answer denies what was booked. A meeting that is moved is one meeting in the end.

The suite runs thirty of each, which meet every fault; `make soak` runs a thousand (`--bookings`). Ten are under way at
once, each on a day of its own, and what goes wrong meets any of them. It is drawn from their numbers, so that a failure
comes back.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import anyio
import httpx2
import pytest
from mcp import Client

from auth.audit.log import AuditLog
from sandbox.records.scheduled_events import StoredInvitee
from sandbox.serving import RunningSandbox, running
from server.configuration.loading import load
from server.local.late_store import LateStore
from server.local.serving import serving
from tests.audit_log import audit_log_in_memory
from tests.e2e.soak import MovePlan, Plan, arguments_of, move_plan_of, plan_of
from tests.sandbox.api import MONDAY, Api, Json, iso
from tests.server.desk import Answer, call
from tests.virtual_time import VIRTUAL_TIME, Backend

BOOK: Final = "create_event_invitee"
MOVE: Final = "reschedule_scheduled_event"
FINAL: Final = frozenset({"rescheduled", "old_time_booked_again", "unchanged"})
"""Answers after which an agent does not call again."""

MOST_REPEATS: Final = 12
TOGETHER: Final = 10
LATE: Final = 30
"""Seconds after which whatever Calendly does late is done."""


@pytest.fixture(scope="module")
def anyio_backend() -> Backend:
    return VIRTUAL_TIME


@dataclass
class Soak:
    """A server and a sandbox in one virtual time, which begins anew with each booking.

    Attributes:
        calendly: The sandbox.
        api: A plain client of it.
        client: An agent's client.
        outcomes: How the calls ended.
    """

    calendly: RunningSandbox
    api: Api
    client: Client
    outcomes: Counter[str] = field(default_factory=Counter[str])

    def booked(self, plan: Plan) -> list[StoredInvitee]:
        """Find what was booked for the invitee of a plan, whether or not lists show it yet."""
        events = self.calendly.sandbox.records.events.values()
        return [invitee for event in events for invitee in event.invitees if invitee.email == plan.email]

    async def run(self, plans: Sequence[Plan]) -> None:
        """Book as planned, all at once, and repeat each with its key."""
        Epoch.start = asyncio.get_running_loop().time()
        self.calendly.sandbox.reset()
        calls = [arguments_of(plan, await self._free_day(plan, day)) for day, plan in enumerate(plans)]
        await self.api.control("limits", {"per_minute": 100_000})
        for plan in plans:
            for fault in plan.faults:
                await self.api.control("faults", fault)
        await self.api.control("faults", {"read_lag": plans[0].read_lag})
        async with anyio.create_task_group() as group:
            for plan, arguments in zip(plans, calls, strict=True):
                group.start_soon(self._book, plan, arguments)

    async def _free_day(self, plan: Plan, day: int) -> Json:
        """Compose a booking on a working day that no other one of these has."""
        return await self.api.booking(plan.kind, start_time=(await self.free(plan.kind, day))[0])

    async def free(self, kind: str, day: int) -> list[str]:
        """Return the open times of a working day that no other one of these has."""
        monday = MONDAY + timedelta(weeks=day // 4, days=day % 4 + 1)
        return await self.api.slots((await self.api.event_type(kind))["uri"], after=monday, days=1)

    async def _book(self, plan: Plan, arguments: dict[str, Any]) -> None:
        told = await self._at_once(plan, arguments)
        for pause in plan.pauses:
            await anyio.sleep(pause)
            told.append(await self._call(plan, arguments))
        await anyio.sleep(LATE)
        self.outcomes.update(told)
        assert len(self.booked(plan)) <= 1, plan
        assert self.booked(plan) or "answered" not in told, plan

    async def _at_once(self, plan: Plan, arguments: dict[str, Any]) -> list[str]:
        told: list[str] = []

        async def one() -> None:
            with anyio.move_on_after(plan.patience) as patience:
                told.append(await self._call(plan, arguments))
            if patience.cancelled_caught:
                told.append("given up")

        async with anyio.create_task_group() as group:
            for _ in range(plan.together):
                group.start_soon(one)
        return told

    async def _call(self, plan: Plan, arguments: dict[str, Any]) -> str:
        """Call once, and hold the answer against what there is; how the call ended."""
        answer = await call(self.client, BOOK, **arguments)
        booked = self.booked(plan)
        assert len(booked) <= 1, plan
        if answer.kind == "answered":
            assert [answer.content["uri"]] == [invitee.uri for invitee in booked], plan
        elif answer.kind != "outcome_unknown":
            await self._check_refusal(plan, answer)
        return answer.kind

    async def _check_refusal(self, plan: Plan, answer: Answer) -> None:
        """Whoever is told that nothing was booked finds nothing booked, then and later."""
        assert self.booked(plan) == [], (plan, answer.content)
        if plan.together == 1:  # else it is another call with this key that may yet book
            await anyio.sleep(LATE)
            assert self.booked(plan) == [], (plan, answer.content)


@dataclass
class Moves:
    """Reschedulings on the server and the sandbox of `soak`."""

    soak: Soak

    def standing(self, plan: MovePlan) -> int:
        """Count the meetings that the invitee of a plan has."""
        events = self.soak.calendly.sandbox.records.events.values()
        return sum(plan.email in {one.email for one in event.active_invitees} for event in events)

    async def run(self, plans: Sequence[MovePlan]) -> None:
        """Book meetings, and move them as planned, all at once."""
        Epoch.start = asyncio.get_running_loop().time()
        self.soak.calendly.sandbox.reset()
        moves = [await self._booked(plan, day) for day, plan in enumerate(plans)]
        await self.soak.api.control("limits", {"per_minute": 100_000})
        for plan in plans:
            for fault in plan.faults:
                await self.soak.api.control("faults", fault)
        await self.soak.api.control("faults", {"read_lag": plans[0].read_lag})
        async with anyio.create_task_group() as group:
            for plan, arguments in zip(plans, moves, strict=True):
                group.start_soon(self._move, plan, arguments)

    async def _booked(self, plan: MovePlan, day: int) -> dict[str, Any]:
        """Book a meeting; return what an agent moves it with."""
        slots = await self.soak.free(plan.kind, day)
        halves = [iso(datetime.fromisoformat(slot) + timedelta(minutes=30)) for slot in slots]
        pairs = [(slot, half) for slot, half in zip(slots, halves, strict=True) if half in slots]
        first, start = pairs[0] if plan.overlaps else (slots[0], slots[-1])
        invitee = {"name": "Lee", "email": plan.email, "timezone": "America/New_York"}
        places = (await self.soak.api.event_type(plan.kind))["locations"]
        only = {name: places[0][name] for name in ("kind", "location") if name in places[0]} if places else None
        booked = await self.soak.api.book(plan.kind, start_time=first, invitee=invitee, location=only)
        return {"scheduled_event": booked["event"], "start_time": start}

    async def _move(self, plan: MovePlan, arguments: dict[str, Any]) -> None:
        async with anyio.create_task_group() as group:
            for _ in range(plan.together):
                group.start_soon(self._given_up, plan, arguments)
        told, repeats = await self._call(arguments), 0
        while told not in FINAL:
            assert repeats < MOST_REPEATS, (plan, told)
            await anyio.sleep(LATE)
            told, repeats = await self._call(arguments), repeats + 1
        await anyio.sleep(LATE)
        assert self.standing(plan) == 1, (plan, told)
        assert await self._call(arguments) == told or told == "unchanged", plan
        assert self.standing(plan) == 1, (plan, told)

    async def _given_up(self, plan: MovePlan, arguments: dict[str, Any]) -> None:
        with anyio.move_on_after(plan.patience):
            await self._call(arguments)

    async def _call(self, arguments: dict[str, Any]) -> str:
        """Call once; how it ended."""
        answer = await call(self.soak.client, MOVE, **arguments)
        told = str(answer.content["outcome"]) if answer.kind == "answered" else answer.kind
        self.soak.outcomes[told] += 1
        return told


class Epoch:
    """When the running booking began, on the loop's clock: every booking begins on the same Monday."""

    start = 0.0


def now() -> datetime:
    """Tell the time of sandbox and server."""
    return MONDAY + timedelta(seconds=asyncio.get_running_loop().time() - Epoch.start)


@asynccontextmanager
async def recording(_: LateStore) -> AsyncGenerator[AuditLog]:
    """Make a record that keeps to that time."""
    audit_log = audit_log_in_memory(now=now)
    async with audit_log.writing():
        yield audit_log


@pytest.fixture
async def soak() -> AsyncGenerator[Soak]:
    async with running(now=now) as calendly, httpx2.AsyncClient(base_url=calendly.url) as http:
        environ = {
            "CALENDLY_ACCESS_TOKEN": "sandbox-pat-owner",
            "CALENDLY_API_URL": calendly.url,
            "CALENDLY_MCP_DATABASE_URL": "sqlite://",
            "CALENDLY_MCP_BOOKING_LIMITS": "none",
            "CALENDLY_MCP_ACCESS": "canceling=full",
        }
        async with (
            serving(load("stdio", {}, environ=environ), recording, now) as server,
            Client(server.mcp, mode="legacy", read_timeout_seconds=200) as client,
        ):
            yield Soak(calendly, Api(http), client)


# A connection that is made at the very moment its caller gives up is left to the collector (anyio 4, `connect_tcp`).
@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.anyio
async def test_a_key_books_once_and_no_answer_denies_it_whatever_goes_wrong(soak: Soak, bookings: int) -> None:
    for first in range(0, bookings, TOGETHER):
        await soak.run([plan_of(number) for number in range(first, first + TOGETHER)])
    assert {"answered", "outcome_unknown", "given up", "invalid_argument"} <= set(soak.outcomes)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.anyio
async def test_the_same_call_again_finishes_a_rescheduling_whatever_goes_wrong(soak: Soak, bookings: int) -> None:
    for first in range(0, bookings, TOGETHER):
        await Moves(soak).run([move_plan_of(number) for number in range(first, first + TOGETHER)])
    assert {"rescheduled", "outcome_unknown"} <= set(soak.outcomes)
