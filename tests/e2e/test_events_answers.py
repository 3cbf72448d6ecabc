"""What MCP Events answer, and that there are events: the same on every revision of a transport.

tests/snapshots/events/answers.json holds the answers. Whoever means to change one changes it there too.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest

from tests.cases import case
from tests.e2e.conftest import Sandbox
from tests.e2e.hosting import hosted, upstream_settings
from tests.e2e.processes import Program, greet, hello, program, request, run
from tests.e2e.test_events import MODERN, SECRET, WATCHING, Host, book, kept_in, signed_in
from tests.e2e.test_webhooks import deliveries
from tests.sandbox.api import Api

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("measured")]

SNAPSHOT: Final = Path(__file__).parents[1] / "snapshots" / "events" / "answers.json"
NEWEST: Final = "2026-07-28"
REVISIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", NEWEST)
CHANGING: Final = {
    r"\bc1-[0-9a-f]{8}-": "c1-EPOCH-",
    r"\d{4}-\d\d-\d\dT[\d:.]+Z": "TIME",
    r"\w{3} \d{4}-\d\d-\d\d \d\d:\d\d": "LOCAL TIME",
    r"\b(sub|evt)_[0-9a-f]{32}": r"\1_ID",
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "UUID",
}
"""What differs from run to run, and what takes its place."""

SUBSCRIPTION: Final[dict[str, Any]] = {
    "name": "meeting.booked",
    "arguments": {},
    "delivery": {"mode": "webhook", "url": "http://127.0.0.1:9/hook", "secret": SECRET},
}
ASKED: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "a list": ("events/list", {}),
    "a head": ("events/poll", {"name": "meeting.booked"}),
    "what is new": ("events/poll", {"name": "meeting.booked", "cursor": "c1-EPOCH-0", "maxEvents": 1}),
    "a lost cursor": ("events/poll", {"name": "meeting.booked", "cursor": "lost", "maxEvents": 1}),
    "a subscription": ("events/subscribe", SUBSCRIPTION),
    "a refresh": ("events/subscribe", {**SUBSCRIPTION, "ttlMs": 300_000}),
    "an end": ("events/unsubscribe", SUBSCRIPTION),
    "an unknown kind": ("events/subscribe", {**SUBSCRIPTION, "name": "meeting.lost"}),
    "a bad address": ("events/subscribe", {**SUBSCRIPTION, "delivery": {**SUBSCRIPTION["delivery"], "url": "x"}}),
    "a wrong mode": ("events/subscribe", {**SUBSCRIPTION, "delivery": {"mode": "push"}}),
}


def lasting(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an answer says in every run, on every wire."""
    text = json.dumps(answer.get("result", answer.get("error")))
    for changing, same in CHANGING.items():
        text = re.sub(changing, same, text)
    said: dict[str, Any] = json.loads(text)
    return {name: value for name, value in said.items() if name not in {"resultType", "_meta"}}


def opening(revision: str) -> tuple[str, dict[str, Any]]:
    """Return what opens a conversation."""
    return ("server/discover", {}) if revision == NEWEST else ("initialize", hello(revision)["params"])


async def over_http(host: Host, revision: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Send a request to the hosted endpoint."""
    meta: dict[str, Any] = {"_meta": MODERN} if revision == NEWEST else {}
    headers = {
        "Authorization": f"Bearer {host.agent.access_token}",
        "Accept": "application/json",
        "MCP-Protocol-Version": revision,
        "Mcp-Method": method,
    }
    async with httpx2.AsyncClient(headers=headers, timeout=60) as http:
        answered: dict[str, Any] = (await http.post(host.site.endpoint, json=request(method, **params, **meta))).json()
        return answered


def over_stdio(server: Program, revision: str, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """Send a request to a program."""
    meta: dict[str, Any] = {"_meta": MODERN} if revision == NEWEST else {}
    server.say(request(method, 1, **params, **meta))
    return server.hear()


def with_epoch(params: dict[str, Any], cursor: str) -> dict[str, Any]:
    """Ask with a cursor of the feed, given another one of it."""
    asked: dict[str, Any] = json.loads(json.dumps(params).replace("EPOCH", cursor.split("-")[1]))
    return asked


def check(transport: str, capabilities: Mapping[str, Any], answers: Mapping[str, Any]) -> None:
    """Hold what was said against the snapshot."""
    assert capabilities["events"] == capabilities["extensions"]["io.modelcontextprotocol/events"] == {}
    assert [capabilities[name]["listChanged"] for name in ("tools", "prompts", "resources")] == [False] * 3
    expected = json.loads(SNAPSHOT.read_text())
    if transport == "stdio":
        listed = [{**kind, "delivery": ["poll"]} for kind in expected["hosted"]["a list"]["events"]]
        expected["stdio"]["a list"] = {"events": listed}
    assert answers == expected[transport]


@pytest.mark.requirement("mcp-events-capability", "mcp-events-list", "mcp-events-poll", "mcp-events-errors")
async def test_hosted_every_revision_is_answered_the_same(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = {**upstream_settings(sandbox.url), **kept_in(tmp_path), "CALENDLY_MCP_CALLBACK_HOSTS": "127.0.0.1"}
    with hosted(**settings) as site:
        host = await signed_in(site, access=WATCHING)
        assert run("events", "enable", **settings, CALENDLY_MCP_PUBLIC_URL=site.url).status == 0
        cursor = (await host.result("events/poll", name="meeting.booked"))["cursor"]
        await book(sandbox, "one@example.com")
        async with httpx2.AsyncClient(base_url=sandbox.url) as http:
            await deliveries(Api(http), 1)
        for revision in REVISIONS:
            opened = await over_http(host, revision, *opening(revision))
            answers = {
                name: lasting(await over_http(host, revision, method, with_epoch(params, cursor)))
                for name, (method, params) in ASKED.items()
            }
            with case(revision):
                check("hosted", opened["result"]["capabilities"], answers)


@pytest.mark.requirement("mcp-events-capability", "mcp-events-list", "mcp-events-poll", "mcp-events-errors")
@pytest.mark.parametrize("revision", REVISIONS)
def test_over_stdio_every_revision_is_answered_the_same(settings: dict[str, str], revision: str) -> None:
    with program("stdio", **settings) as server:
        if revision == NEWEST:
            capabilities = over_stdio(server, revision, *opening(revision))["result"]["capabilities"]
        else:
            capabilities = greet(server, revision)["capabilities"]
        answers = {
            name: lasting(over_stdio(server, revision, method, params)) for name, (method, params) in ASKED.items()
        }
        check("stdio", capabilities, answers)
