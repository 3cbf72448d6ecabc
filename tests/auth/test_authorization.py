import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from auth.authorization import Authorization
from auth.grants.rate_limits import RATE_LIMITS
from auth.protocol.secrets import ACCESS_TOKEN, mint
from storage.database import open_database
from tests.auth.calendly_side import Calendly
from tests.auth.site import BACK, ISSUER, OFFERED, OPERATIONS, RESOURCE, Json, Served, Tokens, make_site, serve
from tests.cases import each
from tests.databases import open_migrated


def challenge_of(response: httpx2.Response) -> dict[str, str]:
    return dict(re.findall(r'(\w+)="([^"]*)"', response.headers["www-authenticate"]))


@pytest.mark.requirement("challenge-401")
async def test_without_a_token_the_endpoint_says_where_to_get_one_and_names_no_error(served: Served) -> None:
    response = await served.call(None)
    assert response.status_code == 401
    challenge = challenge_of(response)
    assert challenge["resource_metadata"] == f"{ISSUER}/.well-known/oauth-protected-resource/mcp"
    assert set(challenge["scope"].split()) == OFFERED
    assert "error" not in challenge


@pytest.mark.requirement("challenge-401")
@each("bearer", ["x", "cmcp_at_x", mint(ACCESS_TOKEN, bytes), "sandbox-pat-owner", ""])
async def test_a_token_that_is_none_of_ours_is_told_invalid_token(served: Served, bearer: str) -> None:
    response = await served.call(bearer)
    assert response.status_code == 401
    assert challenge_of(response)["error"] == "invalid_token"
    assert "resource_metadata" in challenge_of(response)


@pytest.mark.requirement("header-only")
async def test_a_token_counts_in_the_authorization_header_only(served: Served) -> None:
    tokens = await served.sign_in()
    async with served.http() as http:
        for request in (
            http.build_request("POST", f"/mcp?access_token={tokens.access}"),
            http.build_request("POST", "/mcp", data={"access_token": tokens.access}),
            http.build_request("POST", "/mcp", headers={"Cookie": f"access_token={tokens.access}"}),
            http.build_request("POST", "/mcp", headers={"X-Authorization": f"Bearer {tokens.access}"}),
            http.build_request("POST", "/mcp", headers={"Authorization": f"Basic {tokens.access}"}),
            http.build_request("POST", "/mcp", headers={"Authorization": tokens.access}),
            http.build_request("POST", "/mcp", headers=[("Authorization", f"Bearer {tokens.access}")] * 2),
        ):
            assert (await http.send(request)).status_code == 401
        basic = await http.post("/mcp", headers={"Authorization": "Basic YTpi"})
        assert "as `Authorization: Bearer TOKEN`" in basic.json()["error_description"]
        assert "resource_metadata" in challenge_of(basic)
        for scheme in ("Bearer", "bearer", "BEARER"):
            response = await http.post("/mcp", headers={"Authorization": f"{scheme} {tokens.access}"})
            assert response.status_code == 200


@pytest.mark.requirement("header-only")
async def test_no_other_kind_of_secret_passes_for_an_access_token(served: Served) -> None:
    client = await served.register(token_endpoint_auth_method="client_secret_post")
    code = await served.code(client)
    tokens = await served.redeem(client, await served.code(client))
    for secret in (tokens.refresh, code, client["client_secret"], client["client_id"]):
        assert (await served.call(secret)).status_code == 401


@pytest.mark.requirement("resource-bound")
async def test_a_token_for_another_resource_is_good_for_nothing_here(served: Served) -> None:
    elsewhere = serve(replace(served.site, issuer="https://other.example"), served.calendly)
    tokens = await elsewhere.sign_in()
    assert await elsewhere.is_live(tokens.access)
    assert not await served.is_live(tokens.access)
    assert await Authorization(served.site).verify(tokens.access, "https://other.example/mcp") is not None
    assert await Authorization(served.site).verify(tokens.access, RESOURCE) is None


@pytest.mark.requirement("challenge-403")
async def test_a_missing_scope_is_answered_403_with_all_that_is_needed_and_held(served: Served) -> None:
    tokens = await served.sign_in(scope="webhooks:read scheduled_events:read")
    assert (await served.call(tokens.access, **{"X-Needs": "scheduled_events:read"})).status_code == 200
    refused = await served.call(tokens.access, **{"X-Needs": "scheduled_events:write users:read"})
    assert refused.status_code == 403
    challenge = challenge_of(refused)
    assert challenge["error"] == "insufficient_scope"
    assert set(challenge["scope"].split()) == {
        *("scheduled_events:write", "users:read"),
        *("webhooks:read", "scheduled_events:read"),
    }
    assert challenge["resource_metadata"] == f"{ISSUER}/.well-known/oauth-protected-resource/mcp"


@pytest.mark.requirement("scopes-hierarchy")
async def test_a_write_scope_is_enough_where_its_read_scope_is_needed(served: Served) -> None:
    tokens = await served.sign_in(scope="scheduled_events:write")
    assert (await served.call(tokens.access, **{"X-Needs": "scheduled_events:read"})).status_code == 200


