import asyncio
import json
from collections.abc import AsyncGenerator

import pytest
from sqlalchemy import select

from auth.tables import upstream_registration
from auth.upstream.application import Application, check_endpoint
from auth.upstream.calendly_login import CalendlyLogin
from auth.upstream.login import LoginBusy, LoginRefused, LoginUnavailable
from auth.upstream.own_application import Registration
from auth.upstream.registration import register
from storage.database import Database
from tests.auth.calendly_side import KEYRING, REDIRECT_URI, STATE, VERIFIER, Calendly, consent
from tests.cases import each
from tests.hostile_upstream import HostileUpstream, Step, answer

SCOPES = ("users:read", "event_types:read")


@pytest.fixture
async def server() -> AsyncGenerator[HostileUpstream]:
    async with HostileUpstream.listen() as listening:
        yield listening


def metadata(origin: str, **changes: object) -> dict[str, object]:
    return {
        "issuer": origin,
        "authorization_endpoint": f"{origin}/oauth/authorize",
        "token_endpoint": f"{origin}/oauth/token",
        "revocation_endpoint": f"{origin}/oauth/revoke",
        "registration_endpoint": f"{origin}/oauth/register",
        "code_challenge_methods_supported": ["S256"],
        **changes,
    }


@pytest.mark.requirement("upstream-registration", "issuer-setting")
async def test_a_public_client_registers_with_a_name_of_letters_and_spaces(server: HostileUpstream) -> None:
    server.will(answer(200, metadata(server.origin)), answer(201, {"client_id": "given"}))
    application = await register(server.origin, REDIRECT_URI, SCOPES)
    asked, posted = server.requests
    assert (asked.method, asked.target) == ("GET", "/.well-known/oauth-authorization-server")
    assert (posted.method, posted.target) == ("POST", "/oauth/register")
    body = json.loads(posted.body)
    name = body.pop("client_name")
    assert name.replace(" ", "").isalnum()
    assert body == {
        "redirect_uris": [REDIRECT_URI],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
        "scope": "users:read event_types:read",
    }
    assert application == Application(
        "given",
        None,
        f"{server.origin}/oauth/authorize",
        f"{server.origin}/oauth/token",
        f"{server.origin}/oauth/revoke",
    )


