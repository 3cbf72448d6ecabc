from dataclasses import replace
from datetime import timedelta

import anyio
import pytest
from sqlalchemy import select

from auth.endpoints.page_sessions import IDLE_LIFE, LIFE
from auth.endpoints.sweep import sweep
from auth.grants.rate_limits import RATE_LIMITS
from auth.tables import page_session, page_sign_in, upstream_connection
from tests.auth.calendly_side import consent
from tests.auth.site import ISSUER, Served, query_of, secret_of, serve
from tests.cases import each

SIGN_IN = "Sign in to continue"


def is_signed_in(page: str) -> bool:
    return "Signed in as" in page and SIGN_IN not in page


@pytest.mark.requirement("consent-first", "page-sessions")
async def test_a_page_asks_for_a_sign_in_on_our_own_page_and_leads_nowhere_by_itself(served: Served) -> None:
    for path in ("/connections", "/connections/all", "/connections/x"):
        page = await served.browser().see(path)
        assert page.status_code == 200
        assert SIGN_IN in page.text
        assert f'name="to" value="{path}"' in page.text
        assert served.calendly.url not in page.text
        assert f"form-action 'self' {served.calendly.url};" in page.headers["content-security-policy"]


@pytest.mark.requirement("page-sessions")
async def test_whoever_signs_in_gets_to_the_page_that_was_asked_for(every_site: Served) -> None:
    served = every_site
    browser = served.browser()
    page = await browser.sign_in_to()
    assert is_signed_in(page.text)
    cookie = next(cookie for cookie in browser.http.cookies.jar if "session" in cookie.name)
    assert cookie.name == "__Host-calendly-mcp-session"
    assert is_signed_in((await browser.see("/connections")).text)
    assert not is_signed_in((await served.browser().see("/connections")).text)


@pytest.mark.requirement("page-sessions", "host-prefix")
async def test_the_cookie_of_a_session_is_out_of_reach_of_scripts_and_other_hosts_and_ends_with_the_browser(
    served: Served,
) -> None:
    browser = served.browser()
    back = await browser.return_from_calendly(await consent(await browser.set_out("/connections")))
    (cookie,) = (value for value in back.headers.get_list("set-cookie") if "session" in value)
    assert cookie.partition("; ")[2] == "HttpOnly; Path=/; SameSite=lax; Secure"


@pytest.mark.requirement("page-sessions")
async def test_calendly_is_asked_for_identity_alone_and_the_persons_connection_stays_as_it_is(served: Served) -> None:
    await served.sign_in(scope="event_types:write")
    query = select(upstream_connection)
    async with served.site.database.read() as connection:
        before = (await connection.execute(query)).one()
    browser = served.browser()
    address = await browser.set_out("/connections")
    assert query_of(address)["scope"] == "users:read"
    await browser.return_from_calendly(await consent(address))
    async with served.site.database.read() as connection:
        assert (await connection.execute(query)).one() == before
    assert (await served.site.connections.refresher.token(before.user))[0] == before.generation


@pytest.mark.requirement("open-redirect")
@each(
    "to",
    [
        *("https://evil.example", "//evil.example", "/\\evil.example", "/connections//evil.example", "/connections\n"),
        *("/connections?x=https://evil.example", "javascript:alert(1)", "connections", "", "/authorize", "/sign-out"),
        *("/connections/../authorize", "/connections/%2e%2e", "/confirm/", "/connections/" + "x" * 101),
    ],
)
async def test_a_sign_in_leads_to_pages_of_ours_and_nowhere_else(served: Served, to: str) -> None:
    browser = served.browser()
    response = await browser.submit([("to", to)], "/sign-in")
    assert response.status_code == 400
    assert "location" not in response.headers


@pytest.mark.requirement("page-sessions")
async def test_a_way_back_is_good_in_the_browser_that_set_out_once_and_in_time(served: Served) -> None:
    attacker, victim = served.browser(), served.browser()
    answer = await consent(await attacker.set_out("/connections"))
    await victim.set_out("/connections")  # has a cookie of its own
    for browser in (victim, served.browser()):
        assert (await browser.return_from_calendly(answer)).status_code == 400
        assert not is_signed_in((await browser.see("/connections")).text)
    assert (await attacker.return_from_calendly(answer)).status_code == 303
    assert (await attacker.return_from_calendly(answer)).status_code == 400
    late = await consent(await attacker.set_out("/connections"))
    served.advance(minutes=10)
    assert (await attacker.return_from_calendly(late)).status_code == 400


