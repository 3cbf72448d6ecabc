"""What happened, at the hosted endpoint: told by Calendly's webhook, read by cursor, by each agent what it may see."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest
from mcp import Client

from tests.e2e.hosting import Agent, hosted
from tests.e2e.people import ADMIN, OWNER, Browser
from tests.e2e.test_confirm_page import at_browser
from tests.e2e.test_events import Host, arrival, is_signed
from tests.e2e.test_webhooks import deliveries, slots, submit
from tests.events.outgoing.callback_host import plain_callback_host
from tests.sandbox.api import Api
from tests.server.desk import Answer, call

pytestmark = pytest.mark.anyio

READING = "users=read,scheduled_events=read,event_types=read,invitee_data=read,events=read"
ACTING = f"{READING},booking=full,canceling=full,webhooks=full"


async def told(client: Client, **arguments: object) -> dict[str, Any]:
    answer = await call(client, "list_received_events", **arguments)
    assert answer.kind == "answered", answer.content
    return answer.content


def who(news: dict[str, Any]) -> list[tuple[str, bool, str]]:
    """What happened, and who did it."""
    rows = news["collection"]
    return [(row["kind"], row["data"]["actor"]["self"], row["data"]["actor"]["by"]) for row in rows]


@asynccontextmanager
async def overtaken(api: Api, client: Client, booking: dict[str, Any]) -> AsyncGenerator[None]:
    """Have an agent book, lose Calendly's answer, and let the lists lack the booking meanwhile."""
    await api.control("faults", {"method": "POST", "path": "/invitees", "drop": "after", "read_lag": 600})
    answers: list[Answer] = []

    async def act() -> None:
        answers.append(await call(client, "create_event_invitee", **booking))

    async with anyio.create_task_group() as agents:
        agents.start_soon(act)
        yield
        assert answers == []
        agents.cancel_scope.cancel()
    await api.control("faults", {"read_lag": 0})


@pytest.mark.requirement("events-tool", "events-access", "feed-own", "feed-forgets")
async def test_each_agent_is_told_at_once_what_it_may_see_and_what_it_did_itself() -> None:
    actor = Agent("Actor", Browser(access=ACTING))
    reader, other = Agent("Reader", Browser(access=READING)), Agent("Other", Browser(ADMIN, access=READING))
    old = Agent("Old", Browser(access="users=read,scheduled_events=read"))
    with hosted("--sandbox") as site:
        async with (
            actor.connect(site.endpoint) as acting,
            reader.connect(site.endpoint) as reading,
            other.connect(site.endpoint) as of_other,
            old.connect(site.endpoint) as old_client,
            httpx2.AsyncClient(base_url=site.calendly) as http,
            at_browser(OWNER) as pages,
        ):
            api = Api(http)
            start = await told(acting)
            assert (start["collection"], start["source"]) == ([], "polling")
            page = await pages.see(f"{site.url}/connections")
            assert await submit(pages, page, "/connections/webhook") == "Calendly's webhook is on."

            first, second, third = (await slots(api))[:3]
            booked = await call(acting, "create_event_invitee", **await api.booking(start_time=first))
            assert booked.kind == "answered", booked.content
            await api.book(start_time=second)
            assert await deliveries(api, 2) == [204, 204]
            news = await told(acting, cursor=start["cursor"])
            assert who(news) == [("meeting.booked", True, "agent"), ("meeting.booked", False, "host")]
            assert news["source"] == "webhook"
            assert who(await told(reading, cursor=start["cursor"]))[0] == ("meeting.booked", False, "agent")

            async with overtaken(api, acting, await api.booking(start_time=third)):
                await deliveries(api, 3)
                faster = await told(acting, cursor=news["cursor"])
                assert who(faster) == [("meeting.booked", True, "agent")]
                assert who(await told(reading, cursor=news["cursor"])) == [("meeting.booked", False, "agent")]
            event = faster["collection"][0]["data"]["meeting"]["uri"]
            await api.control("faults", {"method": "POST", "path": "/scheduled_events/*/cancellation", "drop": "after"})
            lost = await call(acting, "cancel_scheduled_event", scheduled_event=event)
            await deliveries(api, 4)
            assert lost.kind == "outcome_unknown"
            assert who(await told(reading, cursor=faster["cursor"])) == [("meeting.canceled", False, "agent")]
            news = await told(acting, cursor=faster["cursor"])
            assert who(news) == [("meeting.canceled", True, "agent")]

            canceled = await call(acting, "cancel_scheduled_event", scheduled_event=booked.content["event"])
            assert canceled.kind == "answered", canceled.content
            await deliveries(api, 5)
            assert who(await told(acting, cursor=news["cursor"])) == [("meeting.canceled", True, "agent")]

            foreign = await told(of_other, cursor=news["cursor"])
            assert (foreign["collection"], foreign["truncated"]) == ([], True)
            assert "list_received_events" not in {tool.name for tool in (await old_client.list_tools()).tools}
            refused = await call(old_client, "list_received_events")
            assert refused.kind == "access_denied_by_policy"
            assert "/connections" in refused.error["message"]

            page = await pages.see(f"{site.url}/connections")
            await submit(pages, page, "/connections", sure="yes")
        async with Agent("New", Browser(access=READING)).connect(site.endpoint) as anew:
            nothing = await told(anew, cursor=news["cursor"])
            assert nothing["truncated"]
            assert nothing["source"] == "polling"


