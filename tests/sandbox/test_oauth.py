"""The sandbox's OAuth server: page, codes, tokens, revocation, introspection, metadata and registration."""

import base64
import hashlib
import re
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from typing_extensions import override

from sandbox.records.scopes import ALL_SCOPES
from tests.sandbox.api import CALENDLY, MONDAY, Api, Json, iso

CALLBACK = "http://localhost:8765/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
PKCE = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
WEB = ("sandbox-client", "sandbox-secret")


def asked(client: str = "sandbox-client", **changes: str) -> dict[str, str]:
    query = {"client_id": client, "redirect_uri": CALLBACK, "response_type": "code", "state": "a b&c", **changes}
    return {name: value for name, value in query.items() if value}


async def person_of(api: Api, token: str) -> str:
    return str((await api.me(token))["uri"].rpartition("/")[2])


async def allow(api: Api, who: str = "owner", **changes: str) -> dict[str, str]:
    """Press "Allow", and return the parameters of the redirect."""
    chosen = {"person": await person_of(api, who), "decision": "allow"}
    answer = await api.http.post("/oauth/authorize", data={**asked(), **chosen, **changes})
    return returned(answer)


def returned(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 303, answer.text
    location = urlsplit(answer.headers["location"])
    return {name: values[0] for name, values in parse_qs(location.query).items()}


def basic(client: tuple[str, str] | None) -> dict[str, str]:
    """Return the header that authenticates a client, none for a public one."""
    if client is None:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(':'.join(client).encode()).decode()}"}


async def redeem(api: Api, code: str, auth: tuple[str, str] | None = WEB, **changes: str) -> Json:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, **changes}
    sent = {name: value for name, value in form.items() if value}
    return await api.http.post("/oauth/token", data=sent, headers=basic(auth))


async def signed_in(api: Api, who: str = "owner", **changes: str) -> Json:
    answer = await redeem(api, (await allow(api, who, **changes))["code"])
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refresh(api: Api, token: str) -> Json:
    return await api.http.post("/oauth/token", data={"grant_type": "refresh_token", "refresh_token": token}, auth=WEB)


async def test_metadata_repeats_no_host_that_is_not_this_machine(api: Api) -> None:
    own = str(api.http.base_url).rstrip("/")
    for host, issuer in (("evil.example", own), ("evil.example:1", own), ("localhost:7", "http://localhost:7")):
        answer = await api.http.get("/.well-known/oauth-authorization-server", headers={"Host": host})
        assert answer.json()["issuer"] == issuer


@pytest.mark.requirement("sandbox-registration")
async def test_metadata_names_endpoints_at_the_address_it_was_asked_at(api: Api) -> None:
    metadata = (await api.http.get("/.well-known/oauth-authorization-server")).json()
    issuer = str(api.http.base_url).rstrip("/")
    assert metadata["issuer"] == issuer
    for endpoint in ("authorization", "token", "revocation", "introspection", "registration"):
        assert metadata[f"{endpoint}_endpoint"].startswith(f"{issuer}/oauth/")
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert set(metadata["scopes_supported"]) == ALL_SCOPES


