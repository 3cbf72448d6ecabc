import anyio
import pytest
from sqlalchemy import select

from auth.endpoints.agent_tokens import create
from auth.endpoints.ending import end_grant
from auth.tables import grant, upstream_connection
from tests.auth.site import BACK, Served, basic
from tests.cases import each


async def connection_of(served: Served) -> tuple[str, bytes | None, bytes | None]:
    table = upstream_connection.c
    query = select(table.status, table.access_token_ciphertext, table.refresh_token_ciphertext)
    async with served.site.database.read() as connection:
        row = (await connection.execute(query)).one()
    return row[0], row[1], row[2]


def live_at_calendly(served: Served) -> list[str]:
    records = served.calendly.running.sandbox.records
    refresh = [token.value for token in records.refresh_tokens.values() if not token.revoked]
    access = [value for value, token in records.access_tokens.items() if not token.revoked and "sandbox-at" in value]
    return [*refresh, *access]


@pytest.mark.requirement("revoke-kinds", "revoke-ends-at-once")
async def test_a_public_client_revokes_its_refresh_token_and_all_that_came_of_it_ends_at_once(
    every_site: Served,
) -> None:
    served = every_site
    client = await served.register()
    first = await served.sign_in(client)
    second = await served.refresh(client, first.refresh)
    response = await served.revoke(client, second.refresh)
    assert response.status_code == 200
    assert response.content == b""
    for access in (first.access, second.access):
        assert not await served.is_live(access)
    for refresh in (first.refresh, second.refresh):
        assert (await served.try_to_refresh(client, refresh)).json()["error"] == "invalid_grant"


@pytest.mark.requirement("revoke-kinds")
async def test_revoking_an_access_token_ends_that_one_only(every_site: Served) -> None:
    served = every_site
    client = await served.register()
    tokens = await served.sign_in(client)
    assert (await served.revoke(client, tokens.access)).status_code == 200
    assert not await served.is_live(tokens.access)
    renewed = await served.refresh(client, tokens.refresh)
    assert await served.is_live(renewed.access)


@pytest.mark.requirement("revoke-ends-at-once")
async def test_a_refresh_token_that_was_used_before_still_says_what_to_end(served: Served) -> None:
    client = await served.register()
    first = await served.sign_in(client)
    second = await served.refresh(client, first.refresh)
    served.advance(minutes=5)
    assert (await served.revoke(client, first.refresh)).status_code == 200
    assert not await served.is_live(second.access)


@pytest.mark.requirement("revoke-kinds")
async def test_a_confidential_client_has_to_prove_who_it_is(served: Served) -> None:
    client = await served.register(token_endpoint_auth_method="client_secret_basic")
    tokens = await served.sign_in(client)
    assert (await served.revoke(client, tokens.refresh)).status_code == 401
    assert await served.is_live(tokens.access)
    proof = basic(client["client_id"], client["client_secret"])
    assert (await served.post("/revoke", {"token": tokens.refresh}, Authorization=proof)).status_code == 200
    assert not await served.is_live(tokens.access)


async def test_a_client_cannot_revoke_what_was_given_to_another(served: Served) -> None:
    owner, other = await served.register(), await served.register()
    tokens = await served.sign_in(owner)
    for token in (tokens.refresh, tokens.access):
        refused = await served.revoke(other, token)
        assert refused.status_code == 400
        assert refused.json()["error"] == "invalid_grant"
    assert await served.is_live(tokens.access)


@each("hint", ["access_token", "refresh_token", "nonsense"])
async def test_a_wrong_hint_does_no_harm(served: Served, hint: str) -> None:
    client = await served.register()
    tokens = await served.sign_in(client)
    form = {"client_id": client["client_id"], "token": tokens.refresh, "token_type_hint": hint}
    assert (await served.post("/revoke", form)).status_code == 200
    assert not await served.is_live(tokens.access)


async def test_what_is_unknown_is_as_good_as_revoked(served: Served) -> None:
    client = await served.register()
    tokens = await served.sign_in(client)
    for token in ("x", "cmcp_at_x", f"{tokens.refresh}x", tokens.access.replace("_at_", "_rt_")):
        assert (await served.revoke(client, token)).status_code == 200
    await served.revoke(client, tokens.refresh)
    assert (await served.revoke(client, tokens.refresh)).status_code == 200
    assert (await served.post("/revoke", {"client_id": client["client_id"]})).json()["error"] == "invalid_request"


