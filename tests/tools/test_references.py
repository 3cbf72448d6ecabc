"""Event types and people named as people name them: found in Calendly's own lists, or refused with what there is."""

from typing import Any

import pytest

from calendly.errors import InvalidArgument
from sandbox.serving import RunningSandbox
from tests.sandbox.api import Api
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools import ALL
from tools.toolset.errors import ArgumentError, DeniedByPolicy

pytestmark = pytest.mark.anyio

TOMORROW = {"start_time": "2026-12-01T00:00:00Z", "end_time": "2026-12-02T00:00:00Z"}


@pytest.mark.parametrize(
    "named", ["Intro call", "intro CALL", "intro-call", "https://calendly.com/maya-lindqvist/intro-call"]
)
async def test_an_event_type_goes_by_its_name_slug_and_booking_page(agent: Agent, api: Api, named: str) -> None:
    uri = (await api.event_type("Intro call"))["uri"]
    assert (await agent.call("get_event_type", event_type=named))["uri"] == uri
    link = await agent.call("create_single_use_scheduling_link", owner=named)
    assert link["owner"] == uri


async def test_what_is_certainly_an_id_is_not_looked_up(agent: Agent, api: Api) -> None:
    uri = (await api.event_type("Intro call"))["uri"]
    await agent.call("get_event_type", event_type=uri.rpartition("/")[2])
    await agent.call("get_event_type", event_type=uri)
    await agent.call("get_user", user="me")
    assert [request.endpoint.path for request in agent.sent] == [
        "/event_types/{event_type}",
        "/event_types/{event_type}",
        "/users/{user}",
    ]


async def test_a_word_that_nothing_goes_by_may_still_be_an_id(agent: Agent) -> None:
    agent.off = {"event_types"}
    with pytest.raises(InvalidArgument):
        await agent.call("list_event_type_available_times", event_type="no-such-slug", **TOMORROW)
    assert agent.sent[-1].query["event_type"] == "https://api.calendly.com/event_types/no-such-slug"


async def test_a_name_that_nothing_goes_by_is_refused_with_what_there_is(agent: Agent) -> None:
    with pytest.raises(ArgumentError, match=r"No event type of yours goes by that name; there are: .*Intro call") as no:
        await agent.call("list_event_type_available_times", event_type="Introductory call", **TOMORROW)
    assert no.value.faults[0].get("parameter") == "event_type"
    assert "/event_type_available_times" not in {request.path for request in agent.sent}


async def test_a_name_that_several_go_by_is_refused_with_the_candidates(agent: Agent) -> None:
    for _ in range(2):
        await agent.call(
            "create_one_off_event_type",
            name="Catch up",
            duration=30,
            date_setting={"type": "date_range", "start_date": "2026-12-07", "end_date": "2026-12-11"},
        )
    with pytest.raises(ArgumentError, match=r"Several event types go by that name, so pass the URI of one: .*; ") as no:
        await agent.call("get_event_type", event_type="catch up")
    assert no.value.faults[0]["message"].count("https://api.calendly.com/event_types/") == 2


async def test_who_may_not_see_event_types_cannot_name_one(agent: Agent) -> None:
    agent.off = {"event_types"}
    with pytest.raises(DeniedByPolicy, match="event_types"):
        await agent.call("list_event_type_available_times", event_type="Intro call", **TOMORROW)
    assert {request.path for request in agent.sent} <= {"/users/me"}


async def test_a_person_goes_by_e_mail(agent: Agent, agent_of: AgentOf) -> None:
    owner = await agent.call("get_user", user="Maya@Northlight.example")
    assert owner["name"] == "Maya Lindqvist"
    colleague = await agent.call("get_user", user="priya@northlight.example")
    assert colleague["name"] == "Priya Raman"
    member = agent_of("member")
    assert (await member.call("get_user", user="priya@northlight.example"))["uri"] == colleague["uri"]


