"""Calendly's webhook as agents switch it."""

from collections.abc import Sequence

import pytest

from calendly.errors import InsufficientScope
from calendly.request import Request
from tests.sandbox.api import OWNER, Api, Json
from tests.tools.agent import SECONDS, TOOLS, Agent, prepared
from tests.tools.conftest import AgentOf
from tools.toolset.effects import DryRun
from tools.toolset.errors import ArgumentError

WAITING = {"events": "meetings", "state": "waiting for the first event"}
ON: Json = {"webhooks": [WAITING], "source": "webhook"}
QUESTION = (
    "Have Calendly tell this server at once what happens. Names and e-mail addresses of invitees are in what it "
    "tells. All your agents share it.\nWhose events: yours\nWhat they are about: meetings"
)
STOPPING = (
    "Have Calendly tell this server nothing more. All your agents share it. Events come later then.\n"
    "Whose events: yours\nWhat they are about: meetings, routing forms"
)
ALREADY = "It was so already; nothing was sent."


async def subscriptions(api: Api, token: str = OWNER) -> list[Json]:
    """List Calendly's subscriptions of one person."""
    me = await api.me(token)
    query = {"organization": me["current_organization"], "scope": "user", "user": me["uri"]}
    return list(await api.read("/webhook_subscriptions", token, **query))


@pytest.mark.requirement("watch-events")
async def test_it_is_made_once_and_what_is_on_is_told(agent: Agent, api: Api) -> None:
    agent.asked = {"webhooks"}
    assert await agent.call("watch_events") == ON
    assert agent.questions == [QUESTION]
    assert await agent.call("watch_events", kinds=["meeting.booked", "no_show.marked"]) == {**ON, "note": ALREADY}
    assert len(agent.questions) == len(agent.told) == len(await subscriptions(api)) == 1
    both = await agent.call("watch_events", kinds=["event_type.created"])
    assert [each["events"] for each in both["webhooks"]] == ["meetings", "event_types"]


@pytest.mark.requirement("watch-events")
async def test_it_is_stopped_for_some_kinds_or_for_all(agent: Agent, api: Api) -> None:
    off: Json = {"webhooks": [], "source": "polling"}
    assert await agent.call("watch_events", stop=True) == {**off, "note": ALREADY}
    await agent.call("watch_events", kinds=["meeting.booked", "event_type.created", "routing_form.submitted"])
    left = await agent.call("watch_events", kinds=["event_type.updated"], stop=True)
    assert [each["events"] for each in left["webhooks"]] == ["meetings", "routing_forms"]
    agent.asked = {"webhooks"}
    assert await agent.call("watch_events", stop=True) == off
    assert agent.questions == [STOPPING]
    assert await subscriptions(api) == []


async def test_a_dry_run_shows_what_would_be_sent_without_secrets(agent: Agent, api: Api) -> None:
    (request,) = await would_send(agent)
    assert request.body is not None
    assert request.body["url"] == f"{agent.address}/webhooks/calendly/…"
    assert "signing_key" not in request.body
    await agent.call("watch_events")
    (hook,) = await subscriptions(api)
    (request,) = await would_send(agent, stop=True)
    assert request.ids == {"webhook_subscription": hook["uri"].split("/")[-1]}


async def would_send(agent: Agent, **arguments: object) -> Sequence[Request]:
    """Return what a call would send."""
    tool = TOOLS["watch_events"]
    call, values = await prepared(tool, agent, tool.parse(arguments, ()).values(), dry_run=True)
    agent.deadline = agent.clock() + SECONDS
    with pytest.raises(DryRun) as tried:
        await tool.run(call, values)
    return tried.value.requests


async def test_one_refused_family_leaves_the_rest_and_is_told(agent_of: AgentOf, api: Api) -> None:
    member = agent_of("member")
    found = await member.call("watch_events", kinds=["meeting.booked", "routing_form.submitted"])
    assert found["webhooks"] == [WAITING]
    assert found["note"].startswith("routing_forms: ")
    assert len(await subscriptions(api, "member")) == 1
    with pytest.raises(InsufficientScope):
        await agent_of("readonly").call("watch_events")


async def test_where_calendly_cannot_reach_the_server_nothing_is_sent_and_the_reason_is_told(agent: Agent) -> None:
    agent.address = "http://calendly.acme.com"
    found = await agent.call("watch_events")
    assert found["source"] == "polling"
    assert found["note"].startswith("Calendly posts to https only")
    assert [request.endpoint.method for request in agent.sent if request.endpoint.method != "GET"] == []


async def test_a_kind_that_does_not_exist_or_is_told_by_nothing_is_refused(agent: Agent) -> None:
    for kind in ("meeting.lost", "other"):
        with pytest.raises(ArgumentError, match="There is no kind"):
            await agent.call("watch_events", kinds=[kind])
