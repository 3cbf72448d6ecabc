"""By which names a server is asked, and from which pages: the pure part of the guard."""

import pytest

from server.transports.guard import Reach

PUBLIC = Reach(
    address="https://mcp.example",
    is_local=False,
    origins=("https://app.example",),
    open_paths={"/token", "/register"},
    pages={"consent", "oauth"},
)
BESIDE_A_PROXY = Reach(address="https://mcp.example", is_local=True)
ON_A_PORT = Reach(address="https://mcp.example:8443", is_local=False)


@pytest.mark.requirement("host-values")
@pytest.mark.parametrize(
    ("reach", "host", "ours"),
    [
        (PUBLIC, "mcp.example", True),
        (PUBLIC, "MCP.Example", True),
        (PUBLIC, "mcp.example:443", True),
        (PUBLIC, "mcp.example:8443", False),
        (PUBLIC, "mcp.example:80", False),
        (PUBLIC, "localhost", False),
        (PUBLIC, "127.0.0.1:8000", False),
        (PUBLIC, "mcp.example.evil.example", False),
        (PUBLIC, "evil.example#mcp.example", False),
        (PUBLIC, "me@mcp.example", False),
        (PUBLIC, "mcp.example/", False),
        (PUBLIC, "mcp.example:x", False),
        (PUBLIC, "[::1", False),
        (PUBLIC, "", False),
        (BESIDE_A_PROXY, "mcp.example", True),
        (BESIDE_A_PROXY, "localhost:1", True),
        (BESIDE_A_PROXY, "[::1]", True),
        (BESIDE_A_PROXY, "evil.example", False),
        (BESIDE_A_PROXY, "[::1]:8000", True),
        (BESIDE_A_PROXY, "[::1].evil.example", False),
        (BESIDE_A_PROXY, "localhost?.evil.example", False),
        (BESIDE_A_PROXY, "127.0.0.1#.evil.example", False),
        (BESIDE_A_PROXY, "me@localhost", False),
        (ON_A_PORT, "mcp.example:8443", True),
        (ON_A_PORT, "mcp.example", False),
    ],
)
def test_a_server_goes_by_its_public_name_and_on_its_own_machine_by_those_of_the_machine(
    reach: Reach,
    host: str,
    ours: bool,  # noqa: FBT001 - a table
) -> None:
    assert reach.is_ours(host) == ours


@pytest.mark.requirement("origins")
@pytest.mark.parametrize(
    ("origin", "path", "admitted"),
    [
        ("https://mcp.example", "/mcp", True),
        ("https://app.example", "/mcp", True),
        ("http://localhost:6274", "/mcp", True),
        ("http://app.example", "/mcp", False),
        ("https://app.example:8443", "/mcp", False),
        ("https://evil.example", "/mcp", False),
        ("http://[::1].evil.example", "/mcp", False),
        ("null", "/mcp", False),
        ("file://localhost", "/mcp", False),
        ("chrome-extension://localhost", "/mcp", False),
        ("https://evil.example", "/token", True),
        ("null", "/register", True),
        ("null", "/consent", True),
        ("null", "/oauth/callback", True),
        ("https://evil.example", "/consent", False),
        ("https://evil.example", "/token/", False),
    ],
)
def test_pages_call_what_is_meant_for_them(
    origin: str,
    path: str,
    admitted: bool,  # noqa: FBT001 - a table
) -> None:
    assert PUBLIC.admits(origin, path) == admitted
