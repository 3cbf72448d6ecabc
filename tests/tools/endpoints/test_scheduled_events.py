from datetime import timedelta
from itertools import combinations_with_replacement

import pytest

from calendly.errors import Conflict, InsufficientScope, NotFound, PermissionDenied
from sandbox.records.identifiers import fixed_id
from tests.sandbox.api import OWNER, Api, Json
from tests.tools.agent import TOOLS, Agent
from tests.tools.conftest import AgentOf
from tools.times import parse_time
from tools.toolset.errors import ArgumentError

COMING = "2026-11-23T06:00:00Z"


async def coming(api: Api, token: str = OWNER) -> Json:
    """The first meeting to come."""
    user = (await api.me(token))["uri"]
    rows = await api.read("/scheduled_events", token, user=user, min_start_time=COMING, sort="start_time:asc")
    return next(row for row in rows if row["status"] == "active")


@pytest.mark.requirement("defaults-lists")
async def test_events_are_the_persons_own_unless_said_otherwise(agent: Agent, api: Api) -> None:
    me = (await api.me())["uri"]
    events = await agent.call("list_scheduled_events", status="active", min_start_time=COMING, sort="start_time:asc")
    assert events["collection"][0]["uri"] == (await coming(api))["uri"]
    assert agent.sent[-1].query["user"] == me
    assert agent.sent[-1].query["organization"] is None


async def test_a_colleagues_events_are_asked_for_with_the_organization_beside(agent: Agent, api: Api) -> None:
    tomas = (await api.me("admin"))["uri"]
    events = await agent.call("list_scheduled_events", user=tomas, min_start_time=COMING)
    assert (await coming(api, "admin"))["uri"] in {row["uri"] for row in events["collection"]}
    assert agent.sent[-1].query["organization"] == (await api.me())["current_organization"]


async def test_ones_own_events_by_uri_are_asked_for_without_the_organization(agent_of: AgentOf, api: Api) -> None:
    agent = agent_of("member")
    mine = (await api.me("member"))["uri"]
    assert (await agent.call("list_scheduled_events", user=mine, count=1))["collection"]
    assert agent.sent[-1].query["organization"] is None


async def test_a_token_that_may_not_say_whose_it_is_still_asks_for_the_user_alone(agent_of: AgentOf, api: Api) -> None:
    agent = agent_of("noscopes")
    with pytest.raises(InsufficientScope, match="scope") as refused:
        await agent.call("list_scheduled_events", user=(await api.me())["uri"])
    assert refused.value.required_scopes == ("scheduled_events:read",)
    assert [request.endpoint.path for request in agent.sent] == ["/users/me", "/scheduled_events"]
    assert agent.sent[-1].query["organization"] is None


async def test_a_member_does_not_see_a_colleagues_events(agent_of: AgentOf, api: Api) -> None:
    with pytest.raises(PermissionDenied):
        await agent_of("member").call("list_scheduled_events", user=(await api.me())["uri"])


@pytest.mark.requirement("defaults-organization")
async def test_events_of_the_organization_and_of_a_group(agent: Agent, agent_of: AgentOf, api: Api) -> None:
    organization = (await api.me())["current_organization"]
    assert (await agent.call("list_scheduled_events", organization=organization))["collection"]
    support = fixed_id("group support")
    assert (await agent_of("member").call("list_scheduled_events", group=support))["collection"]
    with pytest.raises(NotFound):
        await agent_of("member").call("list_scheduled_events", group="00000000-0000-4000-8000-000000000000")


async def test_events_are_found_by_invitee_and_time_in_the_persons_own_zone(agent: Agent, api: Api) -> None:
    event = await coming(api)
    invitee = (await api.read(f"{event['uri']}/invitees"))[0]
    found = await agent.call(
        "list_scheduled_events",
        invitee_email=invitee["email"],
        min_start_time="2026-11-23T09:00:00",
        max_start_time="2026-11-29T09:00:00+01:00",
    )
    assert event["uri"] in {row["uri"] for row in found["collection"]}
    assert agent.sent[-1].query["min_start_time"] == "2026-11-23T07:59:59Z"
    assert agent.sent[-1].query["max_start_time"] == "2026-11-29T08:00:01Z"


