from dataclasses import replace

import anyio
import pytest
from sqlalchemy import func, select

from auth.grants.rate_limits import RATE_LIMITS
from auth.grants.rules import MOST_USES
from auth.protocol.secrets import ACCESS_TOKEN, AGENT_TOKEN, CODE, REFRESH_TOKEN, mint
from auth.tables import code as authorization_code
from auth.tables import family
from tests.auth.site import BACK, ISSUER, RESOURCE, VERIFIER, Served, Tokens, basic, tokens_of
from tests.cases import each

SCOPE = "users:read scheduled_events:write"


@pytest.mark.requirement("token-format", "lifetimes", "scopes-answered")
async def test_a_code_gives_a_bearer_token_for_thirty_minutes_and_a_refresh_token(served: Served) -> None:
    client = await served.register()
    response = await served.try_to_redeem(client, await served.code(client, scope=f"openid {SCOPE}"))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert body["access_token"].startswith("cmcp_at_")
    assert body["refresh_token"].startswith("cmcp_rt_")
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 1800, SCOPE)
    assert await served.is_live(body["access_token"])
    served.advance(minutes=30)
    assert not await served.is_live(body["access_token"])


@pytest.mark.requirement("code-60-seconds")
async def test_a_code_is_good_for_60_seconds(served: Served) -> None:
    client = await served.register()
    code = await served.code(client)
    served.advance(seconds=60)
    assert (await served.try_to_redeem(client, code)).json()["error"] == "invalid_grant"
    code = await served.code(client)
    served.advance(seconds=59)
    assert (await served.try_to_redeem(client, code)).status_code == 200


MISFITS: list[tuple[dict[str, str | None], str]] = [
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
]


@pytest.mark.requirement("code-bound")
async def test_a_request_that_does_not_fit_its_code_is_refused_and_uses_nothing_up(served: Served) -> None:
    client = await served.register()
    code = await served.code(client)
    for changes, error in MISFITS:
        refused = await served.try_to_redeem(client, code, **changes)
        assert refused.status_code == (401 if error == "invalid_client" else 400), changes
        assert refused.json()["error"] == error
    assert (await served.try_to_redeem(client, code)).status_code == 200


@pytest.mark.requirement("code-bound")
async def test_a_code_of_one_client_is_worth_nothing_to_another(served: Served) -> None:
    owner, thief = await served.register(), await served.register()
    code = await served.code(owner)
    assert (await served.try_to_redeem(thief, code)).json()["error"] == "invalid_grant"
    assert (await served.try_to_redeem(owner, code)).status_code == 200


@pytest.mark.requirement("code-bound")
async def test_a_code_stolen_by_a_confidential_client_needs_its_owners_secret(served: Served) -> None:
    client = await served.register(token_endpoint_auth_method="client_secret_basic")
    code = await served.code(client)
    for secret in (None, "", "wrong", client["client_secret"] + "x"):
        refused = await served.try_to_redeem(client, code, client_secret=secret)
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Basic ")
    assert (await served.try_to_redeem(client, code)).status_code == 200


@pytest.mark.requirement("code-replay")
async def test_a_replayed_code_ends_what_it_gave_however_late(every_site: Served) -> None:
    served = every_site
    client = await served.register()
    code = await served.code(client)
    tokens = await served.redeem(client, code)
    other = await served.sign_in(client)
    served.advance(minutes=20)
    renewed = await served.refresh(client, tokens.refresh)
    replayed = await served.try_to_redeem(client, code)
    assert replayed.json()["error"] == "invalid_grant"
    for access in (tokens.access, renewed.access):
        assert not await served.is_live(access)
    assert (await served.try_to_refresh(client, renewed.refresh)).json()["error"] == "invalid_grant"
    assert await served.is_live(other.access)  # another sign-in of the same client


@pytest.mark.requirement("code-replay", "code-once")
async def test_of_fifty_redemptions_at_once_one_wins_and_the_replay_revokes(every_site: Served) -> None:
    served = every_site
    client = await served.register()
    code = await served.code(client)
    won: list[str] = []
    statuses: list[int] = []

    async def redeem() -> None:
        response = await served.try_to_redeem(client, code)
        statuses.append(response.status_code)
        if response.status_code == 200:
            won.append(tokens_of(response).access)

    async with anyio.create_task_group() as tasks:
        for _ in range(50):
            tasks.start_soon(redeem)
    assert sorted(statuses) == [200] + [400] * 49
    assert not await served.is_live(won[0])
    async with served.site.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(family)) == 1


