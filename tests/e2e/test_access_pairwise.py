"""Access on every wire, from every source, at every level: listed or not, allowed, asked or refused, and why.

Every two of wire, source, level and tool meet in one of the calls below. What is expected follows from the design's
table alone, not from the code that decides.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from sqlalchemy import update

from auth import tables
from auth.access.text import parse_access
from calendly.scopes import GUIDE_SCOPES
from storage.database import open_database
from tests.e2e.hosting import Agent, Site, hosted, upstream_settings
from tests.e2e.people import Browser
from tests.e2e.processes import parameters, program
from tests.pairs import all_pairs
from tests.server.desk import Era, Person, call
from tools import GUIDE_TOOLS, EndpointTool

pytestmark = pytest.mark.anyio

ORDER: Final = ("off", "read", "ask", "full")
HAS: Final = {
    **dict.fromkeys(("users", "scheduled_events", "invitee_data", "availability"), ("off", "read")),
    **dict.fromkeys(("event_types", "organization", "webhooks"), ORDER),
    **dict.fromkeys(("booking", "canceling", "scheduling_links", "data_deletion"), ("off", "ask", "full")),
}
"""The levels of each capability, as the design has them."""

WIRES: Final[list[tuple[str, Era]]] = [
    (transport, era) for transport in ("stdio", "http", "hosted") for era in ("legacy", "2026-07-28")
]
SOURCES: Final = ("operator", "person", "token", "calendly")

NOBODY: Final = "00000000-0000-4000-8000-000000000000"
ARGUMENTS: Final[dict[str, dict[str, Any]]] = {
    "get_current_user": {},
    "list_event_types": {},
    "create_one_off_event_type": {
        "name": "Catch up",
        "duration": 30,
        "date_setting": {"type": "days_in_future", "days": 7, "only_weekdays": True},
    },
    "list_scheduled_events": {},
    "list_event_invitees": {"scheduled_event": NOBODY},
    "list_user_availability_schedules": {},
    "create_event_invitee": {
        "event_type": NOBODY,
        "start_time": "2031-12-01T10:00:00Z",
        "invitee": {"name": "Lee", "email": "lee@acme.example", "timezone": "Europe/Berlin"},
    },
    "cancel_scheduled_event": {"scheduled_event": NOBODY},
    "create_single_use_scheduling_link": {"owner": NOBODY},
    "list_organization_memberships": {},
    "create_organization_invitation": {"email": "new@northlight.example"},
    "list_webhook_subscriptions": {},
    "create_webhook_subscription": {"url": "http://127.0.0.1:9/hook", "events": ["invitee.created"]},
    "delete_invitee_data": {"emails": ["nobody@acme.example"]},
}
"""A tool for each capability of the guide's tools, and what it does there, with arguments that change little."""

TOOLS: Final = {tool.name: tool for tool in GUIDE_TOOLS}
BY_POLICY: Final = {"access_denied_by_policy", "insufficient_scope", "confirmation_required", "declined"}


def _is_possible(combination: tuple[object, ...]) -> bool:
    """On one's own machine the operator is the person, who has no token of ours."""
    (transport, _), source, *_ = cast("tuple[tuple[str, Era], str, str, str]", combination)
    return transport == "hosted" or source == "operator"


@dataclass(frozen=True)
class Station:
    """Where calls are made: a wire, and the level that one source sets for everything; the others allow all."""

    wire: tuple[str, Era]
    source: str
    level: str

    def of(self, tool: EndpointTool) -> str:
        """The level of a tool's capability: the highest it can have up to that of the station."""
        fitting = [level for level in HAS[tool.capability] if ORDER.index(level) <= ORDER.index(self.level)]
        return fitting[-1]

    def is_refused(self, tool: EndpointTool) -> bool:
        """Whether a call of a tool goes no further."""
        if self.source in {"token", "calendly"}:
            return not _covers(self.level, tool)
        return self.of(tool) == "off" or (tool.access == "write" and self.of(tool) == "read")

    def is_asked(self, tool: EndpointTool) -> bool:
        """Whether a person is asked about a call of a tool."""
        return self.source in {"operator", "person"} and tool.access == "write" and self.of(tool) == "ask"


