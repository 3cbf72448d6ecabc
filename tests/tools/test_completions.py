from datetime import UTC, datetime
from itertools import islice
from typing import Any, cast

from tests.sandbox.api import MONDAY, Api
from tests.tools.agent import Agent, prepared
from tools.completions import COMPLETIONS, beginning_with, dates, event_types, meetings
from tools.prompts import PROMPTS
from tools.resources import RESOURCES

T1, T2, T3 = (f"https://api.calendly.com/event_types/T{number}" for number in (1, 2, 3))


def test_values_are_those_that_begin_with_what_was_typed_each_once() -> None:
    values = ["Intro call", "intro call", "Deep dive", "Intro call", "Straße"]
    assert beginning_with("INTRO", values) == ["Intro call", "intro call"]
    assert beginning_with("", values) == ["Intro call", "intro call", "Deep dive", "Straße"]
    assert beginning_with("strass", values) == ["Straße"]
    assert beginning_with("x", values) == []


def test_an_event_type_goes_by_its_name_where_that_names_it_alone_and_by_its_uuid_elsewhere() -> None:
    rows = [
        {"uri": T1, "name": "Intro", "slug": "intro"},
        {"uri": T2, "name": "Twice", "slug": "twice"},
        {"uri": T3, "name": "twice", "slug": "twice-2"},
        {"uri": "https://api.calendly.com/event_types/T4", "name": "Two\nlines", "slug": "off"},
        {"uri": "https://api.calendly.com/event_types/T5", "name": None, "slug": None},
    ]
    assert list(event_types({"collection": rows}, MONDAY)) == ["Intro", "T2", "T3", "T4", "T5"]


def test_a_meeting_goes_by_its_name_on_one_line_and_its_local_time() -> None:
    rows = [
        {"name": "Intro\u202e call\n", "local_start": "Tue 2026-12-01 10:00"},
        {"name": "Other", "start_time": "2026-12-01T09:00:00Z"},
    ]
    assert list(meetings({"collection": rows}, MONDAY)) == [
        "Intro call, Tue 2026-12-01 10:00",
        "Other, 2026-12-01T09:00:00Z",
    ]


def test_dates_begin_today_where_the_person_is_and_the_last_ones_come_last() -> None:
    late = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
    tokyo = list(dates({"timezone": "Asia/Tokyo"}, late))
    assert list(islice(tokyo, 2)) == ["2026-11-24", "2026-11-25"]
    assert (tokyo[365], tokyo[366], tokyo[-1]) == ("2027-11-24", "2026-11-23", "2026-10-24")
    assert next(iter(dates({"timezone": "America/New_York"}, late))) == "2026-11-23"
    assert list(dates({"timezone": "Nowhere/City"}, late)) == []
    assert list(dates({}, late)) == []


def test_every_variable_of_a_resource_can_be_completed_and_no_completion_is_left_without_an_argument() -> None:
    variables = {name for resource in RESOURCES for name in resource.variables}
    arguments = {name for prompt in PROMPTS for name in prompt.model.model_fields}
    assert variables <= COMPLETIONS.keys() <= variables | arguments


async def test_what_completes_a_prompt_can_be_looked_up(agent: Agent, api: Api) -> None:
    completion = COMPLETIONS["event_type"]
    agent.deadline = agent.clock() + 50
    call, _ = await prepared(completion.tool, agent, {})
    answer = cast("dict[str, Any]", await completion.tool.function(call))
    values = list(completion.values(answer, MONDAY))
    assert "Intro call" in values
    for value in values:
        found = await agent.call("get_event_type", event_type=value)
        assert found["active"]
    assert (await agent.call("get_event_type", event_type="Intro call"))["uri"] == (await api.event_type("Intro call"))[
        "uri"
    ]


async def test_meetings_that_complete_are_to_come_and_stand(agent: Agent) -> None:
    completion = COMPLETIONS["scheduled_event"]
    agent.deadline = agent.clock() + 50
    call, _ = await prepared(completion.tool, agent, {})
    answer = cast("dict[str, Any]", await completion.tool.function(call))
    uuids = list(completion.values(answer, MONDAY))
    assert uuids
    event = await agent.call("get_scheduled_event", scheduled_event=uuids[0])
    assert event["status"] == "active"
    assert datetime.fromisoformat(event["start_time"]) >= MONDAY
