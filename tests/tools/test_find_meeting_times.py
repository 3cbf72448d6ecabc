"""Times for a meeting: of event types, of people, of both, across windows, and what is asked of Calendly for them."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calendly.errors import PermissionDenied, RateLimited
from tests.sandbox.api import MONDAY, Api, Json, iso
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError, DeniedByPolicy

BERLIN = ZoneInfo("Europe/Berlin")
WEEK = {"start_time": "2026-11-30T00:00", "end_time": "2026-12-07T00:00"}
MONTH = {"start_time": "2026-11-30T00:00", "end_time": "2026-12-28T00:00"}
EVERY = {"count": 100, "per_day": 100}


def starts(found: Json) -> list[str]:
    return [row["start_time"] for row in found["collection"]]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(BERLIN)


def paths(agent: Agent) -> list[str]:
    return [request.endpoint.path for request in agent.sent if request.endpoint.path != "/users/me"]


async def open_times(api: Api, name: str, days: int = 7) -> set[str]:
    kind = await api.event_type(name)
    return set(await api.slots(kind["uri"], after=datetime(2026, 11, 29, 23, tzinfo=UTC), days=days))


async def test_the_times_of_one_event_type_are_those_that_are_open(agent: Agent, api: Api) -> None:
    found = await agent.call("find_meeting_times", event_types=["Intro call"], **WEEK, **EVERY)
    assert starts(found) == sorted(await open_times(api, "Intro call"))
    assert found["found"] == len(starts(found))
    assert "continue_from" not in found


async def test_a_meeting_is_over_by_the_latest_hour_and_all_of_it_is_free_however_long_it_is(
    agent: Agent, api: Api
) -> None:
    deep = {"event_types": ["Deep dive"], **WEEK, **EVERY}
    early = {start for start in await open_times(api, "Deep dive") if local(start).time() <= time(11)}
    assert set(starts(await agent.call("find_meeting_times", **deep, latest="12:00"))) == early
    any_of = await agent.call(
        "find_meeting_times", **{**deep, "event_types": ["Deep dive", "Intro call"]}, match="any", latest="12:00"
    )
    assert {row["start_time"] for row in any_of["collection"] if "Deep dive" in row["open_to"]} == early
    both = await agent.call("find_meeting_times", **deep, users=["me"])
    hour = await agent.call("find_meeting_times", users=["me"], duration=60, **WEEK, **EVERY)
    assert both["searched"]["note"] == "The people are free for 60 minutes."
    assert set(starts(both)) <= set(starts(hour))


async def test_times_of_several_event_types_are_open_in_all_of_them(agent: Agent, api: Api) -> None:
    found = await agent.call("find_meeting_times", event_types=["Intro call", "Hiring panel"], **WEEK, **EVERY)
    both = await open_times(api, "Intro call") & await open_times(api, "Hiring panel")
    assert starts(found) == sorted(both)
    assert both


async def test_where_any_will_do_a_time_says_of_which_it_is_one(agent: Agent, api: Api) -> None:
    kinds = {name: (await api.event_type(name))["uri"] for name in ("Intro call", "Morning coffee")}
    named = [*kinds.values(), "intro call"]
    found = await agent.call("find_meeting_times", event_types=named, match="any", **WEEK, **EVERY)
    for name in kinds:
        assert {row["start_time"] for row in found["collection"] if name in row["open_to"]} == await open_times(
            api, name
        )
    assert found["event_types"] == [{"name": name, "uri": uri} for name, uri in kinds.items()]
    assert {name for row in found["collection"] for name in row["open_to"]} == kinds.keys()


async def test_people_are_free_within_their_own_working_hours_and_not_busy(agent: Agent) -> None:
    people = ["me", "tomas@northlight.example", "jonas@northlight.example"]
    found = await agent.call("find_meeting_times", users=people, duration=60, **WEEK, **EVERY)
    assert starts(found)
    for start in starts(found):
        instant = datetime.fromisoformat(start)
        assert 9 <= instant.astimezone(BERLIN).hour < 18
        assert 9 <= instant.astimezone(ZoneInfo("America/New_York")).hour < 17
        assert instant.astimezone(ZoneInfo("Europe/London")).hour < 17
    assert {local(start).strftime("%a %H:%M") for start in starts(found)} >= {"Fri 15:00"}
    assert "/user_busy_times" in paths(agent)


async def test_a_booked_meeting_makes_its_host_busy(agent: Agent, api: Api) -> None:
    before = await agent.call("find_meeting_times", users=["me"], **WEEK, **EVERY)
    taken = starts(before)[3]
    await api.book("Intro call", start_time=taken)
    after = await agent.call("find_meeting_times", users=["me"], **WEEK, **EVERY)
    assert taken in starts(before)
    assert taken not in starts(after)


async def test_an_event_type_and_people_have_to_agree(agent: Agent, api: Api) -> None:
    found = await agent.call(
        "find_meeting_times", event_types=["Intro call"], users=["tomas@northlight.example"], **WEEK, **EVERY
    )
    assert set(starts(found)) < await open_times(api, "Intro call")
    assert {local(start).hour for start in starts(found)} == {15, 16, 17}
    assert found["searched"]["whose"] == "Intro call and Tomás Herrera (tomas@northlight.example)"


@pytest.mark.requirement("parameters-timezone")
async def test_weekdays_and_hours_are_those_of_the_zone_asked_for(agent: Agent) -> None:
    wish = {"weekdays": ["tuesday", "thursday"], "earliest": "09:00", "latest": "12:00", "timezone": "Europe/London"}
    found = await agent.call("find_meeting_times", event_types=["Intro call"], **MONTH, **wish, **EVERY)
    london = [datetime.fromisoformat(start).astimezone(ZoneInfo("Europe/London")) for start in starts(found)]
    assert {time.strftime("%a") for time in london} == {"Tue", "Thu"}
    assert {time.hour for time in london} == {9, 10}
    assert max(time.strftime("%H:%M") for time in london) <= "11:30"
    assert len({time.date() for time in london}) == 7  # the person is off on one of these days


async def test_a_few_of_each_day_are_answered_and_the_rest_is_counted(agent: Agent) -> None:
    found = await agent.call("find_meeting_times", event_types=["Intro call"], **WEEK)
    days = [local(start).date() for start in starts(found)]
    assert len(days) == 10
    assert max(days.count(day) for day in days) == 3
    assert found["found"] > 10


async def test_times_nearest_to_a_preferred_one_come_first(agent: Agent) -> None:
    found = await agent.call("find_meeting_times", event_types=["Intro call"], prefer="14:00", per_day=1, **MONTH)
    times = [local(start) for start in starts(found)]
    assert {time.strftime("%H:%M") for time in times} == {"14:00"}
    assert times == sorted(times)


@pytest.mark.parametrize("cap", [31, 7])
async def test_a_range_of_several_windows_has_no_gap_and_nothing_twice(agent: Agent, api: Api, cap: int) -> None:
    await api.control("limits", {"available_times_days": cap})
    body = {"start_time": "2026-11-30T00:00", "end_time": "2027-01-20T00:00"}
    rows: list[str] = []
    again: Any = {}
    while True:
        found = await agent.call("find_meeting_times", event_types=["Morning coffee"], **body, **EVERY, **again)
        rows += starts(found)
        if "continue_from" not in found:
            break
        again = {"continue_from": found["continue_from"]}
    whole: set[str] = set()
    for week in range(9):
        kind = await api.event_type("Morning coffee")
        whole |= set(await api.slots(kind["uri"], after=MONDAY + timedelta(days=7 * week), days=7))
    expected = sorted(start for start in whole if "2026-11-29T23" <= start < "2027-01-19T23")
    assert len(rows) == len(set(rows))
    assert rows == expected


@pytest.mark.requirement("parameters-continue", "parameters-continue-from")
async def test_it_stops_when_there_is_enough_and_says_how_to_go_on(agent: Agent) -> None:
    found = await agent.call(
        "find_meeting_times", event_types=["Intro call"], start_time="2026-11-30T00:00", end_time="2027-11-01T00:00"
    )
    assert paths(agent).count("/event_type_available_times") == 1
    again = await agent.call(
        "find_meeting_times",
        event_types=["Intro call"],
        start_time="2026-11-30T00:00",
        end_time="2027-11-01T00:00",
        continue_from=found["continue_from"],
    )
    assert starts(found)[-1] < found["continue_from"] < starts(again)[0]
    assert not set(starts(found)) & set(starts(again))


async def test_what_is_past_is_not_asked_for(agent: Agent) -> None:
    await agent.call(
        "find_meeting_times", event_types=["Intro call"], start_time="2026-11-01T00:00", end_time=WEEK["end_time"]
    )
    first = next(request for request in agent.sent if request.endpoint.path == "/event_type_available_times")
    assert first.query["start_time"] == iso(MONDAY + timedelta(minutes=1))


async def test_where_the_pace_allows_no_more_it_answers_with_what_it_has(agent: Agent, api: Api) -> None:
    await api.control("limits", {"per_minute": 6})
    body: dict[str, Any] = {"start_time": "2026-11-30T00:00", "end_time": "2027-11-01T00:00"}
    kind = (await api.event_type("Intro call"))["uri"]
    found = await agent.call("find_meeting_times", event_types=[kind], prefer="10:00", **body)
    assert starts(found)
    assert WEEK["end_time"] < found["continue_from"] < "2027-06"


async def test_where_not_even_the_first_window_can_be_read_it_says_when_to_come_back(agent: Agent, api: Api) -> None:
    await api.fail("/user_busy_times", status=429, times=99)
    with pytest.raises(RateLimited):
        await agent.call("find_meeting_times", users=["me"], **WEEK)


@pytest.mark.requirement("workflow-in-parts")
async def test_when_time_runs_short_it_answers_with_what_it_has(agent: Agent, api: Api) -> None:
    await api.fail("/event_type_available_times", delay=20, times=9)
    body: dict[str, Any] = {"start_time": "2026-11-30T00:00", "end_time": "2027-11-01T00:00"}
    found = await agent.call("find_meeting_times", event_types=["Intro call"], prefer="10:00", **body)
    assert found["searched_until"] < "2027-02-15"
    assert found["continue_from"] == found["searched_until"]
    assert agent.reports == sorted(agent.reports, key=lambda report: report[-10:])


async def test_days_on_which_clocks_change_lose_and_repeat_no_time(agent: Agent, api: Api) -> None:
    await api.control("clock", {"now": "2027-03-22T06:00:00Z"})
    span = {"start_time": "2027-03-26T00:00", "end_time": "2027-03-31T00:00"}
    found = await agent.call("find_meeting_times", event_types=["Intro call"], **span, **EVERY)
    times = [local(start) for start in starts(found)]
    assert {time.hour for time in times if time.day == 26} == {time.hour for time in times if time.day == 29}
    assert {time.utcoffset() for time in times} == {timedelta(hours=1), timedelta(hours=2)}
    assert all(one < other for one, other in pairwise(times))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "event_types: Name event types, users or both"),
        ({"event_types": ["Intro talk"]}, "event_types.0: No event type of yours goes by that name"),
        ({"users": ["nobody@northlight.example"]}, "users.0: Nobody in the organization"),
        ({"users": ["me"], "earliest": "9"}, "earliest: Expected a time of day such as 09:00"),
        ({"users": ["me"], "earliest": "12:00", "latest": "12:00"}, "latest: Must be later than earliest"),
        ({"users": ["me"], "prefer": "24:00"}, "prefer: No day has a time after 23:59"),
        ({"users": ["me"], "weekdays": ["Mo"]}, "weekdays.0: Must be one of"),
        ({"users": ["me"], "continue_from": "next"}, "continue_from: Expected what an earlier answer gave"),
        ({"users": ["me"], "continue": "next"}, "continue: find_meeting_times has no such parameter"),
        ({"users": ["me"], "end_time": "2026-11-20T00:00"}, "end_time: Must be after start_time"),
        (
            {"users": ["me"], "start_time": "2026-11-19T00:00", "end_time": "2026-11-20T00:00"},
            "end_time: Must be in the future",
        ),
        ({"users": ["me"], "end_time": "2028-11-20T00:00"}, "end_time: Must be within 366 days"),
        ({"users": ["me"], "count": 0}, "count"),
    ],
)
async def test_what_cannot_be_looked_for_is_said(agent: Agent, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        await agent.call("find_meeting_times", **{**WEEK, **arguments})


async def test_without_a_zone_days_and_hours_mean_nothing(agent_of: AgentOf) -> None:
    with pytest.raises(ArgumentError, match="timezone: Your time zone is not known"):
        await agent_of("noscopes").call(
            "find_meeting_times", event_types=["0" * 16], start_time="2026-12-01T00:00Z", end_time="2026-12-02T00:00Z"
        )


async def test_of_colleagues_only_those_may_be_asked_whom_calendly_shows(agent_of: AgentOf, api: Api) -> None:
    maya = (await api.me())["uri"]
    with pytest.raises(PermissionDenied):
        await agent_of("member").call("find_meeting_times", users=[maya], **WEEK)


async def test_access_to_availability_is_needed(agent: Agent) -> None:
    agent.off.add("availability")
    with pytest.raises(DeniedByPolicy):
        await agent.call("find_meeting_times", event_types=["0" * 16], **WEEK)
