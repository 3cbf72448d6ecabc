import pytest

from calendly.errors import InsufficientScope, NotFound
from tests.sandbox.api import Api
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf


async def test_the_current_user_is_whose_token_it_is(agent: Agent) -> None:
    me = await agent.call("get_current_user")
    assert (me["name"], me["timezone"]) == ("Maya Lindqvist", "Europe/Berlin")
    assert [request.path for request in agent.sent] == ["/users/me"]


async def test_the_current_user_comes_with_what_time_it_is_for_them(agent: Agent) -> None:
    agent.began -= 41.7  # seconds are of no use to anybody
    assert (await agent.call("get_current_user"))["local_time"] == "Mon 2026-11-23 07:00"


async def test_a_zone_that_does_not_exist_has_no_time(agent: Agent, api: Api) -> None:
    user = {"timezone": "Europe/Atlantis"}
    await api.fail("/users/me", status=200, body={"resource": user})
    assert await agent.call("get_current_user") == user


@pytest.mark.requirement("identifiers-either-way")
async def test_a_user_is_found_by_uuid_by_uri_at_calendly_or_at_the_sandbox_and_as_me(agent: Agent, api: Api) -> None:
    tomas = await api.me("admin")
    uuid = tomas["uri"].rpartition("/")[2]
    for user in (uuid, tomas["uri"], f"{agent.origin}/users/{uuid}"):
        assert (await agent.call("get_user", user=user))["name"] == "Tomás Herrera"
    assert (await agent.call("get_user", user="me"))["name"] == "Maya Lindqvist"


async def test_a_user_nobody_knows_is_not_found(agent: Agent) -> None:
    with pytest.raises(NotFound):
        await agent.call("get_user", user="00000000-0000-4000-8000-000000000000")


async def test_a_token_without_scopes_is_told_which_one_it_needs(agent_of: AgentOf) -> None:
    with pytest.raises(InsufficientScope) as refused:
        await agent_of("noscopes").call("get_current_user")
    assert refused.value.required_scopes == ("users:read",)
