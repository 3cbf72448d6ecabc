"""What pages tell people of Calendly's webhook and of what their agents are posted."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from typing_extensions import override

from auth.endpoints.site import NoEvents, NotSwitched, ShownSubscription, ShownWebhook
from calendly.errors import InsufficientScope
from server.hosted.peoples_events import reason_for
from tests.auth.calendly_side import calendly
from tests.auth.pages.test_agent import message_on, own_page
from tests.auth.site import Served, make_site, serve
from tests.databases import open_migrated


class Refused(NoEvents):
    """A webhook that Calendly does not let this server make, and two subscriptions of one agent at one host."""

    @override
    async def webhook(self, person: str) -> ShownWebhook | None:
        """Return one that is off."""
        return ShownWebhook(is_on=False, told="Off.")

    @override
    async def switch(self, person: str, *, on: bool) -> str:
        """Say that the sign-in lacks a scope."""
        raise NotSwitched(reason_for(InsufficientScope("No.")))

    @override
    async def subscriptions(self, grant: str) -> Sequence[ShownSubscription]:
        """Return two that are told apart by their numbers alone."""
        since = datetime(2026, 12, 1, tzinfo=UTC)
        one = ShownSubscription(id="1", told="Booked.", host="a.example", since=since, last_at=None, is_suspended=False)
        return [one, replace(one, id="2")]


async def test_a_refused_webhook_is_a_warning_that_names_what_is_on_the_page_of_an_agent_and_twins_are_numbered() -> (
    None
):
    async with calendly() as upstream, open_migrated() as database:
        await _refused(serve(replace(make_site(database, upstream), events=Refused()), upstream))


async def _refused(served: Served) -> None:
    """Press the button of the webhook, and look at the agent."""
    await served.sign_in(await served.register(), scope="users:read")
    browser, of_agent = await own_page(served)
    refused = await browser.send(await browser.see("/connections"), "/connections/webhook", ("on", "yes"))
    assert (refused.status_code, message_on(refused)) == (400, "")
    told = re.search(r'<p class="warning" role="alert">That did not work. ([^<]+)</p>', refused.text)
    assert told, refused.text
    named = ["Webhooks", *re.findall(r"“([^”]+)”", told[1])]
    assert named == ["Webhooks", "Ask me each time", "Save, and have the app sign in again"]
    assert [words for words in named if words not in of_agent.text] == []
    of_operator = reason_for(InsufficientScope("No."), "https://mcp.example.com/connections")
    assert "for this person. They open one of their agents at https://mcp.example.com/connections, set" in of_operator
    assert re.findall(r"<button>End( number \d)", of_agent.text) == [" number 1", " number 2"]
    assert "2. Booked. Posted to <bdi>a.example</bdi>" in of_agent.text
