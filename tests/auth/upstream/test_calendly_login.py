import base64
import logging
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from auth.upstream.application import Application
from auth.upstream.calendly_login import CalendlyLogin, read_tokens
from auth.upstream.exchange import LARGEST_ANSWER, PATIENCE
from auth.upstream.login import (
    CalendlyLoginError,
    GrantRefused,
    IdentityUnproven,
    LoginBusy,
    LoginRefused,
    LoginUnavailable,
    LoginUnreachable,
    Tokens,
    scopes_to_ask,
)
from calendly.scopes import SCOPES
from tests.auth.calendly_side import ASKED, REDIRECT_URI, START, STATE, VERIFIER, Calendly, Clock, consent
from tests.hostile_upstream import (
    HostileUpstream,
    Received,
    Step,
    answer,
    close_in_the_body,
    drip,
    flood,
    gzip_bomb,
    reset,
    reset_in_the_body,
    silence,
    silence_in_the_body,
)
from tests.virtual_time import VIRTUAL_TIME, Backend

MAYA = "https://api.calendly.com/users/MAYA"
ANSWER: dict[str, object] = {
    "token_type": "Bearer",
    "access_token": "the-access-token",
    "refresh_token": "the-next-refresh-token",
    "scope": "users:read event_types:write",
    "expires_in": 7200,
    "owner": MAYA,
    "organization": "https://api.calendly.com/organizations/ACME",
}
ME = {"resource": {"uri": MAYA, "name": "Maya", "email": "maya@acme.example", "timezone": "Europe/Berlin"}}
SECRETS = ("the-secret", "the-access-token", "the-refresh-token", "the-next-refresh-token", "the-code", VERIFIER)


@pytest.fixture
def anyio_backend() -> Backend:
    return VIRTUAL_TIME


@dataclass
class One:
    """The one application there is; who Calendly does not know is noted."""

    application: Application
    unknown: list[Application] = field(default_factory=list[Application])

    async def current(self) -> Application:
        """Return it."""
        return self.application

    async def disowned(self, application: Application) -> None:
        """Note it."""
        self.unknown.append(application)


@dataclass
class World:
    """A login at a server that does what it is told."""

    server: HostileUpstream
    applications: One

    @property
    def login(self) -> CalendlyLogin:
        """Our side of it."""
        return CalendlyLogin(self.applications, redirect_uri=REDIRECT_URI, api_url=self.server.origin, now=Clock().now)

    @property
    def forms(self) -> list[dict[str, str]]:
        """Return what was posted."""
        return [dict(parse_qsl(request.body.decode())) for request in self.server.requests if request.method == "POST"]

    async def sign_in_fails(self) -> CalendlyLoginError:
        """Try to sign in with a code."""
        with pytest.raises(CalendlyLoginError) as failure:
            await self.login.sign_in(code="the-code", verifier=VERIFIER)
        return failure.value

    async def refresh_fails(self) -> CalendlyLoginError:
        """Try to refresh."""
        with pytest.raises(CalendlyLoginError) as failure:
            await self.login.refresh("the-refresh-token")
        return failure.value


@pytest.fixture(params=["the-secret"])
async def world(request: pytest.FixtureRequest) -> AsyncGenerator[World]:
    async with HostileUpstream.listen() as server:
        yield World(server, One(Application.configured("the-client", request.param, server.origin)))


public = pytest.mark.parametrize("world", [None], indirect=True)


def basic(request: Received) -> str:
    scheme, _, credentials = request.headers["authorization"].partition(" ")
    assert scheme == "Basic"
    return base64.b64decode(credentials).decode()


@pytest.mark.requirement("upstream-client")
async def test_the_address_of_the_sign_in_has_the_challenge_and_never_the_verifier(world: World) -> None:
    url = await world.login.authorization_url(state=STATE, verifier=VERIFIER, scopes=ASKED)
    assert url.startswith(f"{world.server.origin}/oauth/authorize?")
    query = dict(parse_qsl(urlsplit(url).query))
    challenge = query.pop("code_challenge")
    assert len(challenge) == 43
    assert query == {
        "response_type": "code",
        "client_id": "the-client",
        "redirect_uri": REDIRECT_URI,
        "scope": "users:read event_types:write",
        "state": STATE,
        "code_challenge_method": "S256",
    }
    assert VERIFIER not in url


