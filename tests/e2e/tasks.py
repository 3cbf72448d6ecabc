"""What a scripted agent of plain tool calls does tasks with, and what that takes it.

Each task is done with all tools, and with the endpoints alone. What both find or do is the same; the price is not.
"""

import json
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

import toktok  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # the wheel has no types
from mcp import Client

from sandbox.state.sandbox import Sandbox

Content = dict[str, Any]
Rows = list[Content]

BERLIN: Final = ZoneInfo("Europe/Berlin")
COLLEAGUES: Final = ("priya@northlight.example", "jonas@northlight.example")
TOMAS: Final = "tomas@northlight.example"
LEE: Final = {"name": "Lee Park", "email": "lee@acme.example", "timezone": "America/New_York"}
TOPIC: Final = "What would you like to talk about?"


@dataclass
class Agent:
    """An agent that calls tools, and what that costs.

    Attributes:
        client: Its connection.
        sandbox: What the server takes for Calendly.
        today: The person's date.
        calls: How many tools it called.
        tokens: What it wrote and read, in o200k tokens.
        largest: The tokens of its largest answer.
        failures: The kinds of errors that it met.
    """

    client: Client
    sandbox: Sandbox
    today: date
    calls: int = 0
    tokens: int = 0
    largest: int = 0
    failures: list[str] = field(default_factory=list[str])

    async def __call__(self, name: str, /, **arguments: object) -> Content:
        """Call a tool; the structured content of its answer."""
        result = await self.client.call_tool(name, arguments)
        text = "".join(getattr(part, "text", "") for part in result.content)
        self.calls += 1
        asked, answered = toktok.batch_count([json.dumps({"name": name, "arguments": arguments}), text], "o200k_base")
        self.tokens += asked + answered
        self.largest = max(self.largest, answered)
        content: Content = dict(result.structured_content or {})
        if result.is_error:
            self.failures.append(content["error"]["kind"])
        return content

    async def rows(self, name: str, /, **arguments: object) -> Rows:
        """Call a tool that answers a list."""
        return list((await self(name, **arguments))["collection"])

    def day(self, away: int) -> date:
        """A working day, so many from today."""
        day = self.today
        while away:
            day += timedelta(days=1)
            away -= day.weekday() < 5
        return day

    def span(
        self, first: date, days: int, start: str = "min_start_time", end: str = "max_start_time"
    ) -> dict[str, str]:
        """Some days as the arguments of a list."""
        return {start: f"{first}T00:00", end: f"{first + timedelta(days=days)}T00:00"}

    def ahead(self, first: date, days: int) -> dict[str, str]:
        """Some days to come, as arguments."""
        return self.span(first, days, "start_time", "end_time")


Script = Callable[[Agent], Awaitable[object]]


@dataclass(frozen=True, kw_only=True)
class Task:
    """A task.

    Attributes:
        words: As a person says it.
        freely: Done with all tools; gives what was found or done.
        plainly: Done with the endpoints alone, by the parameters that they have at Calendly.
        who: Whose agent does it: the fixed token of the sandbox.
    """

    words: str
    freely: Script
    plainly: Script
    who: Literal["owner", "untidy"] = "owner"


def by_name(people: Iterable[Content]) -> list[tuple[str, str]]:
    """Who comes, and what they answered to the first question."""
    return sorted(
        (person["name"], next((pair["answer"] for pair in person.get("questions_and_answers", [])), ""))
        for person in people
    )


def instants(slots: Iterable[Content], zone: ZoneInfo = BERLIN) -> list[datetime]:
    """The starts of lean open times."""
    return [
        datetime.fromisoformat(f"{row['date']}T{time}").replace(tzinfo=zone) for row in slots for time in row["times"]
    ]


def starts(rows: Iterable[Content]) -> list[datetime]:
    """The starts of meeting times."""
    return [datetime.fromisoformat(row["start_time"]) for row in rows]


async def meetings_of(agent: Agent, **which: object) -> Rows:
    """All meetings of a time in their order, by the endpoints."""
    return await agent.rows("list_scheduled_events", count=100, max_pages=5, sort="start_time:asc", **which)


async def invitees_of(agent: Agent, meeting: Content, **which: object) -> Rows:
    """Everybody who booked a meeting, by the endpoints; nobody where they may not be read."""
    rows: Rows = []
    page: dict[str, object] = {"count": 50}
    while True:
        found = await agent("list_event_invitees", scheduled_event=meeting["uri"], **which, **page)
        rows += found.get("collection", [])
        token = found.get("pagination", {}).get("next_page_token")
        if token is None:
            return rows
        page["page_token"] = token


async def everybody(agent: Agent, **which: object) -> list[tuple[Content, Rows]]:
    """All meetings of a time with those who booked them, by the endpoints."""
    return [(meeting, await invitees_of(agent, meeting)) for meeting in await meetings_of(agent, **which)]


async def free_alike(
    agent: Agent, people: Sequence[str], days: dict[str, str], minutes: int, zone: ZoneInfo = BERLIN
) -> set[datetime]:
    """When all of some people work and are free, by the endpoints: every half hour."""
    common: set[datetime] | None = None
    for person in people:
        schedules = await agent.rows("list_user_availability_schedules", user=person)
        busy = await agent.rows("list_user_busy_times", user=person, detail="full", **days)
        free = set(_free(next(one for one in schedules if one.get("default")), busy, days, minutes, zone))
        common = free if common is None else common & free
    return common or set()


def _free(schedule: Content, busy: Rows, days: dict[str, str], minutes: int, own: ZoneInfo) -> Iterable[datetime]:
    zone, length = ZoneInfo(schedule["timezone"]), timedelta(minutes=minutes)
    taken = [
        tuple(datetime.fromisoformat(row.get(f"buffered_{end}") or row[end]) for end in ("start_time", "end_time"))
        for row in busy
    ]
    moment, end = (
        datetime.fromisoformat(text).replace(tzinfo=own).astimezone(ZoneInfo("UTC")) for text in days.values()
    )
    while moment < end:
        if _works(schedule, moment.astimezone(zone), (moment + length).astimezone(zone)) and not any(
            first < moment + length and moment < last for first, last in taken
        ):
            yield moment
        moment += timedelta(minutes=30)


def _works(schedule: Content, begins: datetime, ends: datetime) -> bool:
    rules = {rule.get("date") or rule["wday"]: rule["intervals"] for rule in schedule["rules"]}
    intervals = rules.get(begins.date().isoformat(), rules.get(begins.strftime("%A").lower(), []))
    clock = f"{begins:%H:%M}", f"{ends:%H:%M}"
    return any(one["from"] <= clock[0] and clock[1] <= one["to"] for one in intervals if clock[0] < clock[1])


async def meeting_of(agent: Agent, name: str) -> Content:
    """The coming meeting of somebody, by the endpoints: one has to look at one after the other."""
    meetings = await agent.rows(
        "list_scheduled_events", status="active", sort="start_time:asc", count=100, **agent.span(agent.day(1), 30)
    )
    for meeting in meetings:
        people = await agent.rows("list_event_invitees", scheduled_event=meeting["uri"])
        if any(name in person["name"] for person in people):
            return meeting
    raise LookupError(name)


async def found_booking(agent: Agent, name: str) -> Content:
    """The same with all tools."""
    span = agent.ahead(agent.day(1), 30)
    return (await agent.rows("find_bookings", invitee_name=name, status="active", count=1, **span))[0]
