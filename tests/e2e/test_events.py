"""MCP Events as hosts use them: a list, a subscription whose callback is posted to, and asking for what is new."""

import base64
import hmac
import json
import re
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import anyio
import httpx2
import pytest

from events.outgoing.standard_webhooks import secret_key
from tests.e2e.conftest import KEYS, Sandbox
from tests.e2e.hosting import Agent, Site, hosted, upstream_settings
from tests.e2e.people import OWNER, Browser
from tests.e2e.processes import greet, hello, program, request, run
from tests.e2e.test_confirm_page import at_browser
from tests.e2e.test_webhooks import submit
from tests.events.outgoing.callback_host import CallbackHost, Received, plain_callback_host
from tests.sandbox.api import Api

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("measured")]

SECRET: Final = "whsec_" + base64.b64encode(bytes(range(32))).decode()
MEETINGS: Final = ["meeting.booked", "meeting.canceled", "meeting.rescheduled", "no_show.marked", "no_show.unmarked"]
WATCHING: Final = "users=read,event_types=read,scheduled_events=read,invitee_data=read,events=read,webhooks=full"
MODERN: Final = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture
def site(sandbox: Sandbox, tmp_path: Path) -> Generator[Site]:
    """Run a hosted server, which may post to this machine."""
    settings = {**upstream_settings(sandbox.url), **kept_in(tmp_path), "CALENDLY_MCP_CALLBACK_HOSTS": "127.0.0.1"}
    with hosted(**settings) as running:
        yield running


def kept_in(folder: Path) -> dict[str, str]:
    return {
        "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{folder / 'database'}",
        "CALENDLY_MCP_SECRET_KEYS": KEYS,
        "CALENDLY_WEBHOOK_KEYS": "sandbox-signing-key",
    }


@dataclass
class Host:
    """A host with a signed-in agent, that speaks MCP by itself."""

    site: Site
    agent: Agent

    async def ask(self, method: str, **params: object) -> dict[str, Any]:
        """Send a request; the whole answer."""
        answer: dict[str, Any] = (await self.send(method, **params)).json()
        return answer

    async def send(self, method: str, **params: object) -> httpx2.Response:
        """Send a request."""
        headers = {
            "Authorization": f"Bearer {self.agent.access_token}",
            "Accept": "application/json",
            "MCP-Protocol-Version": "2025-11-25",
        }
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            return await http.post(self.site.endpoint, json={**request(method), "params": params})

    async def send_modern(
        self, method: str, accept: str = "application/json, text/event-stream", **params: object
    ) -> httpx2.Response:
        """Send a request of revision 2026-07-28, and read its answer to the end."""
        headers = {
            "Authorization": f"Bearer {self.agent.access_token}",
            "Accept": accept,
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": method,
        }
        async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
            return await http.post(self.site.endpoint, json={**request(method), "params": {**params, "_meta": MODERN}})

    async def result(self, method: str, **params: object) -> dict[str, Any]:
        """Send a request that succeeds; the result."""
        answer = await self.ask(method, **params)
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    async def subscribe(self, callback: CallbackHost, **changes: object) -> dict[str, Any]:
        """Subscribe to bookings."""
        return await self.result("events/subscribe", **{**_subscription(callback), **changes})


def _subscription(callback: CallbackHost) -> dict[str, object]:
    url = f"http://127.0.0.1:{callback.port}/hook?for=us"
    delivery = {"mode": "webhook", "url": url, "secret": SECRET}
    return {"name": "meeting.booked", "arguments": {}, "delivery": delivery, "cursor": None}


async def signed_in(site: Site, access: str | None = None, scopes: str | None = None) -> Host:
    """Have a host's agent let in by its person."""
    # What a person takes from an app is remembered by its name.
    agent = Agent(f"{access} {scopes}", Browser(access=access, asked=scopes))
    await agent.sign_in(site)
    return Host(site, agent)


async def book(sandbox: Sandbox, email: str) -> None:
    """Let somebody book at Calendly."""
    async with httpx2.AsyncClient(base_url=sandbox.url) as http:
        api = Api(http)
        kind = await api.event_type("Deep dive")
        start = (await api.slots(kind["uri"], after=datetime.now(UTC) + timedelta(days=1), days=6))[0]
        invitee = {"name": "Lee Park", "email": email, "timezone": "Europe/London"}
        await api.book("Deep dive", start_time=start, invitee=invitee)


async def arrival(callback: CallbackHost) -> Received:
    """Wait for the next post."""
    with anyio.fail_after(30):
        return await callback.arrivals.get()


def is_signed(post: Received) -> bool:
    """Verify a post as Standard Webhooks says."""
    content = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    expected = base64.b64encode(hmac.digest(secret_key(SECRET), content, "sha256")).decode()
    return post.headers["webhook-signature"] == f"v1,{expected}"


