import pytest

from calendly.errors import NotFound, PermissionDenied
from tests.sandbox.api import Api
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError


async def test_an_organization_is_the_persons_own_and_has_a_plan_and_a_stage(agent: Agent, agent_of: AgentOf) -> None:
    own = await agent.call("get_organization")
    assert (own["name"], own["kind"], own["plan"], own["stage"]) == ("Northlight Studio", "multiple", "teams", "paid")
    assert (await agent.call("get_organization", organization=own["uri"])) == own
    assert (await agent_of("member").call("get_organization"))["uri"] == own["uri"]
    with pytest.raises(PermissionDenied):
        await agent_of("free").call("get_organization", organization=own["uri"])


async def test_teams_are_those_of_the_organization_or_of_one_person(agent: Agent) -> None:
    every = await agent.call("list_teams")
    assert [team["name"] for team in every["collection"]] == ["Solutions", "Hiring"]
    of_priya = await agent.call("list_teams", user="Priya Raman")
    assert [team["name"] for team in of_priya["collection"]] == ["Solutions"]
    assert await agent.call("get_team", team=of_priya["collection"][0]["uri"]) == of_priya["collection"][0]


async def test_a_group_says_how_many_are_in_it(agent: Agent) -> None:
    listed = await agent.call("list_groups", count=1)
    (support,) = listed["collection"]
    assert (support["name"], support["member_count"]) == ("Support", 2)
    assert await agent.call("get_group", group=support["uri"]) == support
    rest = await agent.call("list_groups", count=1, page_token=listed["pagination"]["next_page_token"])
    assert [group["name"] for group in rest["collection"]] == ["Leads"]


async def test_who_is_in_a_group_may_be_an_admin_as_well_or_only_invited(agent: Agent, api: Api) -> None:
    (group, _) = (await agent.call("list_groups"))["collection"]
    rows = (await agent.call("list_group_relationships", group=group["uri"]))["collection"]
    told = [(row["role"], row["owner"].get("email") or row["owner"]["user"]["name"]) for row in rows]
    assert told == [
        ("member", "Priya Raman"),
        ("admin", "Priya Raman"),
        ("member", "Jonas Weber"),
        ("member", "new.hire@northlight.example"),
    ]
    for row in (rows[0], rows[3]):
        of_one = (await agent.call("list_group_relationships", owner=row["owner"]["uri"]))["collection"]
        assert row in of_one
        assert {one["owner"]["uri"] for one in of_one} == {row["owner"]["uri"]}
        assert await agent.call("get_group_relationship", group_relationship=row["uri"]) == row
    everybody = (await agent.call("list_group_relationships"))["collection"]
    assert len(everybody) == 8
    organization = (await api.me())["current_organization"]
    assert (await agent.call("list_group_relationships", organization=organization))["collection"] == everybody


async def test_an_owner_of_a_relationship_is_a_membership_or_the_uri_of_an_invitation(agent: Agent) -> None:
    with pytest.raises(ArgumentError, match="URI of an invitation will do too"):
        await agent.call("list_group_relationships", owner="https://api.calendly.com/users/me")
    with pytest.raises(NotFound):
        await agent.call("get_group", group="00000000-0000-4000-8000-000000000000")