@pytest.mark.requirement("upstream-client", "client-settings")
async def test_a_confidential_application_proves_itself_by_basic_alone(world: World) -> None:
    world.server.will(answer(200, ANSWER))
    tokens = await world.login.refresh("the-refresh-token")
    [request] = world.server.requests
    assert (request.method, request.path) == ("POST", "/oauth/token")
    assert basic(request) == "the-client:the-secret"
    assert world.forms == [{"grant_type": "refresh_token", "refresh_token": "the-refresh-token"}]
    assert tokens == Tokens(
        "the-access-token",
        "the-next-refresh-token",
        START + timedelta(hours=2),
        frozenset(ASKED),
        MAYA,
        "https://api.calendly.com/organizations/ACME",
    )


@pytest.mark.requirement("upstream-client", "client-settings")
@public
async def test_a_public_application_names_itself_in_the_body(world: World) -> None:
    world.server.will(answer(200, ANSWER), answer(200, {}), answer(200, {}))
    await world.login.revoke(await world.login.refresh("the-refresh-token"))
    assert [form.get("client_id") for form in world.forms] == ["the-client"] * 3
    assert not [form for form in world.forms if "client_secret" in form]
    assert not [request for request in world.server.requests if "authorization" in request.headers]


@pytest.mark.requirement("upstream-client")
async def test_a_code_is_redeemed_with_verifier_and_redirect_uri_and_the_person_is_asked_for(world: World) -> None:
    world.server.will(answer(200, ANSWER), answer(200, ME))
    signed_in = await world.login.sign_in(code="the-code", verifier=VERIFIER)
    assert world.forms == [
        {
            "grant_type": "authorization_code",
            "code": "the-code",
            "redirect_uri": REDIRECT_URI,
            "code_verifier": VERIFIER,
        }
    ]
    asked = world.server.requests[1]
    assert (asked.method, asked.path, asked.token) == ("GET", "/users/me", "the-access-token")
    person = signed_in.person
    assert (person.uri, person.name, person.email, person.timezone) == (
        MAYA,
        "Maya",
        "maya@acme.example",
        "Europe/Berlin",
    )
    assert person.organization == "https://api.calendly.com/organizations/ACME"


async def test_revoking_sends_id_and_secret_in_the_body_as_calendlys_clients_do(world: World) -> None:
    world.server.otherwise = answer(200, {})
    await world.login.revoke(read_tokens(ANSWER, START))
    shared = {"client_id": "the-client", "client_secret": "the-secret"}
    assert [request.path for request in world.server.requests] == ["/oauth/revoke"] * 2
    assert world.forms == [
        {"token": "the-next-refresh-token", "token_type_hint": "refresh_token", **shared},
        {"token": "the-access-token", "token_type_hint": "access_token", **shared},
    ]


