"""What a writing call is about, so that an agent can be limited to it: not known is None, and outside every limit."""

from typing import Any

import pytest

from tests.sandbox.api import CALENDLY, Api
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.effects import Affected

ALL_ASPECTS = frozenset({"event_types", "hosts", "domains"})
CANCEL, BOOK, LINK = "cancel_scheduled_event", "create_event_invitee", "create_single_use_scheduling_link"


def uuid(uri: str) -> str:
    return uri.rpartition("/")[2]


def invitee(email: str, **fields: object) -> dict[str, object]:
    return {"uri": f"{CALENDLY}/scheduled_events/E1/invitees/{email}", "email": email, **fields}


async def will_answer(api: Api, path: str, body: object, times: int = 1) -> None:
    await api.fail(path, status=200, times=times, body=body)


async def event_of(api: Api, **fields: object) -> None:
    """Have Calendly tell of an event that the seeded account has not."""
    event = {
        "uri": f"{CALENDLY}/scheduled_events/E1",
        "event_type": f"{CALENDLY}/event_types/T1",
        "event_memberships": [{"user": f"{CALENDLY}/users/U1"}],
        "event_guests": [],
        **fields,
    }
    await will_answer(api, "/scheduled_events/*", {"resource": event})


async def told(agent: Agent, api: Api, *pages: dict[str, Any], **event: object) -> Affected:
    """What canceling an event with these pages of invitees is about."""
    await event_of(api, **event)
    for page in pages:
        await will_answer(api, "/scheduled_events/*/invitees", page)
    return await agent.about(CANCEL, ALL_ASPECTS, scheduled_event="E1")


def page(*people: object, more: str | None = None) -> dict[str, Any]:
    return {"collection": list(people), "pagination": {"count": len(people), "next_page_token": more}}


async def test_canceling_is_about_type_hosts_invitees_and_guests(agent: Agent, api: Api) -> None:
    booked = await api.book("Intro call", event_guests=["guest@acme.example"])
    event = await api.read(booked["event"])
    assert await agent.about(CANCEL, ALL_ASPECTS, scheduled_event=event["uri"]) == Affected(
        event_types=frozenset({uuid(event["event_type"])}),
        hosts=frozenset({uuid((await api.me())["uri"])}),
        addresses=frozenset({"lee@acme.example", "guest@acme.example"}),
    )


async def test_all_hosts_of_a_meeting_count(agent: Agent, api: Api) -> None:
    hosts = [{"user": f"{CALENDLY}/users/{name}"} for name in ("U1", "U2")]
    assert (await told(agent, api, page(), event_memberships=hosts)).hosts == frozenset({"U1", "U2"})


@pytest.mark.parametrize("hosts", [[{"user": f"{CALENDLY}/users/U1"}, {"user": None}], [{"user": 7}, {}]])
async def test_a_host_who_is_not_told_makes_the_hosts_unknown(agent: Agent, api: Api, hosts: object) -> None:
    assert (await told(agent, api, page(), event_memberships=hosts)).hosts is None


async def test_more_than_a_page_of_invitees_all_count(agent: Agent, api: Api) -> None:
    first = [invitee(f"a{number}@acme.example") for number in range(100)]
    affected = await told(agent, api, page(*first, more="p2"), page(invitee("last@other.example")))
    assert affected.addresses is not None
    assert len(affected.addresses) == 101
    assert "last@other.example" in affected.addresses


async def test_invitees_that_could_not_all_be_read_are_unknown(agent: Agent, api: Api) -> None:
    await event_of(api)
    await will_answer(api, "/scheduled_events/*/invitees", page(invitee("a@acme.example"), more="p2"))
    drop = {"method": "GET", "path": "/scheduled_events/*/invitees", "drop": "before", "times": 9}
    await api.control("faults", drop)
    affected = await agent.about(CANCEL, ALL_ASPECTS, scheduled_event="E1")
    assert (affected.addresses, affected.event_types) == (None, frozenset({"T1"}))


