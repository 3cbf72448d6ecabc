import pytest

from calendly.errors import PermissionDenied
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError
from tools.toolset.ledger import KeyOutcome

pytestmark = pytest.mark.anyio


async def test_a_deletion_is_accepted_and_takes_days(agent_of: AgentOf) -> None:
    answer = await agent_of("enterprise").call("delete_invitee_data", emails=["ada.abara@acme.example"])
    assert answer["status"] == "accepted"
    assert "7 days" in answer["message"]


async def test_what_is_kept_of_bookings_of_these_people_is_forgotten_once_calendly_took_the_request(
    agent_of: AgentOf, agent: Agent
) -> None:
    enterprise = agent_of("enterprise")
    for booker in (agent, enterprise):
        ledger = await booker.ledger()
        await ledger.reserve("k", {})
        await ledger.settle("k", {}, {"email": "ada.abara@acme.example"})
    with pytest.raises(PermissionDenied):
        await agent.call("delete_invitee_data", emails=["ada.abara@acme.example"])
    assert await (await agent.ledger()).recall("k", {}) == KeyOutcome({"email": "ada.abara@acme.example"})
    await enterprise.call("delete_invitee_data", emails=["ada.abara@acme.example"])
    assert await (await enterprise.ledger()).recall("k", {}) == KeyOutcome(None)


async def test_a_plan_below_enterprise_is_refused_by_calendly(agent: Agent) -> None:
    with pytest.raises(PermissionDenied) as refused:
        await agent.call("delete_invitee_data", emails=["ada.abara@acme.example"])
    assert refused.value.message == "Please upgrade your Calendly account to Enterprise."


@pytest.mark.parametrize(
    "emails", [[], ["nobody"], ["a" * 260 + "@b.example"], ["a@b.example"] * 1_001, "a@b.example", [7]]
)
async def test_what_are_no_addresses_is_refused_before_it_is_sent(agent: Agent, emails: object) -> None:
    with pytest.raises(ArgumentError, match="emails"):
        await agent.call("delete_invitee_data", emails=emails)
    assert agent.sent == []
