from typing import Any

import pytest

from calendly.errors import InvalidArgument
from tests.sandbox.api import Api
from tests.tools.agent import Agent
from tools.toolset.errors import ArgumentError
from tools.working_hours import WEEKDAYS

HOURS: Any = ["13:00-17:00", {"from": "09:00", "to": "12:00"}]
WEEK: list[dict[str, Any]] = [
    {"type": "wday", "wday": day, "intervals": [] if day in {"saturday", "sunday"} else HOURS} for day in WEEKDAYS
]


async def test_a_schedule_is_created_and_changed_as_a_whole(agent: Agent, api: Api) -> None:
    made = await agent.call("create_user_availability_schedule", name="Summer", timezone="Europe/Rome", rules=WEEK)
    assert (made["name"], made["default"]) == ("Summer", False)
    assert made["rules"][1]["intervals"] == [{"from": "09:00", "to": "12:00"}, {"from": "13:00", "to": "17:00"}]
    holiday: dict[str, Any] = {"type": "date", "date": "2026-12-24", "intervals": []}
    update: dict[str, Any] = {
        "schedule": made["uri"],
        "rules": [*WEEK, holiday],
        "timezone": "Asia/Tokyo",
        "default": True,
    }
    changed = await agent.call("update_user_availability_schedule", **update)
    assert (changed["rules"][-1], changed["timezone"], changed["default"]) == (holiday, "Asia/Tokyo", True)
    rows = await api.read("/user_availability_schedules", user=(await api.me())["uri"])
    assert [row["name"] for row in rows if row["default"]] == ["Summer"]
    for rules, wrong in ((WEEK[1:], "monday is missing"), ([*WEEK, WEEK[1]], "tuesday is there twice")):
        with pytest.raises(ArgumentError, match=f"no intervals: {wrong}"):
            await agent.call("update_user_availability_schedule", **{**update, "rules": rules})
    with pytest.raises(InvalidArgument):
        await agent.call("update_user_availability_schedule", schedule=made["uri"], default=False)
    with pytest.raises(ArgumentError, match="Nothing to change"):
        await agent.call("update_user_availability_schedule", schedule=made["uri"])


async def test_an_event_type_gets_hours_of_its_own(agent: Agent, api: Api) -> None:
    kind = "Intro call"
    (before,) = (await agent.call("list_event_type_availability_schedules", event_type=kind))["collection"]
    assert before["availability_rule"]["name"] == "Working hours"
    rule: dict[str, Any] = {
        "timezone": "Europe/Berlin",
        "rules": [{**one, "intervals": []} for one in WEEK],
        "user": "me",
    }
    own = await agent.call("update_event_type_availability_schedules", event_type=kind, availability_rule=rule)
    assert own["availability_rule"].get("uri") is None
    assert await api.slots((await api.event_type(kind))["uri"]) == []
    (after,) = (await agent.call("list_event_type_availability_schedules", event_type=kind))["collection"]
    assert after == own


async def test_the_questions_say_what_replaces_what(agent: Agent, api: Api) -> None:
    made: dict[str, Any] = {"name": "Summer", "timezone": "Europe/Rome", "rules": WEEK}
    weekly = (
        "All weekly hours from now on: Monday 09:00-12:00, 13:00-17:00, Tuesday 09:00-12:00, 13:00-17:00, "
        "Wednesday 09:00-12:00, 13:00-17:00, Thursday 09:00-12:00, 13:00-17:00, Friday 09:00-12:00, 13:00-17:00, "
        "Saturday no hours and Sunday no hours\n"
        "All dates with other hours: none"
    )
    assert await agent.ask("create_user_availability_schedule", **made) == (
        "Create an availability schedule. No event type uses it yet.\n"
        "Name (typed by the agent): \u201cSummer\u201d\n"
        f"Time zone (typed by the agent): \u201cEurope/Rome\u201d\n{weekly}"
    )
    (schedule, _) = await api.read("/user_availability_schedules", user=(await api.me())["uri"])
    change: dict[str, Any] = {"schedule": schedule["uri"], "default": True, "name": "Winter", "timezone": "Europe/Rome"}
    assert await agent.ask("update_user_availability_schedule", **change) == (
        "Change an availability schedule. Every event type that uses it changes with it.\n"
        "Schedule: \u201cWorking hours\u201d\n"
        "New name (typed by the agent): \u201cWinter\u201d\n"
        "New time zone (typed by the agent): \u201cEurope/Rome\u201d\n"
        "Default: yes, in place of the present one"
    )
    rule: dict[str, Any] = {"timezone": "Europe/Rome", "user": "me", "rules": WEEK}
    assert await agent.ask(
        "update_event_type_availability_schedules", event_type="Intro call", availability_rule=rule
    ) == (
        "Give an event type hours of its own. Other event types stay as they are. The event type then has hours of its "
        "own, and changes of its schedule reach it no more. An undo gives the hours back, not that link: a person "
        "makes it at calendly.com, in the Availability section of the event type.\n"
        "Event type: \u201cIntro call\u201d\n"
        f"Whose hours: you\nTime zone (typed by the agent): \u201cEurope/Rome\u201d\n{weekly}"
    )
    assert await agent.ask("update_user_meeting_limits", daily_limit=4, no_limit=["weekly_limit"]) == (
        "Change how many meetings can be booked. Meetings that are booked stay.\n"
        "Whose: you\nMost meetings a day: 4\nA week: no limit"
    )