@pytest.mark.requirement("least-of-four")
async def test_what_the_server_offers_no_more_a_token_no_longer_gives(served: Served) -> None:
    tokens = await served.sign_in(scope="users:read scheduled_events:write")
    narrowed = tuple(one for one in OPERATIONS if one.scope in {"users:read", "scheduled_events:read"})
    less = serve(replace(served.site, operations=narrowed), served.calendly)
    assert (await less.call(tokens.access)).json()["scopes"] == "users:read scheduled_events:read"


@pytest.mark.requirement("identity-from-token")
async def test_who_calls_is_read_from_the_token_and_from_nothing_else(served: Served) -> None:
    client = await served.register()
    mine, theirs = await served.sign_in(client, person=0), await served.sign_in(client, person=1)
    for tokens, other in ((mine, theirs), (theirs, mine)):
        plain = (await served.call(tokens.access)).json()
        forged = await served.call(
            tokens.access,
            **{
                "X-User": (await served.call(other.access)).json()["person"],
                "Mcp-Session-Id": "x",
                "Cookie": "__Host-calendly-mcp-person=x",
                "X-Forwarded-User": "owner",
            },
        )
        assert forged.json() == plain
    assert (await served.call(mine.access)).json()["person"] != (await served.call(theirs.access)).json()["person"]
    assert (await served.call(mine.access)).json()["grant_id"] != (await served.call(theirs.access)).json()["grant_id"]


@pytest.mark.requirement("rate-limits")
async def test_one_address_shows_120_bad_bearers_a_minute_and_good_ones_are_never_held_up(served: Served) -> None:
    tokens = await served.sign_in()
    async with served.site.database.begin() as connection:
        for _ in range(RATE_LIMITS["bad_bearers"] - 1):
            await served.site.count(connection, "bad_bearers", "203.0.113.7")
    assert (await served.call("x")).status_code == 401
    refused = await served.call("x")
    assert refused.status_code == 429
    assert (await served.call(tokens.access)).status_code == 200
    assert (await served.call(None)).status_code == 401
    assert (await served.call("x", "198.51.100.1")).status_code == 401
    served.advance(seconds=int(refused.headers["retry-after"]))
    assert (await served.call("x")).status_code == 401


@pytest.mark.requirement("looked-up")
async def test_a_token_is_looked_up_every_time(served: Served) -> None:
    client = await served.register()
    tokens = await served.sign_in(client)
    assert await served.is_live(tokens.access)
    await served.revoke(client, tokens.access)
    assert not await served.is_live(tokens.access)


@pytest.fixture
async def stuck(tmp_path: Path, upstream: Calendly) -> AsyncGenerator[tuple[Served, Json, Tokens]]:
    """A server whose database somebody else writes to and does not let go, and a client signed in before."""
    url = f"sqlite:///{tmp_path / 'stuck.sqlite3'}"
    async with open_migrated(url) as database:
        served = serve(make_site(database, upstream), upstream)
        client = await served.register()
        tokens = await served.sign_in(client)
        async with open_database(url, patience=2) as impatient, database.begin(patience=60):
            yield serve(make_site(impatient, upstream), upstream), client, tokens


@pytest.mark.requirement("storage-503")
async def test_what_cannot_be_stored_is_answered_503(stuck: tuple[Served, Json, Tokens]) -> None:
    served, client, tokens = stuck
    responses = await asyncio.gather(
        served.try_to_register({"redirect_uris": [BACK]}),
        served.try_to_refresh(client, tokens.refresh),
        served.try_to_refresh(client, "x"),
        served.call("x"),
        served.browser().open(served.request(client)),
    )
    assert [response.status_code for response in responses] == [503] * 5
    assert all(int(response.headers["retry-after"]) > 0 for response in responses)
    assert "could not be stored" in responses[-1].text
    assert await served.is_live(tokens.access)  # reading goes on


@pytest.mark.requirement("storage-503")
async def test_a_revocation_that_cannot_be_stored_is_never_answered_200(stuck: tuple[Served, Json, Tokens]) -> None:
    served, client, tokens = stuck
    for response in await asyncio.gather(*(served.revoke(client, token) for token in (tokens.access, tokens.refresh))):
        assert (response.status_code, response.json()["error"]) == (503, "temporarily_unavailable")
    assert await served.is_live(tokens.access)


@pytest.mark.requirement("storage-503")
async def test_while_nothing_can_be_read_nobody_is_let_in(upstream: Calendly) -> None:
    async with open_migrated() as database:
        patient = serve(make_site(database, upstream), upstream)
        tokens = await patient.sign_in()
        served, client = serve(make_site(replace(database, patience=0.5), upstream), upstream), await patient.register()
        async with database.begin(patience=60):
            responses = await asyncio.gather(
                served.call(tokens.access),
                served.revoke(client, tokens.refresh),
                served.try_to_register({"redirect_uris": [BACK]}),
                served.browser().return_from_calendly({"state": "x"}),
            )
        assert [response.status_code for response in responses] == [503] * 4
