import pytest

from calendly.errors import InvalidArgument, NotFound, PermissionDenied
from tests.sandbox.api import Api
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError


@pytest.mark.requirement("defaults-memberships")
async def test_memberships_are_the_persons_own_unless_one_looks_for_others(agent: Agent) -> None:
    own = await agent.call("list_organization_memberships")
    assert [row["user"]["name"] for row in own["collection"]] == ["Maya Lindqvist"]
    by_email = await agent.call("list_organization_memberships", email="priya@northlight.example")
    assert [row["user"]["name"] for row in by_email["collection"]] == ["Priya Raman"]
    by_role = await agent.call("list_organization_memberships", role="user")
    assert len(by_role["collection"]) == 2


async def test_memberships_of_a_named_user_or_organization(agent: Agent, api: Api) -> None:
    me = await api.me()
    everybody = await agent.call("list_organization_memberships", organization=me["current_organization"])
    assert len(everybody["collection"]) == 4
    assert len((await agent.call("list_organization_memberships", user="me"))["collection"]) == 1


async def test_a_membership_is_read_and_ended(agent: Agent) -> None:
    row = (await agent.call("list_organization_memberships", email="priya@northlight.example"))["collection"][0]
    assert (await agent.call("get_organization_membership", membership=row["uri"]))["role"] == "user"
    removed = await agent.call("remove_organization_membership", membership=row["uri"])
    assert removed == {"uri": row["uri"], "status": "removed"}
    with pytest.raises(NotFound):
        await agent.call("get_organization_membership", membership=row["uri"])


async def test_a_member_removes_nobody(agent: Agent, agent_of: AgentOf) -> None:
    row = (await agent.call("list_organization_memberships"))["collection"][0]
    with pytest.raises(PermissionDenied):
        await agent_of("member").call("remove_organization_membership", membership=row["uri"])


async def test_invitations_are_those_of_the_persons_own_organization(agent: Agent, api: Api) -> None:
    pending = await agent.call("list_organization_invitations", status="pending", sort="created_at:desc")
    assert {row["status"] for row in pending["collection"]} == {"pending"}
    named = await agent.call(
        "list_organization_invitations",
        organization=(await api.me())["current_organization"],
        email="new.hire@northlight.example",
    )
    assert [row["email"] for row in named["collection"]] == ["new.hire@northlight.example"]


async def test_an_invitation_is_sent_read_and_revoked(agent: Agent, api: Api) -> None:
    sent = await agent.call("create_organization_invitation", email="someone@northlight.example")
    assert sent["status"] == "pending"
    uuid = sent["uri"].rpartition("/")[2]
    organization = (await api.me())["current_organization"]
    for arguments in (
        {"invitation": sent["uri"]},
        {"invitation": uuid},
        {"invitation": uuid, "organization": organization},
    ):
        assert (await agent.call("get_organization_invitation", **arguments))["email"] == "someone@northlight.example"
    revoked = await agent.call("revoke_organization_invitation", invitation=uuid)
    assert revoked == {"uri": sent["uri"], "status": "revoked"}
    with pytest.raises(NotFound):
        await agent.call("get_organization_invitation", invitation=sent["uri"])


@pytest.mark.requirement("identifiers-nested")
async def test_an_invitation_by_uri_needs_no_identity(agent: Agent, api: Api) -> None:
    organization = (await api.me())["current_organization"]
    with pytest.raises(NotFound):
        await agent.call("revoke_organization_invitation", invitation=f"{organization}/invitations/none")
    assert [request.endpoint.method for request in agent.sent] == ["DELETE"]


async def test_two_different_organizations_for_one_invitation_are_refused(agent: Agent) -> None:
    with pytest.raises(ArgumentError, match=r"organization: .*disagree"):
        await agent.call(
            "get_organization_invitation",
            invitation="https://api.calendly.com/organizations/A/invitations/B",
            organization="C1",
        )


async def test_inviting_somebody_twice_is_calendlys_refusal(agent: Agent) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await agent.call("create_organization_invitation", email="new.hire@northlight.example")
    assert "already been invited" in str(refused.value.details)