@pytest.mark.requirement("connection-one-request")
@pytest.mark.parametrize(
    ("step", "kind", "code"),
    [
        (
            answer(400, {"error": "invalid_grant", "error_description": "the-refresh-token"}),
            GrantRefused,
            "invalid_grant",
        ),
        (answer(401, {"error": "invalid_client"}), LoginRefused, "invalid_client"),
        (answer(400, {"error": "unauthorized_client"}), LoginRefused, "unauthorized_client"),
        (answer(400, {"error": "something <b>else</b>"}), LoginRefused, None),
        (answer(403, {"title": "Permission Denied"}), LoginRefused, None),
        (answer(400, {"error": "temporarily_unavailable"}), LoginUnavailable, "temporarily_unavailable"),
        (answer(200, {"error": "invalid_grant"}), GrantRefused, "invalid_grant"),
        (answer(500, {"error": "invalid_grant"}), LoginUnavailable, None),
        (answer(503, b"<html>the-refresh-token</html>"), LoginUnavailable, None),
        (answer(403, b"<html>blocked</html>"), LoginUnavailable, None),
        (answer(200, b"<html>"), LoginUnavailable, None),
        (answer(200, b""), LoginUnavailable, None),
        (answer(200, b"[" * 60_000), LoginUnavailable, None),
        (answer(302, b"", location="https://attacker.example/"), LoginUnavailable, None),
        (answer(307, b"", location="/elsewhere"), LoginUnavailable, None),
        (answer(200, b" " * (LARGEST_ANSWER + 1)), LoginUnavailable, None),
        (gzip_bomb(50_000_000), LoginUnavailable, None),
        (reset, LoginUnreachable, None),
        (reset_in_the_body, LoginUnreachable, None),
        (close_in_the_body, LoginUnreachable, None),
        (silence, LoginUnreachable, None),
        (silence_in_the_body, LoginUnreachable, None),
        (drip(1), LoginUnreachable, None),
        (flood, LoginUnavailable, None),
    ],
)
async def test_whatever_the_token_endpoint_does_is_one_request_and_one_plain_error(
    world: World, step: Step, kind: type[CalendlyLoginError], code: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    world.server.will(step)
    error = await world.refresh_fails()
    assert (type(error), error.code) == (kind, code)
    assert len(world.server.requests) == 1
    assert not [secret for secret in SECRETS if secret in f"{error!r} {error.reason} {caplog.text}"]


async def test_no_exchange_takes_longer_than_its_patience(world: World) -> None:
    world.server.will(drip(PATIENCE / 3))
    await world.refresh_fails()
    world.server.otherwise = answer(400, {"error": "invalid_grant"})
    await world.refresh_fails()
    began, ended = (request.at for request in world.server.requests)
    assert PATIENCE <= ended - began < PATIENCE + 1


async def test_nobody_listening_is_unavailable() -> None:
    application = Application.configured("the-client", None, "http://127.0.0.1:9")
    login = CalendlyLogin(One(application), redirect_uri=REDIRECT_URI, api_url="http://127.0.0.1:9", now=Clock().now)
    with pytest.raises(LoginUnavailable, match="cannot be reached"):
        await login.refresh("the-refresh-token")


@pytest.mark.requirement("upstream-429")
@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({"retry_after": "7"}, 7),
        ({"retry_after": "7", "x_ratelimit_reset": "50"}, 7),
        ({"x_ratelimit_reset": "50"}, 50),
        ({"retry_after": "Tue, 01 Dec 2026 09:00:30 GMT", "date": "Tue, 01 Dec 2026 09:00:00 GMT"}, 30),
        ({}, 60),
    ],
)
async def test_a_429_says_for_how_long_whatever_else_is_in_it(
    world: World, headers: dict[str, str], pause: float
) -> None:
    world.server.will(answer(429, {"access_token": "a-trap", "refresh_token": "a-trap"}, **headers))
    error = await world.refresh_fails()
    assert isinstance(error, LoginBusy)
    assert error.retry_after == pause


async def test_a_client_that_calendly_does_not_know_is_disowned_and_no_other(world: World) -> None:
    world.server.will(answer(400, {"error": "unauthorized_client"}), answer(401, {"error": "invalid_client"}))
    await world.refresh_fails()
    assert world.applications.unknown == []
    await world.refresh_fails()
    assert world.applications.unknown == [world.applications.application]


@pytest.mark.parametrize(
    "change",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": "two words"},
        {"access_token": "split\r\nX-Injected: yes"},
        {"access_token": "a" * 9_000},
        {"access_token": ["the-access-token"]},
        {"refresh_token": "with\nnewline"},
        {"token_type": "mac"},
        {"token_type": 7},
    ],
)
async def test_an_answer_without_tokens_that_could_be_sent_is_unreadable(
    world: World, change: dict[str, object]
) -> None:
    world.server.will(answer(200, {**ANSWER, **change}))
    assert type(await world.refresh_fails()) is LoginUnavailable


async def test_a_refresh_token_that_is_not_replaced_stays(world: World) -> None:
    world.server.will(answer(200, {name: value for name, value in ANSWER.items() if name != "refresh_token"}))
    assert (await world.login.refresh("the-refresh-token")).refresh_token == "the-refresh-token"