def _scopes(level: str) -> frozenset[str]:
    """Scopes that stand for a level."""
    if level == "off":
        return frozenset({"locations:read"})  # which no tool needs
    return GUIDE_SCOPES if level != "read" else frozenset(scope for scope in GUIDE_SCOPES if scope.endswith(":read"))


def _covers(level: str, tool: EndpointTool) -> bool:
    return level in {"ask", "full"} or (level == "read" and tool.scope.endswith(":read"))


STATIONS: Final[dict[Station, list[str]]] = {}
for wire, source, level, name in all_pairs([WIRES, SOURCES, ORDER, list(ARGUMENTS)], _is_possible):
    station = Station(cast("tuple[str, Era]", wire), str(source), str(level))
    STATIONS.setdefault(station, []).append(str(name))


def access_at(level: str) -> str:
    """That level for every capability, or the highest below it."""
    chosen = {
        name: [one for one in levels if ORDER.index(one) <= ORDER.index(level)][-1] for name, levels in HAS.items()
    }
    return ",".join(f"{name}={one}" for name, one in chosen.items())


@dataclass
class Servers:
    """A sandbox, and servers on it that are started when they are wanted."""

    folder: Path
    stack: ExitStack
    sandbox: str = ""
    agent: Agent = field(default_factory=lambda: Agent(browser=Browser(access=access_at("full"))))
    _http: dict[str, str] = field(default_factory=dict[str, str])
    _hosted: dict[str, Site] = field(default_factory=dict[str, Site])

    @property
    def settings(self) -> dict[str, str]:
        """What a server for one person is told."""
        return {
            "CALENDLY_ACCESS_TOKEN": "sandbox-pat-owner",
            "CALENDLY_API_URL": self.sandbox,
            "CALENDLY_MCP_DATABASE_URL": "sqlite://",
        }

    @property
    def database_url(self) -> str:
        """Where the hosted servers keep what they know."""
        return f"sqlite:///{self.folder / 'database.sqlite3'}"

    def http(self, level: str) -> str:
        """The endpoint without sign-in under a ceiling."""
        if level not in self._http:
            words = ("http", "--auth", "none", "--port", "0", "--access", access_at(level))
            self._http[level] = self.stack.enter_context(program(*words, **self.settings)).line("ready: ")
        return self._http[level]

    async def hosted(self, level: str) -> Site:
        """The hosted endpoint under a ceiling: replicas at one public address, where the agent signed in once."""
        if level not in self._hosted:
            settings = {**upstream_settings(self.sandbox), "CALENDLY_MCP_DATABASE_URL": self.database_url}
            first = next(iter(self._hosted.values()), None)
            public = "" if first is None else first.url
            site = self.stack.enter_context(hosted("--access", access_at(level), public_url=public, **settings))
            self._hosted[level] = site
            if first is None:
                await self.agent.sign_in(site)
        return self._hosted[level]

    async def set(self, station: Station) -> None:
        """Have the person, the token or Calendly allow as much as a station says, and the others everything."""
        levels = {"person": "full", "token": "full", "calendly": "full", station.source: station.level}
        async with open_database(self.database_url) as database, database.begin() as connection:
            for statement in (
                update(tables.grant).values(
                    access=parse_access(access_at(levels["person"])), scopes=frozenset(GUIDE_SCOPES)
                ),
                update(tables.access_token).values(scopes=frozenset(_scopes(levels["token"]))),
                update(tables.upstream_connection).values(scopes=frozenset(_scopes(levels["calendly"]))),
            ):
                await connection.execute(statement)

    def writes(self) -> list[str]:
        """What the sandbox was sent besides reads and sign-ins."""
        received = httpx2.get(f"{self.sandbox}/_sandbox/requests").raise_for_status().json()
        return [one["path"] for one in received if one["method"] != "GET" and not one["path"].startswith("/oauth")]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Generator[Servers]:
    with ExitStack() as stack:
        servers = Servers(tmp_path_factory.mktemp("pairwise"), stack)
        servers.sandbox = stack.enter_context(program("sandbox", "--port", "0")).line("ready: ")
        yield servers


