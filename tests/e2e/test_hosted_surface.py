"""What the hosted endpoint answers to whom: challenges, names, pages of other origins, limits."""

import json
import re
import socket
from collections.abc import Generator
from contextlib import ExitStack
from html import unescape
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.e2e.hosting import Agent, Site, hosted
from tests.e2e.people import Browser

pytestmark = pytest.mark.anyio

MODERN: Final = "2026-07-28"
VERSIONS: Final = ("2025-06-18", "2025-11-25", MODERN)
PUBLIC: Final = "https://mcp.example"
PAGE: Final = "https://app.example"
GIVEN: Final = (
    "users:read event_types:read event_types:write availability:read availability:write scheduled_events:read "
    "scheduled_events:write scheduling_links:write organizations:read organizations:write webhooks:read "
    "webhooks:write data_compliance:write"
)


@pytest.fixture(scope="module")
def site() -> Generator[Site]:
    """Run a hosted server with a sandbox in it."""
    with hosted("--sandbox", "--exclude-tools", "get_user") as running:
        yield running


@pytest.fixture(scope="module")
async def reader(site: Site) -> Agent:
    """An agent that may read who its user is, and no more."""
    agent = Agent(browser=Browser(asked="users:read"))
    await agent.sign_in(site)
    return agent


@pytest.fixture(scope="module")
def public_site() -> Generator[Site]:
    """Run a hosted server that clients reach by another name."""
    with hosted("--sandbox", "--allowed-origins", PAGE, public_url=PUBLIC) as running:
        yield running


Message = dict[str, Any]


def rpc(method: str, **params: object) -> Message:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def call(tool: str, **arguments: object) -> Message:
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    return rpc("tools/call", name=tool, arguments=arguments, _meta=meta)


def post(
    site: Site, body: Message, token: str | None = None, version: str = "2025-11-25", **headers: str
) -> httpx2.Response:
    sent = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": version}
    if version == MODERN:
        sent |= {"Mcp-Method": body["method"], "Mcp-Name": body["params"].get("name", "")}
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    return httpx2.post(f"{site.answers_at}/mcp", json=body, headers=sent | headers)


def result(response: httpx2.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    data = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: {")]
    return dict(json.loads(data[-1] if data else response.text)["result"])


def test_without_a_token_the_challenge_says_where_to_sign_in_and_for_what(site: Site) -> None:
    response = post(site, rpc("tools/list"))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == (
        f'Bearer resource_metadata="{site.url}/.well-known/oauth-protected-resource/mcp", scope="{GIVEN}"'
    )


@pytest.mark.parametrize("token", ["x", "cmcp_at_forged", "sandbox-pat-owner"])
def test_a_token_that_is_none_of_ours_is_called_invalid(site: Site, token: str) -> None:
    response = post(site, rpc("tools/list"), token)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith('Bearer error="invalid_token", ')
    assert 'resource_metadata="' in response.headers["WWW-Authenticate"]


async def test_a_token_counts_in_the_header_only(site: Site, reader: Agent) -> None:
    in_query = httpx2.post(f"{site.endpoint}?access_token={reader.access_token}", json=rpc("tools/list"))
    assert in_query.status_code == 401
    assert "error=" not in in_query.headers["WWW-Authenticate"]
    in_form = httpx2.post(site.endpoint, data={"access_token": reader.access_token})
    assert in_form.status_code == 401


@pytest.mark.requirement("list-by-token")
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_scope_that_the_token_lacks_is_asked_for(site: Site, reader: Agent, version: str) -> None:
    response = post(site, call("cancel_scheduled_event", scheduled_event="E"), reader.access_token, version)
    assert response.status_code == 403
    assert response.headers["WWW-Authenticate"] == (
        'Bearer error="insufficient_scope", '
        'error_description="This operation needs a scope that the access token does not have.", '
        f'scope="users:read scheduled_events:write", '
        f'resource_metadata="{site.url}/.well-known/oauth-protected-resource/mcp"'
    )
    assert response.json()["error"] == "insufficient_scope"


@pytest.mark.requirement("tool-from-body")
@pytest.mark.parametrize("version", VERSIONS)
async def test_the_tool_is_read_from_the_body_and_from_no_header(site: Site, reader: Agent, version: str) -> None:
    told = {"Mcp-Name": "get_current_user", "Mcp-Method": "tools/list"}
    refused = post(site, call("list_event_types"), reader.access_token, version, **told)
    assert refused.status_code == 403
    twice = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_current_user"},"params":{"name":"%s"}}'
    headers = {"Authorization": f"Bearer {reader.access_token}", "Content-Type": "application/json"}
    response = httpx2.post(site.endpoint, content=twice % "list_event_types", headers=headers)
    assert response.status_code in {400, 403, 406}


@pytest.mark.requirement("off-wins")
async def test_what_is_off_is_no_matter_of_scope(site: Site, reader: Agent) -> None:
    excluded = result(post(site, call("get_user", user="me"), reader.access_token))
    assert excluded["structuredContent"]["error"]["kind"] == "access_denied_by_policy"
    narrowed = post(site, call("list_event_types"), reader.access_token, **{"X-MCP-Toolsets": "users"})
    assert result(narrowed)["structuredContent"]["error"]["kind"] == "access_denied_by_policy"
    listed = result(post(site, rpc("tools/list"), reader.access_token))["tools"]
    assert "get_user" not in {tool["name"] for tool in listed}
    assert "cancel_scheduled_event" in {tool["name"] for tool in listed}


@pytest.mark.requirement("tool-from-body")
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b'{"method":"tools/call"}', b'{"method":"tools/call","params":7}']
)
async def test_a_body_that_is_no_call_is_for_the_protocol_to_refuse(site: Site, reader: Agent, content: bytes) -> None:
    headers = {"Authorization": f"Bearer {reader.access_token}", "Content-Type": "application/json"}
    assert httpx2.post(site.endpoint, content=content, headers=headers).status_code in {400, 406}


