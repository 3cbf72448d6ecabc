import contextlib
import re
from datetime import UTC, datetime, timedelta

import pytest

from calendly.errors import NotFound
from calendly.ranges import Cap
from tests.sandbox.api import MONDAY, Api, iso
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError

START = MONDAY + timedelta(hours=1)


async def test_open_times_of_a_week_are_what_calendly_lists(agent: Agent, api: Api) -> None:
    event_type = (await api.event_type("Intro call"))["uri"]
    times = await agent.call(
        "list_event_type_available_times",
        event_type=event_type,
        start_time=iso(START),
        end_time=iso(START + timedelta(days=7)),
    )
    assert [row["start_time"] for row in times["collection"]] == await api.slots(event_type, after=START)
    assert "pagination" not in times


async def test_a_quarter_of_a_year_is_one_answer_in_order_and_without_doubles(agent: Agent, api: Api) -> None:
    event_type = (await api.event_type("Intro call"))["uri"]
    end = START + timedelta(days=90)
    times = await agent.call(
        "list_event_type_available_times", event_type=event_type, start_time=iso(START), end_time=iso(end)
    )
    starts = [row["start_time"] for row in times["collection"]]
    assert starts == sorted(set(starts))
    sent = [(request.query["start_time"], request.query["end_time"]) for request in agent.sent]
    assert len(sent) == 3
    assert sent[0][0] == iso(START)
    assert sent[-1][1] == iso(end)
    assert [end for _, end in sent[:-1]] == [start for start, _ in sent[1:]]
    await api.control("limits", {"available_times_days": 366})
    assert starts == await api.slots(event_type, after=START - timedelta(minutes=1), days=90)


@pytest.mark.requirement("available-times-days")
async def test_where_calendly_takes_only_seven_days_that_is_learned_once(agent: Agent, api: Api) -> None:
    event_type = (await api.event_type("Intro call"))["uri"]
    await api.control("limits", {"available_times_days": 7})
    arguments = {"event_type": event_type, "start_time": iso(START), "end_time": iso(START + timedelta(days=14))}
    first = await agent.call("list_event_type_available_times", **arguments)
    assert [request.query["end_time"] for request in agent.sent][1:] == [
        iso(START + timedelta(days=7)),
        iso(START + timedelta(days=14)),
    ]
    agent.sent.clear()
    assert await agent.call("list_event_type_available_times", **arguments) == first
    assert len(agent.sent) == 2


@pytest.mark.parametrize("name", ["list_event_type_available_times", "list_user_busy_times"])
async def test_a_range_that_began_is_answered_from_now_on_and_says_so(agent: Agent, api: Api, name: str) -> None:
    about = {"event_type": (await api.event_type("Intro call"))["uri"]} if "event_type" in name else {"user": "me"}
    for today in (
        {"start_time": "2026-11-23", "end_time": "2026-11-23"},
        {"start_time": "2026-11-23T00:00", "end_time": "2026-11-24T00:00"},
    ):
        found = await agent.call(name, **about, **today)
        assert (agent.sent[-1].query["start_time"], agent.sent[-1].query["end_time"]) == (
            iso(MONDAY + timedelta(minutes=1)),
            "2026-11-23T23:00:00Z",
        )
        assert "began in the past" in found["searched"]["note"]
        assert datetime.fromisoformat(found["searched"]["start_time"]) == MONDAY + timedelta(minutes=1)
        assert bool(found["collection"]) == ("empty_because" not in found)


@pytest.mark.parametrize("name", ["list_event_type_available_times", "list_user_busy_times"])
async def test_a_day_is_whole_in_the_zone_also_when_clocks_change(agent: Agent, name: str) -> None:
    about = {"event_type": "b7e2c4d1-93af-4f08-8e65-1a2b3c4d5e6f"} if "event_type" in name else {}
    with contextlib.suppress(NotFound):
        await agent.call(name, start_time="2027-03-14", end_time="2027-03-14", timezone="america/new_york", **about)
    asked = agent.sent[-1].query
    assert (asked["start_time"], asked["end_time"]) == ("2027-03-14T05:00:00Z", "2027-03-15T04:00:00Z")


async def test_where_none_is_open_the_nearest_open_times_are_told(agent: Agent, api: Api) -> None:
    kind = (await api.event_type("Intro call"))["uri"]

    async def why(start: str, end: str) -> str:
        found = await agent.call("list_event_type_available_times", event_type=kind, start_time=start, end_time=end)
        assert found["collection"] == []
        return str(found["empty_because"])

    slots = [datetime.fromisoformat(slot) for slot in await api.slots(kind, days=14)]
    after_the_weekend = iso(min(slot for slot in slots if slot > datetime(2026, 11, 29, tzinfo=UTC)))
    agent.sent.clear()
    at_the_weekend = await why("2026-11-28", "2026-11-29")
    assert f"next open time after it is {after_the_weekend}" in at_the_weekend
    assert "Its host has no working hours then (by the hours of the event type, in Europe/Berlin)." in at_the_weekend
    asked = [request.path.split("/")[1] for request in agent.sent if request.path != "/users/me"]
    assert asked == [*["event_type_available_times", "event_types", "event_type_availability_schedules"], asked[0]]
    await api.fail("/event_type_availability_schedules", status=404, times=2)
    assert "(by the default schedule, in Europe/Berlin). None is open" in await why("2026-11-28", "2026-11-29")
    agent.off = {"event_types"}
    assert (await why("2026-11-28", "2026-11-29")).startswith("None is open in that range. The next open time after")
    agent.off = set()
    assert re.search(
        r"last open time before it is 2027-01-2\d.*bookable further ahead", await why("2027-02-15", "2027-02-16")
    )
    assert re.search(r"last open time before it is .*bookable further ahead", await why("2027-10-01", "2027-10-02"))
    await api.fail("/event_type_available_times", status=200, times=9, body={"collection": []})
    assert "switched off" in await why("2026-12-01", "2026-12-02")


