import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.protocol.errors import InvalidRedirectUri
from auth.protocol.redirect_uris import (
    PRIVATE_USE_SCHEMES,
    check,
    destination,
    form_action,
    is_loopback,
    is_registered,
    leads_to,
    private_use_schemes,
    with_parameters,
)
from tests.cases import each

REAL = [
    "https://claude.ai/api/mcp/auth_callback",
    "https://chatgpt.com/connector_platform_oauth_redirect",
    "https://vscode.dev/redirect",
    "http://127.0.0.1:33418/",
    "http://127.0.0.1/",
    "http://localhost:54212/callback",
    "http://[::1]:8080/callback",
    "http://localhost",
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "vscode://vscode.github-authentication/did-authenticate",
    "vscode-insiders://x/y",
    "windsurf://codeium.windsurf/oauth/callback",
    "claude://claude.ai/mcp-auth-callback",
    "https://agent.example:8443/back?tenant=7&x=%2F",
    "https://my_agent.example/callback",
    "HTTPS://Agent.example/callback",  # RFC 3986, 3.1 and 3.2.2
    "http://LOCALHOST:54212/callback",
    "Cursor://anysphere.cursor-mcp/oauth/callback",
]

HOSTILE = [
    "",
    "https://",
    "https:///path",
    "http://agent.example/callback",  # plain http beyond this machine
    "http://127.0.0.1.evil.example/",
    "http://localhost.evil.example/",
    "http://127.0.0.1@evil.example/",
    "http://127.0.0.1:80@evil.example/",
    "http://evil.example#@127.0.0.1/",
    "http://127.0.0.1\\@evil.example/",
    "http://0.0.0.0/",
    "http://127.0.0.2/",
    "http://2130706433/",
    "http://0x7f.1/",
    "http://[::ffff:127.0.0.1]/",
    "https://user@agent.example/",
    "https://user:word@agent.example/",
    "https://agent.example/#fragment",
    "https://agent.example/#",
    "https://agent.example\\.evil.example/",
    "https://agent.example/\\evil",
    "https://*.agent.example/",
    "https://agent.example:0/",
    "https://agent.example:x/",
    "https://agent.example:65536/",
    "http://localhost:99999/",
    "https://agent.exam\u0440le/",  # a Cyrillic letter
    "https://agent.example/a b",
    "https://agent.example/\r\nSet-Cookie: a=b",
    "https://agent.example/\x00",
    " https://agent.example/",
    "https://agent.example/\n",
    "https://agent.example/back?code=stolen",
    "https://agent.example/back?state=forged&x=1",
    "https://agent.example/back?iss=https://evil.example",
    "https://agent.example/back?%65rror=x",
    "https:agent.example",
    "//agent.example/",
    "/callback",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "vbscript:x",
    "about:blank",
    "urn:ietf:wg:oauth:2.0:oob",
    "myapp://callback",
    "cursor:",
    "cursor://user@host/x",
    "cursor://host/x#fragment",
    'cursor://host/"onmouseover=',
    "https://agent.example/" + "x" * 2000,
]


@pytest.mark.requirement("redirect-kinds")
@each("uri", REAL)
def test_addresses_that_real_clients_register_are_taken(uri: str) -> None:
    check(uri, PRIVATE_USE_SCHEMES)
    assert is_registered(uri, [uri])


@pytest.mark.requirement("redirect-kinds")
@each("uri", HOSTILE)
def test_addresses_that_are_none_of_the_three_kinds_are_refused(uri: str) -> None:
    with pytest.raises(InvalidRedirectUri):
        check(uri, PRIVATE_USE_SCHEMES)


@pytest.mark.requirement("redirect-kinds", "redirect-schemes-setting")
def test_the_operator_says_which_private_use_schemes_are_allowed() -> None:
    schemes = private_use_schemes(" myapp, com.example.agent ,")
    assert schemes == ("myapp", "com.example.agent")
    check("myapp://callback", schemes)
    with pytest.raises(InvalidRedirectUri):
        check("cursor://anysphere.cursor-mcp/oauth/callback", schemes)


@each(
    "uri, told",
    [
        ("foo://callback", "no redirect URI of the scheme foo; its operator can allow it"),
        ("javascript:alert(1)", "no redirect URI of the scheme javascript."),
        ("http://agent.example/callback", "anywhere else it is https"),
        ("https://agent.example/#x", "no user name, fragment or special character"),
        ("/callback", "begins with a scheme"),
        ("https://agent.example/?code=x", "parameters of the authorization response"),
        ("https://agent.example/" + "x" * 2000, "at most 2000 characters"),
        ("https://mcp.example/consent", "not to this server"),
        ("https://MCP.example:443/x/../oauth/callback", "not to this server"),
    ],
)
def test_a_refusal_says_what_is_wrong(uri: str, told: str) -> None:
    with pytest.raises(InvalidRedirectUri, match=re.escape(told)):
        check(uri, PRIVATE_USE_SCHEMES, "https://mcp.example")