@pytest.mark.requirement("mcp-events-delivered", "mcp-events-revoked", "mcp-events-list")
async def test_a_host_is_told_of_a_booking_by_callback_and_by_cursor_until_its_person_revokes_it(
    site: Site, sandbox: Sandbox, tmp_path: Path
) -> None:
    witness, host = await signed_in(site, access=WATCHING), await signed_in(site)
    enabled = run(
        "events", "enable", **upstream_settings(sandbox.url), **kept_in(tmp_path), CALENDLY_MCP_PUBLIC_URL=site.url
    )
    assert enabled.status == 0, enabled.stderr
    listed = (await host.result("events/list"))["events"]
    assert [kind["name"] for kind in listed] == MEETINGS
    assert {tuple(kind["delivery"]) for kind in listed} == {("webhook", "poll")}
    async with plain_callback_host() as callback:
        first = await host.subscribe(callback)
        await book(sandbox, "one@example.com")
        post = await arrival(callback)
        found = await witness.result("events/poll", name="meeting.booked", cursor=first["cursor"])

        assert is_signed(post)
        assert post.headers["webhook-id"] == post.content["eventId"]
        assert (post.target, post.headers["x-mcp-subscription-id"]) == ("/hook?for=us", first["id"])
        assert found["events"] == [{name: value for name, value in post.content.items() if name != "cursor"}]
        assert found["nextPollMs"] == 15_000
        assert post.content["data"]["invitee"]["email"] == "one@example.com"
        again = await host.subscribe(callback, cursor=post.content["cursor"])
        assert (again["id"], again["truncated"], again["deliveryStatus"]["active"]) == (first["id"], False, True)
        assert again["deliveryStatus"]["lastDeliveryAt"]

        async with httpx2.AsyncClient(base_url=site.url) as http:
            leaving = {"token": host.agent.refresh_token, "client_id": host.agent.client_id}
            (await http.post("/revoke", data=leaving)).raise_for_status()
        await book(sandbox, "two@example.com")
        ended = await arrival(callback)
        assert (ended.content["type"], is_signed(ended)) == ("terminated", True)
        assert (await witness.result("events/poll", name="meeting.booked", cursor=found["cursor"]))["events"]
        assert callback.arrivals.empty()


@pytest.mark.requirement("mcp-events-errors")
async def test_what_cannot_be_subscribed_to_is_refused_with_what_to_do(site: Site) -> None:
    host = await signed_in(site)
    async with plain_callback_host() as callback:
        asked = _subscription(callback)

        async def error(**changes: object) -> tuple[int, dict[str, Any]]:
            refused = (await host.ask("events/subscribe", **{**asked, **changes}))["error"]
            return refused["code"], refused["data"]

        delivery = {"mode": "webhook", "url": f"http://127.0.0.1:{callback.port}/", "secret": SECRET}
        assert await error(name=7) == (-32602, {"field": "name"})
        for name in ("meeting.forgotten", "other", "contact.created"):
            assert await error(name=name) == (-32011, {"kind": "event"})
        pushed = {"mode": "push", "url": "x"}
        assert await error(delivery=pushed) == (-32014, {"feature": "deliveryMode", "value": "push"})
        assert await error(arguments={"host": "x"}) == (-32602, {"field": "arguments.host"})
        for nothing in ("No such meeting", "00000000-0000-4000-8000-000000000000"):
            assert await error(arguments={"event_type": nothing}) == (-32602, {"field": "arguments.event_type"})
        assert await error(delivery={**delivery, "secret": "x"}) == (-32602, {"field": "delivery.secret"})
        assert await error(delivery={**delivery, "url": "http://10.0.0.1/"}) == (-32602, {"field": "delivery.url"})
        private = {**delivery, "url": "https://10.0.0.1/"}
        assert await error(delivery=private) == (-32015, {"reason": "connection_refused"})
        assert callback.received == []
    assert await host.result("events/unsubscribe", **asked) == {}


@pytest.mark.requirement("mcp-events-page")
async def test_a_person_ends_a_subscription_on_the_page_of_its_agent(site: Site) -> None:
    host = await signed_in(site)
    async with plain_callback_host() as callback, at_browser(OWNER) as pages:
        await host.subscribe(callback)
        agents = await pages.see(f"{site.url}/connections")
        found = re.search(r'href="(/connections/[^"]+)"', agents.text)
        assert found
        page = await pages.see(f"{site.url}{found[1]}")
        assert "Somebody booked a meeting. Posted to <bdi>127.0.0.1" in page.text
        assert await submit(pages, page, f"{found[1]}/subscriptions") == "Nothing more is posted there."
        assert (await arrival(callback)).content["type"] == "terminated"
        shown = (await pages.see(f"{site.url}{found[1]}")).text
        assert "Posted to" not in shown
        assert "It is no longer posted events" in shown
        assert "the person ended this subscription" in shown

        await host.subscribe(callback)
        page = await pages.see(f"{site.url}{found[1]}")
        await submit(pages, page, f"{found[1]}/disconnection")  # their only agent: all that is kept of them goes
        assert (await arrival(callback)).content["type"] == "terminated"


