import re
from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from auth.access.levels import UNLIMITED, Access
from auth.access.text import parse_access
from auth.endpoints.html import Operator, Pages
from auth.upstream.calendly_login import CalendlyLogin
from auth.upstream.own_application import Registration
from auth.upstream.registration import register
from tests.auth.calendly_side import KEYRING, consent
from tests.auth.site import BACK, ISSUER, STATE, Browser, Json, Served, link_back, query_of, serve
from tests.cases import each


def policy_of(page: str) -> dict[str, list[str]]:
    return {name: sources for name, *sources in (part.split() for part in page.split(";"))}


@pytest.mark.requirement("consent-first")
async def test_nothing_leads_to_calendly_but_an_approval(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    form = await browser.consent_form(served.request(client))
    assert form.response.status_code == 200
    assert "location" not in form.response.headers
    assert served.calendly.url not in form.response.text
    denied = await browser.submit(form.filled("deny"))
    assert served.calendly.url not in f"{denied.text}{denied.headers.get('location')}"


@pytest.mark.requirement("consent-first")
async def test_consent_is_asked_every_time_even_of_a_client_approved_before(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    await browser.sign_in(served.request(client))
    for changes in ({}, {"prompt": "none"}):
        assert (await browser.open(served.request(client, **changes))).status_code == 200


@pytest.mark.requirement("consent-says-who")
async def test_the_page_says_who_asks_that_nobody_checked_and_where_it_leads(served: Served) -> None:
    client = await served.register(client_name='Evil "<script>alert(1)</script>" \u202etxt.exe', redirect_uris=[BACK])
    page = (await served.browser().consent_form(served.request(client))).response.text
    assert "<bdi>Evil &#34;&lt;script&gt;alert(1)&lt;/script&gt;&#34; txt.exe</bdi>" in page
    assert "not verified" in page
    assert "agent.example" in page
    assert "<script" not in page
    nameless = await served.register(client_name=None)
    assert "does not say its name" in (await served.browser().consent_form(served.request(nameless))).response.text


@pytest.mark.requirement("consent-loopback-warning")
@each(
    "uris, warned",
    [
        (["http://127.0.0.1:1/x"], True),
        (["http://127.0.0.1:1/x", "http://localhost/y"], True),
        (["http://127.0.0.1:1/x", BACK], False),
        ([BACK], False),
        (["cursor://x/y"], False),
    ],
)
async def test_a_client_that_any_local_program_could_be_comes_with_a_warning(
    served: Served, uris: list[str], *, warned: bool
) -> None:
    client = await served.register(redirect_uris=uris)
    page = (await served.browser().consent_form(served.request(client))).response.text
    assert ('class="warning"' in page) is warned


@pytest.mark.requirement("page-headers")
async def test_every_page_is_without_scripts_framing_referrer_and_cache(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    form = await browser.consent_form(served.request(client))
    pages = [
        form.response,
        await browser.open({}),
        await browser.submit(form.filled("deny")),
        await browser.sign_in_to(),
    ]
    for page in pages:
        policy = policy_of(page.headers["content-security-policy"])
        assert policy["default-src"] == ["'none'"]
        assert policy["frame-ancestors"] == ["'none'"]
        assert policy["base-uri"] == ["'none'"]
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/]{43}='", " ".join(policy["style-src"]))
        assert "script-src" not in policy
        assert page.headers["x-frame-options"] == "DENY"
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script|\son\w+=|javascript:|\sstyle=|<img|<link|<iframe", page.text)


@pytest.mark.requirement("form-action")
@each(
    "uri, source",
    [
        (BACK, "https://agent.example"),
        ("http://127.0.0.1:5/x", "http://127.0.0.1:5"),
        ("http://[::1]:5/x", "http:"),
        ("cursor://x/y", "cursor:"),
    ],
)
async def test_the_form_may_lead_to_us_to_calendly_and_back_to_the_client_and_nowhere_else(
    served: Served, uri: str, source: str
) -> None:
    client = await served.register(redirect_uris=[uri])
    page = (await served.browser().consent_form(served.request(client))).response
    policy = policy_of(page.headers["content-security-policy"])
    assert policy["form-action"] == ["'self'", served.calendly.url, source]


@pytest.mark.requirement("consent-choice", "never-grows")
async def test_the_person_gives_less_than_was_asked_and_a_form_cannot_give_more(served: Served) -> None:
    client = await served.register()
    asked = served.request(client, scope="users:read scheduled_events:write")
    back = await served.browser().sign_in(asked, access="users=read,webhooks=full,data_deletion=ask,canceling=off")
    tokens = await served.redeem(client, back["code"])
    assert tokens.scope == "users:read"
    access = (await served.call(tokens.access)).json()["access"].split(",")
    assert {"users=read", "canceling=off", "webhooks=ask", "data_deletion=ask"} <= set(access)  # as if never sent


READS = dict.fromkeys(("users", "event_types", "scheduled_events", "invitee_data"), "read")
ASKS = dict.fromkeys(("booking", "canceling", "scheduling_links"), "ask")


@pytest.mark.requirement("consent-presets", "never-grows")
@each(
    "preset, given",
    [
        ("read", READS),
        ("ask", READS | ASKS),
        ("choose", {"users": "read", "canceling": "full"}),
        ("everything", {"users": "read", "canceling": "full"}),
    ],
)
async def test_a_preset_is_chosen_with_one_press_and_counts_whatever_the_table_says(
    served: Served, preset: str, given: dict[str, str]
) -> None:
    browser, client = served.browser(), await served.register(client_name=f"Agent for {preset}")
    form = await browser.consent_form(served.request(client))
    sent = [*form.filled(access="users=read,canceling=full"), ("preset", preset)]
    answer = await consent((await browser.submit(sent)).headers["Location"])
    code = query_of((await browser.return_from_calendly(answer)).headers["Location"])["code"]
    access = dict(parse_access((await served.call((await served.redeem(client, code)).access)).json()["access"]))
    access.pop("availability", None)  # of which the client asked for less than there is
    assert {name: one.level for name, one in access.items() if one.level != "off"} == given


@pytest.mark.requirement("consent-presets")
@each(
    "scope, ceiling, presets",
    [
        (None, UNLIMITED, {"read": False, "ask": True, "choose": False}),
        ("users:read", UNLIMITED, {"read": True, "choose": False}),
        ("webhooks:read", UNLIMITED, {"read": True, "choose": False}),
        ("scheduling_links:write", UNLIMITED, {"ask": True, "choose": False}),
        (None, parse_access("users=read,event_types=read"), {"read": True, "choose": False}),
    ],
)
async def test_what_cannot_be_chosen_is_not_offered(
    served: Served, scope: str | None, ceiling: Access, presets: dict[str, bool]
) -> None:
    served = serve(replace(served.site, ceiling=ceiling), served.calendly)
    form = await served.browser().consent_form(served.request(await served.register(), scope=scope))
    found = re.findall(r'<input type="radio" name="preset" value="(\w+)"( checked)?>', form.response.text)
    assert {name: bool(checked) for name, checked in found} == presets


@pytest.mark.requirement("consent-presets")
async def test_who_chose_otherwise_before_finds_that_chosen(served: Served) -> None:
    browser, client = served.browser(), await served.register()
    await browser.sign_in(served.request(client), access="users=read,canceling=full")
    form = await browser.consent_form(served.request(client))
    assert 'value="choose" checked' in form.response.text
    assert form.levels.chosen["canceling"] == "full"


@pytest.mark.requirement("consent-says-who")
@each(
    "name, shown",
    [
        ("\u0421laude", "[U+0421]laude"),
        ("\u0421\u043e\u0441\u043e\u0430", "[U+0421][U+043E][U+0441][U+043E][U+0430]"),
        ("\uff23laude \U0001d402ode", "[U+FF23]laude [U+1D402]ode"),
        ("Agent\u2800\u115f\u3164 2", "Agent 2"),
        ("\u115f\u3164\u200d", "An app that does not say its name"),
        ("a" + "\u0301" * 150, "a" + "\u0301" * 4),
        ("x" * 100, "x" * 59 + "…"),
        ("\u0410\u0433\u0435\u043d\u0442", "\u0410\u0433\u0435\u043d\u0442"),
        ("Café für 日本", "Café für 日本"),
    ],
)
async def test_a_name_that_is_made_to_look_like_another_is_shown_as_what_it_is(
    served: Served, name: str, shown: str
) -> None:
    client = await served.register(client_name=name)
    page = (await served.browser().consent_form(served.request(client))).response.text
    assert f"<bdi>{shown}</bdi>" in page


@pytest.mark.requirement("operator-settings")
async def test_the_pages_name_who_runs_the_server_and_how_to_reach_them(served: Served) -> None:
    client = await served.register()
    assert "Its operator does not say" in (await served.browser().consent_form(served.request(client))).response.text
    pages = Pages(operator=Operator("Northlight <IT>", "it@northlight.example"))
    named = serve(replace(served.site, pages=pages), served.calendly)
    for page in (
        (await named.browser().consent_form(named.request(client))).response,
        await named.browser().see("/connections"),
        await named.browser().open({}),
    ):
        assert "<bdi>Northlight &lt;IT&gt;</bdi>" in page.text
        assert '<a href="mailto:it@northlight.example">it@northlight.example</a>' in page.text


@pytest.mark.requirement("off-unless-allowed")
@each("filled", [("deny", None), ("allow", ""), ("allow", "users=off"), ("perhaps", None)])
async def test_what_is_no_clear_yes_to_something_is_a_no(served: Served, filled: tuple[str, str | None]) -> None:
    client = await served.register()
    browser = served.browser()
    form = await browser.consent_form(served.request(client))
    response = await browser.submit(form.filled(*filled))
    assert response.status_code == 200
    assert "Nothing was allowed" in response.text
    address = link_back(response)
    assert address is not None
    told = query_of(address)
    assert (told["error"], told["state"], told["iss"]) == ("access_denied", STATE, ISSUER)
    assert (await browser.submit(form.filled())).status_code == 400  # it is over


@pytest.mark.requirement("errors-redirected")
async def test_a_client_that_was_approved_before_is_told_of_a_no_by_redirect(served: Served) -> None:
    client = await served.register()
    await served.sign_in(client)
    browser = served.browser()
    form = await browser.consent_form(served.request(client))
    response = await browser.submit(form.filled("deny"))
    assert response.status_code == 303
    assert query_of(response.headers["location"])["error"] == "access_denied"


@pytest.mark.requirement("cookie-at-approval", "host-prefix")
async def test_the_approval_cookie_is_set_at_approval_and_not_before(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    form = await browser.consent_form(served.request(client))
    assert "approval" not in form.response.headers["set-cookie"]
    approved = await browser.submit(form.filled())
    name, _, attributes = approved.headers["set-cookie"].partition("; ")
    assert re.fullmatch(r"__Host-calendly-mcp-approval-[0-9a-f]{12}=[0-9A-Za-z]{43}", name)
    assert attributes == "HttpOnly; Max-Age=600; Path=/; SameSite=lax; Secure"
    assert form.response.headers["set-cookie"].startswith("__Host-calendly-mcp-browser=")


@pytest.mark.requirement("host-prefix")
async def test_on_plain_http_loopback_only_prefix_and_secure_are_missing(served: Served) -> None:
    served = serve(replace(served.site, issuer="http://127.0.0.1:8000"), served.calendly)
    client = await served.register()
    browser = served.browser()
    form = await browser.consent_form(served.request(client))
    approved = await browser.submit(form.filled())
    for response in (form.response, approved):
        cookie = response.headers["set-cookie"]
        assert cookie.startswith("calendly-mcp-")
        assert "; HttpOnly; Max-Age=600; Path=/; SameSite=lax" in cookie
        assert "Secure" not in cookie
    stranger = served.browser()
    assert (await stranger.submit(form.filled())).status_code == 400


async def open_form(served: Served, client: Json) -> tuple[Browser, list[tuple[str, str]]]:
    browser = served.browser()
    return browser, (await browser.consent_form(served.request(client))).filled()


@pytest.mark.requirement("consent-csrf")
async def test_a_form_shown_in_another_browser_is_not_taken(served: Served) -> None:
    client = await served.register()
    _, attackers = await open_form(served, client)
    victim, _ = await open_form(served, client)
    for browser in (victim, served.browser()):
        response = await browser.submit(attackers)
        assert response.status_code == 400
        assert "another browser" in response.text
        assert "location" not in response.headers
        assert "set-cookie" not in response.headers


@pytest.mark.requirement("consent-csrf")
@each("transaction", [[], [("transaction", "")], [("transaction", "x" * 43)]])
async def test_a_form_without_its_secret_is_not_taken(served: Served, transaction: list[tuple[str, str]]) -> None:
    client = await served.register()
    browser, filled = await open_form(served, client)
    response = await browser.submit([*filled[1:], *transaction])
    assert response.status_code == 400
    assert "location" not in response.headers


@pytest.mark.requirement("consent-csrf", "duplicates-refused")
async def test_a_duplicated_secret_or_decision_is_not_taken_as_a_yes(served: Served) -> None:
    client = await served.register()
    browser, filled = await open_form(served, client)
    assert (await browser.submit([*filled, filled[0]])).status_code == 400
    assert "location" not in (await browser.submit([*filled, ("decision", "deny")])).headers


@pytest.mark.requirement("consent-origin")
@each(
    "headers, taken",
    [
        ({"Origin": ISSUER}, True),
        ({"Origin": "null"}, True),
        ({"Origin": "null", "Sec-Fetch-Site": "none"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "https://mcp.example.evil.example"}, False),
        ({"Origin": "http://mcp.example"}, False),
        ({"Origin": "https://mcp.example:444"}, False),
        ({"Origin": "http://127.0.0.1:8000"}, False),
        ({"Origin": "null", "Sec-Fetch-Site": "cross-site"}, False),
        ({"Origin": "null", "Sec-Fetch-Site": "same-site"}, False),
    ],
)
async def test_the_form_is_taken_from_our_own_origin_or_null(
    served: Served, headers: dict[str, str], *, taken: bool
) -> None:
    client = await served.register()
    browser, filled = await open_form(served, client)
    response = await browser.submit(filled, **headers)
    assert response.status_code == (303 if taken else 400)
    assert ("location" in response.headers) is taken


@pytest.mark.requirement("consent-csrf")
async def test_a_form_of_another_encoding_is_not_taken(served: Served) -> None:
    client = await served.register()
    browser, filled = await open_form(served, client)
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/json", ""):
        assert (await browser.submit(filled, **{"Content-Type": kind})).status_code == 400


@pytest.mark.requirement("lifetimes")
async def test_a_consent_page_is_good_for_ten_minutes(served: Served) -> None:
    client = await served.register()
    browser, filled = await open_form(served, client)
    served.advance(minutes=10)
    response = await browser.submit(filled)
    assert response.status_code == 400
    assert "longer than ten minutes" in response.text


@pytest.mark.requirement("approval-bound")
async def test_two_tabs_of_one_browser_sign_in_side_by_side(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    first = await browser.consent_form(served.request(client, state="first"))
    second = await browser.consent_form(served.request(client, state="second"))
    addresses = [(await browser.submit(form.filled())).headers["location"] for form in (first, second)]
    states = set[str]()
    for address in addresses:
        response = await browser.return_from_calendly(await consent(address))
        states.add(query_of(response.headers["location"])["state"])
    assert states == {"first", "second"}


@pytest.mark.requirement("approval-bound")
async def test_whoever_goes_back_may_choose_again_and_only_the_last_choice_counts(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    form = await browser.consent_form(served.request(client, scope="users:read event_types:read"))
    first = (await browser.submit(form.filled(access="users=read"))).headers["location"]
    second = (await browser.submit(form.filled(access="event_types=read"))).headers["location"]
    stale = await browser.return_from_calendly(await consent(first))
    assert stale.status_code == 400
    response = await browser.return_from_calendly(await consent(second))
    tokens = await served.redeem(client, query_of(response.headers["location"])["code"])
    assert tokens.scope == "event_types:read"


@pytest.mark.requirement("separate-pkce")
async def test_calendly_gets_a_state_and_a_challenge_of_our_own(served: Served) -> None:
    client = await served.register()
    parameters = served.request(client)
    asked = query_of(await served.browser().approve(parameters))
    assert asked["code_challenge_method"] == "S256"
    assert asked["code_challenge"] != parameters["code_challenge"]
    assert asked["state"] != parameters["state"]
    again = query_of(await served.browser().approve(parameters))
    assert again["state"] != asked["state"]
    assert again["code_challenge"] != asked["code_challenge"]


@pytest.mark.requirement("upstream-scopes")
async def test_calendly_is_asked_for_identity_for_this_consent_and_for_what_the_connection_has(served: Served) -> None:
    first, second = await served.register(), await served.register()
    browser = served.browser()
    asked = query_of(await browser.approve(served.request(first, scope="event_types:write")))
    assert asked["scope"] == "users:read event_types:write"
    await browser.sign_in(served.request(first, scope="event_types:write"))
    asked = query_of(await browser.approve(served.request(second, scope="availability:read")))
    assert asked["scope"] == "users:read event_types:write availability:read"


@pytest.mark.requirement("sign-out-forgets", "restrictions-kept")
async def test_after_signing_out_the_next_person_in_that_browser_finds_nothing_of_the_former(served: Served) -> None:
    client, browser = await served.register(), served.browser()
    fresh = (await served.browser().consent_form(served.request(client))).levels
    await browser.sign_in(served.request(client), access="event_types=full")
    assert (await browser.consent_form(served.request(client))).levels != fresh
    await browser.send(await browser.sign_in_to(), "/sign-out")
    assert (await browser.consent_form(served.request(client))).levels == fresh
    asked = query_of(await browser.approve(served.request(client, scope="users:read")))
    assert asked["scope"] == "users:read"
    assert (await browser.open(served.request(client, response_type="x"))).status_code == 400  # no redirect either


async def test_a_hint_that_was_tampered_with_is_no_hint(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    browser.http.cookies.set("__Host-calendly-mcp-person", "AAAA", domain="mcp.example")
    asked = query_of(await browser.approve(served.request(client, scope="users:read")))
    assert asked["scope"] == "users:read"


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [(503, "temporarily_unavailable", 503), (429, "temporarily_unavailable", 503), (404, "server_error", 500)],
)
async def test_when_calendly_does_not_take_us_page_and_client_say_so(
    served: Served, fault: int, code: str, status: int
) -> None:
    issuer, back = served.calendly.url, "http://localhost/oauth/callback"
    ours = Registration(
        served.site.database, KEYRING, issuer, back, lambda: register(issuer, back, ("users:read",)), served.clock.now
    )
    login = CalendlyLogin(ours, redirect_uri=back, api_url=issuer, now=served.clock.now)
    served = serve(replace(served.site, upstream=login), served.calendly)
    client = await served.register()
    browser, filled = await open_form(served, client)
    await served.fault("GET", "/.well-known/oauth-authorization-server", fault)
    response = await browser.submit(filled)
    assert response.status_code == status
    address = link_back(response)
    assert address is not None
    assert urlsplit(address).hostname == "agent.example"
    told = query_of(address)
    assert (told["error"], told["state"], told["iss"]) == (code, STATE, ISSUER)
    assert re.fullmatch(r"[ !#-\[\]-~]+", told["error_description"])  # RFC 6749, 4.1.2.1
    assert (await browser.submit(filled)).status_code == 303  # once Calendly answers again