@pytest.mark.parametrize("days", [8, 14, 31, 60])
async def test_an_account_that_quietly_answers_seven_days_is_asked_for_the_rest_and_that_is_learned(
    agent: Agent, api: Api, days: int
) -> None:
    arguments = {
        "event_type": (await api.event_type("Intro call"))["uri"],
        "start_time": iso(START),
        "end_time": iso(START + timedelta(days=days)),
    }
    whole = await agent.call("list_event_type_available_times", **arguments)
    agent.available_times_cap = Cap(31)
    await api.control("limits", {"available_times_days": 7, "available_times_quietly": True})
    assert await agent.call("list_event_type_available_times", **arguments) == whole
    assert agent.available_times_cap.days == 7
    agent.sent.clear()
    assert await agent.call("list_event_type_available_times", **arguments) == whole
    assert len(agent.sent) == -(-days // 7)


async def test_busy_times_of_a_month_are_one_answer_without_doubles(agent: Agent) -> None:
    busy = await agent.call("list_user_busy_times", start_time=iso(START), end_time=iso(START + timedelta(days=30)))
    rows = busy["collection"]
    assert {"calendly", "external", "reserved"} == {row["type"] for row in rows}
    assert rows == sorted(rows, key=lambda row: row["start_time"])
    assert len({str(row) for row in rows}) == len(rows)
    spans = [request for request in agent.sent if request.endpoint.path == "/user_busy_times"]
    assert len(spans) == 5


async def test_an_admin_sees_when_a_member_is_busy(agent: Agent, api: Api) -> None:
    priya = (await api.me("member"))["uri"]
    busy = await agent.call(
        "list_user_busy_times", user=priya, start_time=iso(START), end_time=iso(START + timedelta(days=7))
    )
    assert busy["collection"]
    assert agent.sent[-1].query["user"] == priya


@pytest.mark.parametrize("name", ["list_event_type_available_times", "list_user_busy_times"])
@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        ("2026-12-02T00:00:00Z", "2026-12-01T00:00:00Z", "end_time: Must be after start_time"),
        ("2026-12-02T00:00:00Z", "2026-12-02T00:00:00Z", "end_time: Must be after start_time"),
        ("2026-12-02T00:00:00Z", "2027-12-04T00:00:00Z", "end_time: Must be within 366 days of start_time"),
        ("next monday", "2026-12-02T00:00:00Z", "start_time: Expected an ISO 8601 time .* 2026-12-01, today, tomorrow"),
        ("2026-12-01Z", "2026-12-02Z", "start_time: Expected an ISO 8601 time"),
        ("2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z", "end_time: Must be in the future"),
    ],
)
async def test_a_range_that_cannot_be_asked_for_is_refused_before_it_is_sent(
    agent: Agent, name: str, start: str, end: str, message: str
) -> None:
    event_type = {"event_type": "b7e2c4d1-93af-4f08-8e65-1a2b3c4d5e6f"} if "event_type" in name else {}
    with pytest.raises(ArgumentError, match=message):
        await agent.call(name, start_time=start, end_time=end, **event_type)
    assert agent.sent == []


async def test_times_without_offset_are_in_the_persons_own_zone_on_days_when_clocks_change(agent_of: AgentOf) -> None:
    agent = agent_of("admin")  # New York, where clocks go forward on 14 March 2027
    await agent.call("list_user_busy_times", start_time="2027-03-13T12:00:00", end_time="2027-03-14T12:00:00")
    asked = agent.sent[-1].query
    assert (asked["start_time"], asked["end_time"]) == ("2027-03-13T17:00:00Z", "2027-03-14T16:00:00Z")
    start, end = (datetime.fromisoformat(str(asked[name])) for name in ("start_time", "end_time"))
    assert end - start == timedelta(hours=23)


async def test_schedules_are_the_persons_own_unless_said_otherwise(agent: Agent, api: Api) -> None:
    mine = await agent.call("list_user_availability_schedules")
    assert {row["name"] for row in mine["collection"]} == {"Working hours", "Mornings"}
    theirs = await agent.call("list_user_availability_schedules", user=(await api.me("member"))["uri"])
    assert [row["timezone"] for row in theirs["collection"]] == ["Asia/Kolkata"]


async def test_a_schedule_shows_its_hours_even_by_the_uri_that_calendlys_examples_print(agent: Agent) -> None:
    listed = (await agent.call("list_user_availability_schedules"))["collection"][0]
    singular = listed["uri"].replace("user_availability_schedules", "user_availability_schedule")
    schedule = await agent.call("get_user_availability_schedule", schedule=singular)
    assert schedule == listed
    monday = next(rule for rule in schedule["rules"] if rule.get("wday") == "monday")
    assert monday["intervals"][0] == {"from": "09:00", "to": "12:00"}
