"""Signing in to the hosted endpoint with the SDK's client, and what an agent then may."""

from collections.abc import Generator, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Literal

import httpx2
import pytest
from mcp import Client
from mcp.shared.auth import OAuthToken

from auth.access.choices import CAUTIOUS
from auth.access.levels import UNLIMITED, Limits, decide_all
from server.calls.principal import operation_of
from tests.e2e.hosting import Agent, Site, coming_meeting, hosted, let_minutes_pass
from tests.e2e.people import ADMIN, MEMBER, OWNER, Browser
from tests.server.desk import ON_HOSTED, Era, Person, call

pytestmark = pytest.mark.anyio

BOOKING = "event_types=read,availability=read,booking=full"
ERAS: list[Era] = ["legacy", "2026-07-28"]


@pytest.fixture(scope="module")
def site() -> Generator[Site]:
    """Run a hosted server with a sandbox in it: the demonstration that needs nothing."""
    with hosted("--sandbox", CALENDLY_MCP_BOOKING_LIMITS="none") as running:
        yield running


@pytest.fixture(scope="module")
def minutes() -> Iterator[int]:
    """Count the tests."""
    return count(2, 2)


@pytest.fixture(autouse=True)
def unhurried(site: Site, minutes: Iterator[int]) -> None:
    """Put minutes between the tests: Calendly gives one person few tokens in one."""
    let_minutes_pass(site.calendly, next(minutes))


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("person", [OWNER, MEMBER])
async def test_an_agent_signs_in_by_browser_and_acts_for_whoever_signed_in(site: Site, era: Era, person: str) -> None:
    agent = Agent(browser=Browser(person))
    async with agent.connect(site.endpoint, era) as client:
        listed = (await client.list_tools()).tools
        assert (await call(client, "get_current_user")).content["name"] == person
    preselected = Limits(ceiling=UNLIMITED, chosen=CAUTIOUS)
    allowed = [tool for tool in ON_HOSTED if decide_all(map(operation_of, tool.needs), preselected).verdict != "deny"]
    assert [tool.name for tool in listed] == [tool.name for tool in allowed]


@pytest.mark.requirement("identity-everywhere", "run-hosted")
async def test_two_agents_of_two_people_see_each_their_own(site: Site) -> None:
    agents = [Agent("One", Browser(OWNER)), Agent("Two", Browser(ADMIN))]
    async with agents[0].connect(site.endpoint) as one, agents[1].connect(site.endpoint) as two:
        seen = [(await call(client, "get_current_user")).content["uri"] for client in (one, two)]
        own = [(await call(client, "list_event_types")).content["collection"] for client in (one, two)]
    assert len(set(seen)) == 2
    assert {kind["uri"] for kind in own[0]} != {kind["uri"] for kind in own[1]}


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_that_lacks_a_scope_has_the_client_ask_its_user_for_it(site: Site, era: Era) -> None:
    agent = Agent(browser=Browser(asked="users:read"))
    async with agent.connect(site.endpoint, era) as client:
        assert agent.scopes == {"users:read"}
        assert (await call(client, "get_current_user")).kind == "answered"
        agent.browser.asked = "users:read event_types:read"
        assert (await call(client, "list_event_types")).kind == "answered"
        assert agent.scopes == {"users:read", "event_types:read"}
        assert (await call(client, "get_current_user")).kind == "answered"
    assert len(agent.browser.consents) == 2


@pytest.mark.parametrize("era", ERAS)
async def test_an_agent_whose_client_cannot_ask_comes_back_with_a_token(site: Site, era: Era) -> None:
    # No question of ours has a way back to an older client over stateless HTTP.
    person = Person() if era == "legacy" else None
    async with Agent().connect(site.endpoint, era, person) as client:
        meeting = await coming_meeting(client)
        told = await call(client, "cancel_scheduled_event", scheduled_event=meeting)
        assert told.kind == "confirmation_required"
        again = {"scheduled_event": meeting, "confirmation": told.error["confirmation"]}
        assert (await call(client, "cancel_scheduled_event", **again)).kind == "answered"
        assert "used already" in (await call(client, "cancel_scheduled_event", **again)).error["message"]


