"""`subscriptions/listen` with the SDK's client: who is connected hears of new events, on whichever replica."""

import re
from urllib.parse import urljoin

import anyio
import httpx2
import pytest
from mcp.client.subscriptions import Subscription
from mcp.shared.subscriptions import ResourceUpdated

from tests.e2e.conftest import Replicas, Sandbox
from tests.e2e.hosting import Agent
from tests.e2e.people import Browser
from tests.e2e.test_confirm_page import ON_ONE_DATABASE, at_browser
from tests.e2e.test_confirm_page import Browser as Pages
from tests.e2e.test_events import book
from tests.e2e.test_webhooks import submit

pytestmark = pytest.mark.anyio

LATEST = "calendly://events/latest"
READING = "users=read,scheduled_events=read,invitee_data=read,events=read,webhooks=full"


@pytest.fixture
def replica_settings(replica_settings: dict[str, str]) -> dict[str, str]:
    """Have the servers know what Calendly signs with."""
    return {**replica_settings, "CALENDLY_WEBHOOK_KEYS": "sandbox-signing-key"}


async def hears(subscription: Subscription) -> bool:
    """Wait for what a listener is told; False when its stream has ended."""
    with anyio.fail_after(20):
        async for event in subscription:
            assert event == ResourceUpdated(uri=LATEST)
            return True
    return False


async def page_of(pages: Pages, agents: httpx2.Response, name: str) -> httpx2.Response:
    """Open the page of the agent of that name."""
    for path in re.findall(r'<a class="button" href="(/connections/[0-9A-Za-z]+)"', agents.text):
        page = await pages.see(urljoin(str(agents.request.url), path))
        if f"<h1><bdi>{name}</bdi>" in page.text:
            return page
    raise AssertionError(agents.text)


@ON_ONE_DATABASE
@pytest.mark.requirement("listen-told", "listen-checked")
async def test_whoever_listens_is_told_on_each_replica_until_its_level_or_its_grant_is_gone(
    replicas: Replicas, sandbox: Sandbox
) -> None:
    first, second = (Agent(name, Browser(access=READING)) for name in ("First", "Second"))
    for agent in (first, second):
        await agent.sign_in(replicas.first)
    async with (
        first.connect(replicas.endpoints[0], "2026-07-28") as here,
        second.connect(replicas.endpoints[1], "2026-07-28") as there,
        at_browser() as pages,
    ):
        agents = await pages.see(f"{replicas.first.url}/connections")
        assert await submit(pages, agents, "/connections/webhook") == "Calendly's webhook is on."
        async with (
            here.listen(resource_subscriptions=[LATEST, "calendly://users/me"], tools_list_changed=True) as mine,
            there.listen(resource_subscriptions=[LATEST]) as other,
        ):
            assert mine.honored.model_dump(exclude_none=True) == {"resource_subscriptions": [LATEST]}
            await book(sandbox, "one@example.com")
            assert await hears(mine)
            assert await hears(other)

            page = await page_of(pages, agents, "Second")
            levels = dict(re.findall(r'name="(level-\w+)" value="(\w+)" checked', page.text))
            assert (await pages.submit(page, **{**levels, "level-events": "off"})).is_redirect
            await book(sandbox, "two@example.com")
            assert await hears(mine)
            assert not await hears(other)

            async with (
                first.connect(replicas.endpoints[1], "2026-07-28") as elsewhere,
                elsewhere.listen(resource_subscriptions=[LATEST]) as third,
            ):
                replicas.second.process.ask_to_stop()
                assert not await hears(third)  # at once: other requests would get a minute to end

            async with httpx2.AsyncClient(base_url=replicas.first.url) as http:
                leaving = {"token": first.refresh_token, "client_id": first.client_id}
                (await http.post("/revoke", data=leaving)).raise_for_status()
            await book(sandbox, "three@example.com")
            assert not await hears(mine)
