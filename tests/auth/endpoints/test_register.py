from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network

import anyio
import pytest
from mcp.shared.auth import OAuthClientInformationFull
from sqlalchemy import func, insert, select

from auth.endpoints.sweep import sweep
from auth.grants import client_rows
from auth.grants.client_rows import MOST_NEVER_APPROVED
from auth.grants.rate_limits import RATE_LIMITS
from auth.protocol.addresses import Networks
from auth.tables import client as client_table
from tests.auth.site import BACK, VERIFIER, Json, Served, basic, serve
from tests.cases import each

# As each of them sends it.
CLAUDE_CODE = {
    "client_name": "Claude Code (calendly)",
    "redirect_uris": ["http://localhost:54212/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
}
CLAUDE_AI = {
    "client_name": "Claude",
    "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "client_secret_post",
    "scope": "users:read",
    "client_uri": "https://claude.ai",
    "logo_uri": "https://claude.ai/favicon.ico",
}
CURSOR = {
    "client_name": "Cursor",
    "redirect_uris": ["cursor://anysphere.cursor-mcp/oauth/callback"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "none",
    "application_type": "native",
}
VS_CODE = {
    "client_name": "Visual Studio Code",
    "client_uri": "https://code.visualstudio.com",
    "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
    "response_types": ["code"],
    "redirect_uris": [
        "https://insiders.vscode.dev/redirect",
        "https://vscode.dev/redirect",
        "http://127.0.0.1/",
        "http://127.0.0.1:33418/",
    ],
    "scope": "users:read event_types:read",
    "token_endpoint_auth_method": "none",
    "application_type": "native",
}
CHATGPT = {
    "client_name": "ChatGPT",
    "redirect_uris": ["https://chatgpt.com/connector_platform_oauth_redirect"],
    "grant_types": ["authorization_code", "refresh_token"],
    "response_types": ["code"],
    "token_endpoint_auth_method": "client_secret_basic",
    "application_type": "web",
}
REAL = [CLAUDE_CODE, CLAUDE_AI, CURSOR, VS_CODE, CHATGPT]


@pytest.mark.requirement("register-real-clients")
@each("metadata", REAL)
async def test_a_real_client_registers_as_it_does_and_signs_in(served: Served, metadata: Json) -> None:
    response = await served.try_to_register(metadata)
    assert response.status_code == 201
    registered = OAuthClientInformationFull.model_validate_json(response.content)
    assert registered.client_name == metadata["client_name"]
    assert registered.token_endpoint_auth_method == metadata["token_endpoint_auth_method"]
    assert (registered.client_secret is None) is (metadata["token_endpoint_auth_method"] == "none")
    assert registered.grant_types == ["authorization_code", "refresh_token"]
    client = response.json()
    for uri in metadata["redirect_uris"]:
        tokens = await served.sign_in({**client, "redirect_uris": [uri]}, scope="users:read")
        assert (await served.refresh(client, tokens.refresh)).scope == "users:read"


@pytest.mark.requirement("register-real-clients")
async def test_a_client_on_loopback_signs_in_on_whatever_port_it_gets(served: Served) -> None:
    client = await served.register(**CLAUDE_CODE)
    moved = {**client, "redirect_uris": ["http://localhost:61999/callback"]}
    browser = served.browser()
    address = await browser.approve(served.request(moved))
    assert address.startswith(served.calendly.url)
    tokens = await served.sign_in(moved)
    assert await served.is_live(tokens.access)


@pytest.mark.requirement("register-methods")
@each("method", ["client_secret_basic", "client_secret_post"])
async def test_a_secret_is_given_once_and_taken_in_either_place(served: Served, method: str) -> None:
    client = await served.register(token_endpoint_auth_method=method)
    assert client["client_secret"].startswith("cmcp_cs_")
    assert client["client_secret_expires_at"] == 0
    in_form = await served.redeem(client, await served.code(client))
    assert await served.is_live(in_form.access)
    form = {
        "grant_type": "authorization_code",
        "code": await served.code(client),
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }
    in_header = await served.post("/token", form, Authorization=basic(client["client_id"], client["client_secret"]))
    assert in_header.status_code == 200


async def test_a_client_that_does_not_say_how_it_authenticates_gets_a_secret(served: Served) -> None:
    response = await served.try_to_register({"redirect_uris": [BACK]})
    assert response.json()["token_endpoint_auth_method"] == "client_secret_basic"
    assert response.json()["client_secret"]
    assert response.headers["cache-control"] == "no-store"


async def test_what_cannot_be_given_is_replaced_and_the_answer_says_so(served: Served) -> None:
    client = await served.register(grant_types=["authorization_code", "implicit"], response_types=["code", "token"])
    assert client["grant_types"] == ["authorization_code"]
    assert client["response_types"] == ["code"]
    body = await served.try_to_redeem(client, await served.code(client))
    assert "refresh_token" not in body.json()


@pytest.mark.requirement("register-bounds", "limits-4xx")
@each(
    "body, status, error",
    [
        (b"", 400, "invalid_client_metadata"),
        (b"[]", 400, "invalid_client_metadata"),
        (b"null", 400, "invalid_client_metadata"),
        (b"{", 400, "invalid_client_metadata"),
        (b"\xff\xfe", 400, "invalid_client_metadata"),
        (b"[" * 60_000, 400, "invalid_client_metadata"),
        (b'{"a":' * 10_000, 400, "invalid_client_metadata"),
        (b'{"redirect_uris": ["https://a.example/"], "client_name": NaN}', 400, "invalid_client_metadata"),
        (b"{}", 400, "invalid_redirect_uri"),
        (b'{"redirect_uris": ["javascript:alert(1)"]}', 400, "invalid_redirect_uri"),
        (b" " * (64 * 1024 + 1), 413, "invalid_request"),
        (b'{"redirect_uris": ["https://a.example/"], "client_name": "' + b"a" * 65536 + b'"}', 413, "invalid_request"),
    ],
)
async def test_what_is_no_registration_is_answered_4xx(served: Served, body: bytes, status: int, error: str) -> None:
    async with served.http() as http:
        response = await http.post("/register", content=body)
    assert response.status_code == status
    assert response.json()["error"] == error


@pytest.mark.requirement("limits-4xx")
async def test_a_body_without_a_length_is_cut_off_too(served: Served) -> None:
    sent = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b"x" * 8192

    async with served.http() as http:
        response = await http.post("/register", content=endless())
    assert response.status_code == 413
    assert sent < 20


@pytest.mark.requirement("rate-limits")
async def test_one_address_registers_60_clients_a_minute_and_others_are_not_held_up(served: Served) -> None:
    metadata = {"redirect_uris": [BACK]}
    async with served.site.database.begin() as connection:
        for _ in range(RATE_LIMITS["registrations"] - 1):
            await served.site.count(connection, "registrations", "203.0.113.7")
    assert (await served.try_to_register(metadata)).status_code == 201
    refused = await served.try_to_register(metadata)
    assert refused.status_code == 429
    assert (await served.try_to_register(metadata, "198.51.100.9")).status_code == 201
    served.advance(seconds=int(refused.headers["retry-after"]))
    assert (await served.try_to_register(metadata)).status_code == 201


@pytest.mark.requirement("rate-limits")
async def test_a_flood_at_once_gets_no_further(every_site: Served) -> None:
    statuses: list[int] = []

    async def register() -> None:
        statuses.append((await every_site.try_to_register({"redirect_uris": [BACK]})).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(register)
    assert (statuses.count(201), statuses.count(429)) == (60, 40)


@pytest.mark.requirement("forwarded-for")
@each("trusted, statuses", [((), {429}), ((ip_network("203.0.113.0/24"),), {201})])
async def test_a_forged_header_opens_no_door_that_a_trusted_proxy_opens(
    served: Served, trusted: Networks, statuses: set[int]
) -> None:
    limits = {**RATE_LIMITS, "registrations": 1}
    served = serve(replace(served.site, trusted_proxies=trusted, rate_limits=limits), served.calendly)
    await served.try_to_register({"redirect_uris": [BACK]})
    answered: set[int] = set()
    for number in range(3):
        async with served.http() as http:
            headers = {"X-Forwarded-For": f"198.51.100.{number}"}
            answered.add((await http.post("/register", json={"redirect_uris": [BACK]}, headers=headers)).status_code)
    assert answered == statuses


@each("asked, registered", [("Ag\u202eent\0 \U000e0041x", "Agent x"), (" Agent\n1 ", "Agent 1"), ("\u202e", None)])
async def test_a_name_is_registered_without_what_nobody_sees(
    served: Served, asked: str, registered: str | None
) -> None:
    response = await served.try_to_register({"redirect_uris": [BACK], "client_name": asked})
    assert response.status_code == 201
    assert response.json().get("client_name") == registered


@pytest.mark.requirement("register-dropped")
async def test_a_client_nobody_approved_is_dropped_after_thirty_days_and_every_answer_says_how_to_go_on(
    served: Served,
) -> None:
    client = await served.register()
    served.advance(days=29)
    await sweep(served.site)
    browser = served.browser()
    form = await browser.consent_form(served.request(client))
    served.advance(days=1, seconds=1)
    await sweep(served.site)
    for page in (await served.browser().open(served.request(client)), await browser.submit(form.filled())):
        assert page.status_code == 400
    assert "forgotten after 30 days" in (await served.browser().open(served.request(client))).text
    assert "connect anew: it then registers again" in (await served.browser().open(served.request(client))).text
    for told in (
        await served.try_to_redeem(client, "x"),
        await served.try_to_refresh(client, "x"),
        await served.revoke(client, "x"),
    ):
        assert (told.status_code, told.json()["error"]) == (401, "invalid_client")


@pytest.mark.requirement("register-dropped", "register-deleted")
async def test_a_client_not_used_for_90_days_is_dropped_and_told_to_register_anew(every_site: Served) -> None:
    served = every_site
    client = await served.register()
    tokens = await served.sign_in(client)
    served.advance(days=89)
    await sweep(served.site)
    assert (await served.try_to_refresh(client, tokens.refresh)).json()["error"] == "invalid_grant"
    served.advance(days=1, seconds=1)
    await sweep(served.site)
    response = await served.try_to_refresh(client, tokens.refresh)
    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"
    assert response.headers["www-authenticate"].startswith("Basic")
    again = await served.register()
    assert again["client_id"] != client["client_id"]


async def test_a_client_in_use_is_kept_however_old(served: Served) -> None:
    client = await served.register()
    tokens = await served.sign_in(client)
    for _ in range(5):
        served.advance(days=25)
        await sweep(served.site)
        tokens = await served.refresh(client, tokens.refresh)
    assert await served.is_live(tokens.access)


@pytest.mark.requirement("register-bounds")
async def test_when_too_many_wait_for_a_person_the_oldest_go(served: Served) -> None:
    async with served.site.database.begin(patience=60) as connection:
        rows = [
            {
                "id": f"old-{number}",
                "kind": "registered",
                "redirect_uris": [BACK],
                "auth_method": "none",
                "refreshes": True,
                "created_at": served.clock.now() - timedelta(seconds=number),
                "used_at": served.clock.now(),
            }
            for number in range(MOST_NEVER_APPROVED + 1)
        ]
        await connection.execute(insert(client_table), rows)
    newest = await served.register()
    async with served.site.database.read() as connection:
        count = await connection.scalar(select(func.count()).select_from(client_table))
        oldest = await client_rows.find(connection, f"old-{MOST_NEVER_APPROVED}")
    assert count is not None
    assert count <= MOST_NEVER_APPROVED
    assert oldest is None
    assert (await served.browser().open(served.request(newest))).status_code == 200
