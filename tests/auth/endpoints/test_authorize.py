from dataclasses import replace
from urllib.parse import urlencode

import pytest

from auth.access.choices import CAUTIOUS, scopes_for
from auth.grants.rate_limits import RATE_LIMITS
from auth.protocol.pkce import s256
from tests.auth.site import BACK, ISSUER, OPERATIONS, STATE, VERIFIER, Served, link_back, query_of, serve
from tests.cases import each

Pairs = list[tuple[str, str]]


async def approved_client(served: Served) -> dict[str, object]:
    client = await served.register()
    await served.sign_in(client)
    return client


@pytest.mark.requirement("authorize-client-first")
async def test_while_client_or_redirect_uri_are_in_doubt_the_browser_is_sent_nowhere(served: Served) -> None:
    client = await approved_client(served)
    doubts: list[dict[str, str | None]] = [
        {"client_id": None},
        {"client_id": ""},
        {"client_id": "client-unknown"},
        {"client_id": "' OR 1=1 --"},
        {"redirect_uri": "https://evil.example/callback"},
        {"redirect_uri": f"{BACK}/"},
        {"redirect_uri": f"{BACK}?x=1"},
        {"redirect_uri": ""},
        {"redirect_uri": "javascript:alert(1)"},
    ]
    for changes in doubts:
        response = await served.browser().open(served.request(client, **changes))
        assert response.status_code == 400, changes
        assert link_back(response) is None
        assert "evil.example" not in response.text
        assert response.headers.keys().isdisjoint({"location", "set-cookie"})


