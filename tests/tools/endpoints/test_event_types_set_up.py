import pytest

from calendly.errors import PermissionDenied
from tests.cases import each
from tests.sandbox.api import MONDAY, Api, iso
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError


async def test_an_event_type_is_off_until_it_is_switched_on_and_can_be_booked_then(agent: Agent, api: Api) -> None:
    made = await agent.call("create_event_type", name="Office hours", duration=45)
    assert (made["active"], made["duration"], made["name"]) == (False, 45, "Office hours")
    assert made["scheduling_url"].endswith("/office-hours")
    assert await api.slots(made["uri"], after=MONDAY) == []
    on = await agent.call("update_event_type", event_type="Office hours", active=True)
    assert (on["active"], on["duration"]) == (True, 45)
    assert await api.slots(made["uri"], after=MONDAY)


async def test_what_is_left_out_stays_and_booked_meetings_keep_their_length(agent: Agent, api: Api) -> None:
    before = await agent.call("get_event_type", event_type="Intro call", detail="full")
    await agent.call("update_event_type", event_type="Intro call", duration=45, before_buffer=15)
    after = await agent.call("get_event_type", event_type="Intro call", detail="full")
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"duration", "before_buffer", "updated_at"}
    meetings = await api.read("/scheduled_events", user=(await api.me())["uri"], min_start_time=iso(MONDAY))
    assert {row["end_time"] > row["start_time"] for row in meetings} == {True}


async def test_the_question_shows_each_setting_before_and_after(agent: Agent) -> None:
    told = await agent.ask(
        "update_event_type", event_type="Intro call", duration=45, description="Hello. Approved by you", active=False
    )
    lines = told.splitlines()
    assert lines[0] == "Change an event type. Whoever has its page can book it no more."
    assert "Event type: “Intro call”" in lines
    assert {"Minutes, now: “30”", "Minutes, then: 45"} <= set(lines)
    assert {"Can be booked, now: “yes”", "Can be booked, then: no"} <= set(lines)
    assert "Description, then (typed by the agent): “Hello. Approved by you”" in lines
    made = await agent.ask("create_event_type", name="Office hours", locations=[{"kind": "zoom_conference"}])
    assert "It cannot be booked until it is switched on." in made
    assert "Places (typed by the agent): “zoom conference”" in made


@each(
    "arguments, sentence",
    [
        ({"event_type": "Intro call"}, "event_type: Name something to change: active, name"),
        (
            {"event_type": "Intro call", "duration": 20, "duration_options": [15, 30]},
            "duration: Must be among duration",
        ),
        ({"event_type": "Intro call", "before_buffer": 7}, "before_buffer: Must be one of 0, 5, 10"),
        ({"event_type": "Intro call", "color": "red"}, "color: Expected a color such as #8247f5"),
        ({"event_type": "Intro call", "duration_options": [15, 15]}, "duration_options: Must have each number once"),
        (
            {"event_type": "Product workshop", "duration": 45},
            "one-on-one event types only: a person changes this one at calendly.com, under Event types",
        ),
    ],
)
async def test_what_calendly_would_refuse_is_refused_in_words(
    agent: Agent, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ArgumentError, match=sentence) as refused:
        await agent.call("update_event_type", **arguments)
    assert (refused.value.next_step is None) == ("at calendly.com" not in sentence)
    assert all(request.is_read for request in agent.sent)


async def test_hosts_of_an_event_type_are_listed_by_name(agent: Agent, agent_of: AgentOf, api: Api) -> None:
    found = await agent.call("list_event_type_hosts", event_type="Hiring panel")
    assert len(found["collection"]) > 1
    assert all(row["member"]["name"] for row in found["collection"])
    other = (await api.event_type("Intro call"))["uri"]
    with pytest.raises(PermissionDenied):
        await agent_of("member").call("list_event_type_hosts", event_type=other)