@pytest.mark.requirement("mcp-post-only")
@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS"])
def test_only_post_is_allowed_on_the_endpoint_once_the_caller_is_known(site: Site, reader: Agent, method: str) -> None:
    unknown = httpx2.request(method, site.endpoint)
    assert unknown.status_code == 401
    assert "resource_metadata=" in unknown.headers["WWW-Authenticate"]
    response = httpx2.request(method, site.endpoint, headers={"Authorization": f"Bearer {reader.access_token}"})
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


@pytest.mark.requirement("public-url-setting")
def test_every_path_is_served_with_a_slash_at_its_end_and_none_redirects_to_one(public_site: Site) -> None:
    paths = ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server", "/healthz"]
    paths += ["/readyz", "/mcp", "/register", "/token", "/revoke", "/authorize", "/consent", "/oauth/callback"]
    for path in [*paths, "/connections", "/confirm/x", "/webhooks/calendly/x"]:
        for method in ("GET", "POST"):
            plain, slashed = (
                httpx2.request(method, f"{public_site.answers_at}{path}{end}", headers={"Host": "mcp.example"})
                for end in ("", "/")
            )
            assert slashed.status_code == plain.status_code, path
            assert "http://" not in slashed.headers.get("Location", "")
            assert slashed.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.requirement("public-url-setting")
def test_no_answer_has_an_address_of_the_request_in_it(public_site: Site) -> None:
    port = urlsplit(public_site.answers_at).port
    paths = ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-authorization-server", "/"]
    paths += ["/mcp", "/register", "/token", "/authorize?client_id=x", "/oauth/callback?state=x", "/connections", "/x"]
    for path in paths:
        for method in ("GET", "POST"):
            answer = httpx2.request(method, f"{public_site.answers_at}{path}", headers={"Host": f"localhost:{port}"})
            assert not re.search(rf"localhost:{port}|127\.0\.0\.1:{port}", f"{answer.headers}{answer.text}"), path


