"""Event types and people named as people name them: found in Calendly's own lists, or refused with what there is."""

from typing import Any

import pytest

from calendly.errors import InvalidArgument
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