@pytest.mark.requirement("mcp-events-page")
async def test_what_was_subscribed_to_can_be_ended_once_the_operator_lets_nothing_be_posted(
    site: Site, sandbox: Sandbox, tmp_path: Path
) -> None:
    host = await signed_in(site)
    here = {**upstream_settings(sandbox.url), **kept_in(tmp_path), "CALENDLY_MCP_CALLBACKS": "off"}
    async with plain_callback_host() as callback:
        await host.subscribe(callback)
        with hosted(public_url=site.url, **here) as closed:
            silent = Host(Site(closed.answers_at, closed.process, closed.answers_at), host.agent)
            assert {tuple(kind["delivery"]) for kind in (await silent.result("events/list"))["events"]} == {("poll",)}
            assert (await silent.ask("events/subscribe", **_subscription(callback)))["error"]["code"] == -32014
            assert await silent.result("events/unsubscribe", **_subscription(callback)) == {}
        assert "deliveryStatus" not in await host.subscribe(callback)  # it is a new one


@pytest.mark.requirement("mcp-events-access")
async def test_an_agent_without_the_level_is_refused_and_one_without_the_scope_sent_to_a_new_consent(
    site: Site,
) -> None:
    off = await signed_in(site, access="users=read")
    narrow = await signed_in(site, scopes="users:read")
    poll = {"name": "meeting.booked"}

    assert (await off.result("events/list"))["events"] == []
    refused = (await off.ask("events/poll", **poll))["error"]
    assert (refused["code"], refused["data"]) == (-32012, {"reason": "access"})
    answered = await narrow.send("events/poll", **poll)
    assert answered.status_code == 403, answered.text
    assert 'scope="scheduled_events:read"' in answered.headers["WWW-Authenticate"].replace("users:read ", "")


@pytest.mark.requirement("mcp-events-access", "mcp-events-list")
async def test_kinds_of_other_families_take_their_own_scope_and_no_other_once_they_are_on(
    site: Site, sandbox: Sandbox, tmp_path: Path
) -> None:
    await signed_in(site, access=WATCHING)
    narrow = await signed_in(site, scopes="users:read scheduled_events:read")
    wide = await signed_in(site, scopes="users:read event_types:read")
    poll = {"name": "event_type.updated"}
    assert (await narrow.ask("events/poll", **poll))["error"]["code"] == -32011
    here = {**upstream_settings(sandbox.url), **kept_in(tmp_path), "CALENDLY_MCP_PUBLIC_URL": site.url}
    enabled = run("events", "enable", "--kind", "event_types", **here)
    assert enabled.status == 0, enabled.stderr

    assert "event_type.updated" in {kind["name"] for kind in (await narrow.result("events/list"))["events"]}
    for method in ("events/poll", "events/subscribe"):
        answered = await narrow.send(method, **poll)
        assert answered.status_code == 403, answered.text
        lacking = "users:read scheduled_events:read event_types:read"
        assert set(lacking.split()) == set(re.findall(r"\w+:read", answered.headers["WWW-Authenticate"]))
    assert (await wide.result("events/poll", **poll))["events"] == []
    await signed_in(site, access="users=read")  # that entry is stored at once, and those before it with it
    exported = run("audit", "export", **here)
    refused = [entry for line in exported.stdout.splitlines() if (entry := json.loads(line))["decision"] == "refused"]
    assert [entry["action"] for entry in refused] == ["poll_events", "subscribe_events"]


@pytest.mark.requirement("listen-told", "listen-checked")
async def test_who_may_not_read_events_or_takes_no_stream_cannot_listen(site: Site) -> None:
    off, narrow = await signed_in(site, access="users=read"), await signed_in(site, scopes="users:read")
    listen: dict[str, Any] = {"notifications": {"resourceSubscriptions": ["calendly://events/latest"]}}
    assert (await narrow.send_modern("subscriptions/listen", **listen)).status_code == 403
    refused = (await off.send_modern("subscriptions/listen", **listen)).json()["error"]
    assert (refused["code"], "events is off" in refused["message"]) == (-32010, True)
    assert (await off.send_modern("subscriptions/listen", accept="application/json", **listen)).status_code == 406
    nothing = await off.send_modern("subscriptions/listen", notifications={"toolsListChanged": True})
    messages = [json.loads(line[6:]) for line in nothing.text.splitlines() if line.startswith("data: ")]
    assert [message.get("method") for message in messages] == ["notifications/subscriptions/acknowledged", None]
    assert messages[0]["params"]["notifications"] == {}
    told = (await off.send_modern("server/discover")).json()["result"]["capabilities"]
    assert [told[name]["listChanged"] for name in ("tools", "prompts", "resources")] == [False] * 3
    assert told["resources"]["subscribe"] is True
    older = await off.result("initialize", **hello()["params"])
    assert not older["capabilities"]["resources"].get("subscribe")
    assert (await off.ask("subscriptions/listen", **listen))["error"]["code"] == -32601


def test_the_operator_can_keep_events_from_everybody(settings: dict[str, str]) -> None:
    with program("stdio", "--access", "events=off", **settings) as server:
        assert "events" not in greet(server)["capabilities"]
        server.say(request("events/list", 2))
        assert server.hear()["error"]["code"] == -32601