@pytest.mark.requirement("refresh-rotates")
async def test_a_refresh_token_is_used_up_by_its_use(served: Served) -> None:
    client = await served.register()
    first = await served.sign_in(client, scope=SCOPE)
    second = await served.refresh(client, first.refresh)
    assert second.refresh != first.refresh
    assert second.access != first.access
    assert second.scope == SCOPE
    served.advance(seconds=1)
    third = await served.refresh(client, second.refresh)
    assert await served.is_live(first.access)  # until its own time is over
    assert await served.is_live(third.access)


@pytest.mark.requirement("refresh-grace")
async def test_two_windows_that_share_a_token_thirty_minutes_apart_both_live(served: Served) -> None:
    client = await served.register()
    shared = await served.sign_in(client)
    one = await served.refresh(client, shared.refresh)
    served.advance(minutes=30)
    two = await served.refresh(client, shared.refresh)
    assert two.refresh != one.refresh
    for _ in range(3):  # each goes on by itself
        served.advance(minutes=30)
        one, two = await served.refresh(client, one.refresh), await served.refresh(client, two.refresh)
        assert await served.is_live(one.access)
        assert await served.is_live(two.access)
    told = [entry.told for entry in await served.site.audit_log.recent()]
    assert sum("presented a used refresh token" in sentence for sentence in told) == 1


@pytest.mark.requirement("refresh-grace", "refresh-reuse")
async def test_of_windows_that_refresh_at_once_four_get_tokens_and_a_fifth_ends_them_all(every_site: Served) -> None:
    served = every_site
    client = await served.register()
    first = await served.sign_in(client)
    given: list[Tokens] = []

    async def refresh() -> None:
        given.append(await served.refresh(client, first.refresh))

    async with anyio.create_task_group() as tasks:
        for _ in range(MOST_USES):
            tasks.start_soon(refresh)
    assert len({tokens.refresh for tokens in given}) == MOST_USES
    assert (await served.try_to_refresh(client, first.refresh)).json()["error"] == "invalid_grant"
    assert not any([await served.is_live(tokens.access) for tokens in given])


@pytest.mark.requirement("refresh-reuse")
@each("minutes, by_another", [(61, False), (0, True)])
async def test_a_thief_who_comes_after_the_hour_or_as_another_client_ends_the_family(
    served: Served, minutes: int, *, by_another: bool
) -> None:
    owner, thief = await served.register(), await served.register()
    first = await served.sign_in(owner)
    second = await served.refresh(owner, first.refresh)
    served.advance(minutes=minutes)
    third = await served.refresh(owner, second.refresh)
    other = await served.sign_in(owner)
    stolen = await served.try_to_refresh(thief if by_another else owner, first.refresh)
    assert stolen.json()["error"] == "invalid_grant"
    assert not await served.is_live(third.access)
    assert (await served.try_to_refresh(owner, third.refresh)).json()["error"] == "invalid_grant"
    assert await served.is_live(other.access)


@pytest.mark.requirement("never-grows")
async def test_scope_and_resource_do_not_grow_by_refreshing(served: Served) -> None:
    client = await served.register()
    first = await served.sign_in(client, scope=SCOPE)
    wider = await served.try_to_refresh(client, first.refresh, scope=f"{SCOPE} webhooks:write")
    assert wider.json()["error"] == "invalid_scope"
    elsewhere = await served.try_to_refresh(client, first.refresh, resource="https://evil.example/mcp")
    assert elsewhere.json()["error"] == "invalid_target"
    narrower = await served.refresh(client, first.refresh, scope="users:read", resource=RESOURCE)
    assert narrower.scope == "users:read"
    assert (await served.call(narrower.access)).json()["scopes"] == "users:read"
    restored = await served.refresh(client, narrower.refresh)
    assert restored.scope == SCOPE  # RFC 6749, 6: the refresh token keeps its scope


@pytest.mark.requirement("lifetimes")
async def test_a_refresh_token_dies_of_thirty_idle_days_and_after_half_a_year_of_use(served: Served) -> None:
    client = await served.register()
    idle = await served.sign_in(client)
    served.advance(days=30)
    assert (await served.try_to_refresh(client, idle.refresh)).json()["error"] == "invalid_grant"
    busy = await served.sign_in(client)
    for _ in range(8):
        served.advance(days=20)
        busy = await served.refresh(client, busy.refresh)
    served.advance(days=20)
    assert (await served.try_to_refresh(client, busy.refresh)).json()["error"] == "invalid_grant"


@pytest.mark.requirement("duplicates-refused")
async def test_a_duplicated_parameter_is_refused(served: Served) -> None:
    client = await served.register()
    form = [
        *(("grant_type", "authorization_code"), ("client_id", client["client_id"]), ("redirect_uri", BACK)),
        *(("code", await served.code(client)), ("code_verifier", VERIFIER), ("resource", RESOURCE), ("x", "z")),
    ]
    other = {"code": "cmcp_ac_x", "client_id": "client-x", "grant_type": "refresh_token", "x": "y"}
    for name, value in form:
        pair = (name, other.get(name, value))
        for doubled in ([*form, pair], [pair, *form]):
            refused = await served.post("/token", doubled)
            assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request"), pair
    assert (await served.post("/token", form)).status_code == 200


