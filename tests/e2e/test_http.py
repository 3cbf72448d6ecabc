"""Streamable HTTP as other programs see it: routes, headers, limits, revisions."""

import json
from collections.abc import Generator, Mapping
from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.cases import case
from tests.e2e.processes import program
from tests.server.desk import ON
from tools.apps import EXTENSION, MIME_TYPE, SLOT_PICKER

ACCEPT = {"Accept": "application/json, text/event-stream"}
MODERN = "2026-07-28"
META: dict[str, object] = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
}


@pytest.fixture(scope="module")
def http(endpoint: str) -> Generator[httpx2.Client]:
    with httpx2.Client(base_url=endpoint.removesuffix("/mcp"), headers=ACCEPT) as client:
        yield client


def message(response: httpx2.Response) -> dict[str, Any]:
    """The JSON-RPC message in a response, which may be a stream of events."""
    if response.headers["content-type"].startswith("text/event-stream"):
        [data] = [line.removeprefix("data: ") for line in response.text.splitlines() if line.startswith("data: ")]
        found: dict[str, Any] = json.loads(data)
        return found
    return dict(response.json())


def request(method: str, **params: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def post(
    http: httpx2.Client, body: Mapping[str, Any], headers: Mapping[str, str] | None = None, version: str = "2025-11-25"
) -> dict[str, Any]:
    """Send a request as a client of a revision does; its result."""
    named = {"MCP-Protocol-Version": version, **(headers or {})}
    if version == MODERN:
        body = {**body, "params": {**body["params"], "_meta": META}}
        named = {"Mcp-Method": body["method"], **named}
        if "name" in body["params"]:
            named = {"Mcp-Name": body["params"]["name"], **named}
    answered = message(http.post("/mcp", json=body, headers=named))
    assert "result" in answered, answered
    return dict(answered["result"])


def names(result: Mapping[str, Any]) -> list[str]:
    return [tool["name"] for tool in result["tools"]]


@pytest.mark.requirement("mcp-revisions", "access-token")
@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18", "2025-11-25"])
def test_every_older_revision_is_negotiated_and_served_without_a_session(http: httpx2.Client, version: str) -> None:
    hello = request("initialize", protocolVersion=version, capabilities={}, clientInfo={"name": "test", "version": "1"})
    response = http.post("/mcp", json=hello)
    assert "mcp-session-id" not in response.headers
    opened = message(response)["result"]
    assert opened["protocolVersion"] == version
    assert ("icons" in opened["serverInfo"]) == (version == "2025-11-25")
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert http.post("/mcp", json=note, headers={"MCP-Protocol-Version": version}).status_code == 202
    listed = post(http, request("tools/list"), version=version)
    assert names(listed) == [tool.name for tool in ON]
    assert ("outputSchema" in listed["tools"][0]) == (version != "2025-03-26")
    assert "outputSchema" in message(http.post("/mcp", json=request("tools/list")))["result"]["tools"][0]  # of any
    called = post(http, request("tools/call", name="get_current_user", arguments={}), version=version)
    assert called["structuredContent"]["name"] == "Maya Lindqvist"


@pytest.mark.requirement("http-serves", "mcp-revisions")
def test_the_newest_revision_is_served_on_the_same_address(http: httpx2.Client) -> None:
    assert names(post(http, request("tools/list"), version=MODERN)) == [tool.name for tool in ON]
    discovered = post(http, request("server/discover"), version=MODERN)
    assert discovered["supportedVersions"] == [MODERN]
    assert discovered["cacheScope"] == "private"


@pytest.mark.parametrize("version", ["2025-06-18", "2025-11-25", MODERN])
def test_an_app_is_named_by_its_tool_and_read_on_every_revision(http: httpx2.Client, version: str) -> None:
    listed = post(http, request("tools/list"), version=version)["tools"]
    [uri] = {tool["_meta"]["ui"]["resourceUri"] for tool in listed if "ui" in tool["_meta"]}
    read = post(http, request("resources/read", uri=uri), {"Mcp-Name": uri}, version=version)
    [contents] = read["contents"]
    assert (contents["uri"], contents["mimeType"]) == (uri, MIME_TYPE)
    assert (contents["text"], contents["_meta"]) == (SLOT_PICKER.html, SLOT_PICKER.meta)
    assert read.get("cacheScope") == ("public" if version == MODERN else None)


def test_the_extensions_are_declared_where_a_revision_has_a_place_for_them(http: httpx2.Client) -> None:
    told = post(http, request("server/discover"), version=MODERN)["capabilities"]
    assert told["extensions"] == {EXTENSION: {"mimeTypes": [MIME_TYPE]}, "io.modelcontextprotocol/events": {}}
    hello = request(
        "initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": "t", "version": "1"}
    )
    told = message(http.post("/mcp", json=hello))["result"]["capabilities"]
    # Hosts look for events in every revision, and for apps in the one that knows them.
    assert (told["events"], told["extensions"]) == ({}, {"io.modelcontextprotocol/events": {}})


