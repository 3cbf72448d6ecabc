from datetime import datetime, timedelta

import pytest

from calendly.errors import InvalidArgument
from tests.sandbox.api import MONDAY, Api, iso
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError

pytestmark = pytest.mark.anyio

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


async def test_a_past_start_is_calendlys_refusal_with_its_details(agent: Agent, api: Api) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await agent.call(
            "list_event_type_available_times",
            event_type=(await api.event_type("Intro call"))["uri"],
            start_time=iso(MONDAY - timedelta(days=1)),
            end_time=iso(MONDAY + timedelta(days=1)),
        )
    assert refused.value.details[0].get("parameter") == "start_time"


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
        ("tomorrow", "2026-12-02T00:00:00Z", "start_time: Expected an ISO 8601 time"),
        ("2026-12-01T00:00:00Z", "2026-12-02", "end_time: This is only a date"),
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