class Controls(HTMLParser):
    """Collects the elements of a page that its user sees or sends."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of each such element."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.requirement("sandbox-consent-form")
async def test_the_page_is_one_form_with_a_choice_of_person_and_no_scripts(api: Api) -> None:
    answer = await api.http.get("/oauth/authorize", params=asked(scope="users:read", state='"><b>', person="x"))
    assert answer.status_code == 200
    page = Controls()
    page.feed(answer.text)
    assert len(page.all("form")) == 1
    assert page.all("html") == [{"lang": "en"}]
    radios = [one for one in page.all("input") if one["type"] == "radio"]
    assert len(radios) == len(page.all("label")) == 7
    assert {one["name"] for one in radios} == {"person"}
    hidden = {one["name"]: one["value"] for one in page.all("input") if one["type"] == "hidden"}
    assert hidden == asked(scope="users:read", state='"><b>')
    assert [one["value"] for one in page.all("button")] == ["allow", "deny"]
    for person in ("Maya Lindqvist", "Tomás Herrera", "Sam Okoro", "Ingrid Solberg"):
        assert person in unescape(answer.text)
    assert not page.all("script")
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    sent = {**asked(), "person": str(radios[1]["value"]), "decision": "allow"}
    assert "code" in returned(await api.http.post("/oauth/authorize", data=sent))


@pytest.mark.requirement("sandbox-oauth", "sandbox-loopback-addresses")
async def test_allowing_gives_a_code_and_the_code_gives_tokens(api: Api) -> None:
    back = await allow(api, "admin", scope="users:read event_types:write", **PKCE)
    assert back["state"] == "a b&c"
    answer = await redeem(api, back["code"], code_verifier=VERIFIER)
    assert answer.headers["cache-control"] == "no-store"
    tokens = answer.json()
    me = await api.me(tokens["access_token"])
    assert tokens == {
        "token_type": "Bearer",
        "access_token": tokens["access_token"],
        "refresh_token": tokens["refresh_token"],
        "scope": "event_types:write users:read",
        "expires_in": 7200,
        "created_at": int(MONDAY.timestamp()),
        "owner": me["uri"],
        "organization": me["current_organization"],
    }
    assert me["name"] == "Tomás Herrera"
    assert (await api.get("/event_types", tokens["access_token"], user=me["uri"])).status_code == 200
    refused = await api.get("/scheduled_events", tokens["access_token"], user=me["uri"])
    assert refused.json()["required_scopes"] == ["scheduled_events:read"]


@pytest.mark.parametrize(
    ("scope", "granted"),
    [("users:read openid profile", "users:read"), ("", " ".join(sorted(ALL_SCOPES)))],
    ids=["unknown scopes are dropped", "none named means all"],
)
async def test_scopes_are_intersected_with_those_there_are(api: Api, scope: str, granted: str) -> None:
    assert (await signed_in(api, scope=scope))["scope"] == granted


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid"}, "invalid_scope"),
        ({"code_challenge": "short", "code_challenge_method": "S256"}, "invalid_request"),
        ({"code_challenge": CHALLENGE, "code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": CHALLENGE}, "invalid_request"),
        ({"decision": "deny"}, "access_denied"),
        ({"person": "nobody"}, "invalid_request"),
        ({"client_id": "sandbox-native"}, "invalid_request"),
    ],
)
async def test_a_refused_sign_in_goes_back_to_the_client_with_its_state(
    api: Api, changes: dict[str, str], error: str
) -> None:
    back = await allow(api, **changes)
    assert (back["error"], back["state"]) == (error, "a b&c")
    assert back["error_description"]


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "unknown"},
        {"client_id": ""},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": "http://localhost.evil.example/callback"},
        {"redirect_uri": "http://127.0.0.1:1/callback#fragment"},
        {"redirect_uri": "http://[x"},
        {"redirect_uri": ""},
    ],
)
async def test_a_browser_is_never_sent_to_an_unregistered_address(api: Api, changes: dict[str, str]) -> None:
    for answer in (
        await api.http.get("/oauth/authorize", params=asked(**changes)),
        await api.http.post("/oauth/authorize", data=asked(**changes)),
    ):
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "cannot go on" in answer.text


async def test_a_parameter_that_comes_twice_is_refused(api: Api) -> None:
    twice = await api.http.get("/oauth/authorize", params=[*asked().items(), ("state", "x")])
    assert twice.status_code == 400
    body = "grant_type=refresh_token&refresh_token=x&refresh_token=y"
    answer = await api.http.post("/oauth/token", content=body, auth=WEB)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


@pytest.mark.requirement("sandbox-applications")
async def test_a_native_application_authenticates_with_pkce_alone(api: Api) -> None:
    code = (await allow(api, client_id="sandbox-native", **PKCE))["code"]
    wrong = await redeem(api, code, None, client_id="sandbox-native", code_verifier="x" * 43)
    assert wrong.json()["error"] == "invalid_grant"
    answer = await redeem(api, code, None, client_id="sandbox-native", code_verifier=VERIFIER)
    assert answer.status_code == 200


@pytest.mark.requirement("sandbox-applications")
async def test_a_web_application_may_send_its_secret_in_the_body(api: Api) -> None:
    code = (await allow(api))["code"]
    answer = await redeem(api, code, None, client_id="sandbox-client", client_secret="sandbox-secret")
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "auth", [("sandbox-client", "wrong"), ("unknown", "sandbox-secret"), ("sandbox-native", "x"), None]
)
@pytest.mark.parametrize("endpoint", ["token", "revoke", "introspect"])
async def test_a_client_that_does_not_authenticate_is_refused(
    api: Api, endpoint: str, auth: tuple[str, str] | None
) -> None:
    answer = await api.http.post(f"/oauth/{endpoint}", data={"token": "x"}, headers=basic(auth))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("credentials", ["Basic ???", "Basic /w=="])
async def test_unreadable_credentials_are_refused(api: Api, credentials: str) -> None:
    answer = await api.http.post("/oauth/token", headers={"Authorization": credentials})
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "nope"}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "nope"}, "invalid_grant"),
    ],
)
async def test_a_bad_token_request_is_refused(api: Api, form: dict[str, str], error: str) -> None:
    answer = await api.http.post("/oauth/token", data=form, auth=WEB)
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    not_a_form = await api.http.post("/oauth/token", content=b"\xff=\xff", auth=WEB)
    assert not_a_form.json()["error"] == "invalid_request"


async def test_a_code_is_bound_to_client_address_and_challenge(api: Api) -> None:
    for changes, form, auth in (
        ({}, {"redirect_uri": f"{CALLBACK}x"}, WEB),
        ({}, {"client_id": "sandbox-native"}, None),
        ({}, {"code_verifier": VERIFIER}, WEB),
        (PKCE, {}, WEB),
        (PKCE, {"code_verifier": "x" * 43}, WEB),
    ):
        code = (await allow(api, **changes))["code"]
        answer = await redeem(api, code, auth, **form)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(("minutes", "status"), [(9, 200), (10, 400)])
async def test_a_code_expires_after_ten_minutes(api: Api, minutes: int, status: int) -> None:
    code = (await allow(api))["code"]
    await api.control("clock", {"now": iso(MONDAY + timedelta(minutes=minutes))})
    assert (await redeem(api, code)).status_code == status


async def test_a_code_used_twice_revokes_its_tokens(api: Api) -> None:
    code = (await allow(api))["code"]
    tokens = (await redeem(api, code)).json()
    assert (await redeem(api, code)).json()["error"] == "invalid_grant"
    answer = await api.get("/users/me", tokens["access_token"])
    assert (answer.status_code, answer.json()["message"]) == (401, "The access token was revoked")
    assert (await refresh(api, tokens["refresh_token"])).json()["error"] == "invalid_grant"


async def test_an_access_token_expires_after_two_hours(api: Api) -> None:
    tokens = await signed_in(api)
    await api.control("clock", {"now": iso(MONDAY + timedelta(seconds=7199))})
    assert (await api.get("/users/me", tokens["access_token"])).status_code == 200
    await api.control("clock", {"now": iso(MONDAY + timedelta(seconds=7200))})
    answer = await api.get("/users/me", tokens["access_token"])
    assert (answer.status_code, answer.json()["message"]) == (401, "The access token expired")


@pytest.mark.requirement("sandbox-refresh")
async def test_a_refresh_token_works_once(api: Api) -> None:
    first = await signed_in(api, scope="users:read")
    second = (await refresh(api, first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (second["scope"], second["owner"]) == (first["scope"], first["owner"])
    again = await refresh(api, first["refresh_token"])
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    for tokens in (first, second):
        assert (await api.get("/users/me", tokens["access_token"])).status_code == 200
    assert (await refresh(api, second["refresh_token"])).status_code == 200


async def test_eight_token_requests_a_minute_for_each_person(api: Api) -> None:
    tokens = await signed_in(api)
    for _ in range(7):
        tokens = (await refresh(api, tokens["refresh_token"])).json()
    refused = await refresh(api, tokens["refresh_token"])
    assert (refused.status_code, refused.headers["X-RateLimit-Limit"]) == (429, "8")
    assert (await signed_in(api, "admin"))["owner"]
    await api.control("clock", {"now": iso(MONDAY + timedelta(minutes=1))})
    assert (await refresh(api, tokens["refresh_token"])).status_code == 200


@pytest.mark.requirement("sandbox-oauth")
async def test_revoking_a_refresh_token_revokes_its_access_tokens(api: Api) -> None:
    tokens = await signed_in(api)
    answer = await api.http.post("/oauth/revoke", data={"token": tokens["refresh_token"]}, auth=WEB)
    assert (answer.status_code, answer.json()) == (200, {})
    refused = await api.get("/users/me", tokens["access_token"])
    assert refused.json() == {"title": "Unauthenticated", "message": "The access token was revoked"}


async def test_revoking_an_access_token_keeps_the_refresh_token(api: Api) -> None:
    tokens = await signed_in(api)
    form = {"client_id": WEB[0], "client_secret": WEB[1], "token": tokens["access_token"]}
    assert (await api.http.post("/oauth/revoke", data=form)).status_code == 200
    assert (await api.get("/users/me", tokens["access_token"])).status_code == 401
    assert (await refresh(api, tokens["refresh_token"])).status_code == 200


async def test_a_client_revokes_and_inspects_only_its_own_tokens(api: Api) -> None:
    tokens = await signed_in(api)
    for token in (tokens["access_token"], tokens["refresh_token"], "sandbox-pat-owner", "unknown"):
        form = {"client_id": "sandbox-native", "token": token}
        assert (await api.http.post("/oauth/introspect", data=form)).json() == {"active": False}
        assert (await api.http.post("/oauth/revoke", data=form)).status_code == 200
    for token in (tokens["access_token"], "owner"):
        assert (await api.get("/users/me", token)).status_code == 200


@pytest.mark.requirement("sandbox-oauth")
async def test_introspection_describes_an_active_token(api: Api) -> None:
    tokens = await signed_in(api, scope="users:read")
    read = await api.http.post("/oauth/introspect", data={"token": tokens["access_token"]}, auth=WEB)
    assert read.json() == {
        "active": True,
        "scope": "users:read",
        "client_id": "sandbox-client",
        "token_type": "Bearer",
        "iat": int(MONDAY.timestamp()),
        "exp": int(MONDAY.timestamp()) + 7200,
        "owner": tokens["owner"],
        "organization": tokens["organization"],
    }
    of_refresh = await api.http.post("/oauth/introspect", data={"token": tokens["refresh_token"]}, auth=WEB)
    assert "exp" not in of_refresh.json()
    await api.control("clock", {"now": iso(MONDAY + timedelta(hours=3))})
    expired = await api.http.post("/oauth/introspect", data={"token": tokens["access_token"]}, auth=WEB)
    assert expired.json() == {"active": False}


@pytest.mark.requirement("sandbox-registration")
@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post", ""])
async def test_a_client_can_register_and_sign_in(api: Api, method: str) -> None:
    redirect_uri = "https://agents.example/callback?kept=1"
    metadata = {"client_name": "Agents 2", "redirect_uris": [redirect_uri], "token_endpoint_auth_method": method}
    answer = await api.http.post("/oauth/register", json={name: one for name, one in metadata.items() if one})
    assert answer.status_code == 201
    client = answer.json()
    assert ("client_secret" in client) == (method != "none")
    assert client["redirect_uris"] == [redirect_uri]
    back = await allow(api, client_id=client["client_id"], redirect_uri=redirect_uri, **PKCE)
    assert back["kept"] == "1"
    auth = (client["client_id"], client["client_secret"]) if method != "none" else None
    form = {"redirect_uri": redirect_uri, "code_verifier": VERIFIER}
    redeemed = await redeem(api, back["code"], auth, **form, **({} if auth else {"client_id": client["client_id"]}))
    assert set(redeemed.json()["scope"].split()) == ALL_SCOPES
    assert redeemed.json()["owner"].startswith(f"{CALENDLY}/users/")
    other = await api.http.get(
        "/oauth/authorize", params=asked(client["client_id"], redirect_uri="https://agents.example/other")
    )
    assert other.status_code == 400


@pytest.mark.requirement("sandbox-registration")
@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"client_name": "Claude Code (local)"}, "invalid_client_metadata"),
        ({"client_name": ""}, "invalid_client_metadata"),
        ({"client_name": 7}, "invalid_client_metadata"),
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://agents.example/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://[x"]}, "invalid_redirect_uri"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
    ],
)
async def test_a_bad_registration_is_refused(api: Api, metadata: Json, error: str) -> None:
    whole = {"client_name": "Agents", "redirect_uris": [CALLBACK], **metadata}
    answer = await api.http.post("/oauth/register", json=whole)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


@pytest.mark.parametrize("text", ["[]", "{", ""])
async def test_a_registration_is_a_json_object(api: Api, text: str) -> None:
    answer = await api.http.post("/oauth/register", content=text)
    assert answer.json()["error"] == "invalid_client_metadata"


async def test_issued_secrets_are_recognizable(api: Api) -> None:
    code = (await allow(api))["code"]
    tokens = (await redeem(api, code)).json()
    for value in (code, tokens["access_token"], tokens["refresh_token"]):
        assert re.fullmatch(r"sandbox-(code|at|rt)-[\w-]{32}", value)
