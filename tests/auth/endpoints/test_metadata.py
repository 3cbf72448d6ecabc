from typing import Any

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc9207 import AuthorizationServerMetadata as IssuerParameterMetadata
from mcp.shared.auth import OAuthMetadata, ProtectedResourceMetadata

from tests.auth.site import ISSUER, OFFERED, RESOURCE, Served
from tests.cases import each

AUTHORIZATION_SERVER = "/.well-known/oauth-authorization-server"
RESOURCE_METADATA = ["/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"]
METADATA = [AUTHORIZATION_SERVER, *RESOURCE_METADATA]


async def document(served: Served, path: str) -> dict[str, Any]:
    response = await served.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.requirement("metadata-server", "public-url-setting")
async def test_the_authorization_server_describes_itself(served: Served) -> None:
    found = await document(served, AUTHORIZATION_SERVER)
    assert found["issuer"] == ISSUER
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["token_endpoint_auth_methods_supported"] == ["none", "client_secret_post", "client_secret_basic"]
    assert found["client_id_metadata_document_supported"] is True
    assert found["authorization_response_iss_parameter_supported"] is True
    assert set(found["scopes_supported"]) == {*OFFERED, "mcp:scheduling:read", "mcp:scheduling:write"}
    endpoints = {name: value for name, value in found.items() if name.endswith("_endpoint")}
    assert endpoints == {
        f"{name}_endpoint": f"{ISSUER}/{path}"
        for name, path in {
            "authorization": "authorize",
            "token": "token",
            "registration": "register",
            "revocation": "revoke",
        }.items()
    }


@pytest.mark.requirement("metadata-server")
async def test_others_find_the_metadata_valid(served: Served) -> None:
    found = await document(served, AUTHORIZATION_SERVER)
    AuthorizationServerMetadata(found).validate([IssuerParameterMetadata])
    assert str(OAuthMetadata.model_validate(found).issuer) == ISSUER
    for path in RESOURCE_METADATA:
        resource = ProtectedResourceMetadata.model_validate(await document(served, path))
        assert [str(server) for server in resource.authorization_servers] == [ISSUER]


@pytest.mark.requirement("metadata-resource")
@each("path", RESOURCE_METADATA)
async def test_the_resource_is_described_with_and_without_its_path(served: Served, path: str) -> None:
    found = await document(served, path)
    assert found["resource"] == RESOURCE
    assert found["authorization_servers"] == [ISSUER]
    assert found["bearer_methods_supported"] == ["header"]
    assert set(found["scopes_supported"]) > OFFERED


@pytest.mark.requirement("no-host-echo")
@each("path", METADATA)
async def test_nothing_that_a_request_says_of_the_host_is_echoed(served: Served, path: str) -> None:
    plain = await served.get(path)
    for name in ("Host", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Original-Host"):
        tricked = await served.get(path, **{name: "evil.example"})
        assert tricked.content == plain.content
        assert "evil.example" not in str(tricked.headers)


@pytest.mark.requirement("no-host-echo")
async def test_no_redirect_and_no_challenge_echoes_the_host(served: Served) -> None:
    client = await served.register()
    for path in ("/authorize", "/authorize?client_id=x", "/oauth/callback?state=x"):
        response = await served.get(path, Host="evil.example")
        assert "evil.example" not in f"{response.text} {response.headers}"
    called = await served.call(None, Host="evil.example")
    assert "evil.example" not in str(called.headers)
    browser = served.browser()
    page = await browser.http.get("/authorize", params=served.request(client), headers={"Host": "evil.example"})
    assert page.status_code == 200
    assert "evil.example" not in f"{page.text} {page.headers}"


@pytest.mark.requirement("cors")
@each(
    "path, method",
    [*((path, "GET") for path in METADATA), ("/register", "POST"), ("/token", "POST"), ("/revoke", "POST")],
)
async def test_any_page_may_call_the_endpoints_for_programs_without_credentials(
    served: Served, path: str, method: str
) -> None:
    async with served.http() as http:
        origin = {"Origin": "https://inspector.example"}
        preflight = await http.options(
            path,
            headers={
                **origin,
                "Access-Control-Request-Method": method,
                "Access-Control-Request-Headers": "content-type,mcp-protocol-version",
            },
        )
        answer = await http.request(method, path, headers=origin)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-methods"] == method
    for header in ("content-type", "mcp-protocol-version", "authorization"):
        assert header in preflight.headers["access-control-allow-headers"].lower()
    for response in (preflight, answer):
        assert response.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in response.headers


@each("path", ["/authorize", "/consent", "/oauth/callback"])
async def test_no_page_of_others_may_read_the_pages_for_people(served: Served, path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        async with served.http() as http:
            response = await http.request(method, path, headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in response.headers