async def test_a_sandbox_on_this_machine_is_asked_past_a_proxy(
    server: HostileUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.will(answer(200, metadata(server.origin)), answer(201, {"client_id": "given"}))
    assert (await register(server.origin, REDIRECT_URI, SCOPES)).client_id == "given"


@pytest.mark.requirement("upstream-registration")
@each("name", ["Calendly (MCP)", "a-b", "", " x", "naïve", "a\nb", "a" * 101])
async def test_a_name_that_calendly_would_refuse_is_not_sent(server: HostileUpstream, name: str) -> None:
    with pytest.raises(ValueError, match="letters, digits and spaces"):
        await register(server.origin, REDIRECT_URI, SCOPES, name=name)
    assert server.requests == []


async def test_the_metadata_of_an_issuer_with_a_path_stands_before_the_path(server: HostileUpstream) -> None:
    issuer = f"{server.origin}/tenant"
    server.will(answer(200, metadata(server.origin, issuer=issuer)), answer(201, {"client_id": "given"}))
    await register(issuer, REDIRECT_URI, SCOPES)
    assert server.requests[0].path == "/.well-known/oauth-authorization-server/tenant"


@pytest.mark.requirement("upstream-endpoints")
@each(
    "changes",
    [
        {"issuer": "https://calendly.com"},
        {"issuer": "https://attacker.example"},
        {"issuer": None},
        {"issuer": [7]},
        {"code_challenge_methods_supported": ["plain"]},
        {"code_challenge_methods_supported": 7},
        {"registration_endpoint": None},
        {"token_endpoint": "https://attacker.example/oauth/token"},
        {"token_endpoint": "https://calendly.com.attacker.example/oauth/token"},
        {"authorization_endpoint": "https://attackercalendly.com/oauth/authorize"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"revocation_endpoint": "http://calendly.com/oauth/revoke"},
        {"revocation_endpoint": "http://[::1]:9/oauth/revoke"},
        {"registration_endpoint": "http://localhost:9/oauth/register"},
        {"registration_endpoint": ["http://127.0.0.1/oauth/register"]},
    ],
)
async def test_metadata_that_leads_elsewhere_registers_nobody(
    server: HostileUpstream, changes: dict[str, object]
) -> None:
    server.requests.clear()
    server.will(answer(200, metadata(server.origin, **changes)))
    with pytest.raises(LoginRefused):
        await register(server.origin, REDIRECT_URI, SCOPES)
    assert len(server.requests) == 1


@pytest.mark.requirement("upstream-endpoints")
@each(
    "url",
    [
        "https://calendly.com/oauth/token",
        "https://auth.calendly.com/oauth/token",
        "https://auth.calendly.com:443/oauth/token?x=1",
        "http://127.0.0.1:9000/oauth/token",
        "http://127.0.0.1:9001/oauth/token",
    ],
)
def test_endpoints_are_calendlys_or_on_the_configured_loopback_host(url: str) -> None:
    assert check_endpoint(url, "http://127.0.0.1:9000") == url


@pytest.mark.requirement("upstream-endpoints")
@each(
    "url",
    [
        "http://auth.calendly.com/oauth/token",
        "https://auth.calendly.com:8443/oauth/token",
        "https://calendly.com@attacker.example/",
        "https://user@calendly.com/",
        "https://calendly.com#attacker.example",
        "https://calendly.com\\@attacker.example/",
        "https://calendly.com.attacker.example/",
        "https://notcalendly.com/",
        "https://.attacker.example/calendly.com",
        "https://calendly.com:port/",
        "https://calendly.com/ x",
        "https://calendly.com/\r\nHost: attacker.example",
        "https://c\u0430lendly.com/",
        "https://127.0.0.1/",
        "http://127.0.0.1/",
        "http://10.0.0.1/",
        "http://169.254.169.254/latest",
        "//calendly.com/",
        "",
    ],
)
def test_no_other_address_is_taken(url: str) -> None:
    with pytest.raises(LoginRefused):
        check_endpoint(url, "https://calendly.com")


def test_localhost_is_this_machine_and_its_neighbours_are_not() -> None:
    assert check_endpoint("http://localhost:9000/token", "http://localhost:9000")
    assert check_endpoint("http://[::1]:9000/token", "http://[::1]:9000")
    with pytest.raises(LoginRefused):
        check_endpoint("http://127.0.0.1:9000/token", "http://localhost:9000")


@pytest.mark.requirement("upstream-endpoints")
def test_a_host_that_is_not_this_machine_is_not_taken_though_it_is_the_issuers() -> None:
    with pytest.raises(LoginRefused):
        check_endpoint("https://mock.example/token", "https://mock.example")


@pytest.mark.parametrize(
    ("step", "kind"),
    [
        (answer(400, {"error": "invalid_client_metadata"}), LoginRefused),
        (answer(404, {"title": "Resource Not Found"}), LoginRefused),
        (answer(429, {}), LoginBusy),
        (answer(200, b"<html>"), LoginUnavailable),
        (answer(302, b"", location="https://attacker.example/"), LoginUnavailable),
        (answer(201, {}), LoginRefused),
        (answer(201, {"client_id": ""}), LoginRefused),
        (answer(201, {"client_id": "a" * 600}), LoginRefused),
        (answer(201, {"client_id": "given", "client_secret": 7}), LoginRefused),
    ],
)
async def test_a_registration_that_calendly_refuses_is_one_plain_error(
    server: HostileUpstream, step: Step, kind: type[Exception]
) -> None:
    server.will(answer(200, metadata(server.origin)), step)
    with pytest.raises(kind):
        await register(server.origin, REDIRECT_URI, SCOPES)
    assert len(server.requests) == 2


async def test_a_client_that_calendly_makes_confidential_keeps_its_secret(server: HostileUpstream) -> None:
    given = {"client_id": "given", "client_secret": "s3cret", "token_endpoint_auth_method": "client_secret_basic"}
    server.will(answer(200, metadata(server.origin)), answer(201, given))
    assert (await register(server.origin, REDIRECT_URI, SCOPES)).client_secret == "s3cret"
    server.will(answer(200, metadata(server.origin)), answer(201, {**given, "token_endpoint_auth_method": "none"}))
    assert (await register(server.origin, REDIRECT_URI, SCOPES)).client_secret is None


class Registering:
    """Registers at the sandbox and counts."""

    def __init__(self, calendly: Calendly) -> None:
        self.times = 0
        self._calendly = calendly

    async def __call__(self) -> Application:
        """Register."""
        self.times += 1
        return await register(self._calendly.url, REDIRECT_URI, SCOPES)


def registration(database: Database, calendly: Calendly, registering: Registering, **changes: str) -> Registration:
    settings = {"issuer": calendly.url, "redirect_uri": REDIRECT_URI, **changes}
    return Registration(database, KEYRING, register=registering, now=calendly.clock.now, **settings)


@pytest.mark.requirement("upstream-registration")
async def test_a_registration_is_made_once_and_kept_encrypted(database: Database, upstream: Calendly) -> None:
    registering = Registering(upstream)
    one = registration(database, upstream, registering)
    first, second = await asyncio.gather(one.current(), one.current())
    assert first is second
    assert await registration(database, upstream, registering).current() == first
    assert registering.times == 1
    async with database.read() as transaction:
        [row] = (await transaction.execute(select(upstream_registration))).mappings()
    assert first.client_id.encode() not in row["application_ciphertext"]
    assert (row["redirect_uri"], row["issuer"]) == (REDIRECT_URI, upstream.url)


@pytest.mark.requirement("upstream-registration")
async def test_processes_that_register_together_use_the_same_client(database: Database, upstream: Calendly) -> None:
    registering = Registering(upstream)
    processes = [registration(database, upstream, registering) for _ in range(4)]
    assert len(set(await asyncio.gather(*(each.current() for each in processes)))) == 1


@pytest.mark.requirement("upstream-registration")
async def test_another_redirect_uri_or_issuer_is_another_registration(database: Database, upstream: Calendly) -> None:
    registering = Registering(upstream)
    first = await registration(database, upstream, registering).current()
    elsewhere = await registration(
        database, upstream, registering, redirect_uri="http://localhost:1/callback"
    ).current()
    moved = await registration(database, upstream, registering, issuer="http://localhost:9000").current()
    assert len({first.client_id, elsewhere.client_id, moved.client_id}) == 3
    assert await registration(database, upstream, registering, issuer="http://localhost:9000").current() == moved


@pytest.mark.requirement("upstream-registration")
async def test_a_client_that_calendly_has_deleted_registers_anew(database: Database, upstream: Calendly) -> None:
    registering = Registering(upstream)
    ours = registration(database, upstream, registering)
    login = CalendlyLogin(ours, redirect_uri=REDIRECT_URI, api_url=upstream.url, now=upstream.clock.now)
    back = await consent(await login.authorization_url(state=STATE, verifier=VERIFIER, scopes=SCOPES))
    signed_in = await login.sign_in(code=back["code"], verifier=VERIFIER)
    old = await ours.current()
    del upstream.running.sandbox.records.clients[old.client_id]
    with pytest.raises(LoginRefused):
        await login.refresh(signed_in.tokens.refresh_token)
    assert (await ours.current()).client_id != old.client_id
    back = await consent(await login.authorization_url(state=STATE, verifier=VERIFIER, scopes=SCOPES))
    assert (await login.sign_in(code=back["code"], verifier=VERIFIER)).person == signed_in.person