@pytest.mark.parametrize("name", ["Tomás Herrera", "tomás  herrera", "TOMA\u0301S HERRERA", "tomas@northlight.example"])
async def test_a_person_goes_by_name_however_it_is_composed(agent: Agent, api: Api, name: str) -> None:
    tomas = (await api.me("admin"))["uri"]
    assert (await agent.call("get_user", user=name))["uri"] == tomas
    agenda = await agent.call("get_agenda", date="2026-11-24", user=name)
    assert agenda["searched"]["whose"] == tomas
    times = await agent.call("find_meeting_times", users=[name, "me"], start_time="2026-11-30", end_time="2026-12-04")
    assert times["working_hours"][0] == {"user": tomas, "timezone": "America/New_York"}


async def test_of_several_people_of_one_name_one_has_to_be_chosen_by_address(
    agent: Agent, sandbox: RunningSandbox
) -> None:
    for user in sandbox.sandbox.records.users.values():
        if user.slug in {"priya-raman", "jonas-weber"}:
            user.name = "Robin Ray"
    with pytest.raises(ArgumentError, match="user: Several people go by that name") as refused:
        await agent.call("get_user", user="Robin Ray")
    assert "priya@northlight.example" in str(refused.value)
    assert "jonas@northlight.example" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Tomas Herera", r"did you mean Tomás Herrera \(tomas@northlight.example\)\?"),
        ("jonas", r"did you mean Jonas Weber \(jonas@northlight.example\)\?"),
        ("Zebulon Quux", r"there are: .*Maya Lindqvist.*Priya Raman"),
    ],
)
async def test_a_name_of_nobody_is_refused_with_the_nearest_and_a_part_is_offered_and_not_taken(
    agent: Agent, name: str, told: str
) -> None:
    with pytest.raises(ArgumentError, match=f"user: Nobody in the organization has that name; {told}"):
        await agent.call("list_user_availability_schedules", user=name)


async def test_ones_own_organization_is_mine_in_every_tool_that_takes_one(agent: Agent, api: Api) -> None:
    own = (await api.me())["current_organization"]
    for name in (
        "list_scheduled_events",
        "list_event_types",
        "list_organization_memberships",
        "list_organization_invitations",
    ):
        assert await agent.call(name, organization="mine") == await agent.call(name, organization=own)
    team = await agent.call("get_agenda", date="2026-11-24", organization="Mine")
    assert {host for row in team["collection"] for host in row["hosts"]} >= {"Maya Lindqvist", "Tomás Herrera"}


async def test_an_e_mail_address_of_nobody_is_refused(agent: Agent) -> None:
    with pytest.raises(ArgumentError, match="user: Nobody in the organization has that e-mail address"):
        await agent.call("list_user_availability_schedules", user="nobody@northlight.example")


async def test_without_the_organization_only_ones_own_address_is_known(agent: Agent) -> None:
    agent.off = {"organization"}
    assert (await agent.call("get_user", user="maya@northlight.example"))["name"] == "Maya Lindqvist"
    with pytest.raises(DeniedByPolicy, match="organization"):
        await agent.call("get_user", user="priya@northlight.example")


@pytest.mark.parametrize(
    "text",
    [
        "https://calendly.com.evil.example/maya/intro-call",
        "http://calendly.com/maya/intro-call",
        "https://calendly.com/maya/intro-call?month=2026-12",
        "https://calendly.com/maya/../users",
        "Intro call ",
        "...",
        "x y" * 19,
        "Intro\ncall",
        "Intro <b>call</b>",
    ],
)
async def test_what_is_neither_an_id_nor_a_name_is_refused_before_anything_is_asked(agent: Agent, text: str) -> None:
    with pytest.raises(ArgumentError, match="Its name, slug or booking page will do too"):
        await agent.call("get_event_type", event_type=text)
    assert agent.sent == []


def test_what_ends_something_is_named_by_its_id_alone() -> None:
    named: dict[str, set[str]] = {}
    for tool in ALL:
        properties: Any = tool.input_schema["properties"]
        for name, schema in properties.items():
            if "e-mail or me" in schema.get("description", "") or "booking URL" in schema.get("description", ""):
                named.setdefault(tool.name, set()).add(name)
    writing = {tool.name for tool in ALL if tool.access == "write"} & set(named)
    assert writing == {"create_event_invitee"}
    assert named["create_event_invitee"] == {"event_type"}
    assert not any(tool.destructive for tool in ALL if tool.name in named)
