"""What the tests of the whole product share: a sandbox, servers as processes, the SDK's own client on every wire."""

import os
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx2
import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from tests.e2e.chromium import Browser, chromium
from tests.e2e.hosting import Site, hosted, upstream_settings
from tests.e2e.pages import Loopback, loopback
from tests.e2e.processes import MEASURED, parameters, program
from tests.sandbox.api import Json, bearer
from tests.server.desk import Era, Person, call

WIRES: list[tuple[str, Era]] = [
    ("stdio", "legacy"),
    ("stdio", "2026-07-28"),
    ("http", "legacy"),
    ("http", "2026-07-28"),
]


KEYS: Final = f"k1:{'A' * 43}"
"""The key ring of replicas."""


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure which lines the processes of a test run. It comes before the fixtures that start them."""
    if "COVERAGE" in os.environ:
        monkeypatch.setenv(MEASURED, os.environ["COVERAGE"])


@dataclass
class Sandbox:
    """A sandbox in a process of its own, by its controls."""

    url: str
    http: httpx2.Client

    def reset(self) -> None:
        """Begin again with the seeded account."""
        self.http.post("/_sandbox/reset", json={}).raise_for_status()

    def will_fail(self, **fault: object) -> None:
        """Ask for a fault."""
        self.http.post("/_sandbox/faults", json=fault).raise_for_status()

    def requests(self) -> list[str]:
        """List what it received."""
        received = self.http.get("/_sandbox/requests").raise_for_status().json()
        return [f"{request['method']} {request['path']}" for request in received]

    def booking(self, email: str, slot: int = 0) -> dict[str, Any]:
        """Compose a booking by the owner that nothing is wrong with, at the open time of that number from tomorrow."""
        kinds = self._read("/event_types", user=self._read("/users/me")["uri"])
        kind = next(kind["uri"] for kind in kinds if kind["name"] == "Deep dive")
        first = datetime.now(UTC) + timedelta(days=1)
        span = {"start_time": first.isoformat(), "end_time": (first + timedelta(days=6)).isoformat()}
        slots = self._read("/event_type_available_times", event_type=kind, **span)
        invitee = {"name": "Lee", "email": email, "timezone": "Europe/London"}
        return {"event_type": kind, "start_time": slots[slot % len(slots)]["start_time"], "invitee": invitee}

    def booked(self, email: str) -> int:
        """Count the bookings of an invitee by the mails that went out."""
        mails = self.http.get("/_sandbox/outbox").raise_for_status().json()
        return sum(mail["to"] == email for mail in mails)

    def _read(self, path: str, **query: str) -> Json:
        answer = self.http.get(path, params=query, headers=bearer("owner")).raise_for_status().json()
        return answer.get("resource") or answer["collection"]


@dataclass
class Connection:
    """A client that is connected to a server, which takes the sandbox for Calendly.

    Attributes:
        client: The SDK's client.
        transport: `stdio` or `http`.
        era: How it opened the conversation.
        person: Its user; None when it cannot ask one.
        sandbox: The sandbox.
    """

    client: Client
    transport: str
    era: Era
    person: Person | None
    sandbox: Sandbox

    @property
    def can_ask(self) -> bool:
        """Whether questions reach the person: stateless HTTP has no way back to clients from before 2026."""
        return self.person is not None and (self.transport, self.era) != ("http", "legacy")

    def sent(self) -> list[str]:
        """What the sandbox received."""
        return self.sandbox.requests()

    def cancellations(self) -> int:
        """How many meetings the sandbox was asked to cancel."""
        return sum(request.endswith("/cancellation") for request in self.sent())

    async def meetings(self) -> list[dict[str, Any]]:
        """List active meetings, the last one first."""
        arguments = {"status": "active", "sort": "start_time:desc", "count": 5}
        listed = await call(self.client, "list_scheduled_events", **arguments)
        return list(listed.content["collection"])


@pytest.fixture(scope="session")
def sandbox() -> Generator[Sandbox]:
    """Run a sandbox."""
    with program("sandbox", "--port", "0") as running:
        url = running.line("ready: ")
        with httpx2.Client(base_url=url, timeout=60) as http:
            yield Sandbox(url, http)


@pytest.fixture(autouse=True)
def fresh_sandbox(sandbox: Sandbox) -> None:
    """Begin every test with the seeded account."""
    sandbox.reset()


@pytest.fixture(scope="session")
def bookings(pytestconfig: pytest.Config) -> int:
    """Say how many faulty bookings are made."""
    count: int = pytestconfig.option.bookings
    return count


@pytest.fixture(scope="session")
def settings(sandbox: Sandbox) -> dict[str, str]:
    """Say what a server needs to know to use the sandbox."""
    return {
        "CALENDLY_ACCESS_TOKEN": "sandbox-pat-owner",
        "CALENDLY_API_URL": sandbox.url,
        "CALENDLY_MCP_BOOKING_LIMITS": "none",
        "CALENDLY_MCP_LOG_LEVEL": "warning",
    }


@pytest.fixture(scope="session")
def endpoint(settings: dict[str, str]) -> Generator[str]:
    """Run the HTTP server; the address of its MCP endpoint."""
    with program("http", "--auth", "none", "--port", "0", **settings) as server:
        yield server.line("ready: ")


@dataclass
class Connector:
    """Connects clients to servers that use the sandbox."""

    sandbox: Sandbox
    settings: dict[str, str]
    endpoint: str
    log: Path

    @asynccontextmanager
    async def connect(self, wire: tuple[str, Era], person: Person | None) -> AsyncGenerator[Connection]:
        """Connect a client over a wire; over stdio a server is started for it."""
        transport, era = wire
        with self.log.open("a") as log:
            stdio = stdio_client(parameters(["stdio"], self.settings), log)
            server = self.endpoint if transport == "http" else stdio
            mode = "legacy" if era == "legacy" else "auto"
            async with Client(server, mode=mode, elicitation_callback=person.answer if person else None) as client:
                yield Connection(client, transport, era, person, self.sandbox)


@pytest.fixture(scope="session")
def connector(
    sandbox: Sandbox, settings: dict[str, str], endpoint: str, tmp_path_factory: pytest.TempPathFactory
) -> Connector:
    """Connect clients to servers that use the sandbox."""
    return Connector(sandbox, settings, endpoint, tmp_path_factory.mktemp("log") / "stderr")


@pytest.fixture(scope="module", params=WIRES, ids="-".join)
async def connection(request: pytest.FixtureRequest, connector: Connector) -> AsyncGenerator[Connection]:
    """Connect a client whose user can be asked, over each wire in turn."""
    async with connector.connect(request.param, Person()) as connection:
        yield connection


@pytest.fixture(scope="module", params=WIRES, ids="-".join)
async def mute(request: pytest.FixtureRequest, connector: Connector) -> AsyncGenerator[Connection]:
    """Connect a client that cannot ask its user, over each wire in turn."""
    async with connector.connect(request.param, None) as connection:
        yield connection


@pytest.fixture(scope="module", params=WIRES[1::2], ids="-".join)
async def modern(request: pytest.FixtureRequest, connector: Connector) -> AsyncGenerator[Connection]:
    """Connect a client whose user can be asked, over each wire of revision 2026-07-28 in turn."""
    async with connector.connect(request.param, Person()) as connection:
        yield connection


@dataclass
class Replicas:
    """Two processes behind one public address, which is that of the first."""

    first: Site
    second: Site
    settings: dict[str, str]

    @property
    def endpoints(self) -> list[str]:
        """Where each of them answers MCP."""
        return [f"{site.answers_at}/mcp" for site in (self.first, self.second)]


@pytest.fixture
def replica_settings(sandbox: Sandbox, shared_database_url: str) -> dict[str, str]:
    """Say what all replicas are told."""
    return {
        **upstream_settings(sandbox.url),
        "CALENDLY_MCP_DATABASE_URL": shared_database_url,
        "CALENDLY_MCP_SECRET_KEYS": KEYS,
    }


@pytest.fixture
def replicas(replica_settings: dict[str, str]) -> Generator[Replicas]:
    """Run two."""
    with hosted(**replica_settings) as first, hosted(public_url=first.url, **replica_settings) as second:
        yield Replicas(first, second, replica_settings)


@pytest.fixture(scope="session")
def running_browser() -> Generator[Browser]:
    """Run a Chromium."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(running_browser: Browser) -> Generator[Browser]:
    """Return a browser without open pages."""
    yield running_browser
    running_browser.close()


@pytest.fixture(scope="module")
def client() -> Generator[Loopback]:
    """Run the web server of a client."""
    with loopback() as client:
        yield client
