"""The hosted endpoint put together, in this process."""

import logging
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx2
import pytest
from starlette.applications import Starlette

from server.configuration.loading import load
from server.configuration.terminal import CommandError, UsageError
from server.hosted.hosting import Outside, hosted_selection, hosting
from server.stores.database import watch_database
from storage.database import open_database
from tests.auth.document_host import CLIENT_ID, DocumentHost, document_host
from tests.postgresql import running_server

ADDRESS = "http://127.0.0.1:8000"
CHALLENGE = "A" * 43
GONE = "The database cannot be reached, read or written"
NOTHING: Final[Mapping[str, str]] = {}


@dataclass
class Hosted:
    """An application that runs, and a client of it."""

    app: Starlette
    http: httpx2.AsyncClient

    async def authorize(self, client_id: str, redirect_uri: str) -> httpx2.Response:
        """Open the page on which a person allows a client."""
        asked = {"response_type": "code", "client_id": client_id, "redirect_uri": redirect_uri}
        proof = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        return await self.http.get("/authorize", params={**asked, **proof})

    async def form_action(self) -> str:
        """Register a client; where the page on which it is allowed may lead."""
        back = "https://agent.example/callback"
        metadata = {"redirect_uris": [back], "token_endpoint_auth_method": "none"}
        client = (await self.http.post("/register", json=metadata)).json()
        page = await self.authorize(client["client_id"], back)
        found = re.search("form-action ([^;]*)", page.headers["Content-Security-Policy"])
        assert found, page.text
        return found[1]


@asynccontextmanager
async def hosted(
    folder: Path, settings: Mapping[str, str] = NOTHING, host: DocumentHost | None = None
) -> AsyncGenerator[Hosted]:
    """Run an application on a database of its own."""
    environ = {"CALENDLY_MCP_DATABASE_URL": f"sqlite:///{folder / 'database'}", **settings}
    outside = Outside() if host is None else Outside(lambda _settings: host.fetcher())
    configured = load("http", {}, environ=environ)
    async with (
        hosting(configured, hosted_selection(configured), ADDRESS, outside) as app,
        app.router.lifespan_context(app),
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ADDRESS) as http,
    ):
        yield Hosted(app, http)


@pytest.mark.requirement("auth-url-setting")
@pytest.mark.parametrize(
    ("environ", "sources"),
    [
        ({}, "'self' https://calendly.com https://*.calendly.com https://agent.example"),
        ({"CALENDLY_CLIENT_ID": "id"}, "'self' https://calendly.com https://*.calendly.com https://agent.example"),
        ({"CALENDLY_ISSUER": "http://127.0.0.1:9000"}, "'self' http://127.0.0.1:* https://agent.example"),
        ({"CALENDLY_ISSUER": "http://[::1]:9000"}, "'self' http: https://agent.example"),
        (
            {"CALENDLY_CLIENT_ID": "id", "CALENDLY_AUTH_URL": "http://localhost:9"},
            "'self' http://localhost:* https://agent.example",
        ),
        (
            {"CALENDLY_CLIENT_ID": "id", "CALENDLY_AUTH_URL": "https://proxy.example"},
            "'self' https://proxy.example https://calendly.com https://*.calendly.com https://agent.example",
        ),
    ],
    ids=["registered", "configured", "sandbox", "sandbox on IPv6", "configured sandbox", "by a proxy"],
)
async def test_the_form_of_consent_may_lead_to_calendly_and_back_and_nowhere_else(
    tmp_path: Path, environ: dict[str, str], sources: str
) -> None:
    async with hosted(tmp_path, environ) as site:
        assert await site.form_action() == sources


async def test_a_client_may_be_known_by_the_address_of_its_document(tmp_path: Path) -> None:
    async with document_host(tmp_path) as host, hosted(tmp_path, host=host) as site:
        page = await site.authorize(CLIENT_ID, "http://127.0.0.1:61999/callback")
        assert "Agent with a document" in page.text


@pytest.mark.requirement("client-documents-setting", "documents-switch")
@pytest.mark.parametrize(
    ("environ", "supported"),
    [
        ({}, True),
        ({"CALENDLY_MCP_CLIENT_DOCUMENTS": "off"}, False),
        ({"CALENDLY_MCP_SANDBOX": "1"}, False),
        ({"CALENDLY_MCP_SANDBOX": "1", "CALENDLY_MCP_CLIENT_DOCUMENTS": "on"}, True),
    ],
)
async def test_documents_are_advertised_where_they_are_fetched(
    tmp_path: Path, environ: dict[str, str], *, supported: bool
) -> None:
    async with hosted(tmp_path, environ) as site:
        metadata = (await site.http.get("/.well-known/oauth-authorization-server")).json()
        assert metadata["client_id_metadata_document_supported"] is supported


@pytest.mark.requirement("redirect-schemes-setting")
async def test_a_scheme_that_is_named_joins_the_built_in_ones(tmp_path: Path) -> None:
    async with hosted(tmp_path, {"CALENDLY_MCP_REDIRECT_SCHEMES": "zed"}) as site:
        uris = ["zed://callback", "cursor://anysphere.cursor-mcp/oauth/callback"]
        metadata = {"redirect_uris": [*uris, "other://x"], "token_endpoint_auth_method": "none"}
        assert (await site.http.post("/register", json=metadata)).json()["redirect_uris"] == uris