@pytest.mark.requirement("public-url-setting")
def test_metadata_names_the_public_address_whatever_the_request_says(public_site: Site) -> None:
    for host in ("mcp.example", "MCP.example:443", "127.0.0.1"):
        headers = {"Host": host, "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
        for path in ("/mcp", ""):
            where = f"{public_site.answers_at}/.well-known/oauth-protected-resource{path}"
            found = httpx2.get(where, headers=headers).json()
            assert (found["resource"], found["authorization_servers"]) == (f"{PUBLIC}/mcp", [PUBLIC])
        found = httpx2.get(f"{public_site.answers_at}/.well-known/oauth-authorization-server", headers=headers).json()
        assert found["issuer"] == PUBLIC
        assert "evil" not in json.dumps(found)


@pytest.mark.requirement("host-values")
@pytest.mark.parametrize("host", ["evil.example", "mcp.example:8000", "mcp.example@evil.example", "xmcp.example", ""])
@pytest.mark.parametrize("path", ["/", "/mcp", "/authorize", "/token", "/.well-known/oauth-authorization-server"])
def test_a_foreign_name_is_answered_on_no_route_but_health(public_site: Site, path: str, host: str) -> None:
    assert httpx2.get(f"{public_site.answers_at}{path}", headers={"Host": host}).status_code == 421
    assert httpx2.get(f"{public_site.answers_at}/healthz", headers={"Host": host}).text == "ok\n"
    assert httpx2.get(f"{public_site.answers_at}/readyz", headers={"Host": host}).text == "ok\n"


@pytest.mark.requirement("origins")
@pytest.mark.parametrize("origin", ["https://evil.example", "https://mcp.example.evil.example", "http://mcp.example"])
@pytest.mark.parametrize("path", ["/", "/mcp", "/authorize", "/consent", "/oauth/callback"])
def test_pages_of_other_origins_call_nothing_that_has_cookies(public_site: Site, path: str, origin: str) -> None:
    response = httpx2.post(f"{public_site.answers_at}{path}", headers={"Origin": origin, "Host": "mcp.example"})
    assert response.status_code == 403
    assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.requirement("origins")
@pytest.mark.parametrize(
    "path",
    [
        "/register",
        "/token",
        "/revoke",
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
    ],
)
def test_pages_of_every_origin_may_register_and_redeem_without_cookies(public_site: Site, path: str) -> None:
    asked = {"Origin": "https://any.example", "Access-Control-Request-Method": "POST"}
    preflight = httpx2.options(f"{public_site.answers_at}{path}", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in preflight.headers


@pytest.mark.requirement("origins", "allowed-origins-setting")
@pytest.mark.parametrize("origin", [PUBLIC, PAGE, "http://localhost:6274", "http://127.0.0.1:3000"])
def test_pages_of_accepted_origins_may_call_the_endpoint_and_read_its_challenge(public_site: Site, origin: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,mcp-protocol-version",
    }
    preflight = httpx2.options(f"{public_site.answers_at}/mcp", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == origin
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"]
    refused = httpx2.post(f"{public_site.answers_at}/mcp", headers={"Origin": origin})
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == origin
    assert "WWW-Authenticate" in refused.headers["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in refused.headers


@pytest.mark.requirement("limits-mcp")
def test_many_headers_and_large_ones_are_refused(site: Site) -> None:
    most = {f"X-{number}": "1" for number in range(90)}
    assert httpx2.get(f"{site.url}/", headers=most).status_code == 200
    for headers in ({f"X-{number}": "1" for number in range(101)}, {"X-Large": "x" * 33_000}):
        assert httpx2.get(f"{site.url}/", headers=headers).status_code == 431


@pytest.mark.requirement("slow-connections", "many-connections")
def test_half_open_connections_keep_nobody_out(site: Site) -> None:
    parts = urlsplit(site.url)
    with ExitStack() as open_ones:
        for beginning in (b"", b"GET / HT", b"POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n"):
            for _ in range(110):
                connection = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)
                open_ones.enter_context(connection).sendall(beginning)
        assert httpx2.get(f"{site.url}/healthz").text == "ok\n"


@pytest.mark.requirement("limits-mcp")
@pytest.mark.parametrize("endless", [b"X-Large: ", b""], ids=["headers", "request line"])
def test_headers_without_an_end_are_cut_off(site: Site, endless: bytes) -> None:
    parts = urlsplit(site.url)
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n" + endless if endless else b"GET /")
        with pytest.raises(OSError, match=r"Broken pipe|Connection reset"):
            connection.sendall(b"x" * 32_000_000)


@pytest.mark.requirement("limits-mcp")
@pytest.mark.parametrize("path", ["/register", "/token", "/revoke", "/consent"])
def test_large_bodies_are_refused_on_the_paths_of_sign_in(site: Site, path: str) -> None:
    kind = "application/json" if path == "/register" else "application/x-www-form-urlencoded"
    content = b"a=" + b"x" * 65_536
    for body in (content, iter([content])):  # with a length that is declared, and without
        response = httpx2.post(f"{site.url}{path}", content=body, headers={"Content-Type": kind})
        assert response.status_code == 413


def test_bad_bearers_have_a_limit_that_trusted_proxies_alone_can_share_out() -> None:
    def bad(where: Site) -> list[int]:
        with httpx2.Client(headers={"Authorization": "Bearer x"}) as http:
            told = ({"X-Forwarded-For": f"192.0.2.{number}"} for number in range(130))
            return [http.post(where.endpoint, headers=headers).status_code for headers in told]

    with hosted("--sandbox", "--trusted-proxies", "127.0.0.1") as behind, hosted("--sandbox") as alone:
        assert bad(behind) == [401] * 130
        answered = bad(alone)
    assert answered[:120] == [401] * 120
    assert answered[-1] == 429


@pytest.mark.requirement("front-page")
def test_the_front_page_says_how_to_connect_each_client_and_needs_no_script(site: Site) -> None:
    page = httpx2.get(f"{site.url}/")
    assert page.status_code == 200
    for words in (
        site.endpoint,
        f"claude mcp add --transport http calendly {site.endpoint}",
        "<code>~/.cursor/mcp.json</code>",
        f'{{"mcpServers": {{"calendly": {{"serverUrl": "{site.endpoint}"}}}}}}',
        f'{{"context_servers": {{"calendly": {{"url": "{site.endpoint}"}}}}}}',
        f'code --add-mcp \'{{"name": "calendly", "type": "http", "url": "{site.endpoint}"}}\'',
        f"npx mcp-remote {site.endpoint}",
        "ChatGPT",
        "When Calendly has to be connected again",
        "a sandbox",
    ):
        assert words in unescape(page.text)
    assert "<script" not in page.text
    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["Referrer-Policy"] == "no-referrer"
