import pytest

from tests.sandbox.api import Api
from tests.tools.agent import Agent
from tests.tools.endpoints.test_scheduled_events import coming
from tools.toolset.errors import ArgumentError


async def test_invitees_of_an_event_are_listed_and_filtered(agent: Agent, api: Api) -> None:
    event = (await coming(api))["uri"]
    listed = await agent.call("list_event_invitees", scheduled_event=event, status="active", sort="created_at:desc")
    email = listed["collection"][0]["email"]
    assert (await agent.call("list_event_invitees", scheduled_event=event, email=email))["collection"]
    assert (await agent.call("list_event_invitees", scheduled_event=event, email="x@y.example"))["collection"] == []


@pytest.mark.requirement("identifiers-nested", "booking-links-kept")
async def test_an_invitee_is_found_by_uri_or_by_uuid_with_its_event(agent: Agent, api: Api) -> None:
    event = (await coming(api))["uri"]
    uri = (await api.read(f"{event}/invitees"))[0]["uri"]
    uuid = uri.rpartition("/")[2]
    by_uri = await agent.call("get_event_invitee", invitee=uri)
    by_uuid = await agent.call("get_event_invitee", invitee=uuid, scheduled_event=event)
    both = await agent.call("get_event_invitee", invitee=uri, scheduled_event=event)
    assert by_uri == by_uuid == both
    assert by_uri["cancel_url"].startswith("https://calendly.com/cancellations/")
    assert by_uri["reschedule_url"].startswith("https://calendly.com/reschedulings/")


async def test_an_invitees_uuid_alone_is_not_enough(agent: Agent) -> None:
    with pytest.raises(ArgumentError, match="scheduled_event: The uuid of an invitee is not enough"):
        await agent.call("get_event_invitee", invitee="0a1b2c3d")
    assert agent.sent == []


async def test_two_different_events_for_one_invitee_are_refused(agent: Agent) -> None:
    with pytest.raises(ArgumentError, match=r"scheduled_event: .*disagree"):
        await agent.call(
            "get_event_invitee",
            invitee="https://api.calendly.com/scheduled_events/A/invitees/B",
            scheduled_event="C1",
        )
    assert agent.sent == []
