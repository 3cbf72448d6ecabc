"""Both versions of the TypeScript SDK sign in, refresh, and ask for more when a tool needs it."""

from itertools import chain, repeat

import anyio
import pytest

from tests.e2e.hosting import Site
from tests.e2e.people import Browser
from tests.interop.node import SCRIPTS, node
from tests.server.desk import ON_HOSTED

pytestmark = pytest.mark.needs("node")


@pytest.mark.parametrize(
    ("script", "arguments", "person", "version"),
    [
        ("sign_in_sdk_v1.mjs", [], "Maya Lindqvist", None),
        ("sign_in_sdk_v2.mjs", ["legacy"], "Tomás Herrera", "2025-11-25"),
        ("sign_in_sdk_v2.mjs", ["auto"], "Priya Raman", "2026-07-28"),
    ],
)
def test_the_sdk_signs_in_refreshes_and_asks_for_more_without_losing_what_it_had(
    site: Site, script: str, arguments: list[str], person: str, version: str | None
) -> None:
    asked = chain(["users:read"], repeat(None))
    with node(SCRIPTS / script, site.endpoint, *arguments) as client:
        openings = 0
        while "open" in (message := client.hear()):
            openings += 1
            client.say({"arrived": anyio.run(Browser(person, asked=next(asked)).open, message["open"])})
    assert openings == 2
    first, refreshed, last = message["scopes"]
    assert (first, refreshed) == ("users:read", "users:read")
    # Version 1 asks for the scopes of the refusal alone, so the refusal names what the token had as well.
    assert {"users:read", "event_types:read"} <= set(last.split())
    assert message["refreshed"]
    assert message["listed"] == 1
    assert message["user"]["name"] == message["again"]["name"] == person
    assert message["tools"] == [tool.name for tool in ON_HOSTED]  # also those that it would have to ask for
    assert message.get("version") == version