@pytest.mark.requirement("ranges-inclusive")
async def test_both_bounds_of_a_range_are_in_it_to_the_second(agent: Agent, api: Api) -> None:
    me = (await api.me())["uri"]
    starts = [parse_time(row["start_time"]) for row in await api.read("/scheduled_events", user=me, count=100)]
    near = [timedelta(), timedelta(seconds=1), -timedelta(seconds=1), timedelta(microseconds=500)]
    one, other = sorted(starts)[20:22]
    for low, high in combinations_with_replacement(sorted(start + off for start in (one, other) for off in near), 2):
        found = await agent.call(
            "list_scheduled_events", min_start_time=low.isoformat(), max_start_time=high.isoformat(), count=100
        )
        times = sorted(parse_time(row["start_time"]) for row in found["collection"])
        assert times == sorted(start for start in starts if low <= start <= high)


@pytest.mark.requirement("ranges-inclusive")
async def test_days_as_bounds_are_whole(agent: Agent) -> None:
    for named in ("list_scheduled_events", "find_bookings"):
        names = ("min_start_time", "max_start_time") if named.startswith("list") else ("start_time", "end_time")
        found = await agent.call(named, **dict.fromkeys(names, "2026-11-24"), status="active")
        day = await agent.call("get_agenda", date="2026-11-24")
        assert {row["uri"] for row in found["collection"]} == {row["uri"] for row in day["collection"]}
        assert found["collection"]


@pytest.mark.requirement("answer-empty", "answer-searched")
async def test_an_empty_list_says_what_narrowed_it(agent: Agent) -> None:
    found = await agent.call("list_scheduled_events", status="canceled", invitee_email="nobody@acme.example")
    filters = {"invitee_email": "nobody@acme.example"}
    assert found["searched"] == {"whose": "you", "status": "canceled", "filters": filters}
    assert found["empty_because"] == (
        "Nothing matches invitee_email and status; without that there may be some. Only your own were looked for; user "
        "or organization looks further."
    )
    with pytest.raises(ArgumentError, match="max_start_time: Must not be before min_start_time"):
        await agent.call("list_scheduled_events", min_start_time="2026-11-24", max_start_time="2026-11-23")


async def test_an_event_shows_its_hosts_and_place(agent: Agent, api: Api) -> None:
    event = await agent.call("get_scheduled_event", scheduled_event=(await coming(api))["uri"])
    assert event["status"] == "active"
    assert event["event_memberships"][0]["user_email"] == "maya@northlight.example"


async def test_canceling_ends_the_meeting_and_tells_the_invitee(agent: Agent, api: Api) -> None:
    event = await coming(api)
    canceled = await agent.call("cancel_scheduled_event", scheduled_event=event["uri"], reason="Ill,\nsorry")
    assert (canceled["canceler_type"], canceled["reason"]) == ("host", "Ill,\nsorry")
    assert (await agent.call("get_scheduled_event", scheduled_event=event["uri"]))["status"] == "canceled"
    mails = (await api.http.get("/_sandbox/outbox")).json()
    assert mails


async def test_canceling_without_a_reason_sends_an_empty_body(agent: Agent, api: Api) -> None:
    await agent.call("cancel_scheduled_event", scheduled_event=(await coming(api))["uri"])
    assert agent.sent[-1].body == {}


@pytest.mark.requirement("error-conflict")
async def test_a_second_cancel_is_a_conflict(agent: Agent, api: Api) -> None:
    event = (await coming(api))["uri"]
    await agent.call("cancel_scheduled_event", scheduled_event=event)
    with pytest.raises(Conflict) as refused:
        await agent.call("cancel_scheduled_event", scheduled_event=event)
    assert refused.value.message == "Event is already canceled"


@pytest.mark.parametrize("reason", ["x" * 10_001, "bell \x07", "null \x00"])
async def test_a_reason_too_long_or_with_control_characters_is_refused(agent: Agent, reason: str) -> None:
    with pytest.raises(ArgumentError, match="reason"):
        await agent.call("cancel_scheduled_event", scheduled_event="4c9d2e10", reason=reason)
    assert agent.sent == []


@pytest.mark.requirement("cancel-words")
def test_an_agent_reads_that_calendly_has_no_call_to_reschedule() -> None:
    assert "It has no reschedule call" in TOOLS["cancel_scheduled_event"].description
