from dataclasses import replace

import anyio
import pytest
from sqlalchemy import func, select

from auth.grants.rate_limits import RATE_LIMITS
from auth.grants.rules import MOST_USES
from auth.protocol.secrets import ACCESS_TOKEN, AGENT_TOKEN, CODE, REFRESH_TOKEN, mint
from auth.tables import code as authorization_code
from auth.tables import family
from tests.auth.site import BACK, ISSUER, RESOURCE, VERIFIER, Site, Tokens, basic, tokens_of

SCOPE = "users:read scheduled_events:write"


@pytest.mark.anyio
@pytest.mark.requirement("token-format", "lifetimes", "scopes-answered")
async def test_a_code_gives_a_bearer_token_for_thirty_minutes_and_a_refresh_token(site: Site) -> None:
    client = await site.register()
    response = await site.try_to_redeem(client, await site.code(client, scope=f"openid {SCOPE}"))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert body["access_token"].startswith("cmcp_at_")
    assert body["refresh_token"].startswith("cmcp_rt_")
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 1800, SCOPE)
    assert await site.is_live(body["access_token"])
    site.advance(minutes=30)
    assert not await site.is_live(body["access_token"])


@pytest.mark.anyio
@pytest.mark.requirement("code-60-seconds")
async def test_a_code_is_good_for_60_seconds(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    code = await site.code(client)
    site.advance(seconds=60)
    assert (await site.try_to_redeem(client, code)).json()["error"] == "invalid_grant"
    code = await site.code(client)
    site.advance(seconds=59)
    assert (await site.try_to_redeem(client, code)).status_code == 200


@pytest.mark.anyio
@pytest.mark.requirement("code-bound")
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": None}, "invalid_grant"),
        ({"code_verifier": "w" * 43}, "invalid_grant"),
        ({"code_verifier": "v" * 42}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_grant"),
        ({"redirect_uri": f"{BACK}?x"}, "invalid_grant"),
        ({"resource": "https://evil.example/mcp"}, "invalid_target"),
        ({"resource": ISSUER}, "invalid_target"),
        ({"code": None}, "invalid_request"),
        ({"code": "cmcp_ac_x"}, "invalid_grant"),
        ({"grant_type": None}, "invalid_request"),
        ({"grant_type": "client_credentials"}, "unsupported_grant_type"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": None}, "invalid_client"),
        ({"client_id": "client-x"}, "invalid_client"),
        ({"client_secret": "x"}, "invalid_client"),
    ],
)
async def test_a_request_that_does_not_fit_its_code_is_refused_and_uses_nothing_up(
    site: Site, changes: dict[str, str | None], error: str
) -> None:
    client = await site.register()
    code = await site.code(client)
    refused = await site.try_to_redeem(client, code, **changes)
    assert refused.status_code == (401 if error == "invalid_client" else 400)
    assert refused.json()["error"] == error
    assert (await site.try_to_redeem(client, code)).status_code == 200


@pytest.mark.anyio
@pytest.mark.requirement("code-bound")
async def test_a_code_of_one_client_is_worth_nothing_to_another(every_site: Site) -> None:
    site = every_site
    owner, thief = await site.register(), await site.register()
    code = await site.code(owner)
    assert (await site.try_to_redeem(thief, code)).json()["error"] == "invalid_grant"
    assert (await site.try_to_redeem(owner, code)).status_code == 200


@pytest.mark.anyio
@pytest.mark.requirement("code-bound")
async def test_a_code_stolen_by_a_confidential_client_needs_its_owners_secret(site: Site) -> None:
    client = await site.register(token_endpoint_auth_method="client_secret_basic")
    code = await site.code(client)
    for secret in (None, "", "wrong", client["client_secret"] + "x"):
        refused = await site.try_to_redeem(client, code, client_secret=secret)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
    assert (await site.try_to_redeem(client, code)).status_code == 200


@pytest.mark.anyio
@pytest.mark.requirement("code-replay")
async def test_a_replayed_code_ends_what_it_gave_however_late(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    code = await site.code(client)
    tokens = await site.redeem(client, code)
    other = await site.sign_in(client)
    site.advance(minutes=20)
    renewed = await site.refresh(client, tokens.refresh)
    replayed = await site.try_to_redeem(client, code)
    assert replayed.json()["error"] == "invalid_grant"
    for access in (tokens.access, renewed.access):
        assert not await site.is_live(access)
    assert (await site.try_to_refresh(client, renewed.refresh)).json()["error"] == "invalid_grant"
    assert await site.is_live(other.access)  # another sign-in of the same client


@pytest.mark.anyio
@pytest.mark.requirement("code-replay", "code-once")
async def test_of_fifty_redemptions_at_once_one_wins_and_the_replay_revokes(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    code = await site.code(client)
    won: list[str] = []
    statuses: list[int] = []

    async def redeem() -> None:
        response = await site.try_to_redeem(client, code)
        statuses.append(response.status_code)
        if response.status_code == 200:
            won.append(tokens_of(response).access)

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(redeem)
    assert sorted(statuses) == [200] + [400] * 49
    assert not await site.is_live(won[0])
    async with site.realm.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(family)) == 1


@pytest.mark.anyio
@pytest.mark.requirement("refresh-rotates")
async def test_a_refresh_token_is_used_up_by_its_use(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    first = await site.sign_in(client, scope=SCOPE)
    second = await site.refresh(client, first.refresh)
    assert second.refresh != first.refresh
    assert second.access != first.access
    assert second.scope == SCOPE
    site.advance(seconds=1)
    third = await site.refresh(client, second.refresh)
    assert await site.is_live(first.access)  # until its own time is over
    assert await site.is_live(third.access)


@pytest.mark.anyio
@pytest.mark.requirement("refresh-grace")
async def test_two_windows_that_share_a_token_thirty_minutes_apart_both_live(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    shared = await site.sign_in(client)
    one = await site.refresh(client, shared.refresh)
    site.advance(minutes=30)
    two = await site.refresh(client, shared.refresh)
    assert two.refresh != one.refresh
    for _ in range(3):  # each goes on by itself
        site.advance(minutes=30)
        one, two = await site.refresh(client, one.refresh), await site.refresh(client, two.refresh)
        assert await site.is_live(one.access)
        assert await site.is_live(two.access)
    told = [entry.told for entry in await site.realm.audit_log.recent()]
    assert sum("presented a used refresh token" in sentence for sentence in told) == 1


@pytest.mark.anyio
@pytest.mark.requirement("refresh-grace", "refresh-reuse")
async def test_of_windows_that_refresh_at_once_four_get_tokens_and_a_fifth_ends_them_all(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    first = await site.sign_in(client)
    given: list[Tokens] = []

    async def refresh() -> None:
        given.append(await site.refresh(client, first.refresh))

    async with anyio.create_task_group() as tasks:
        for _ in range(MOST_USES):
            tasks.start_soon(refresh)
    assert len({tokens.refresh for tokens in given}) == MOST_USES
    assert (await site.try_to_refresh(client, first.refresh)).json()["error"] == "invalid_grant"
    assert not any([await site.is_live(tokens.access) for tokens in given])


@pytest.mark.anyio
@pytest.mark.requirement("refresh-reuse")
@pytest.mark.parametrize(("minutes", "by_another"), [(61, False), (0, True)])
async def test_a_thief_who_comes_after_the_hour_or_as_another_client_ends_the_family(
    every_site: Site, minutes: int, *, by_another: bool
) -> None:
    site = every_site
    owner, thief = await site.register(), await site.register()
    first = await site.sign_in(owner)
    second = await site.refresh(owner, first.refresh)
    site.advance(minutes=minutes)
    third = await site.refresh(owner, second.refresh)
    other = await site.sign_in(owner)
    stolen = await site.try_to_refresh(thief if by_another else owner, first.refresh)
    assert stolen.json()["error"] == "invalid_grant"
    assert not await site.is_live(third.access)
    assert (await site.try_to_refresh(owner, third.refresh)).json()["error"] == "invalid_grant"
    assert await site.is_live(other.access)


@pytest.mark.anyio
@pytest.mark.requirement("refresh-grace")
async def test_a_thief_of_another_name_gets_nothing_for_an_unused_token_and_ends_nothing(every_site: Site) -> None:
    site = every_site
    owner, thief = await site.register(), await site.register()
    first = await site.sign_in(owner)
    assert (await site.try_to_refresh(thief, first.refresh)).json()["error"] == "invalid_grant"
    assert (await site.try_to_refresh(owner, first.refresh)).status_code == 200


@pytest.mark.anyio
@pytest.mark.requirement("never-grows")
async def test_scope_and_resource_do_not_grow_by_refreshing(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    first = await site.sign_in(client, scope=SCOPE)
    wider = await site.try_to_refresh(client, first.refresh, scope=f"{SCOPE} webhooks:write")
    assert wider.json()["error"] == "invalid_scope"
    elsewhere = await site.try_to_refresh(client, first.refresh, resource="https://evil.example/mcp")
    assert elsewhere.json()["error"] == "invalid_target"
    narrower = await site.refresh(client, first.refresh, scope="users:read", resource=RESOURCE)
    assert narrower.scope == "users:read"
    assert (await site.call(narrower.access)).json()["scopes"] == "users:read"
    restored = await site.refresh(client, narrower.refresh)
    assert restored.scope == SCOPE  # RFC 6749, 6: the refresh token keeps its scope


@pytest.mark.anyio
@pytest.mark.requirement("lifetimes")
async def test_a_refresh_token_dies_of_thirty_idle_days_and_after_half_a_year_of_use(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    idle = await site.sign_in(client)
    site.advance(days=30)
    assert (await site.try_to_refresh(client, idle.refresh)).json()["error"] == "invalid_grant"
    busy = await site.sign_in(client)
    for _ in range(8):
        site.advance(days=20)
        busy = await site.refresh(client, busy.refresh)
    site.advance(days=20)
    assert (await site.try_to_refresh(client, busy.refresh)).json()["error"] == "invalid_grant"


@pytest.mark.anyio
@pytest.mark.requirement("duplicates-refused")
@pytest.mark.parametrize(
    "pair",
    [
        ("code", "cmcp_ac_x"),
        ("client_id", "client-x"),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
        ("grant_type", "refresh_token"),
        ("resource", RESOURCE),
        ("x", "y"),
    ],
)
async def test_a_duplicated_parameter_is_refused(site: Site, pair: tuple[str, str]) -> None:
    client = await site.register()
    form = [
        ("grant_type", "authorization_code"),
        ("client_id", client["client_id"]),
        ("code", await site.code(client)),
        ("redirect_uri", BACK),
        ("code_verifier", VERIFIER),
        ("resource", RESOURCE),
        ("x", "z"),
    ]
    for doubled in ([*form, pair], [pair, *form]):
        refused = await site.post("/token", doubled)
        assert refused.status_code == 400
        assert refused.json()["error"] == "invalid_request"
    assert (await site.post("/token", form)).status_code == 200


@pytest.mark.anyio
@pytest.mark.requirement("limits-4xx")
@pytest.mark.parametrize("path", ["/token", "/revoke"])
@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/x-www-form-urlencoded", 401),
        (b"grant_type=authorization_code", "text/plain", 400),
        (b"{}", "application/json", 400),
        (b"a=b" * 30_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a%d=" % number for number in range(65)), "application/x-www-form-urlencoded", 400),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"\xff\xfe", "application/x-www-form-urlencoded", 401),
    ],
)
async def test_what_is_no_request_is_answered_4xx(site: Site, path: str, body: bytes, kind: str, status: int) -> None:
    async with site.http() as http:
        response = await http.post(path, content=body, headers={"Content-Type": kind})
    assert response.status_code == status
    assert response.json()["error"] in {"invalid_request", "invalid_client"}


@pytest.mark.anyio
@pytest.mark.requirement("limits-4xx")
async def test_a_null_character_is_answered_4xx_whatever_the_database(every_site: Site) -> None:
    site = every_site
    client = await site.register(client_name="a\0b", redirect_uris=[BACK])
    for name in ("client_id", "code", "code_verifier", "redirect_uri", "resource"):
        assert (await site.try_to_redeem(client, "x", **{name: "\0"})).status_code == 400
    assert (await site.post("/token", {}, Authorization=basic("\0", "x"))).status_code == 401
    assert (await site.post("/token", {}, Authorization=basic("%00", "x"))).status_code == 401
    for name in ("client_id", "state", "scope"):
        assert (await site.browser().open(site.request(client, **{name: "\0"}))).status_code == 400
    assert (await site.browser().return_from_calendly({"state": "\0"})).status_code == 400
    assert (await site.browser().submit([("transaction", "\0")])).status_code == 400
    assert (await site.call("\1")).status_code == 401


@pytest.mark.anyio
@pytest.mark.requirement("rate-limits")
async def test_one_address_fails_120_times_a_minute_and_then_waits(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    for _ in range(RATE_LIMITS["failed_token_requests"]):
        assert (await site.try_to_redeem(client, "cmcp_ac_x")).status_code == 400
    refused = await site.try_to_redeem(client, "cmcp_ac_x")
    assert refused.status_code == 429
    code = await site.code(client)
    assert (await site.try_to_redeem(client, code)).status_code == 429  # whoever guesses is not told when it is right
    site.advance(seconds=int(refused.headers["retry-after"]))
    assert (await site.try_to_redeem(client, code)).status_code in {200, 400}


@pytest.mark.anyio
async def test_requests_that_succeed_are_not_counted(site: Site) -> None:
    limits = {**RATE_LIMITS, "failed_token_requests": 1}
    site = replace(site, realm=replace(site.realm, rate_limits=limits))
    client = await site.register()
    tokens = await site.sign_in(client)
    for _ in range(3):
        tokens = await site.refresh(client, tokens.refresh)
    assert (await site.try_to_refresh(client, "x")).status_code == 400


@pytest.mark.anyio
async def test_a_client_without_refresh_tokens_may_not_use_one(site: Site) -> None:
    with_them, without = await site.register(), await site.register(grant_types=["authorization_code"])
    tokens = await site.sign_in(with_them)
    assert (await site.try_to_refresh(without, tokens.refresh)).json()["error"] == "unauthorized_client"


@pytest.mark.anyio
@pytest.mark.parametrize("header", ["Basic !", basic("client-x", "y"), "Bearer x"])
async def test_credentials_that_are_none_are_answered_401(site: Site, header: str) -> None:
    client = await site.register()
    form = {"grant_type": "authorization_code", "code": await site.code(client)}
    response = await site.post("/token", form, Authorization=header)
    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"


@pytest.mark.anyio
async def test_tokens_that_look_right_but_were_never_given_are_refused(every_site: Site) -> None:
    site = every_site
    client = await site.register()
    for refused in (
        await site.try_to_redeem(client, mint(CODE, bytes)),
        await site.try_to_refresh(client, mint(REFRESH_TOKEN, bytes)),
    ):
        assert refused.status_code == 400
        assert refused.json()["error"] == "invalid_grant"
    assert (await site.call(mint(ACCESS_TOKEN, bytes))).status_code == 401
    assert (await site.call(mint(AGENT_TOKEN, bytes))).status_code == 401


@pytest.mark.anyio
@pytest.mark.requirement("token-digest")
async def test_a_digest_from_the_database_is_no_token(site: Site) -> None:
    client = await site.register()
    await site.sign_in(client)
    async with site.realm.database.read() as connection:
        digest = str(await connection.scalar(select(authorization_code.c.digest)))
    assert (await site.try_to_redeem(client, digest)).json()["error"] == "invalid_grant"