@pytest.mark.requirement("upstream-granted")
@pytest.mark.parametrize(
    ("scope", "known"),
    [
        ("users:read webhooks:write", {"users:read", "webhooks:write"}),
        ("users:read something:new", {"users:read", "something:new"}),
        ("default", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_scopes_are_what_is_said_and_default_is_unknown(scope: object, known: set[str] | None) -> None:
    assert read_tokens({**ANSWER, "scope": scope}, START).scopes == known


@pytest.mark.parametrize(
    ("expires_in", "hours"),
    [(7200, 2), (3600, 1), *((absurd, 2) for absurd in (None, 0, -1, 10**12, "7200", "soon", [7200], True))],
)
def test_a_life_that_makes_no_sense_is_taken_for_the_usual_one(expires_in: object, hours: float) -> None:
    tokens = read_tokens({**ANSWER, "expires_in": expires_in}, START)
    assert tokens.expires_at == START + timedelta(hours=hours)


def test_a_recording_from_before_organizations_and_scopes_can_be_read() -> None:
    old: dict[str, Any] = {name: ANSWER[name] for name in ("access_token", "refresh_token")}
    assert read_tokens(old, START) == Tokens(
        "the-access-token", "the-next-refresh-token", START + timedelta(hours=2), None, None, None
    )


@pytest.mark.parametrize(
    "step",
    [
        answer(200, {"resource": {"uri": "https://api.calendly.com/users/ANOTHER"}}),
        answer(200, {"resource": {"uri": "https://api.calendly.com/users/me"}}),
        answer(200, {"resource": {"uri": "https://attacker.example/users/MAYA"}}),
        answer(200, {"resource": {}}),
        answer(200, {"resource": "MAYA"}),
        answer(200, {}),
        answer(403, {"title": "Insufficient scope", "required_scopes": ["users:read"]}),
        answer(401, {"title": "Unauthenticated"}),
    ],
)
async def test_a_person_who_is_not_proven_is_not_signed_in_and_the_tokens_are_ended(world: World, step: Step) -> None:
    world.server.will(answer(200, ANSWER), step)
    world.server.otherwise = answer(200, {})
    assert type(await world.sign_in_fails()) is IdentityUnproven
    assert [form["token"] for form in world.forms[1:]] == ["the-next-refresh-token", "the-access-token"]


@pytest.mark.parametrize(
    ("step", "kind"), [(answer(429), LoginBusy), (answer(502), LoginUnavailable), (reset, LoginUnreachable)]
)
async def test_a_person_who_cannot_be_proven_now_is_not_signed_in_either(
    world: World, step: Step, kind: type[CalendlyLoginError], caplog: pytest.LogCaptureFixture
) -> None:
    world.server.will(answer(200, ANSWER), step, answer(503))
    assert type(await world.sign_in_fails()) is kind
    assert world.server.requests[-1].path == "/oauth/revoke"
    assert "not told to revoke" in caplog.text
    assert not [secret for secret in SECRETS if secret in caplog.text]


async def test_a_token_answer_without_an_owner_is_proven_by_the_api_alone(world: World) -> None:
    world.server.will(answer(200, {**ANSWER, "owner": None}), answer(200, ME))
    assert (await world.login.sign_in(code="the-code", verifier=VERIFIER)).person.uri == MAYA


async def test_what_calendly_says_of_a_person_is_bounded(world: World) -> None:
    world.server.will(answer(200, ANSWER), answer(200, {"resource": {"uri": MAYA, "name": "a" * 9_000, "email": 7}}))
    person = (await world.login.sign_in(code="the-code", verifier=VERIFIER)).person
    assert len(person.name or "") == 500
    assert (person.email, person.timezone) == (None, None)


def test_no_value_shows_its_secrets() -> None:
    application = Application.configured("the-client", "the-secret", "https://auth.calendly.com/")
    assert application.token_endpoint == "https://auth.calendly.com/oauth/token"
    assert not [secret for secret in SECRETS if secret in f"{application!r} {read_tokens(ANSWER, START)!r}"]


def test_a_sign_in_asks_for_identity_what_is_held_and_what_is_added_within_what_is_registered() -> None:
    asked = scopes_to_ask(
        ["webhooks:write", "event_types:read"],
        held=["scheduling_links:write", "organizations:read"],
        registered=["users:read", "event_types:write", "scheduling_links:write", "webhooks:read"],
    )
    assert asked == ("users:read", "event_types:read", "scheduling_links:write", "webhooks:read")
    assert scopes_to_ask([], held=[], registered=SCOPES) == ("users:read",)


async def test_a_whole_sign_in_at_the_sandbox(upstream: Calendly) -> None:
    signed_in = await upstream.sign_in()
    assert signed_in.person.uri == signed_in.tokens.owner
    assert signed_in.person.email
    assert signed_in.tokens.scopes == frozenset(ASKED)
    refreshed = await upstream.login.refresh(signed_in.tokens.refresh_token)
    with pytest.raises(GrantRefused):
        await upstream.login.refresh(signed_in.tokens.refresh_token)
    await upstream.login.revoke(refreshed)
    assert not upstream.is_live(refreshed.access_token)


async def test_a_code_serves_once_and_only_its_verifier(upstream: Calendly) -> None:
    url = await upstream.login.authorization_url(state=STATE, verifier=VERIFIER, scopes=ASKED)
    back = await consent(url)
    assert back["state"] == STATE
    with pytest.raises(GrantRefused):
        await upstream.login.sign_in(code=back["code"], verifier=VERIFIER[::-1])
    await upstream.login.sign_in(code=back["code"], verifier=VERIFIER)
    with pytest.raises(GrantRefused):
        await upstream.login.sign_in(code=back["code"], verifier=VERIFIER)
