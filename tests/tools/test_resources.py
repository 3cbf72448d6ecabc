from collections.abc import Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendly.errors import NotFound
from tests.sandbox.api import MONDAY, Api, Json
from tests.tools.agent import Agent, prepared
from tests.tools.conftest import AgentOf
from tests.tools.facts import Documented
from tools import ALL
from tools.resources import RESOURCES, Resource, found_at
from tools.times import begin, parse_time
from tools.toolset.errors import ArgumentError, DeniedByPolicy

TOOLS = {tool.name: tool for tool in ALL}


async def read(agent: Agent, uri: str) -> Json:
    """What an agent reads at a URI."""
    found = found_at(uri)
    assert found is not None
    resource, raw = found
    agent.deadline = agent.clock() + 50
    call, values = await prepared(resource.tool, agent, resource.tool.parse(raw, (agent.origin,)).values())
    return await resource.tool.function(call, **values)


def test_a_resource_needs_what_the_tool_needs_that_it_reads_and_nothing_else() -> None:
    for resource in RESOURCES:
        own, read = resource.tool, TOOLS[resource.tool.name]
        assert own.access == "read"
        assert (own.scopes, own.capabilities) == (read.scopes, read.capabilities)
        assert own.meta == read.meta


def test_the_variables_of_a_resource_are_its_parameters() -> None:
    for resource in RESOURCES:
        assert set(resource.variables) == set(resource.tool.model.model_fields) - resource.tool.model.own
        assert found_at(resource.uri.replace("{", "").replace("}", "")) is not None
    assert (
        len({resource.uri for resource in RESOURCES})
        == len({resource.name for resource in RESOURCES})
        == len(RESOURCES)
    )


@pytest.mark.parametrize(
    ("uri", "name", "values"),
    [
        ("calendly://me", "me", {}),
        ("calendly://agenda/today", "agenda_today", {}),
        ("calendly://agenda/2026-12-01", "agenda", {"date": "2026-12-01"}),
        ("calendly://event_types/Intro%20call", "event_type", {"event_type": "Intro call"}),
        (
            "calendly://event_types/https%3A%2F%2Fcalendly.com%2Fm%2Fintro",
            "event_type",
            {"event_type": "https://calendly.com/m/intro"},
        ),
        ("calendly://event_types/T1/questions", "questions", {"event_type": "T1"}),
        ("calendly://scheduled_events/E1/invitees", "booking_invitees", {"scheduled_event": "E1"}),
    ],
)
def test_a_uri_names_one_resource(uri: str, name: str, values: Mapping[str, str]) -> None:
    found = found_at(uri)
    assert found is not None
    assert (found[0].name, found[1]) == (name, values)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "calendly:me",
        "calendly://me/",
        "calendly://me?x=1",
        "calendly://me#x",
        " calendly://me",
        "CALENDLY://ME",
        "calendly://agenda/",
        "calendly://event_types//questions",
        "calendly://event_types/T1/questions/1",
        "https://api.calendly.com/users/me",
        "file:///etc/passwd",
        "calendly://event_types/" + "a" * 3_000,
        "calendly://event_types/T1\n",
    ],
)
def test_what_is_not_exactly_a_uri_of_ours_names_nothing(uri: str) -> None:
    found = found_at(uri)
    assert found is None or "\n" in found[1]["event_type"]  # which no event type is called


@given(st.text())
def test_no_text_breaks_the_search_for_a_resource(text: str) -> None:
    found = found_at(f"calendly://scheduled_events/{text}")
    assert found is None or found[0].name in {"booking", "booking_invitees"}


