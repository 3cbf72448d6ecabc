import logging

import anyio
import pytest
from sqlalchemy import select

from auth.tables import authorization_transaction, grant, upstream_connection
from auth.tables import client as client_table
from auth.tables import user as user_table
from auth.upstream.connection import Status
from auth.upstream.login import Tokens
from tests.auth.calendly_side import consent
from tests.auth.site import BACK, ISSUER, STATE, Served, link_back, query_of
from tests.cases import each


@pytest.mark.requirement("callback-code", "scopes-answered")
async def test_a_whole_sign_in_ends_with_tokens_for_the_person_who_signed_in(every_site: Served) -> None:
    served = every_site
    client = await served.register()
    browser = served.browser()
    address = await browser.approve(served.request(client, scope="users:read scheduled_events:write"))
    response = await browser.return_from_calendly(await consent(address, person=2))
    assert response.status_code == 303
    location = response.headers["location"]
    assert location.startswith(f"{BACK}?")
    back = query_of(location)
    assert back["code"].startswith("cmcp_ac_")
    assert (back["state"], back["iss"]) == (STATE, ISSUER)
    assert response.headers["referrer-policy"] == "no-referrer"
    tokens = await served.redeem(client, back["code"])
    assert tokens.scope == "users:read scheduled_events:write"
    called = (await served.call(tokens.access)).json()
    person = list(served.calendly.running.sandbox.records.users.values())[2]
    assert called["person"] == f"https://api.calendly.com/users/{person.id}"
    assert called["organization"].startswith("https://api.calendly.com/organizations/")
    assert (called["client_id"], called["client_name"], called["kind"]) == (client["client_id"], "Agent", "browser")


@pytest.mark.requirement("callback-browser")
async def test_the_way_back_of_one_browser_is_worth_nothing_in_another(served: Served) -> None:
    client = await served.register()
    attacker, victim = served.browser(), served.browser()
    answer = await consent(await attacker.approve(served.request(client)))
    await victim.approve(served.request(client))  # has an approval cookie of its own
    for browser in (victim, served.browser()):
        response = await browser.return_from_calendly(answer)
        assert response.status_code == 400
        assert "location" not in response.headers
    assert (await attacker.return_from_calendly(answer)).status_code == 303  # and nothing was used up by trying


