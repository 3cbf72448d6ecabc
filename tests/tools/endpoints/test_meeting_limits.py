import pytest

from calendly.errors import PermissionDenied
from tests.sandbox.api import MONDAY, Api, iso
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError


async def test_a_full_day_has_no_open_times_until_its_limit_is_removed(agent: Agent, api: Api) -> None:
    kind = (await api.event_type("Intro call"))["uri"]
    before = await api.slots(kind)
    assert (await agent.call("update_user_meeting_limits", daily_limit=1, monthly_limit=99))["status"] == "updated"
    assert await agent.call("list_user_meeting_limits") == {
        "collection": [{"daily_limit": 1, "weekly_limit": None, "monthly_limit": 99}],
        "searched": {"whose": "you"},
    }
    owner = (await api.me())["uri"]
    coming = await api.read("/scheduled_events", user=owner, status="active", count=100, min_start_time=iso(MONDAY))
    met = {event["start_time"][:10] for event in coming}
    assert met
    assert await api.slots(kind) == [start for start in before if start[:10] not in met]
    await agent.call("update_user_meeting_limits", no_limit=["daily_limit"])
    assert agent.sent[-1].body == {"daily_limit": None}
    assert await api.slots(kind) == before


async def test_a_limit_is_given_or_removed_and_nobody_elses(agent: Agent, agent_of: AgentOf, api: Api) -> None:
    with pytest.raises(ArgumentError, match="Nothing to change"):
        await agent.call("update_user_meeting_limits")
    with pytest.raises(ArgumentError, match="daily_limit is given too"):
        await agent.call("update_user_meeting_limits", daily_limit=1, no_limit=["daily_limit"])
    maya = (await api.me())["uri"]
    with pytest.raises(PermissionDenied):
        await agent_of("admin").call("list_user_meeting_limits", user=maya)
    with pytest.raises(PermissionDenied):
        await agent_of("admin").call("update_user_meeting_limits", user=maya, daily_limit=3)
