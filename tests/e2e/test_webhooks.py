"""Calendly's webhooks at the hosted endpoint: switched on by a person or an operator, and gone with the last agent."""

import json
import re
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import anyio
import httpx2
import pytest

from tests.e2e.conftest import Sandbox
from tests.e2e.hosting import Agent, Site, hosted, upstream_settings
from tests.e2e.people import OWNER, Browser
from tests.e2e.processes import Ended, run
from tests.e2e.test_confirm_page import Browser as Pages
from tests.e2e.test_confirm_page import at_browser
from tests.sandbox.api import Api, Json
from tests.server.desk import call

pytestmark = pytest.mark.anyio

MAY = "users=read,scheduled_events=read,webhooks=full"
_PATIENCE = 30


async def deliveries(api: Api, attempts: int) -> list[Json]:
    """Return what Calendly posted to this server, once so many attempts were answered."""
    with anyio.fail_after(_PATIENCE):
        while True:
            listed = (await api.http.get("/_sandbox/deliveries")).json()
            ours = [one["status"] for told in listed for one in told["attempts"] if one["status"] != 200]
            if len(ours) >= attempts:
                return ours


async def submit(pages: Pages, page: httpx2.Response, path: str, **filled: str) -> str:
    """Fill in and send one of the forms of a page, and return what the next page says about it."""
    form = re.search(rf'<form method="post" action="{path}"[^>]*>(.*?)</form>', page.text, re.DOTALL)
    assert form, page.text
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form[1])
    fields = urlencode([*((name, unescape(value)) for name, value in hidden), *filled.items()])
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null"}
    address = f"{page.request.url.scheme}://{page.request.url.netloc.decode()}"
    answer = await pages.http.post(f"{address}{path}", content=fields, headers=headers)
    shown = answer
    if answer.is_redirect:
        shown = await pages.see(f"{address}{answer.headers['Location'].removeprefix(address)}")
    said = re.search(r'<p class="done" role="status">([^<]*)', shown.text)
    return unescape(said[1]) if said else ""


@pytest.mark.usefixtures("measured")
@pytest.mark.requirement("webhook-switch", "webhook-removed", "webhook-receiver")
async def test_a_person_switches_the_webhook_on_and_it_goes_with_their_last_agent() -> None:
    agent = Agent(browser=Browser(access=MAY))
    with hosted("--sandbox") as site:
        await agent.sign_in(site)
        async with httpx2.AsyncClient(base_url=site.calendly) as http, at_browser(OWNER) as pages:
            api = Api(http)
            page = await pages.see(f"{site.url}/connections")
            assert "asks Calendly now and then" in page.text
            assert await submit(pages, page, "/connections/webhook") == "Calendly's webhook is on."
            await api.book(start_time=(await slots(api))[0])
            assert await deliveries(api, 1) == [204]
            page = await pages.see(f"{site.url}/connections")
            assert "Calendly tells this server at once" in page.text
            assert "Calendly last told something on" in page.text
            assert await submit(pages, page, "/connections/webhook") == "Calendly's webhook is off."
            page = await pages.see(f"{site.url}/connections")
            await submit(pages, page, "/connections/webhook")
            hooks = await subscriptions(api)
            assert len(hooks) == 1
            of_agent = re.search(r'href="(/connections/[^"]+)"', page.text)
            assert of_agent
            page = await pages.see(f"{site.url}{of_agent[1]}")
            assert "is disconnected" in await submit(pages, page, f"{of_agent[1]}/disconnection")
            with anyio.fail_after(20):  # it is removed in the background
                while await subscriptions(api):
                    pass


@pytest.mark.usefixtures("measured")
@pytest.mark.requirement("watch-events", "events-tools")
async def test_an_agent_has_calendly_tell_what_happens_and_reads_it_at_once() -> None:
    agent = Agent(browser=Browser(access=f"{MAY},event_types=read,events=read"))
    with hosted("--sandbox") as site:
        await agent.sign_in(site)
        async with httpx2.AsyncClient(base_url=site.calendly) as http, agent.connect(site.endpoint) as client:
            api = Api(http)
            tried = (await call(client, "watch_events", dry_run=True)).content["dry_run"]
            assert tried["path"] == "/webhook_subscriptions"
            assert tried["body"]["url"] == f"{site.url}/webhooks/calendly/…"
            assert "signing_key" not in tried["body"]
            assert await subscriptions(api) == []
            made = await call(client, "watch_events")
            assert made.content == {
                "webhooks": [{"events": "meetings", "state": "waiting for the first event"}],
                "source": "webhook",
            }
            before = (await call(client, "list_received_events")).content["cursor"]
            await api.book(start_time=(await slots(api))[0])
            assert await deliveries(api, 1) == [204]
            news = (await call(client, "list_received_events", cursor=before)).content
            assert [event["kind"] for event in news["collection"]] == ["meeting.booked"]
            again = await call(client, "watch_events")
            assert again.content["note"] == "It was so already; nothing was sent."
            assert again.content["webhooks"][0]["state"] == "working"
            assert len(await subscriptions(api)) == 1
            unknown = await call(client, "watch_events", kinds=["meeting.lost"])
            assert unknown.kind == "invalid_argument"
            other = await call(client, "watch_events", kinds=["contact.created"])
            assert other.kind == "access_denied_by_policy"
            some = await call(client, "watch_events", kinds=["event_type.updated", "meeting.booked"])
            assert [each["events"] for each in some.content["webhooks"]] == ["meetings", "event_types"]
            ended = await call(client, "watch_events", stop=True)
            assert ended.content == {"webhooks": [], "source": "polling"}
            assert await subscriptions(api) == []