@pytest.mark.requirement("refusals-logged")
async def test_errors_of_tokens_are_logged_with_the_name_of_the_client(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "server.transports.refusals")
    async with hosted(tmp_path) as site:
        metadata = {"redirect_uris": ["https://a.example/"], "token_endpoint_auth_method": "none", "client_name": "Cl"}
        client = (await site.http.post("/register", json=metadata)).json()["client_id"]
        form = {"grant_type": "refresh_token", "refresh_token": "hidden"}
        await site.http.post("/token", data={**form, "client_id": client})
        await site.http.post("/token", data={**form, "client_id": "client-gone"}, headers={"User-Agent": "agent/2"})
        await site.http.post("/mcp", headers={"Authorization": "Bearer hidden", "User-Agent": "agent/2"})
    unknown, gone, bearer = caplog.messages
    assert unknown.startswith("refused POST /token: 400 The refresh token is unknown")
    assert unknown.endswith("[Cl]")
    assert gone.endswith("401 The client is not registered here, or no longer; register again. [agent/2]")
    assert bearer.startswith("refused POST /mcp: 401 The access token expired, was revoked")
    assert "hidden" not in caplog.text


async def test_a_document_on_this_machine_is_not_fetched(tmp_path: Path) -> None:
    async with hosted(tmp_path) as site:
        page = await site.authorize("https://localhost.localdomain/client.json", "http://127.0.0.1:1/callback")
        assert page.status_code == 400
        assert "could not be fetched" in page.text


async def test_only_the_scopes_of_tools_that_are_on_are_given(tmp_path: Path) -> None:
    narrow = {"CALENDLY_MCP_READ_ONLY": "1", "CALENDLY_MCP_TOOLSETS": "event_types,canceling,users"}
    async with hosted(tmp_path, narrow) as site:
        metadata = (await site.http.get("/.well-known/oauth-authorization-server")).json()
        assert metadata["scopes_supported"] == [
            "users:read",
            "event_types:read",
            "mcp:scheduling:read",
            "mcp:scheduling:write",
        ]


@pytest.mark.requirement("least-of-four", "scopes-setting")
async def test_a_tool_whose_scope_the_application_cannot_ask_for_is_off(tmp_path: Path) -> None:
    async with hosted(tmp_path, {"CALENDLY_SCOPES": "users:read webhooks:read"}) as site:
        metadata = (await site.http.get("/.well-known/oauth-protected-resource/mcp")).json()
        assert metadata["scopes_supported"][:2] == ["users:read", "webhooks:read"]
        assert "webhooks:write" not in metadata["scopes_supported"]


@pytest.mark.parametrize(
    ("environ", "fault", "sentence"),
    [
        ({"CALENDLY_MCP_DATABASE_URL": "sqlite:////dev/null/database"}, CommandError, "cannot be opened for writing"),
        ({"CALENDLY_MCP_DATABASE_URL": "sqlite://host/database"}, UsageError, "must be sqlite:///PATH"),
        ({"CALENDLY_MCP_SECRET_KEYS": "k1:short"}, UsageError, "^CALENDLY_MCP_SECRET_KEYS: The key k1 is"),
        ({"CALENDLY_MCP_DATABASE_URL": "postgresql://127.0.0.1:1/x"}, UsageError, "_SECRET_KEYS is not set"),
        ({"CALENDLY_MCP_TOOLSETS": "everything"}, UsageError, "There is no toolset"),
    ],
)
async def test_what_cannot_be_used_stops_the_start_with_a_sentence(
    tmp_path: Path, environ: dict[str, str], fault: type[Exception], sentence: str
) -> None:
    with pytest.raises(fault, match=sentence):
        async with hosted(tmp_path, environ):
            pass


@pytest.mark.requirement("key-ring-start")
async def test_another_key_ring_stops_the_start(tmp_path: Path) -> None:
    async with hosted(tmp_path, {"CALENDLY_MCP_SECRET_KEYS": f"k1:{'A' * 43}"}):
        pass
    with pytest.raises(CommandError, match="is not the one that stored secrets are sealed under"):
        async with hosted(tmp_path, {"CALENDLY_MCP_SECRET_KEYS": f"k1:{'B' * 43}"}):
            pass


@pytest.mark.requirement("health", "database-told")
@pytest.mark.needs("postgresql")
async def test_while_the_database_is_gone_the_server_is_alive_and_not_ready_and_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    database = {"CALENDLY_MCP_SECRET_KEYS": f"k1:{'A' * 43}"}
    with running_server() as server:
        async with hosted(tmp_path, {"CALENDLY_MCP_DATABASE_URL": server.new_database(), **database}) as site:
            assert (await site.http.get("/readyz")).status_code == 200
            server.stop()
            assert (await site.http.get("/readyz")).status_code == 503
            assert (await site.http.get("/healthz")).status_code == 200
            refused = await site.http.post("/mcp", headers={"Authorization": "Bearer x"})
            assert refused.status_code == 503
            assert [told.partition(":")[0] for told in _warnings(caplog)] == [GONE]
            server.start()
            assert (await site.http.get("/readyz")).status_code == 200
            await site.form_action()  # it writes
            assert _warnings(caplog)[1:] == ["The database answers again."]
        caplog.clear()
        async with open_database(server.new_database()) as store:
            acts = [server.stop, NOTHING.keys, server.start, NOTHING.keys]

            async def sleep(_seconds: float) -> None:
                if not acts:
                    raise EnoughError
                acts.pop(0)()

            with pytest.raises(EnoughError):
                await watch_database(store, sleep)
        assert [told.partition(":")[0] for told in _warnings(caplog)] == [GONE, "The database answers again."]


class EnoughError(Exception):
    """Ends what goes on for ever."""


def _warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
