from datetime import timedelta

import pytest

from calendly.errors import PermissionDenied
from tests.sandbox.api import MONDAY, iso
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError
from tools.toolset.ledger import KeyOutcome


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


@pytest.mark.parametrize("emails", [[], ["nobody"], ["a" * 260 + "@b.example"], ["a@b.example"] * 1_001, "nobody", [7]])
async def test_what_are_no_addresses_is_refused_before_it_is_sent(agent: Agent, emails: object) -> None:
    with pytest.raises(ArgumentError, match="emails"):
        await agent.call("delete_invitee_data", emails=emails)
    assert agent.sent == []


@pytest.mark.parametrize(
    ("start_time", "end_time", "told"),
    [
        ("2026-11-01T00:00Z", "2026-11-23T06:01Z", "end_time: Must be in the past"),
        ("2026-11-02T00:00Z", "2026-11-01T00:00Z", "end_time: Must be after start_time"),
        ("2024-11-01T00:00Z", "2024-12-01T00:00Z", "start_time: Must be within the last 731 days"),
        ("2020-11-01T00:00Z", "2026-11-01T00:00Z", "end_time: Must be within 731 days of start_time"),
    ],
)
async def test_what_calendly_would_not_delete_is_refused_before_anybody_is_asked(
    agent: Agent, start_time: str, end_time: str, told: str
) -> None:
    for attempt in (agent.call, agent.ask):
        with pytest.raises(ArgumentError, match=told):
            await attempt("delete_scheduled_event_data", start_time=start_time, end_time=end_time)


async def test_the_question_names_the_range_in_the_persons_zone(agent_of: AgentOf) -> None:
    asked = await agent_of("enterprise").ask(
        "delete_scheduled_event_data", start_time="2026-11-01T00:00Z", end_time="2026-11-02T00:00Z"
    )
    assert "Delete for good all meetings" in asked
    assert "01:00" in asked


async def test_meetings_of_a_time_range_are_deleted(agent_of: AgentOf) -> None:
    enterprise = agent_of("enterprise")
    span = {"start_time": iso(MONDAY - timedelta(days=90)), "end_time": iso(MONDAY)}
    assert (await enterprise.call("delete_scheduled_event_data", **span))["status"] == "accepted"
    past = await enterprise.call("list_scheduled_events", max_start_time=iso(MONDAY))
    assert past["collection"] == []
