"""The AI SDK's MCP client as a host: it subscribes, is challenged, hears, refreshes, leaves, and is ended."""

import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.certificates import self_signed
from tests.e2e.conftest import KEYS, Sandbox
from tests.e2e.hosting import Agent, Site, upstream_settings
from tests.e2e.people import OWNER, Browser
from tests.e2e.processes import Program, program, run
from tests.e2e.test_confirm_page import at_browser
from tests.e2e.test_events import book
from tests.e2e.test_webhooks import submit
from tests.events.outgoing.callback_host import HOST
from tests.interop.node import SCRIPTS, node

pytestmark = [pytest.mark.anyio, pytest.mark.needs("node"), pytest.mark.usefixtures("measured")]


@contextmanager
def led_site(settings: dict[str, str], port: int, certificate: Path) -> Generator[Site]:
    """Run a hosted server that finds every callback at a port of this machine."""
    with program(str(port), str(certificate), module="tests.e2e.led_server", **settings) as running:
        address = running.line("ready: ").removesuffix("/mcp")
        yield Site(address, running, address)


def told(client: Program, do: str, **more: str) -> Any:  # noqa: ANN401 - JSON may be anything
    """Have the client do something; what came of it."""
    client.say({"do": do, **more})
    return client.hear()["done"]


@pytest.mark.requirement("mcp-events-ai-sdk", "mcp-events-challenged")
async def test_the_ai_sdk_is_told_what_happens_until_its_person_ends_it(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = {
        **upstream_settings(sandbox.url),
        "CALENDLY_MCP_DATABASE_URL": f"sqlite:///{tmp_path / 'database'}",
        "CALENDLY_MCP_SECRET_KEYS": KEYS,
        "CALENDLY_WEBHOOK_KEYS": "sandbox-signing-key",
    }
    self_signed(tmp_path, HOST)
    certificate = tmp_path / "server.pem"
    with (
        node(SCRIPTS / "events_ai_sdk.mjs", f"https://{HOST}/hook", str(certificate)) as client,
        led_site(settings, client.hear()["port"], certificate) as site,
    ):
        agent = Agent(browser=Browser(access="users=read,scheduled_events=read,invitee_data=read,events=read"))
        witness = Agent("Witness", Browser(access="users=read,scheduled_events=read,webhooks=full"))
        await witness.sign_in(site)
        await agent.sign_in(site)
        enabled = run("events", "enable", **settings, CALENDLY_MCP_PUBLIC_URL=site.url)
        assert enabled.status == 0, enabled.stderr
        client.say({"endpoint": site.endpoint, "token": agent.access_token})
        assert client.hear()["version"] == "2026-07-28"

        assert "meeting.booked" in told(client, "list")
        client.say({"do": "subscribe"})
        assert client.hear() == {"challenged": 200}
        first = client.hear()["done"]
        heard: list[dict[str, Any]] = []
        for email in ("one@example.com", "two@example.com"):
            await book(sandbox, email)
            heard.append(client.hear())
        refreshed = told(client, "refresh", id=first["id"])
        assert told(client, "unsubscribe", id=first["id"]) is None

        client.say({"do": "subscribe"})
        assert client.hear() == {"challenged": 200}  # the client names another callback
        second = client.hear()["done"]
        await book(sandbox, "three@example.com")
        heard.append(client.hear())
        async with at_browser(OWNER) as pages:
            agents = await pages.see(f"{site.url}/connections")
            of_agents = re.findall(r'href="(/connections/[^"]+)"', agents.text)
            found = [await pages.see(f"{site.url}{path}") for path in of_agents]
            [page] = [page for page in found if HOST in page.text]
            path = page.request.url.path
            assert await submit(pages, page, f"{path}/subscriptions") == "Nothing more is posted there."
        ended = client.hear()

    assert (refreshed["id"], refreshed["truncated"]) == (first["id"], False)
    assert [(each["event"]["data"]["invitee"]["email"], each["subscription"]) for each in heard] == [
        ("one@example.com", first["id"]),
        ("two@example.com", first["id"]),
        ("three@example.com", second["id"]),
    ]
    assert ended["subscription"] == second["id"]
    assert ended["termination"]["error"] == {"code": -32012, "message": "The person ended this subscription."}
