"""Approving one call of an agent on our own page, by its person and nobody else, on whichever replica."""

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode, urljoin

import anyio
import httpx2
import pytest

from tests.databases import FILE
from tests.e2e.conftest import Replicas, Sandbox
from tests.e2e.hosting import Agent, coming_meeting
from tests.e2e.people import ADMIN, OWNER
from tests.server.desk import Answer, Person, call

pytestmark = pytest.mark.anyio
TOOL = "cancel_scheduled_event"

ON_ONE_DATABASE = pytest.mark.parametrize("shared_database_url", [FILE], indirect=True)
"""On one kind: tests/server/stores/test_confirmations.py proves of each what is stored and given out once."""


@dataclass
class Browser:
    """A person at a browser, on our own pages."""

    http: httpx2.AsyncClient
    person: str

    async def see(self, url: str) -> httpx2.Response:
        """Open a page, signing in where it asks for that."""
        page = await self._follow(await self.http.get(url))
        if "/sign-in" in page.text:
            page = await self._follow(await self.submit(page))
            page = await self._follow(await self.submit(page, person=await self._choice(page), decision="allow"))
        return page

    async def answer(self, page: httpx2.Response, decision: str) -> httpx2.Response:
        """Press a button of the page."""
        return await self._follow(await self.submit(page, decision=decision))

    async def submit(self, page: httpx2.Response, **pressed: str) -> httpx2.Response:
        """Send the form of a page, as Chromium does from a page without referrer."""
        action = re.search(r'<form method="post" action="([^"]+)"', page.text)
        assert action, page.text
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text)
        fields = {name: unescape(value) for name, value in hidden} | pressed
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "null"}
        target = urljoin(str(page.request.url), unescape(action[1]))
        return await self.http.post(target, content=urlencode(fields), headers=headers)

    async def _choice(self, page: httpx2.Response) -> str:
        people = re.findall(r'name="person" value="([^"]+)"[^>]*>\s*<span>([^<]+)', page.text)
        return next(str(identity) for identity, name in people if unescape(name) == self.person)

    async def _follow(self, response: httpx2.Response) -> httpx2.Response:
        while response.is_redirect:
            response = await self.http.get(urljoin(str(response.request.url), response.headers["Location"]))
        return response


@asynccontextmanager
async def at_browser(person: str = OWNER) -> AsyncGenerator[Browser]:
    """Sit down at a browser without cookies."""
    async with httpx2.AsyncClient(timeout=60) as http:
        yield Browser(http, person)


async def asked(replicas: Replicas, agent: Agent, replica: int = 0) -> tuple[str, Answer]:
    """Have an agent ask to cancel a meeting; which, and what it was answered."""
    async with agent.connect(replicas.endpoints[replica]) as client:
        meeting = await coming_meeting(client)
        return meeting, await call(client, TOOL, scheduled_event=meeting)


async def again(replicas: Replicas, agent: Agent, meeting: str, first: Answer, replica: int = 0) -> Answer:
    """Have the agent come again with its token."""
    async with agent.connect(replicas.endpoints[replica]) as client:
        return await call(client, TOOL, scheduled_event=meeting, confirmation=first.error["confirmation"])


def cancellations(sandbox: Sandbox) -> int:
    return sum(request.endswith("/cancellation") for request in sandbox.requests())


@pytest.mark.usefixtures("measured")
@pytest.mark.requirement("asked-first", "confirm-page")
async def test_a_person_approves_a_call_on_the_page_and_any_replica_finishes_it(
    replicas: Replicas, sandbox: Sandbox
) -> None:
    agent, before = Agent(), cancellations(sandbox)
    async with at_browser() as browser:
        meeting, first = await asked(replicas, agent)
        url = first.error["confirm_url"]
        assert first.kind == "confirmation_required"
        assert url.startswith(f"{replicas.first.url}/confirm/")
        assert url in str(first.result.content)
        assert first.error["confirmation"] not in url
        assert "confirm_url" in first.error["next_step"]
        page = await browser.see(url)
        assert "may it do this" in page.text
        ours, *facts = first.error["message"].splitlines()
        assert all(sentence in page.text for sentence in ours.removesuffix(".").split(". "))
        shown = re.findall(
            r"<dt>([^<]+)</dt>\s*<dd><bdi>([^<]+)</bdi>",
            re.sub(r'<span class="address">(.*?)</span>', r"\1", page.text).replace("<wbr>", ""),
        )
        told = [f"{label}: {unescape(text)}" for label, text in shown]
        assert told[:-2] == [re.sub("[“”]", "", fact) for fact in facts]
        assert told[-2].startswith("Agent, as it calls itself: ")
        assert told[-1] == f"In the Calendly account of: {OWNER}"
        assert "You said yes" in (await browser.answer(page, "approve")).text
        assert cancellations(sandbox) == before
        done = await again(replicas, agent, meeting, first, replica=1)
        assert done.kind == "answered"
        assert cancellations(sandbox) == before + 1
        assert (await again(replicas, agent, meeting, first)).kind == "confirmation_required"
        assert cancellations(sandbox) == before + 1