@given(
    st.dates(date(1970, 1, 2), date(2999, 12, 30)),
    st.sampled_from(["Europe/Berlin", "America/Santiago", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe"]),
)
def test_days_follow_each_other_without_gap_and_every_moment_of_one_is_of_its_date(day: date, name: str) -> None:
    zone = ZoneInfo(name)
    start, end = begin(day, zone), begin(day + timedelta(days=1), zone)
    assert timedelta(hours=22) < end - start < timedelta(hours=26)
    assert start.astimezone(zone).date() == day
    assert (end - timedelta(seconds=1)).astimezone(zone).date() == day
    assert (start - timedelta(seconds=1)).astimezone(zone).date() == day - timedelta(days=1)


async def test_the_agenda_of_a_day_holds_its_meetings_in_the_persons_zone_in_their_order(
    agent: Agent, api: Api
) -> None:
    event = (await api.book())["event"]
    start = (await api.read(event))["start_time"]
    day = datetime.fromisoformat(start).astimezone(ZoneInfo("Europe/Berlin")).date()
    rows = (await read(agent, f"calendly://agenda/{day}"))["collection"]
    assert event in [row["uri"] for row in rows]
    assert [row["start_time"] for row in rows] == sorted(row["start_time"] for row in rows)
    assert {row["status"] for row in rows} == {"active"}
    assert all(row["invitees"] for row in rows)
    assert all(parse_time(row["start_time"]) >= begin(day, ZoneInfo("Europe/Berlin")) for row in rows)


async def test_todays_agenda_is_that_of_the_persons_date(agent: Agent) -> None:
    today = await read(agent, "calendly://agenda/today")
    assert today == await read(agent, f"calendly://agenda/{MONDAY.date()}")


async def test_an_agenda_begins_nowhere_while_the_persons_zone_is_not_known(agent_of: AgentOf) -> None:
    for uri in ("calendly://agenda/today", "calendly://agenda/2026-12-01"):
        with pytest.raises(ArgumentError, match="time zone is not known"):
            await read(agent_of("noscopes"), uri)


@pytest.mark.parametrize(
    "text", ["0001-01-01", "9999-12-31", "2026-02-30", "next monday", "2026-12-1", "\u0662\u0660\u0662\u0666-12-01"]
)
def test_a_date_that_is_none_or_out_of_reach_is_refused(text: str) -> None:
    found = found_at(f"calendly://agenda/{text}")
    assert found is not None
    with pytest.raises(ArgumentError, match="Expected a date"):
        found[0].tool.parse(found[1], ())


async def test_an_event_type_and_its_questions_are_found_by_name(agent: Agent, api: Api) -> None:
    kind = await api.event_type("Intro call")
    assert (await read(agent, "calendly://event_types/Intro%20call"))["uri"] == kind["uri"]
    asked = await read(agent, "calendly://event_types/intro-call/questions")
    assert asked.keys() == {"uri", "name", "custom_questions"}
    assert [question["name"] for question in asked["custom_questions"]] == [
        question["name"] for question in kind["custom_questions"] if question["enabled"]
    ]


async def test_a_booking_and_who_booked_are_two_resources(agent: Agent, api: Api) -> None:
    invitee = await api.book()
    uuid = invitee["event"].rpartition("/")[2]
    assert (await read(agent, f"calendly://scheduled_events/{uuid}"))["uri"] == invitee["event"]
    rows = (await read(agent, f"calendly://scheduled_events/{uuid}/invitees"))["collection"]
    assert [row["email"] for row in rows] == ["lee@acme.example"]


async def test_what_the_tool_may_not_read_the_resource_may_not_either(agent: Agent) -> None:
    agent.off.add("event_types")
    for uri in ("calendly://event_types", "calendly://event_types/T1", "calendly://event_types/T1/questions"):
        with pytest.raises(DeniedByPolicy):
            await read(agent, uri)
    assert {request.path for request in agent.sent} <= {"/users/me"}


async def test_a_booking_nobody_knows_is_not_found(agent: Agent) -> None:
    with pytest.raises(NotFound):
        await read(agent, "calendly://scheduled_events/00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda one: one.name)
async def test_every_resource_reads_what_calendlys_documentation_answers(resource: Resource) -> None:
    caller = Documented()
    samples = {"date": "2026-12-01", "event_type": "T" * 16, "scheduled_event": "E" * 16, "event_id": "evt_1"}
    raw = {name: samples[name] for name in resource.variables}
    call, values = await prepared(resource.tool, caller, resource.tool.parse(raw, ()).values())
    answer = await resource.tool.function(call, **values)
    assert answer
    assert {request.endpoint for request in caller.sent} <= {tool.endpoint for tool in resource.tool.calls}