@pytest.mark.requirement("limits-4xx")
@each("path", ["/token", "/revoke"])
@each(
    "body, kind, status",
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
async def test_what_is_no_request_is_answered_4xx(
    served: Served, path: str, body: bytes, kind: str, status: int
) -> None:
    async with served.http() as http:
        response = await http.post(path, content=body, headers={"Content-Type": kind})
    assert response.status_code == status
    assert response.json()["error"] in {"invalid_request", "invalid_client"}


@pytest.mark.requirement("limits-4xx")
async def test_a_null_character_is_answered_4xx_whatever_the_database(every_site: Served) -> None:
    served = every_site
    client = await served.register(client_name="a\0b", redirect_uris=[BACK])
    for name in ("client_id", "code", "code_verifier", "redirect_uri", "resource"):
        assert (await served.try_to_redeem(client, "x", **{name: "\0"})).status_code == 400
    assert (await served.post("/token", {}, Authorization=basic("\0", "x"))).status_code == 401
    assert (await served.post("/token", {}, Authorization=basic("%00", "x"))).status_code == 401
    for name in ("client_id", "state", "scope"):
        assert (await served.browser().open(served.request(client, **{name: "\0"}))).status_code == 400
    assert (await served.browser().return_from_calendly({"state": "\0"})).status_code == 400
    assert (await served.browser().submit([("transaction", "\0")])).status_code == 400
    assert (await served.call("\1")).status_code == 401


@pytest.mark.requirement("rate-limits")
async def test_one_address_fails_120_times_a_minute_and_then_waits(served: Served) -> None:
    client = await served.register()
    async with served.site.database.begin() as connection:
        for _ in range(RATE_LIMITS["failed_token_requests"] - 1):
            await served.site.count(connection, "failed_token_requests", "203.0.113.7")
    assert (await served.try_to_redeem(client, "cmcp_ac_x")).status_code == 400
    refused = await served.try_to_redeem(client, "cmcp_ac_x")
    assert refused.status_code == 429
    code = await served.code(client)
    assert (await served.try_to_redeem(client, code)).status_code == 429  # whoever guesses is not told when it is right
    served.advance(seconds=int(refused.headers["retry-after"]))
    assert (await served.try_to_redeem(client, code)).status_code in {200, 400}


async def test_requests_that_succeed_are_not_counted(served: Served) -> None:
    limits = {**RATE_LIMITS, "failed_token_requests": 1}
    served = replace(served, site=replace(served.site, rate_limits=limits))
    client = await served.register()
    tokens = await served.sign_in(client)
    for _ in range(3):
        tokens = await served.refresh(client, tokens.refresh)
    assert (await served.try_to_refresh(client, "x")).status_code == 400


async def test_a_client_without_refresh_tokens_may_not_use_one(served: Served) -> None:
    with_them, without = await served.register(), await served.register(grant_types=["authorization_code"])
    tokens = await served.sign_in(with_them)
    assert (await served.try_to_refresh(without, tokens.refresh)).json()["error"] == "unauthorized_client"


@each("header", ["Basic !", basic("client-x", "y"), "Bearer x"])
async def test_credentials_that_are_none_are_answered_401(served: Served, header: str) -> None:
    client = await served.register()
    form = {"grant_type": "authorization_code", "code": await served.code(client)}
    response = await served.post("/token", form, Authorization=header)
    assert response.status_code == 401
    assert response.json()["error"] == "invalid_client"


async def test_tokens_that_look_right_but_were_never_given_are_refused(served: Served) -> None:
    client = await served.register()
    for refused in (
        await served.try_to_redeem(client, mint(CODE, bytes)),
        await served.try_to_refresh(client, mint(REFRESH_TOKEN, bytes)),
    ):
        assert refused.status_code == 400
        assert refused.json()["error"] == "invalid_grant"
    assert (await served.call(mint(ACCESS_TOKEN, bytes))).status_code == 401
    assert (await served.call(mint(AGENT_TOKEN, bytes))).status_code == 401


@pytest.mark.requirement("token-digest")
async def test_a_digest_from_the_database_is_no_token(served: Served) -> None:
    client = await served.register()
    await served.sign_in(client)
    async with served.site.database.read() as connection:
        digest = str(await connection.scalar(select(authorization_code.c.digest)))
    assert (await served.try_to_redeem(client, digest)).json()["error"] == "invalid_grant"