@pytest.mark.requirement("callback-browser", "approval-bound")
async def test_the_cookie_of_another_approval_does_not_do(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    first = await consent(await browser.approve(served.request(client)))
    mine = {cookie.name for cookie in browser.http.cookies.jar if "approval" in cookie.name}
    await browser.approve(served.request(client))
    for cookie in list(browser.http.cookies.jar):
        if cookie.name in mine:
            browser.http.cookies.delete(cookie.name)
    assert (await browser.return_from_calendly(first)).status_code == 400


@pytest.mark.requirement("callback-state")
@each("state", [None, "", "unknown", "x" * 43])
async def test_an_unknown_state_is_refused(served: Served, state: str | None) -> None:
    client = await served.register()
    browser = served.browser()
    answer = await consent(await browser.approve(served.request(client)))
    tampered = {"code": answer["code"], **({} if state is None else {"state": state})}
    response = await browser.return_from_calendly(tampered)
    assert response.status_code == 400
    assert "location" not in response.headers


@pytest.mark.requirement("callback-state", "duplicates-refused")
async def test_a_state_works_once_and_in_time_and_is_there_once(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    answer = await consent(await browser.approve(served.request(client)))
    doubled = await browser.http.get("/oauth/callback", params=[*answer.items(), ("state", answer["state"])])
    assert doubled.status_code == 400
    assert (await browser.return_from_calendly(answer)).status_code == 303
    assert (await browser.return_from_calendly(answer)).status_code == 400
    late = await consent(await browser.approve(served.request(client)))
    served.advance(minutes=10)
    assert (await browser.return_from_calendly(late)).status_code == 400


@pytest.mark.requirement("callback-state")
async def test_of_many_returns_at_once_one_gets_a_code(every_site: Served) -> None:
    served = every_site
    client = await served.register()
    browser = served.browser()
    answer = await consent(await browser.approve(served.request(client)))
    statuses: list[int] = []

    async def go_back() -> None:
        statuses.append((await browser.return_from_calendly(answer)).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(10):
            tasks.start_soon(go_back)
    assert sorted(statuses) == [303, *[400] * 9]


@pytest.mark.requirement("cookie-at-approval")
async def test_the_approval_cookie_goes_when_the_sign_in_is_over(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    await browser.sign_in(served.request(client))
    assert not [cookie.name for cookie in browser.http.cookies.jar if "approval" in cookie.name]


async def test_a_no_at_calendly_reaches_page_and_client(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    answer = await consent(await browser.approve(served.request(client)), decision="deny")
    response = await browser.return_from_calendly(answer)
    assert response.status_code == 200
    assert query_of(link_back(response) or "")["error"] == "access_denied"
    assert (await browser.return_from_calendly(answer)).status_code == 400


@each("answer", [{"error": "invalid_scope"}, {"error": "<b>", "code": "y"}, {}])
async def test_another_refusal_of_calendlys_reaches_page_and_client(served: Served, answer: dict[str, str]) -> None:
    client = await served.register()
    browser = served.browser()
    state = query_of(await browser.approve(served.request(client)))["state"]
    response = await browser.return_from_calendly({**answer, "state": state})
    assert response.status_code == 500
    told = query_of(link_back(response) or "")
    assert told["error"] == "server_error"
    assert ("(invalid_scope)" in told["error_description"]) is (answer == {"error": "invalid_scope"})


@pytest.mark.requirement("callback-identity")
async def test_a_sign_in_whose_two_answers_name_different_people_gives_nothing(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    address = await browser.approve(served.request(client))
    users = list(served.calendly.running.sandbox.records.users)
    other = {"resource": {"uri": f"https://api.calendly.com/users/{users[1]}"}}
    await served.fault("GET", "/users/me", 200, body=other)
    response = await browser.return_from_calendly(await consent(address, person=0))
    assert response.status_code == 500
    assert "do not name the same person" in response.text
    assert query_of(link_back(response) or "")["error"] == "server_error"
    async with served.site.database.read() as connection:
        for table in (user_table, upstream_connection, grant):
            assert (await connection.execute(select(table))).all() == []


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [(503, "temporarily_unavailable", 503), (429, "temporarily_unavailable", 503), (401, "server_error", 500)],
)
async def test_a_failure_at_calendly_ends_the_sign_in_and_says_so(
    served: Served, caplog: pytest.LogCaptureFixture, fault: int, code: str, status: int
) -> None:
    client = await served.register()
    browser = served.browser()
    answer = await consent(await browser.approve(served.request(client)))
    await served.fault("POST", "/oauth/token", fault)
    with caplog.at_level(logging.WARNING):
        response = await browser.return_from_calendly(answer)
    assert response.status_code == status
    assert query_of(link_back(response) or "")["error"] == code
    assert "a sign-in at Calendly failed" in caplog.text
    assert answer["code"] not in caplog.text
    assert (await browser.return_from_calendly(answer)).status_code == 400


async def test_an_agent_let_in_again_keeps_one_grant_with_what_was_allowed_last(every_site: Served) -> None:
    served = every_site
    client = await served.register()
    first = await served.sign_in(client, scope="users:read event_types:write")
    second = await served.sign_in(client, scope="users:read event_types:read webhooks:read")
    async with served.site.database.read() as connection:
        grants = (await connection.execute(select(grant))).all()
    assert len(grants) == 1
    assert grants[0].scope == {"users:read", "event_types:read", "webhooks:read"}
    assert (await served.call(first.access)).json()["scopes"] == "users:read event_types:read"
    assert (await served.call(second.access)).json()["scopes"] == "users:read event_types:read webhooks:read"


@pytest.mark.requirement("connection-shared")
async def test_one_person_with_two_agents_has_two_grants_and_one_connection(served: Served) -> None:
    await served.sign_in(scope="users:read")
    await served.sign_in(scope="users:read")
    async with served.site.database.read() as connection:
        assert len((await connection.execute(select(grant))).all()) == 2
        assert len((await connection.execute(select(upstream_connection))).all()) == 1
        assert len((await connection.execute(select(user_table))).all()) == 1


@pytest.mark.requirement("connection-proved")
async def test_tokens_that_calendly_ended_unnoticed_are_not_kept_in_place_of_those_of_a_narrower_sign_in(
    served: Served,
) -> None:
    await served.sign_in(scope="users:read event_types:write")
    async with served.site.database.read() as connection:
        person = (await connection.execute(select(user_table.c.uri))).scalar_one()
    connections = served.site.connections
    before = await connections.read(person)
    assert before is not None
    dead = Tokens(before.access_token, before.refresh_token, before.connection.expires_at, None)
    await connections.upstream.revoke(dead)
    await served.sign_in(scope="users:read")
    after = await connections.read(person)
    assert after is not None
    assert (after.connection.status, after.connection.scopes) == (Status.ACTIVE, frozenset({"users:read"}))
    assert after.access_token != before.access_token


@pytest.mark.requirement("callback-iss")
async def test_an_answer_that_names_another_server_than_calendly_is_no_answer(served: Served) -> None:
    client = await served.register()
    for changes, is_answer in (({"iss": "https://evil.example"}, False), ({"iss": f"{served.calendly.url}/"}, True)):
        browser = served.browser()
        answer = await consent(await browser.approve(served.request(client)))
        response = await browser.return_from_calendly({**answer, **changes})
        assert ("code=" in response.headers.get("location", "")) is is_answer
        assert ("names another server" in response.text) is not is_answer


@pytest.mark.requirement("secrets-sealed")
async def test_the_verifier_towards_calendly_is_sealed_while_it_is_needed_and_gone_afterwards(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    address = await browser.approve(served.request(client))
    query = select(authorization_transaction.c.verifier_ciphertext)
    async with served.site.database.read() as connection:
        assert await connection.scalar(query)
    await browser.return_from_calendly(await consent(address))
    async with served.site.database.read() as connection:
        assert await connection.scalar(query) is None


async def test_a_client_counts_as_approved_once_somebody_signed_in_with_it_and_not_before(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    await browser.approve(served.request(client))
    query = select(client_table.c.approved_at)
    async with served.site.database.read() as connection:
        assert await connection.scalar(query) is None
    await served.sign_in(client)
    async with served.site.database.read() as connection:
        assert await connection.scalar(query) == served.clock.now()
