"""What goes wrong for somebody who is new, and that each time they learn what to do next, wherever they meet it."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

import anyio.to_thread
import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from tests.e2e.conftest import Sandbox
from tests.e2e.processes import parameters, program, run
from tests.hostile_upstream import HostileUpstream, answer
from tests.server.desk import ON, call

pytestmark = pytest.mark.anyio

EXPIRED: Final = {"title": "Unauthenticated", "message": "The access token expired"}


@dataclass(frozen=True)
class Trouble:
    """What is wrong.

    Attributes:
        settings: Settings of the server, over those that work.
        fault: What the sandbox does besides.
        kind: The kind of the error that an agent gets.
        next_step: Words of what the agent is told to do.
        whoami: Words of what `whoami` says.
    """

    settings: dict[str, str]
    kind: str
    next_step: tuple[str, ...]
    whoami: str
    fault: Mapping[str, Any] | None = None


TROUBLES: Final = {
    "a wrong token": Trouble(
        {"CALENDLY_ACCESS_TOKEN": "unknown"},
        "unauthenticated",
        ("renew the access token", "API and webhooks", "restart this server"),
        "The access token is invalid. Make a new token in Calendly (Integrations & apps",
    ),
    "an expired token": Trouble(
        {},
        "unauthenticated",
        ("renew the access token", "Calendly ends a token when"),
        "The access token expired. Make a new token in Calendly",
        {"status": 401, "body": EXPIRED, "times": 9},
    ),
    "a token without scopes": Trouble(
        {"CALENDLY_ACCESS_TOKEN": "sandbox-pat-noscopes"},
        "insufficient_scope",
        ("grant the token users:read", "a new token has no scope until one is granted"),
        "The token works, but whoami needs the scope users:read.",
    ),
    "no network": Trouble(
        {"CALENDLY_API_URL": "http://127.0.0.1:1"},
        "upstream_unreachable",
        ("check the network",),
        "The address is http://127.0.0.1:1: check the network, and the proxy if there is one.",
    ),
}


@asynccontextmanager
async def connected(wire: str, settings: Mapping[str, str]) -> AsyncGenerator[Client]:
    """Start a server and connect a client to it."""
    if wire == "stdio":
        async with Client(stdio_client(parameters(["stdio"], settings)), mode="legacy") as client:
            yield client
        return
    with program("http", "--auth", "none", "--port", "0", **settings) as server:
        async with Client(server.line("ready: "), mode="legacy") as client:
            yield client


@pytest.mark.parametrize("wire", ["stdio", "http"])
@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=list(TROUBLES))
async def test_an_agent_learns_what_its_user_has_to_do(
    settings: dict[str, str], sandbox: Sandbox, wire: str, trouble: Trouble
) -> None:
    if trouble.fault:
        sandbox.will_fail(**trouble.fault)
    async with connected(wire, settings | trouble.settings) as client:
        assert len((await client.list_tools()).tools) == len(ON)
        refused = await call(client, "get_current_user")
    assert refused.kind == trouble.kind
    for words in trouble.next_step:
        assert words in refused.error["next_step"]


@pytest.mark.parametrize("trouble", TROUBLES.values(), ids=list(TROUBLES))
def test_a_person_at_the_terminal_learns_what_to_do(
    settings: dict[str, str], sandbox: Sandbox, trouble: Trouble
) -> None:
    if trouble.fault:
        sandbox.will_fail(**trouble.fault)
    ended = run("whoami", **settings | trouble.settings)
    assert (ended.status, ended.stdout) == (1, "")
    assert trouble.whoami in ended.stderr
    assert ended.stderr.count("\n") == 1


@pytest.mark.requirement("next-403-role")
@pytest.mark.parametrize("wire", ["stdio", "http"])
async def test_a_plan_that_does_not_have_it_is_named(settings: dict[str, str], wire: str) -> None:
    free = {"CALENDLY_ACCESS_TOKEN": "sandbox-pat-free", "CALENDLY_MCP_ACCESS": "data_deletion=full"}
    async with connected(wire, settings | free) as client:
        refused = await call(client, "delete_invitee_data", emails=["nobody@example.com"])
    assert refused.kind == "permission_denied"
    assert "Please upgrade your Calendly account to Enterprise." in str(refused.result.content)
    assert "plan" in refused.error["next_step"]


async def test_a_clock_that_is_off_is_told_of_with_the_first_answer_and_only_then(settings: dict[str, str]) -> None:
    early = format_datetime(datetime.now(UTC) - timedelta(hours=5), usegmt=True)
    async with HostileUpstream.listen() as upstream:
        upstream.otherwise = answer(401, EXPIRED, date=early)
        with program("whoami", **settings | {"CALENDLY_API_URL": upstream.origin}) as whoami:
            ended = await anyio.to_thread.run_sync(whoami.end)
    warning, error = ended.stderr.splitlines()
    assert "this machine's clock is 5 hours ahead of Calendly's: set it by the network" in warning
    assert error.startswith("calendly-mcp: Calendly answered 401")