async def slots(api: Api) -> list[str]:
    """Return the starts of the open slots from now on."""
    return await api.slots((await api.event_type("Intro call"))["uri"], after=datetime.now(UTC))


async def subscriptions(api: Api) -> list[Json]:
    """List Calendly's subscriptions of the owner alone."""
    me = await api.me()
    of_user = {"organization": me["current_organization"], "scope": "user", "user": me["uri"]}
    return list(await api.read("/webhook_subscriptions", **of_user))


@dataclass
class Operator:
    """Whoever runs the server, at its machine."""

    site: Site
    settings: dict[str, str]

    def run(self, *words: str) -> Ended:
        """Run `calendly-mcp events` with the settings of the server."""
        return run("events", *words, **self.settings, CALENDLY_MCP_PUBLIC_URL=self.site.url)

    def state(self) -> list[tuple[str, str]]:
        """List the webhooks: what of, and how it is with each."""
        listed = self.run("list", "--json")
        assert listed.status == 0, listed.stderr
        return [(each["events"], each["state"]) for each in json.loads(listed.stdout)["webhooks"]]


@pytest.fixture
def operator(sandbox: Sandbox, tmp_path: Path) -> Generator[Operator]:
    """Run a hosted server on an empty database, with the key of its application at Calendly."""
    settings = {
        **upstream_settings(sandbox.url),
        "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{tmp_path / 'database'}",
        "CALENDLY_MCP_SECRET_KEYS": "k1:" + "A" * 43,
        "CALENDLY_WEBHOOK_KEYS": "next-signing-key,sandbox-signing-key",
    }
    with hosted(**settings) as site:
        yield Operator(site, settings)


@pytest.mark.usefixtures("measured")
@pytest.mark.requirement("events-command", "webhook-keys-setting")
async def test_an_operator_makes_lists_replaces_and_removes_webhooks(operator: Operator, sandbox: Sandbox) -> None:
    nobody = operator.run("enable")
    assert (nobody.status, "Nobody has connected Calendly here yet" in nobody.stderr) == (1, True)
    await Agent(browser=Browser(access=MAY)).sign_in(operator.site)
    assert operator.run("list").stdout.startswith("Calendly tells this server nothing at once: ")
    assert operator.run("disable").stdout == "No webhook was on for maya@northlight.example.\n"
    wrong = operator.run("enable", "--kind", "meeting.lost")
    assert (wrong.status, 'there is no kind "meeting.lost"' in wrong.stderr) == (2, True)
    assert operator.run("enable", "--kind", "meetings", "--rotate").status == 2
    made = operator.run("enable", "--person", "maya@northlight.example")
    assert (made.status, made.stderr) == (0, ""), made.stderr
    assert operator.state() == [("meetings", "waiting for the first event")]
    async with httpx2.AsyncClient(base_url=sandbox.url) as http:
        api = Api(http)
        before = (await subscriptions(api))[0]["callback_url"]
        await api.book(start_time=(await slots(api))[1])
        assert (await deliveries(api, 1))[-1] == 204
        assert operator.state() == [("meetings", "working")]
        assert operator.run("enable", "--rotate").status == 0
        (hook,) = await subscriptions(api)
        assert hook["callback_url"] != before
        refused = operator.run("enable", "--kind", "contact.created")
        assert refused.status == 1
        assert refused.stderr.startswith("calendly-mcp: contacts: ")
        assert refused.stderr.count("The supplied parameters are invalid.") == 1
        assert operator.run("list").stdout.startswith("meetings of maya@northlight.example: ")
        assert operator.run("disable").status == 0
        assert await subscriptions(api) == []
    assert operator.state() == []
    assert hook["callback_url"].rpartition("/")[2] not in operator.run("list").stdout
    real = {**operator.settings, "CALENDLY_API_URL": "https://api.calendly.com"}
    hidden = run("events", "enable", **real, CALENDLY_MCP_PUBLIC_URL=operator.site.url)
    assert (hidden.status, "which is an address of this machine only" in hidden.stderr) == (1, True)