@pytest.mark.requirement("revoke-last-grant")
async def test_the_last_grant_of_a_person_also_ends_at_calendly_and_its_ciphertext_goes(every_site: Served) -> None:
    served = every_site
    one, other = await served.register(), await served.register()
    first, second = await served.sign_in(one), await served.sign_in(other)
    assert (await served.revoke(one, first.refresh)).status_code == 200
    status, *ciphertexts = await connection_of(served)
    assert status == "active"
    assert all(ciphertexts)
    assert await served.is_live(second.access)
    held = live_at_calendly(served)
    assert (await served.revoke(other, second.refresh)).status_code == 200
    assert await connection_of(served) == ("revoked", None, None)
    await served.site.departures.finish()
    assert set(held) - set(live_at_calendly(served))
    async with served.site.database.read() as connection:
        ended = (await connection.execute(select(grant.c.ended_at))).scalars().all()
    assert ended == [served.clock.now(), served.clock.now()]


@pytest.mark.requirement("revoke-last-grant")
async def test_the_connection_stays_while_the_same_client_has_another_sign_in(served: Served) -> None:
    client = await served.register()
    first, second = await served.sign_in(client), await served.sign_in(client)
    await served.revoke(client, first.refresh)
    assert (await connection_of(served))[0] == "active"
    assert await served.is_live(second.access)


@pytest.mark.requirement("revoke-last-grant")
async def test_the_connection_stays_while_a_code_of_the_person_waits_to_be_redeemed(served: Served) -> None:
    client = await served.register()
    first = await served.sign_in(client)
    code = await served.code(client)
    await served.revoke(client, first.refresh)
    tokens = await served.redeem(client, code)
    assert await served.is_live(tokens.access)
    assert (await connection_of(served))[0] == "active"


@pytest.mark.requirement("revoke-last-grant")
async def test_a_person_who_comes_back_is_connected_anew(served: Served) -> None:
    client = await served.register()
    tokens = await served.sign_in(client)
    await served.revoke(client, tokens.refresh)
    again = await served.sign_in(client)
    assert await served.is_live(again.access)
    assert not await served.is_live(tokens.access)
    assert (await connection_of(served))[0] == "active"


@pytest.mark.requirement("revoke-ends-at-once")
async def test_ending_a_grant_ends_every_token_and_every_code_of_it(every_site: Served) -> None:
    served = every_site
    client = await served.register()
    first, second = await served.sign_in(client), await served.sign_in(client)
    code = await served.code(client)
    grant_id = (await served.call(first.access)).json()["grant_id"]
    await end_grant(served.site, grant_id)
    for tokens in (first, second):
        assert not await served.is_live(tokens.access)
        assert (await served.try_to_refresh(client, tokens.refresh)).json()["error"] == "invalid_grant"
    assert (await served.try_to_redeem(client, code)).json()["error"] == "invalid_grant"
    assert (await connection_of(served))[0] == "revoked"


async def test_revoking_by_all_processes_at_once_leaves_nothing_live(every_site: Served) -> None:
    served = every_site
    clients = [await served.register() for _ in range(4)]
    tokens = [await served.sign_in(client) for client in clients]
    async with anyio.create_task_group() as tasks:
        for client, held in zip(clients, tokens, strict=True):
            tasks.start_soon(served.revoke, client, held.refresh)
            tasks.start_soon(served.try_to_refresh, client, held.refresh)
    assert not any([await served.is_live(held.access) for held in tokens])
    assert await connection_of(served) == ("revoked", None, None)


async def test_an_agent_token_keeps_its_person_connected(served: Served) -> None:
    client = await served.register()
    tokens = await served.sign_in(client)
    made = await create(served.site, name="nightly", person=None, scopes=["users:read"])
    await served.revoke(client, tokens.refresh)
    assert await served.is_live(made.secret)
    assert (await connection_of(served))[0] == "active"


async def test_a_code_of_another_address_is_not_touched_by_a_bad_revocation(served: Served) -> None:
    client = await served.register(redirect_uris=[BACK])
    code = await served.code(client)
    assert (await served.revoke(client, code)).status_code == 200
    assert (await served.try_to_redeem(client, code)).status_code == 200