def test_a_request_that_narrows_itself_to_other_tools_has_no_app(http: httpx2.Client) -> None:
    narrow = {"X-MCP-Tools": "get_current_user"}
    listed = post(http, request("resources/list"), narrow)["resources"]
    assert [one["uri"] for one in listed] == ["calendly://me"]
    read = http.post("/mcp", json=request("resources/read", uri=SLOT_PICKER.uri), headers=narrow)
    assert message(read)["error"]["code"] == -32602


def test_white_space_around_a_header_is_not_part_of_it(endpoint: str) -> None:
    body = request("tools/call", name="get_current_user", arguments={}, _meta=META)
    headers = {
        **ACCEPT,
        "Content-Type": "application/json",
        "MCP-Protocol-Version": f"{MODERN}  ",
        "Mcp-Method": "tools/call \t",
        "Mcp-Name": "  get_current_user",
    }
    connection = HTTPConnection(urlsplit(endpoint).netloc)  # httpx2 takes the white space away
    with closing(connection):
        connection.request("POST", "/mcp", json.dumps(body), headers)
        answered = json.loads(connection.getresponse().read())
    assert answered["result"]["structuredContent"]["timezone"] == "Europe/Berlin"


def test_a_header_that_disagrees_with_the_body_is_refused(http: httpx2.Client) -> None:
    body = request("tools/call", name="cancel_scheduled_event", arguments={}, _meta=META)
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "get_current_user"}
    response = http.post("/mcp", json=body, headers=headers)
    assert response.status_code == 400
    assert "mcp-name" in message(response)["error"]["message"]


@pytest.mark.requirement("mcp-post-only")
@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD", "OPTIONS"])
def test_only_post_is_allowed_on_the_endpoint(http: httpx2.Client, method: str) -> None:
    response = http.request(method, "/mcp")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"


EITHER = {"application/json", "text/event-stream"}
FORMS: list[tuple[str | None, set[str]]] = [
    (None, EITHER),
    ("*/*", EITHER),
    ("application/json", {"application/json"}),
    ("Application/JSON; charset=utf-8", {"application/json"}),
    ("application/*", {"application/json"}),
    ("application/json, text/event-stream; q=0.0", {"application/json"}),
    ("text/event-stream", EITHER),  # what has to be JSON is
    ("text/html, */*;q=0.8", EITHER),
]


@pytest.mark.parametrize("version", ["2025-03-26", "2025-11-25", MODERN])
def test_each_client_is_answered_in_a_form_that_it_takes(endpoint: str, version: str) -> None:
    modern = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "get_current_user"}
    headers = modern if version == MODERN else {"MCP-Protocol-Version": version}
    body = request(
        "tools/call", name="get_current_user", arguments={}, **({"_meta": META} if version == MODERN else {})
    )
    for accept, forms in FORMS:
        with case(str(accept)), httpx2.Client(headers=headers) as client:
            del client.headers["Accept"]
            response = client.post(endpoint, json=body, headers={} if accept is None else {"Accept": accept})
            assert response.status_code == 200
            assert response.headers["content-type"].partition(";")[0] in forms
            assert message(response)["result"]["structuredContent"]["timezone"] == "Europe/Berlin"
    refused = httpx2.post(endpoint, json=body, headers={**headers, "Accept": "text/html"})
    assert refused.status_code == 406


@pytest.mark.requirement("limits-mcp")
@pytest.mark.parametrize("version", ["2025-03-26", "2025-11-25", MODERN])
def test_batches_are_refused(http: httpx2.Client, version: str) -> None:
    batch = [request("tools/list"), request("tools/list")]
    response = http.post("/mcp", json=batch, headers={"MCP-Protocol-Version": version})
    assert response.status_code == 400
    assert message(response) == {
        "jsonrpc": "2.0",
        "id": None,
        "error": {"code": -32600, "message": "JSON-RPC batches are not accepted; send one message."},
    }