@ON_ONE_DATABASE
@pytest.mark.requirement("asked-first", "confirm-page")
async def test_nobody_else_sees_the_question_or_answers_it_and_a_no_is_heard_and_stays(
    replicas: Replicas, sandbox: Sandbox
) -> None:
    agent, before = Agent(), cancellations(sandbox)
    async with at_browser(ADMIN) as stranger, at_browser() as browser:
        meeting, first = await asked(replicas, agent)
        url = first.error["confirm_url"]
        for address in (url, f"{url}x", f"{replicas.first.url}/confirm/{first.error['confirmation']}"):
            seen = await stranger.see(address)
            assert seen.status_code == 404
            assert "Cancel" not in seen.text
        own = await browser.see(url)
        forged = await stranger.submit(own, decision="approve")
        assert "Nothing was done" in forged.text
        cross = await browser.http.post(
            url, content="decision=approve", headers={"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
        )
        assert cross.status_code in {400, 403}
        without_secret = await browser.http.post(
            url,
            content="decision=approve",
            headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": "null"},
        )
        assert without_secret.status_code == 400
        page = await browser.see(url)
        assert "may it do this" in page.text
        assert own.headers["X-Frame-Options"] == "DENY"
        assert "You said no" in (await browser.answer(page, "decline")).text
        assert "You said no" in (await browser.answer(page, "approve")).text
        refused = await again(replicas, agent, meeting, first)
        assert (refused.kind, refused.error["message"]) == ("declined", "The user was asked on the page and said no.")
        assert (await again(replicas, agent, meeting, first)).kind == "confirmation_required"
        assert cancellations(sandbox) == before


async def test_a_yes_is_for_the_very_arguments_and_agent_and_of_two_replicas_at_once_one_sends(
    replicas: Replicas, sandbox: Sandbox
) -> None:
    agent, other, before = Agent(), Agent("Other"), cancellations(sandbox)
    async with at_browser() as browser:
        meeting, first = await asked(replicas, agent)
        await browser.answer(await browser.see(first.error["confirm_url"]), "approve")
        async with agent.connect(replicas.endpoints[0]) as client:
            token = first.error["confirmation"]
            changed = await call(client, TOOL, scheduled_event=meeting, reason="Because.", confirmation=token)
        assert changed.kind == "confirmation_required"
        assert (await again(replicas, other, meeting, first)).kind == "confirmation_required"
        assert cancellations(sandbox) == before
        kinds: list[str] = []

        async def come(replica: int) -> None:
            kinds.append((await again(replicas, agent, meeting, first, replica)).kind)

        async with anyio.create_task_group() as tasks:
            for replica in (0, 1, 0, 1):
                tasks.start_soon(come, replica)
        assert kinds.count("answered") == 1
        assert cancellations(sandbox) == before + 1


@ON_ONE_DATABASE
async def test_without_an_answer_on_the_page_the_agents_word_counts_unless_the_page_alone_does(
    replicas: Replicas, sandbox: Sandbox
) -> None:
    agent = Agent()
    async with at_browser() as browser:
        meeting, first = await asked(replicas, agent)
        assert (await again(replicas, agent, meeting, first)).kind == "answered"
        assert "?" not in first.error["confirm_url"]
        page = await browser.see(first.error["confirm_url"])
        assert "did not wait for you here" in page.text
        assert "Nothing was sent" not in page.text
        before = cancellations(sandbox)
        meeting, first = await asked(replicas, agent)
        page = await browser.see(f"{replicas.first.url}/connections")
        (mine,) = re.findall(r'<a class="button" href="(/connections/[0-9A-Za-z]+)"', page.text)
        settings = await browser.see(urljoin(replicas.first.url, mine))
        levels = dict(re.findall(r'name="(level-\w+)" value="(\w+)" checked', settings.text))
        saved = await browser.submit(settings, **levels, **{"confirm-canceling": "browser"})
        assert saved.is_redirect
        waiting = await again(replicas, agent, meeting, first)
        assert waiting.kind == "confirmation_required"
        assert waiting.error["confirm_url"] == first.error["confirm_url"]
        assert waiting.error["confirmation"] == first.error["confirmation"]
        assert "only their answer on that page counts" in waiting.error["next_step"]
        async with agent.connect(replicas.endpoints[0]) as client:
            token = first.error["confirmation"]
            other = await call(client, TOOL, scheduled_event=meeting, reason="Because.", confirmation=token)
        assert other.error["message"].startswith("The confirmation was not given for this very call.")
        assert cancellations(sandbox) == before
        async with agent.connect(replicas.endpoints[1], "2026-07-28", Person()) as client:
            assert (await call(client, TOOL, scheduled_event=meeting)).kind == "confirmation_required"
        await browser.answer(await browser.see(first.error["confirm_url"]), "approve")
        assert (await again(replicas, agent, meeting, first)).kind == "answered"
        assert cancellations(sandbox) == before + 1