BROKEN: list[tuple[dict[str, str | None], str]] = [
    ({"response_type": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": "code token"}, "unsupported_response_type"),
    ({"response_mode": "fragment"}, "invalid_request"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge": "x"}, "invalid_request"),
    ({"code_challenge_method": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
    ({"resource": "https://evil.example/mcp"}, "invalid_target"),
    ({"resource": ISSUER}, "invalid_target"),
    ({"scope": "contacts:read"}, "invalid_scope"),
    ({"scope": 'users:read"'}, "invalid_scope"),
]


@pytest.mark.requirement("errors-redirected", "s256-only", "challenge-43", "resource-ours")
async def test_in_the_browser_of_who_let_it_in_a_client_is_told_by_redirect_with_state_and_iss(served: Served) -> None:
    client, browser = await served.register(), served.browser()
    await browser.sign_in(served.request(client))
    for changes, error in BROKEN:
        response = await browser.open(served.request(client, **changes))
        assert response.status_code == 303, changes
        location = response.headers["location"]
        assert location.startswith(f"{BACK}?")
        told = query_of(location)
        assert told.pop("error_description")
        assert told == {"error": error, "state": STATE, "iss": ISSUER}
        assert response.headers["referrer-policy"] == "no-referrer"


@pytest.mark.requirement("errors-on-page", "s256-only", "challenge-43", "resource-ours")
async def test_everywhere_else_an_error_is_shown_with_a_link_back_that_names_the_host(served: Served) -> None:
    client, other, known_elsewhere = await approved_client(served), await served.register(), served.browser()
    await known_elsewhere.sign_in(served.request(other), person=1)
    for browser in (served.browser(), known_elsewhere):
        for changes, error in BROKEN:
            response = await browser.open(served.request(client, **changes))
            assert response.status_code == 400, changes
            assert "location" not in response.headers
            address = link_back(response)
            assert address is not None
            assert address.startswith(f"{BACK}?")
            told = query_of(address)
            assert (told["error"], told["state"], told["iss"]) == (error, STATE, ISSUER)
            assert "Back to <bdi>agent.example</bdi>" in response.text


@pytest.mark.requirement("redirect-kinds")
async def test_no_client_is_this_server_itself_on_whatever_port_it_registered(served: Served) -> None:
    local = serve(replace(served.site, issuer="http://127.0.0.1:8000"), served.calendly)
    client = await local.register(redirect_uris=["http://localhost:7000/consent", "http://127.0.0.1:8000/callback"])
    assert client["redirect_uris"] == ["http://localhost:7000/consent"]
    response = await local.browser().open(local.request(client, redirect_uri="http://localhost:8000/consent"))
    assert response.status_code == 400
    assert "one of this server itself" in response.text


@pytest.mark.requirement("duplicates-refused")
@each("name", ["client_id", "redirect_uri"])
async def test_a_duplicated_client_or_redirect_uri_is_refused_on_our_page(served: Served, name: str) -> None:
    client = await approved_client(served)
    good = served.request(client)
    for second in (good[name], "https://evil.example/"):
        for pairs in ([*good.items(), (name, second)], [(name, second), *good.items()]):
            response = await served.browser().http.get(f"/authorize?{urlencode(pairs)}")
            assert response.status_code == 400
            assert "location" not in response.headers


@pytest.mark.requirement("duplicates-refused")
async def test_any_other_duplicated_parameter_is_refused_to_the_client(served: Served) -> None:
    client, browser = await served.register(), served.browser()
    await browser.sign_in(served.request(client))
    for name, second in (
        ("response_type", "code"),
        ("code_challenge", s256(VERIFIER)),
        ("code_challenge_method", "plain"),
        ("scope", "users:read"),
        ("resource", "https://evil.example/mcp"),
        ("resource", "https://mcp.example/mcp"),
        ("state", "forged"),
        ("anything", "else"),
    ):
        pairs: Pairs = [*served.request(client, scope="users:read", anything="x").items(), (name, second)]
        response = await browser.http.get(f"/authorize?{urlencode(pairs)}")
        assert response.status_code == 303, name
        told = query_of(response.headers["location"])
        assert told["error"] == "invalid_request"
        assert told["iss"] == ISSUER
        assert ("state" in told) is (name != "state")


async def test_a_request_without_redirect_uri_means_the_only_one_registered(served: Served) -> None:
    client = await served.register()
    back = await served.browser().sign_in(served.request(client, redirect_uri=None))
    assert (await served.try_to_redeem(client, back["code"], redirect_uri=None)).status_code == 200
    two = await served.register(redirect_uris=[BACK, "https://agent.example/other"])
    assert (await served.browser().open(served.request(two, redirect_uri=None))).status_code == 400


async def test_a_client_that_sends_no_state_gets_none_back(served: Served) -> None:
    client = await served.register()
    back = await served.browser().sign_in(served.request(client, state=None))
    assert back.keys() == {"code", "iss"}


async def test_state_comes_back_as_it_was_sent(served: Served) -> None:
    client = await served.register()
    state = "a b&c=d#e\u00fc\"'<script>%00"
    back = await served.browser().sign_in(served.request(client, state=state))
    assert back["state"] == state


@pytest.mark.requirement("limits-4xx")
async def test_a_query_that_is_too_long_or_has_too_many_fields_is_answered_4xx(served: Served) -> None:
    client = await served.register()
    for extra in ({"x": "y" * 17_000}, {f"x{number}": "" for number in range(65)}, {"x": "\udcff"}):
        query = urlencode({**served.request(client), **extra}, errors="surrogateescape")
        response = await served.browser().http.get(f"/authorize?{query}")
        assert response.status_code == 400


@pytest.mark.requirement("limits-4xx")
async def test_one_address_begins_only_so_many_sign_ins_a_minute(served: Served) -> None:
    client = await served.register()
    async with served.site.database.begin() as connection:
        for _ in range(RATE_LIMITS["sign_ins"]):
            await served.site.count(connection, "sign_ins", "203.0.113.7")
    refused = await served.browser().open(served.request(client))
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert (await served.browser("198.51.100.1").open(served.request(client))).status_code == 200


@pytest.mark.requirement("scopes-default", "scopes-unknown-dropped", "resource-ours")
async def test_nothing_asked_means_all_there_is_to_choose_from_and_the_answer_says_what_was_given(
    served: Served,
) -> None:
    client = await served.register()
    form = await served.browser().consent_form(served.request(client, scope="openid profile", resource=None))
    assert form.levels.offered == served.site.levels(served.site.offered)
    tokens = await served.sign_in(client)
    assert frozenset(tokens.scope.split()) == scopes_for(CAUTIOUS, OPERATIONS) < served.site.offered


@pytest.mark.requirement("resource-ours")
async def test_a_resource_with_a_trailing_slash_is_ours(served: Served) -> None:
    client = await served.register()
    back = await served.browser().sign_in(served.request(client, resource=f"{ISSUER}/mcp/"))
    tokens = await served.try_to_redeem(client, back["code"], resource=f"{ISSUER}/mcp/")
    assert await served.is_live(tokens.json()["access_token"])


@each("method", ["POST", "PUT", "DELETE"])
async def test_authorize_is_asked_with_get(served: Served, method: str) -> None:
    async with served.http() as http:
        assert (await http.request(method, "/authorize")).status_code == 405