@asynccontextmanager
async def connected(servers: Servers, station: Station, person: Person) -> AsyncGenerator[Client]:
    transport, era = station.wire
    mode = "legacy" if era == "legacy" else "auto"
    http = httpx2.AsyncClient(timeout=60)
    if transport == "hosted":
        site = await servers.hosted(station.level if station.source == "operator" else "full")
        await servers.set(station)
        http.headers["Authorization"] = f"Bearer {servers.agent.access_token}"
        server: AbstractAsyncContextManager[Any] = streamable_http_client(f"{site.answers_at}/mcp", http_client=http)
    elif transport == "http":
        server = streamable_http_client(servers.http(station.level), http_client=http)
    else:
        words = ["stdio", "--access", access_at(station.level)]
        server = stdio_client(parameters(words, servers.settings))
    async with http, Client(server, mode=mode, elicitation_callback=person.answer) as client:
        yield client


@pytest.mark.requirement("least-of-four", "access-ceiling")
@pytest.mark.parametrize("station", STATIONS, ids=lambda one: "-".join((*one.wire, one.source, one.level)))
async def test_what_becomes_of_a_call(servers: Servers, station: Station) -> None:
    person = Person("decline")
    async with connected(servers, station, person) as client:
        listed = {tool.name for tool in (await client.list_tools()).tools}
        for name in STATIONS[station]:
            tool, before = TOOLS[name], servers.writes()
            steps_up = station.source in {"token", "calendly"}
            assert (name in listed) == (steps_up or not station.is_refused(tool)), name
            if station.is_refused(tool) and station.source == "token":
                await _is_sent_to_sign_in(servers, tool)
            else:
                await _is_as_expected(client, station, tool, person)
            writes = tool.access == "write" and not (station.is_refused(tool) or station.is_asked(tool))
            assert (servers.writes() != before) == writes, name


async def _is_as_expected(client: Client, station: Station, tool: EndpointTool, person: Person) -> None:
    person.questions.clear()
    answer = await call(client, tool.name, **ARGUMENTS[tool.name])
    said = str(answer.content)
    if station.is_refused(tool) and station.source == "calendly":
        assert answer.kind == "insufficient_scope"
        assert f"Calendly did not grant the scope {tool.scope}" in said
    elif station.is_refused(tool):
        assert answer.kind == "access_denied_by_policy"
        assert f"(capability {tool.capability}) is switched off: {tool.capability} is {station.of(tool)}." in said
        changes = {"operator": "Whoever started this server can change that with --access", "person": "/connections."}
        assert changes[station.source] in said
    elif station.is_asked(tool) and answer.kind == "not_found":
        assert person.questions == []  # nobody is asked about what does not exist
    elif station.is_asked(tool):
        can_ask = station.wire[0] == "stdio" or station.wire[1] != "legacy"
        assert answer.kind == ("declined" if can_ask else "confirmation_required"), tool.name
        assert len(person.questions) == can_ask
    else:
        assert answer.kind not in BY_POLICY, said
        assert person.questions == []


async def _is_sent_to_sign_in(servers: Servers, tool: EndpointTool) -> None:
    """A token that a browser's sign-in gave, and that lacks a scope, is answered so that the client asks for more."""
    site = await servers.hosted("full")
    headers = {
        "Authorization": f"Bearer {servers.agent.access_token}",
        "Accept": "application/json, text/event-stream",
    }
    params = {"name": tool.name, "arguments": ARGUMENTS[tool.name]}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    refused = httpx2.post(f"{site.answers_at}/mcp", json=message, headers=headers)
    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert tool.scope in refused.headers["WWW-Authenticate"]


def test_the_table_here_and_the_tools_name_the_same_capabilities() -> None:
    assert {(TOOLS[name].capability, TOOLS[name].access) for name in ARGUMENTS} == {
        (tool.capability, tool.access) for tool in GUIDE_TOOLS
    }
    assert {(station.source, station.level) for station in STATIONS} == {
        (source, level) for source in SOURCES for level in ORDER
    }
