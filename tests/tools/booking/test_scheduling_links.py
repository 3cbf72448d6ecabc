import pytest

from tests.sandbox.api import Api
from tests.tools.agent import TOOLS, Agent
from tools.toolset.errors import ArgumentError


async def test_a_link_books_one_event_type_once(agent: Agent, api: Api) -> None:
    owner = (await api.event_type("Intro call"))["uri"]
    link = await agent.call("create_single_use_scheduling_link", owner=owner.rpartition("/")[2])
    assert link["booking_url"].startswith("https://calendly.com/")
    assert agent.sent[-1].body == {"max_event_count": 1, "owner": owner, "owner_type": "EventType"}


@pytest.mark.parametrize(
    ("changes", "said"), [({"active": False}, "switched off"), ({"deleted_at": "2026-01-01T00:00:00Z"}, "deleted")]
)
async def test_a_link_for_what_nobody_can_book_is_refused_like_a_booking_of_it(
    agent: Agent, api: Api, changes: dict[str, object], said: str
) -> None:
    owner = {**await api.event_type("Intro call"), **changes}
    await api.fail("/event_types/*", status=200, body={"resource": owner})
    with pytest.raises(ArgumentError, match=f"owner: This event type is {said}"):
        await agent.call("create_single_use_scheduling_link", owner=owner["uri"])
    assert all(request.is_read for request in agent.sent)


async def test_an_event_type_that_may_not_be_read_is_left_to_calendly(agent: Agent, api: Api) -> None:
    owner = (await api.event_type("Intro call"))["uri"]
    await api.fail("/event_types/*", status=403)
    assert (await agent.call("create_single_use_scheduling_link", owner=owner))["owner"] == owner


@pytest.mark.parametrize("change", [{"max_event_count": 2}, {"owner_type": "User"}, {"owner": 7}])
async def test_a_link_for_anything_else_is_refused(agent: Agent, change: dict[str, object]) -> None:
    with pytest.raises(ArgumentError, match=next(iter(change))):
        await agent.call("create_single_use_scheduling_link", **{"owner": "b7e2c4d1", **change})
    assert agent.sent == []


@pytest.mark.requirement("link-words")
def test_an_agent_reads_that_a_link_serves_one_booking_and_ends_after_90_days() -> None:
    assert "one booking; unused, it dies after 90 days" in TOOLS["create_single_use_scheduling_link"].description