@pytest.mark.requirement("limits-mcp")
def test_a_body_beyond_a_mebibyte_is_refused(http: httpx2.Client) -> None:
    body = request("tools/call", name="get_user", arguments={"user": "x" * 1024 * 1024})
    assert http.post("/mcp", json=body).status_code == 413
    chunks = (b"x" * 65536 for _ in range(20))
    assert http.post("/mcp", content=chunks, headers={"Content-Type": "application/json"}).status_code == 413


NO_MESSAGES = [
    *((content, -32700, None) for content in (b"", b"{", b"nonsense", b"[" * 100_000)),
    *((content, -32600, None) for content in (b'"text"', b"7", b"{}", b"[]")),
    *(
        (b'{"jsonrpc": "2.0", "method": "tools/list", "id": %s}' % odd, -32600, None)
        for odd in (b"1.5", b"null", b"true", b"{}", b"[1]", b"1e999")
    ),
    (b'{"jsonrpc": "2.0", "id": 1.5, "result": {}}', -32600, None),
    (b'{"jsonrpc": "1.0", "id": "a", "method": "tools/list"}', -32600, "a"),
    (b'{"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": [1]}', -32600, 7),
    (b'{"jsonrpc": "2.0", "id": 7, "method": 1}', -32600, 7),
]


@pytest.mark.requirement("mcp-answers")
@pytest.mark.parametrize("version", ["2025-03-26", "2025-11-25", MODERN])
def test_a_body_that_is_no_message_is_refused_and_whatever_asks_is_answered(http: httpx2.Client, version: str) -> None:
    headers = {"Content-Type": "application/json", "MCP-Protocol-Version": version}
    for content, code, named in NO_MESSAGES:
        with case(content):
            refused = http.post("/mcp", content=content, headers=headers)
            assert refused.status_code == 400
            assert (message(refused)["id"], message(refused)["error"]["code"]) == (named, code)


HOSTS = [
    "evil.example",
    "evil.example:8000",
    "127.0.0.1.evil.example",
    "localhost@evil.example",
    "evil.example#localhost",
    "localhost:.evil.example",
    "127.0.0.1:80.evil.example",
    "host.docker.internal:8000",
]


@pytest.mark.parametrize("host", [*HOSTS, "", "[::1", "0.0.0.0"])  # noqa: S104 - it is refused
@pytest.mark.parametrize("path", ["/mcp", "/", "/nowhere"])
def test_a_foreign_host_name_is_refused_on_every_route(http: httpx2.Client, path: str, host: str) -> None:
    response = http.post(path, json=request("tools/list"), headers={"Host": host})
    assert response.status_code == 421
    assert "Host header" in response.text


@pytest.mark.parametrize("host", ["localhost", "localhost:9", "127.0.0.1", "[::1]:8000", "LOCALHOST"])
def test_every_name_of_this_machine_is_accepted(http: httpx2.Client, host: str) -> None:
    assert http.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://localhost.evil.example", "file://localhost"]
)
@pytest.mark.parametrize("path", ["/mcp", "/"])
def test_pages_of_other_origins_are_refused(http: httpx2.Client, path: str, origin: str) -> None:
    response = http.post(path, json=request("tools/list"), headers={"Origin": origin})
    assert response.status_code == 403
    assert "Origin header" in response.text


def test_pages_of_this_machine_may_call(http: httpx2.Client) -> None:
    listed = post(http, request("tools/list"), headers={"Origin": "http://localhost:6274"})
    assert len(listed["tools"]) == len(ON)


@pytest.mark.requirement("health")
@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_told_to_whoever_asks_by_whatever_name(http: httpx2.Client, path: str) -> None:
    response = http.get(path, headers={"Host": "10.1.2.3:8000", "Origin": "https://evil.example"})
    assert (response.status_code, response.text) == (200, "ok\n")


@pytest.mark.requirement("http-serves", "front-page")
def test_the_front_page_says_how_to_connect_and_runs_nothing(http: httpx2.Client, endpoint: str) -> None:
    response = http.get("/")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert f"claude mcp add --transport http calendly {endpoint}" in response.text
    assert "<script" not in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "server" not in response.headers
    assert http.get("/favicon.ico").status_code == 404