@pytest.mark.requirement("page-sessions")
async def test_of_many_returns_at_once_one_signs_in(every_site: Served) -> None:
    browser = every_site.browser()
    answer = await consent(await browser.set_out("/connections"))
    statuses: list[int] = []

    async def go_back() -> None:
        statuses.append((await browser.return_from_calendly(answer)).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(go_back)
    assert sorted(statuses) == [303, *[400] * 4]


@pytest.mark.requirement("page-sessions")
async def test_a_sign_in_begins_a_new_session_and_ends_the_one_before(served: Served) -> None:
    browser, planted = served.browser(), served.browser()
    await planted.sign_in_to(person=1)
    stolen = next(cookie.value or "" for cookie in planted.http.cookies.jar if "session" in cookie.name)
    browser.http.cookies.set("__Host-calendly-mcp-session", stolen, domain="mcp.example")  # fixation
    page = await browser.sign_in_to(person=0)
    assert "Maya Lindqvist" in page.text
    now = {cookie.value for cookie in browser.http.cookies.jar if "session" in cookie.name and cookie.path == "/"}
    assert now - {stolen}
    assert not is_signed_in((await planted.see("/connections")).text)


@pytest.mark.requirement("page-sessions")
@each("answer", [{"error": "access_denied"}, {"error": "server_error"}, {}])
async def test_who_does_not_sign_in_at_calendly_is_not_signed_in_here(served: Served, answer: dict[str, str]) -> None:
    browser = served.browser()
    state = query_of(await browser.set_out("/connections"))["state"]
    response = await browser.return_from_calendly({**answer, "state": state})
    assert response.status_code in {400, 500}
    assert not is_signed_in((await browser.see("/connections")).text)


@pytest.mark.requirement("page-sessions")
async def test_a_session_ends_of_idleness_and_of_age(every_site: Served) -> None:
    served = every_site
    browser = served.browser()
    await browser.sign_in_to()
    for _ in range(int((LIFE - IDLE_LIFE) / timedelta(minutes=25))):
        served.advance(minutes=25)
        assert is_signed_in((await browser.see("/connections")).text)
    idle = served.browser()
    await idle.sign_in_to()
    served.advance(minutes=30)
    assert not is_signed_in((await idle.see("/connections")).text)
    served.advance(minutes=30)
    assert not is_signed_in((await browser.see("/connections")).text)
    await sweep(served.site)
    async with served.site.database.read() as connection:
        assert (await connection.execute(select(page_session))).all() == []


@pytest.mark.requirement("page-sessions", "retention")
async def test_a_sign_in_that_nobody_finished_is_cleared_away(served: Served) -> None:
    await served.browser().set_out("/connections")
    served.advance(minutes=10)
    await sweep(served.site)
    async with served.site.database.read() as connection:
        assert (await connection.execute(select(page_sign_in))).all() == []


@pytest.mark.requirement("page-sessions")
async def test_signing_out_ends_the_session_for_good(served: Served) -> None:
    browser = served.browser()
    page = await browser.sign_in_to()
    stolen = dict(browser.http.cookies)
    assert SIGN_IN in (await browser.send(page, "/sign-out")).text
    again = served.browser()
    again.http.cookies.update(stolen)
    assert not is_signed_in((await again.see("/connections")).text)


@pytest.mark.requirement("page-forms")
@each("path", ["/sign-out", "/connections", "/connections/all"])
async def test_a_form_counts_only_with_the_secret_of_this_very_session(served: Served, path: str) -> None:
    browser, other = served.browser(), served.browser()
    page, others = await browser.sign_in_to(), await other.sign_in_to(person=1)
    for fields in ([], [("secret", "")], [("secret", "x" * 64)], [("secret", secret_of(others))]):
        response = await browser.submit([*fields, ("sure", "yes")], path)
        assert response.status_code == 400
        assert "Nothing was done" in response.text
    doubled = await browser.submit([("secret", secret_of(page))] * 2, path)
    assert doubled.status_code == 400
    assert is_signed_in((await browser.see("/connections")).text)


@pytest.mark.requirement("page-forms")
@each(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": ISSUER, "Sec-Fetch-Site": "same-site"},
    ],
)
async def test_no_form_is_taken_from_a_page_of_somebody_elses(served: Served, headers: dict[str, str]) -> None:
    browser = served.browser()
    page = await browser.sign_in_to()
    fields = [("secret", secret_of(page)), ("to", "/connections"), ("sure", "yes")]
    for path in ("/sign-in", "/sign-out", "/connections"):
        response = await browser.submit(fields, path, **headers)
        assert response.status_code == 400
        assert "a page of another site" in response.text
    assert is_signed_in((await browser.see("/connections")).text)


@pytest.mark.requirement("page-forms")
async def test_a_form_of_a_session_that_is_over_changes_nothing_and_leads_back(served: Served) -> None:
    browser = served.browser()
    page = await browser.sign_in_to()
    served.advance(hours=1)
    response = await browser.send(page, "/connections", ("sure", "yes"))
    assert SIGN_IN in response.text
    assert "nothing was changed" in response.text
    assert 'name="to" value="/connections"' in response.text


@pytest.mark.requirement("page-sessions")
async def test_signing_in_to_pages_is_limited_by_address(served: Served) -> None:
    served = serve(replace(served.site, rate_limits={**RATE_LIMITS, "sign_ins": 2}), served.calendly)
    browser = served.browser()
    for _ in range(2):
        await browser.set_out("/connections")
    refused = await browser.submit([("to", "/connections")], "/sign-in")
    assert refused.status_code == 429
    assert await served.browser("198.51.100.9").set_out("/connections")