@each(
    "uri, own",
    [
        ("http://127.0.0.1:8000/consent", True),
        ("http://[::1]:8000/connections", True),
        ("http://localhost:8001/callback", False),
        ("cursor://localhost:8000/x", False),
        ("https://agent.example/callback", False),
    ],
)
def test_a_server_on_this_machine_is_itself_by_every_name_of_it(uri: str, *, own: bool) -> None:
    assert leads_to(uri, "http://localhost:8000") is own


@each("scheme", ["javascript", "data", "file", "http", "https", "a b", "x:", "Upper", "1x", "about"])
def test_a_scheme_that_a_browser_or_desktop_acts_on_cannot_be_allowed(scheme: str) -> None:
    with pytest.raises(ValueError, match="cannot be the private-use scheme"):
        private_use_schemes(scheme)


REGISTERED = "https://agent.example/callback?x=1"
NEAR = [
    "https://agent.example/callback",
    "https://agent.example/callback?x=1&y=2",
    "https://agent.example/callback?x=1#",
    "https://agent.example/callback/?x=1",
    "https://agent.example/callback/../callback?x=1",
    "https://agent.example/%63allback?x=1",
    "https://AGENT.example/callback?x=1",
    "https://agent.example:443/callback?x=1",
    "https://agent.example.evil.example/callback?x=1",
    "https://evil.example/https://agent.example/callback?x=1",
    "https://agent.example@evil.example/callback?x=1",
    "http://agent.example/callback?x=1",
    "HTTPS://agent.example/callback?x=1",
    "https://agent.example/callback?x=1 ",
    "https://agent.example/callback?x=1\t",
    "https://agent.example/Callback?x=1",
    "https://agent.example/callbac?x=1",
    "https://agent.example/callback?x=1x",
]


@pytest.mark.requirement("redirect-exact")
@each("presented", NEAR)
def test_an_address_that_only_resembles_a_registered_one_is_not_it(presented: str) -> None:
    assert not is_registered(presented, [REGISTERED])


@pytest.mark.requirement("redirect-exact")
@given(st.text(max_size=60))
def test_nothing_but_the_string_itself_matches(presented: str) -> None:
    assert is_registered(presented, [REGISTERED]) is (presented == REGISTERED)


@pytest.mark.requirement("redirect-loopback-port")
@each("host", ["127.0.0.1", "[::1]", "localhost"])
@given(one=st.integers(1, 65535), other=st.integers(1, 65535))
def test_the_port_of_a_loopback_address_may_vary(host: str, one: int, other: int) -> None:
    assert is_registered(f"http://{host}:{one}/callback", [f"http://{host}:{other}/callback"])
    assert is_registered(f"http://{host}:{one}/callback", [f"http://{host}/callback"])
    assert is_registered(f"http://{host}/callback", [f"http://{host}:{one}/callback"])


@pytest.mark.requirement("redirect-loopback-port")
@each(
    "presented",
    [
        "http://localhost:1/callback",
        "http://[::1]:1/callback",
        "https://127.0.0.1:1/callback",
        "http://127.0.0.1:1/other",
        "http://127.0.0.1:1/callback?x=1",
        "http://127.0.0.1:1/callback#x",
        "http://127.0.0.1:1@evil.example/callback",
        "http://127.0.0.1.evil.example:1/callback",
        "http://127.0.0.1:/callback",
        "http://127.0.0.1:1:2/callback",
        "http://127.0.0.1:1evil.example/callback",
        "http://x@127.0.0.1:1/callback",
    ],
)
def test_of_a_loopback_address_nothing_but_the_port_may_vary(presented: str) -> None:
    assert not is_registered(presented, ["http://127.0.0.1:8000/callback"])


@pytest.mark.requirement("redirect-loopback-port")
def test_the_port_of_an_https_address_may_not_vary() -> None:
    assert not is_registered("https://agent.example:8443/x", ["https://agent.example/x"])
    assert not is_registered("https://localhost:8443/x", ["https://localhost/x"])


def test_only_http_on_this_machine_is_loopback() -> None:
    assert is_loopback("http://localhost:1/x")
    assert not is_loopback("https://localhost:1/x")
    assert not is_loopback("cursor://localhost/x")


@each(
    "uri, shown, source",
    [
        ("https://claude.ai/api/mcp/auth_callback", "claude.ai", "https://claude.ai"),
        ("http://127.0.0.1:33418/", "127.0.0.1:33418", "http://127.0.0.1:33418"),
        ("http://[::1]:33418/", "[::1]:33418", "http:"),
        ("cursor://anysphere.cursor-mcp/oauth/callback", "cursor:", "cursor:"),
    ],
)
def test_an_address_is_named_for_people_and_for_the_content_security_policy(uri: str, shown: str, source: str) -> None:
    assert destination(uri) == shown
    assert form_action(uri) == source


def test_parameters_join_those_an_address_has() -> None:
    assert with_parameters("https://a.example/x", {"code": "a b"}) == "https://a.example/x?code=a+b"
    assert with_parameters("https://a.example/x?t=7", {"code": "&"}) == "https://a.example/x?t=7&code=%26"