@pytest.mark.requirement("narrowing", "narrowing-unknown")
@pytest.mark.parametrize("version", ["2025-11-25", MODERN])
@pytest.mark.parametrize(
    ("headers", "left"),
    [
        ({"X-MCP-Toolsets": "users"}, ["get_current_user", "get_user"]),
        ({"X-MCP-Tools": "get_user, nonsense"}, ["get_user"]),
        ({"X-MCP-Toolsets": "users", "X-MCP-Tools": "cancel_scheduled_event"},
         ["get_current_user", "get_user", "cancel_scheduled_event"]),
        ({"X-MCP-Toolsets": "users", "X-MCP-Tools": "cancel_scheduled_event", "X-MCP-Readonly": "TRUE"},
         ["get_current_user", "get_user"]),
        ({"X-MCP-Readonly": "true"}, [tool.name for tool in ON if tool.access == "read"]),
        ({"X-MCP-Readonly": "false, true"}, [tool.name for tool in ON if tool.access == "read"]),
        ({"X-MCP-Readonly": '"true";'}, [tool.name for tool in ON if tool.access == "read"]),
        ({"X-MCP-Readonly": "false"}, [tool.name for tool in ON]),
        ({"X-MCP-Tools": "nonsense"}, []),
        ({"X-MCP-Toolsets": ""}, []),
    ],
    ids=["toolset", "tools", "both", "all three", "read-only", "read-only twice", "read-only garbled",
         "not read-only", "unknown name", "no name"],
)  # fmt: skip
def test_a_request_narrows_its_list(
    http: httpx2.Client, version: str, headers: dict[str, str], left: list[str]
) -> None:
    assert names(post(http, request("tools/list"), headers, version)) == left


@pytest.mark.requirement("error-switched-off", "narrowing")
@pytest.mark.parametrize("version", ["2025-11-25", MODERN])
def test_a_request_narrows_its_calls_by_the_name_in_the_body(http: httpx2.Client, version: str) -> None:
    body = request("tools/call", name="get_user", arguments={"user": "me"})
    for headers in ({"X-MCP-Toolsets": "webhooks"}, {"X-MCP-Tools": ""}):
        refused = post(http, body, headers, version)
        assert refused["isError"]
        assert refused["structuredContent"]["error"]["kind"] == "access_denied_by_policy"
        assert "X-MCP headers" in refused["structuredContent"]["error"]["message"]
    assert not post(http, body, {"X-MCP-Tools": "get_user"}, version)["isError"]


@pytest.mark.requirement("error-switched-off", "narrowing-never-widens", "read-only")
def test_headers_never_widen_what_the_operator_allows(settings: dict[str, str]) -> None:
    with program("http", "--auth", "none", "--port", "0", "--toolsets", "users", "--read-only", **settings) as server:
        address = server.line("ready: ").removesuffix("/mcp")
        with httpx2.Client(base_url=address, headers=ACCEPT) as http:
            wide = {"X-MCP-Toolsets": "all", "X-MCP-Tools": "cancel_scheduled_event", "X-MCP-Readonly": "false"}
            assert names(post(http, request("tools/list"), wide)) == ["get_current_user", "get_user"]
            refused = post(http, request("tools/call", name="cancel_scheduled_event", arguments={}), wide)
            assert refused["structuredContent"]["error"]["kind"] == "access_denied_by_policy"


NAMES = {
    "CALENDLY_MCP_ALLOWED_ORIGINS": "app://, tauri://localhost, chrome-extension://abcdef, https://ide.example",
    "CALENDLY_MCP_PUBLIC_URL": "http://host.docker.internal:8000",
}


def test_programs_and_containers_may_call_an_endpoint_without_sign_in_once_they_are_named(
    settings: dict[str, str],
) -> None:
    with program("http", "--auth", "none", "--port", "0", **settings, **NAMES) as server:
        address = server.line("ready: ").removesuffix("/mcp")
        with httpx2.Client(base_url=address, headers=ACCEPT) as http:
            for origin in ("app://", "tauri://localhost", "chrome-extension://abcdef", "https://ide.example"):
                with case(origin):
                    assert post(http, request("tools/list"), headers={"Origin": origin})["tools"]
            for origin in ("app://other", "chrome-extension://abcdeg", "http://ide.example", "null"):
                with case(origin):
                    assert http.post("/mcp", json=request("tools/list"), headers={"Origin": origin}).status_code == 403
            assert post(http, request("tools/list"), headers={"Host": "host.docker.internal:8000"})["tools"]
            assert http.get("/", headers={"Host": "host.docker.internal:8001"}).status_code == 421