@pytest.mark.requirement("events-walk", "mcp-events-page")
async def test_a_host_hears_of_a_booking_on_a_page_and_of_no_more_once_its_person_ends_it() -> None:
    agent = Agent("Host", Browser(access=READING))
    witness = Agent("Witness", Browser(access=ACTING))
    with hosted("--sandbox", CALENDLY_MCP_CALLBACK_HOSTS="127.0.0.1") as site:
        async with (
            agent.connect(site.endpoint) as client,
            witness.connect(site.endpoint) as watching,
            httpx2.AsyncClient(base_url=site.calendly) as http,
            at_browser(OWNER) as pages,
            plain_callback_host() as callback,
        ):
            api, host = Api(http), Host(site, agent)
            page = await pages.see(f"{site.url}/connections")
            assert await submit(pages, page, "/connections/webhook") == "Calendly's webhook is on."
            subscribed = await host.subscribe(callback, arguments={"event_type": "Intro\u200b call\u202e"})
            start = (await told(watching))["cursor"]
            first, second = (await slots(api))[:2]
            await book_on_page(api, first, "lee@acme.example")
            post = await arrival(callback)
            assert is_signed(post)
            assert await deliveries(api, 1) == [204]
            assert post.headers["x-mcp-subscription-id"] == subscribed["id"]
            assert post.content["data"]["actor"] == {"self": False, "by": "invitee"}
            reading = post.content["data"]["read_more"]
            invitee = await call(client, reading, invitee=post.content["data"]["invitee"]["uri"])
            assert invitee.content["email"] == "lee@acme.example"

            page = await pages.see(f"{site.url}/connections")
            of_agents = [
                await pages.see(f"{site.url}{path}") for path in re.findall(r'href="(/connections/[^"]+)"', page.text)
            ]
            [page] = [page for page in of_agents if "Posted to <bdi>127.0.0.1" in page.text]
            assert "Only the event type “Intro call”. Posted to" in page.text
            of_host = f"{page.request.url.path}/subscriptions"
            assert await submit(pages, page, of_host) == "Nothing more is posted there."
            assert (await arrival(callback)).content["type"] == "terminated"
            await book_on_page(api, second, "kim@acme.example")
            assert await deliveries(api, 2) == [204, 204]
            assert len((await told(watching, cursor=start))["collection"]) == 2
            assert len(callback.received) == 2


async def book_on_page(api: Api, start: str, email: str) -> None:
    """Let somebody book on the page of an event type."""
    invitee = {"name": "Lee Park", "email": email, "timezone": "Europe/London"}
    body = await api.booking(start_time=start, invitee=invitee)
    kind = await api.event_type("Intro call")
    del body["event_type"]
    answer = await api.http.post("/_sandbox/bookings", json={**body, "booking_url": kind["scheduling_url"]})
    assert answer.is_success, answer.text