@pytest.mark.parametrize(("action", "kind"), [("accept", "answered"), ("decline", "declined")])
async def test_a_client_of_2026_asks_its_user_what_reaches_strangers(
    site: Site, action: Literal["accept", "decline"], kind: str
) -> None:
    person = Person(action)
    async with Agent().connect(site.endpoint, "2026-07-28", person) as client:
        canceled = await call(client, "cancel_scheduled_event", scheduled_event=await coming_meeting(client))
    assert canceled.kind == kind
    assert [question[:8] for question in person.questions] == ["Cancel a"]


@pytest.mark.requirement("identity-everywhere")
async def test_a_confirmation_is_for_the_agent_that_was_given_it(site: Site) -> None:
    agents = [Agent("One"), Agent("Two")]
    async with agents[0].connect(site.endpoint) as one, agents[1].connect(site.endpoint) as two:
        meeting = await coming_meeting(one)
        refused = await call(one, "cancel_scheduled_event", scheduled_event=meeting)
        confirmed = {"scheduled_event": meeting, "confirmation": refused.error["confirmation"]}
        other = await call(two, "cancel_scheduled_event", **confirmed)
        assert other.kind == "confirmation_required"
        assert "not given for this very call" in other.error["message"]
        assert (await call(one, "cancel_scheduled_event", **confirmed)).kind == "answered"


@pytest.mark.requirement("identity-everywhere")
async def test_an_idempotency_key_belongs_to_one_agent_of_one_person(site: Site) -> None:
    agents = [Agent(name, Browser(access=BOOKING)) for name in ("Booker one", "Booker two")]
    async with agents[0].connect(site.endpoint) as one, agents[1].connect(site.endpoint) as two:
        assert await _book(one, 0, "the-key") != await _book(two, 1, "the-key")


async def test_a_refreshed_token_goes_on_where_the_old_one_ended(site: Site) -> None:
    agent = Agent()
    await agent.sign_in(site)
    before = agent.access_token
    async with httpx2.AsyncClient(base_url=site.url) as http:
        renewed = await http.post(
            "/token",
            data={"grant_type": "refresh_token", "refresh_token": agent.refresh_token, "client_id": agent.client_id},
        )
    assert renewed.status_code == 200
    tokens = renewed.json()
    assert tokens["access_token"] != before
    agent.memory.tokens = OAuthToken.model_validate(tokens)
    async with agent.connect(site.endpoint) as client:
        assert (await call(client, "get_current_user")).kind == "answered"
    assert len(agent.browser.consents) == 1


async def test_a_revoked_agent_is_out_at_once_and_signs_in_anew(site: Site) -> None:
    agent = Agent()
    async with agent.connect(site.endpoint) as client:
        assert (await call(client, "get_current_user")).kind == "answered"
        async with httpx2.AsyncClient(base_url=site.url) as http:
            revoked = await http.post("/revoke", data={"token": agent.refresh_token, "client_id": agent.client_id})
            assert revoked.status_code == 200
            refused = await http.post("/mcp", headers={"Authorization": f"Bearer {agent.access_token}"})
            assert refused.status_code == 401
        assert (await call(client, "get_current_user")).kind == "answered"
    assert len(agent.browser.consents) == 2


async def _book(client: Client, slot: int, key: str) -> str:
    """Book the open time of that number; the invitee's URI."""
    kinds = (await call(client, "list_event_types", active=True)).content["collection"]
    kind = next(kind for kind in kinds if kind["name"] == "Intro call")
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    span = {"start_time": tomorrow.isoformat(), "end_time": (tomorrow + timedelta(days=7)).isoformat()}
    times = (
        await call(client, "list_event_type_available_times", event_type=kind["uri"], detail="full", **span)
    ).content
    kind = (await call(client, "get_event_type", event_type=kind["uri"])).content
    booked = await call(
        client,
        "create_event_invitee",
        event_type=kind["uri"],
        start_time=times["collection"][slot]["start_time"],
        invitee={"name": "Ada Example", "email": "ada@example.com", "timezone": "Europe/London"},
        location={"kind": kind["locations"][0]["kind"]},
        questions_and_answers=[
            {"question": question["name"], "answer": "Tea.", "position": question["position"]}
            for question in kind["custom_questions"]
            if question["required"]
        ],
        idempotency_key=key,
    )
    return str(booked.content["uri"])
