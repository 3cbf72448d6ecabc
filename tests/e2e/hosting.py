"""The hosted endpoint as agents use it: servers as processes, registered clients, and a client with the SDK."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
from mcp import Client
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata
from pydantic import AnyUrl

from auth.protocol.pkce import s256
from tests.e2e.people import Browser
from tests.e2e.processes import Program, program
from tests.server.desk import Era, call
from tests.server.desk import Person as Asked
from tests.token_memory import Memory

_VERIFIER: Final = "v" * 43

BACK: Final = "http://127.0.0.1:33418/callback"
"""Where the SDK's client has the browser sent back; nothing listens there."""


@dataclass(frozen=True)
class Site:
    """A hosted server.

    Attributes:
        url: The address clients use.
        process: The program.
        answers_at: Where it listens.
        calendly: Where its own sandbox answers, if it has one.
    """

    url: str
    process: Program
    answers_at: str
    calendly: str = ""

    @property
    def endpoint(self) -> str:
        """The MCP endpoint."""
        return f"{self.url}/mcp"


@contextmanager
def hosted(*words: str, port: str = "0", public_url: str = "", **settings: str) -> Generator[Site]:
    """Run a hosted server."""
    settings["CALENDLY_MCP_PUBLIC_URL"] = public_url
    with program("http", "--port", port, *words, **settings) as running:
        calendly = running.line("sandbox: ") if "--sandbox" in words else ""
        address = running.line("ready: ").removesuffix("/mcp")
        yield Site(public_url or address, running, address, calendly)


def let_minutes_pass(calendly: str, minutes: int) -> None:
    """Set the clock of a sandbox so many minutes ahead of ours, so that its limits begin anew."""
    now = datetime.now(UTC) + timedelta(minutes=minutes)
    httpx2.post(f"{calendly}/_sandbox/clock", json={"now": now.isoformat()}).raise_for_status()


@dataclass
class Agent:
    """An agent with the MCP Python SDK, its memory, and the browser of its person."""

    name: str = "Agent"
    browser: Browser = field(default_factory=Browser)
    memory: Memory = field(default_factory=Memory)

    @property
    def access_token(self) -> str:
        """The token that it sends."""
        assert self.memory.tokens is not None
        return self.memory.tokens.access_token

    @property
    def refresh_token(self) -> str:
        """The token that it renews the other with."""
        assert self.memory.tokens is not None
        assert self.memory.tokens.refresh_token is not None
        return self.memory.tokens.refresh_token

    @property
    def scopes(self) -> set[str]:
        """What it was given."""
        assert self.memory.tokens is not None
        return set((self.memory.tokens.scope or "").split())

    @property
    def client_id(self) -> str:
        """What the server calls it."""
        assert self.memory.client is not None
        assert self.memory.client.client_id is not None
        return self.memory.client.client_id

    @asynccontextmanager
    async def connect(self, endpoint: str, era: Era = "legacy", person: Asked | None = None) -> AsyncGenerator[Client]:
        """Connect to an endpoint, signing in where that is asked for; `person` answers questions."""
        mode = "legacy" if era == "legacy" else "auto"
        async with (
            httpx2.AsyncClient(auth=self._sign_in(endpoint), timeout=60) as http,
            Client(
                streamable_http_client(endpoint, http_client=http),
                mode=mode,
                elicitation_callback=person.answer if person else None,
            ) as client,
        ):
            yield client

    async def sign_in(self, site: Site) -> None:
        """Sign in, and do nothing else."""
        async with self.connect(site.endpoint):
            pass

    def _sign_in(self, endpoint: str) -> OAuthClientProvider:
        landed: list[str] = []

        async def redirect(address: str) -> None:
            landed.append(await self.browser.open(address))

        async def called_back() -> AuthorizationCodeResult:
            answer = {name: values[0] for name, values in parse_qs(urlsplit(landed.pop()).query).items()}
            return AuthorizationCodeResult(code=answer["code"], state=answer["state"], iss=answer["iss"])

        metadata = OAuthClientMetadata(
            client_name=self.name, redirect_uris=[AnyUrl(BACK)], token_endpoint_auth_method="none"
        )
        return OAuthClientProvider(endpoint, metadata, self.memory, redirect, called_back)


def upstream_settings(sandbox: str) -> dict[str, str]:
    """Say what a hosted server needs to know to take a sandbox for Calendly, with an application that exists there."""
    return {
        "CALENDLY_API_URL": sandbox,
        "CALENDLY_AUTH_URL": sandbox,
        "CALENDLY_CLIENT_ID": "sandbox-client",
        "CALENDLY_CLIENT_SECRET": "sandbox-secret",
        "CALENDLY_MCP_BOOKING_LIMITS": "none",
    }


@dataclass(frozen=True)
class App:
    """A client that registered at a server and has no SDK to speak for it.

    Attributes:
        site: The server.
        id: What the server calls it.
        redirect_uri: Where people come back to it.
    """

    site: Site
    id: str
    redirect_uri: str

    def authorize_url(self, **asked: str) -> str:
        """Where it sends the browser; `asked` are further parameters."""
        parameters = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "code_challenge": s256(_VERIFIER),
            "code_challenge_method": "S256",
            **asked,
        }
        return f"{self.site.url}/authorize?{urlencode(parameters)}"

    def code_form(self, landed: str) -> dict[str, str]:
        """Return the form that redeems the code of an address that the browser came back to."""
        return {
            "grant_type": "authorization_code",
            "client_id": self.id,
            "redirect_uri": self.redirect_uri,
            "code": parse_qs(urlsplit(landed).query)["code"][0],
            "code_verifier": _VERIFIER,
        }


def register(site: Site, redirect_uri: str = BACK, name: str = "App") -> App:
    """Register a client at a server."""
    metadata = {"client_name": name, "redirect_uris": [redirect_uri], "token_endpoint_auth_method": "none"}
    registered = httpx2.post(f"{site.answers_at}/register", json=metadata).raise_for_status().json()
    return App(site, str(registered["client_id"]), redirect_uri)


async def code_form(site: Site) -> dict[str, str]:
    """Register a client, go through a sign-in, and return the form that redeems the code."""
    app = register(site)
    return app.code_form(await Browser().open(app.authorize_url()))


async def coming_meeting(client: Client) -> str:
    """Find the last of the meetings to come; its URI."""
    listed = await call(client, "list_scheduled_events", status="active", sort="start_time:desc", count=1)
    return str(listed.content["collection"][0]["uri"])