@pytest.mark.parametrize(
    ("odd", "addresses"),
    [({"collection": [], "pagination": {"next_page_token": 7}}, None), (page({"name": "Lee"}), {""})],
)
async def test_invitees_that_cannot_be_understood_are_at_no_domain(
    agent: Agent, api: Api, odd: dict[str, Any], addresses: object
) -> None:
    assert (await told(agent, api, odd)).addresses == addresses


async def test_guests_that_cannot_be_understood_make_everything_unknown(agent: Agent, api: Api) -> None:
    assert await told(agent, api, page(), event_guests=[{"email": "a@acme.example"}, {"email": 7}]) == Affected()


async def test_only_invitees_who_are_still_to_come_are_told(agent: Agent, api: Api) -> None:
    await event_of(api)
    await agent.about(CANCEL, ALL_ASPECTS, scheduled_event="E1")
    [asked] = [request for request in agent.sent if request.path.endswith("/invitees")]
    assert asked.query["status"] == "active"


async def test_nothing_is_read_that_no_condition_asks_for(agent: Agent, api: Api) -> None:
    kind = (await api.event_type("Intro call"))["uri"]
    body = await api.booking()
    assert (await agent.about(LINK, {"event_types"}, owner=kind)).event_types == frozenset({uuid(kind)})
    assert (await agent.about(BOOK, {"domains"}, **body)).addresses == frozenset({"lee@acme.example"})
    assert agent.sent == []
    await event_of(api)
    assert (await agent.about(CANCEL, {"hosts"}, scheduled_event="E1")).hosts == frozenset({"U1"})
    assert [request.path for request in agent.sent] == ["/scheduled_events/E1"]


async def test_what_may_not_be_read_is_unknown(agent_of: AgentOf, api: Api) -> None:
    agent = agent_of("noscopes")
    kind = (await api.event_type("Intro call"))["uri"]
    assert await agent.about(CANCEL, ALL_ASPECTS, scheduled_event="E1") == Affected()
    assert (await agent.about(LINK, ALL_ASPECTS, owner=kind)).hosts is None


@pytest.mark.parametrize(("name", "known"), [("Intro call", True), ("Support triage", False), ("Hiring panel", False)])
async def test_hosts_of_what_is_booked_are_known_only_where_one_person_hosts(
    agent: Agent, api: Api, name: str, *, known: bool
) -> None:
    kind = (await api.event_type(name))["uri"]
    affected = await agent.about(LINK, ALL_ASPECTS, owner=kind)
    assert affected.hosts == (frozenset({uuid((await api.me())["uri"])}) if known else None)


async def test_a_one_off_type_with_co_hosts_has_hosts_that_are_not_known(agent: Agent, api: Api) -> None:
    made = await agent.call(
        "create_one_off_event_type",
        name="Both of us",
        duration=30,
        date_setting={"type": "days_in_future", "days": 7, "only_weekdays": True},
        co_hosts=[(await api.me("admin"))["uri"]],
    )
    assert (await agent.about(LINK, ALL_ASPECTS, owner=made["uri"])).hosts is None


async def test_a_booking_is_about_its_guests_too(agent: Agent, api: Api) -> None:
    body = await api.booking(event_guests=["guest@other.example"])
    affected = await agent.about(BOOK, ALL_ASPECTS, **body)
    assert affected.addresses == frozenset({"lee@acme.example", "guest@other.example"})
    assert affected.hosts == frozenset({uuid((await api.me())["uri"])})


async def test_what_is_not_permitted_to_the_agent_is_found_out_as_the_person(agent: Agent, api: Api) -> None:
    booked = await api.book("Intro call")
    agent.off = {"scheduled_events", "invitee_data"}
    affected = await agent.about(CANCEL, ALL_ASPECTS, scheduled_event=booked["event"])
    assert affected.addresses == frozenset({"lee@acme.example"})
