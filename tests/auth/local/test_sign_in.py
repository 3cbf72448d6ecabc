import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from auth.local.credentials import LocalCredentials
from auth.local.login_store import LocalLogin, LoginStore
from auth.local.sign_in import LocalSignIn, browser_command, logout, open_browser
from auth.upstream.application import Application, Configured
from auth.upstream.calendly_login import CalendlyLogin
from auth.upstream.lease import Status
from auth.upstream.login import LoginRefused, LoginUnavailable, Upstream
from auth.upstream.registration import register
from calendly.errors import RateLimited, Unauthenticated, Unreachable
from tests.auth.calendly_side import ASKED, Calendly, consent
from tests.auth.processes import process

pytestmark = pytest.mark.anyio

OVER = timedelta(hours=3)
TIMES = 20
CALLS = 10


@dataclass
class Machine:
    """A person's machine: a folder, a terminal, and a browser in the person's hands."""

    folder: Path
    calendly: Calendly
    shown: list[str] = field(default_factory=list[str])
    decision: str = "allow"
    person: int = 0
    browsing: list[asyncio.Task[None]] = field(default_factory=list[asyncio.Task[None]])

    @property
    def store(self) -> LoginStore:
        """What every program on it reads."""
        return LoginStore(self.folder, self.calendly.url, lambda: None, self.calendly.clock.sleep)

    def upstream(self, application: Application, redirect_uri: str) -> Upstream:
        """Make Calendly's authorization server for an application."""
        return CalendlyLogin(
            Configured(application), redirect_uri=redirect_uri, api_url=self.calendly.url, now=self.calendly.clock.now
        )

    async def register(self, redirect_uri: str) -> Application:
        """Have no application, as most people."""
        return await register(self.calendly.url, redirect_uri, ASKED)

    def browse(self, url: str) -> None:
        """Open the browser and go on."""
        self.browsing.append(asyncio.create_task(self._sign_in(url)))

    async def _sign_in(self, url: str) -> None:
        redirect_uri = dict(parse_qsl(urlsplit(url).query))["redirect_uri"]
        back = await consent(url, person=self.person, decision=self.decision)
        async with httpx2.AsyncClient() as browser:
            forged = await browser.get(redirect_uri, params={"code": "forged", "state": "guessed"})
            assert forged.status_code == 400
            assert (await browser.get(redirect_uri, params=back)).status_code == 200

    @property
    def sign_in(self) -> LocalSignIn:
        """The command line's way to sign in."""
        return LocalSignIn(
            store=self.store,
            applications=self.register,
            upstream=self.upstream,
            show=self.shown.append,
            open_browser=self.browse,
            now=self.calendly.clock.now,
            random=os.urandom,
        )

    async def login(self) -> LocalLogin:
        """Sign in at a free port."""
        login = await self.sign_in.login(0, ASKED)
        await asyncio.gather(*self.browsing)
        self.calendly.token_requests()
        return login

    def credentials(self) -> LocalCredentials:
        """Start a program's server."""

        def upstream(login: LocalLogin) -> Upstream:
            return self.upstream(login.application, login.redirect_uri)

        return LocalCredentials(self.store, upstream, self.calendly.clock.now)


@pytest.fixture
def machine(tmp_path: Path, upstream: Calendly) -> Machine:
    return Machine(tmp_path / "data", upstream)


async def test_signing_in_needs_no_application_and_keeps_the_login(machine: Machine) -> None:
    login = await machine.login()
    assert await machine.store.read() == login
    assert machine.calendly.is_live(login.access_token)
    assert login.person.email
    assert login.connection.scopes == frozenset(ASKED)
    [url] = machine.shown
    query = dict(parse_qsl(urlsplit(url).query))
    assert query["code_challenge_method"] == "S256"
    assert login.redirect_uri.startswith("http://localhost:")
    assert await machine.credentials().access_token() == login.access_token


async def test_a_sign_in_that_is_declined_stores_nothing(machine: Machine) -> None:
    machine.decision = "deny"
    with pytest.raises(LoginRefused, match="declined"):
        await machine.login()
    assert await machine.store.read() is None
    await asyncio.gather(*machine.browsing)


async def test_nobody_who_comes_in_time_is_nobody(machine: Machine) -> None:
    with pytest.raises(LoginUnavailable, match="within the time"):
        await replace(machine.sign_in, open_browser=machine.shown.append, patience=0).login(0, ASKED)
    assert await machine.store.read() is None


async def test_signing_in_again_replaces_the_login_whoever_it_was(machine: Machine) -> None:
    first = await machine.login()
    again = await machine.login()
    machine.person = 1
    other = await machine.login()
    assert first.person == again.person != other.person
    assert [login.connection.generation for login in (first, again, other)] == [1, 2, 3]
    assert await machine.store.read() == other


async def test_signing_in_mends_a_login_that_cannot_be_read(machine: Machine) -> None:
    await machine.login()
    (machine.folder / "login.key").write_text("damaged")
    login = await machine.login()
    assert await machine.store.read() == login


@pytest.mark.requirement("logout")
async def test_signing_out_revokes_and_forgets(machine: Machine) -> None:
    login = await machine.login()
    running = machine.credentials()
    await running.access_token()
    assert await logout(machine.store, machine.upstream) == login
    assert await machine.store.read() is None
    assert not machine.calendly.is_live(login.access_token)
    assert await logout(machine.store, machine.upstream) is None
    with pytest.raises(Unauthenticated, match="calendly-mcp login"):
        await machine.credentials().access_token()
    machine.calendly.clock.advance(timedelta(minutes=5))
    with pytest.raises(Unauthenticated, match="calendly-mcp login"):
        await running.renew()


@pytest.mark.requirement("logout")
async def test_signing_out_forgets_even_where_calendly_cannot_be_told(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    await machine.login()
    await machine.calendly.will(path="/oauth/revoke", status=503)
    await logout(machine.store, machine.upstream)
    assert await machine.store.read() is None
    assert "not told to revoke" in caplog.text


async def test_signing_out_of_a_login_that_cannot_be_read_drops_it(machine: Machine) -> None:
    await machine.login()
    (machine.folder / "login.key").write_text("damaged")
    with pytest.raises(LoginRefused):
        await logout(machine.store, machine.upstream)
    assert await machine.store.read() is None


@pytest.mark.requirement("login-shared")
async def test_calls_at_once_refresh_an_expired_login_once(machine: Machine) -> None:
    login = await machine.login()
    machine.calendly.clock.advance(OVER)
    credentials = machine.credentials()
    tokens = set(await asyncio.gather(*(credentials.access_token() for _ in range(100))))
    assert len(tokens) == 1
    assert tokens != {login.access_token}
    assert machine.calendly.token_requests() == [200]
    stored = await machine.store.read()
    assert stored is not None
    assert {stored.access_token} == tokens
    assert stored.connection.generation == 2


@pytest.mark.requirement("login-shared")
async def test_a_401_is_answered_with_what_another_program_refreshed_meanwhile(machine: Machine) -> None:
    await machine.login()
    one, other = machine.credentials(), machine.credentials()
    await one.access_token()
    await other.access_token()
    assert not await machine.credentials().renew()
    machine.calendly.clock.advance(timedelta(minutes=5))
    assert await one.renew()
    assert await other.renew()
    assert await other.access_token() == await one.access_token()
    assert machine.calendly.token_requests() == [200]


async def test_a_grant_that_calendly_ended_is_said_to_every_program_after_one_request(machine: Machine) -> None:
    await machine.login()
    machine.calendly.running.sandbox.records.refresh_tokens.clear()
    machine.calendly.clock.advance(OVER)
    for _ in range(3):
        with pytest.raises(Unauthenticated, match="Run `calendly-mcp login`"):
            await machine.credentials().access_token()
    assert machine.calendly.token_requests() == [400]
    stored = await machine.store.read()
    assert stored is not None
    assert stored.connection.status is Status.NEEDS_REAUTH


async def test_a_program_that_gave_up_goes_on_after_a_new_login(machine: Machine) -> None:
    await machine.login()
    running = machine.credentials()
    machine.calendly.running.sandbox.records.refresh_tokens.clear()
    machine.calendly.clock.advance(OVER)
    with pytest.raises(Unauthenticated):
        await running.access_token()
    login = await machine.login()
    assert await running.access_token() == login.access_token


async def test_a_429_stops_every_program_until_retry_after(machine: Machine) -> None:
    await machine.login()
    machine.calendly.clock.advance(OVER)
    await machine.calendly.will(status=429, headers={"Retry-After": "45"})
    for _ in range(3):
        with pytest.raises(RateLimited) as limited:
            await machine.credentials().access_token()
        assert limited.value.retry_after == 45
    assert machine.calendly.token_requests() == [429]


async def test_a_failure_of_calendlys_is_no_reason_to_sign_in_again(machine: Machine) -> None:
    await machine.login()
    machine.calendly.clock.advance(OVER)
    running = machine.credentials()
    await machine.calendly.will(drop=True)
    with pytest.raises(Unreachable, match="in 10 seconds"):
        await running.access_token()
    assert machine.calendly.token_requests() == [None]
    machine.calendly.clock.advance(timedelta(seconds=10))
    assert machine.calendly.is_live(await running.access_token())
    machine.calendly.clock.advance(timedelta(minutes=5))
    await machine.calendly.will(drop=True)
    assert not await running.renew()


async def test_a_login_that_cannot_be_read_or_locked_is_said_as_it_is(machine: Machine) -> None:
    await machine.login()
    (machine.folder / "login.key").write_text("damaged")
    with pytest.raises(Unauthenticated, match="calendly-mcp login"):
        await machine.credentials().access_token()
    (machine.folder / "login.lock").write_text("no lock, but a text that could be taken for a database" * 100)
    with pytest.raises(Unreachable, match="cannot be changed now"):
        await machine.credentials().access_token()


async def test_tokens_that_cannot_be_stored_at_first_are_used_and_stored_the_next_time(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    await machine.login()
    running = machine.credentials()
    machine.calendly.clock.advance(OVER)
    (blocked := machine.folder / "login.key.new").mkdir()
    [sealed] = machine.folder.glob("login-*")
    (also := sealed.with_name(f"{sealed.name}.new")).mkdir()
    token = await running.access_token()
    assert machine.calendly.is_live(token)
    assert "not stored" in caplog.text
    assert await running.access_token() == token
    blocked.rmdir()
    also.rmdir()
    machine.calendly.clock.advance(OVER)
    assert machine.calendly.is_live(await running.access_token())
    stored = await machine.store.read()
    assert stored is not None
    assert stored.connection.generation == 3
    assert machine.calendly.token_requests() == [200, 200]


async def test_tokens_of_somebody_else_are_not_kept(machine: Machine) -> None:
    login = await machine.login()
    machine.calendly.clock.advance(OVER)
    records = machine.calendly.running.sandbox.records
    for token in records.refresh_tokens.values():
        token.user = [*records.users][1]
    with pytest.raises(Unauthenticated):
        await machine.credentials().access_token()
    stored = await machine.store.read()
    assert stored is not None
    assert stored.access_token == login.access_token


async def test_a_call_that_is_cancelled_leaves_the_refresh_to_go_on(machine: Machine) -> None:
    await machine.login()
    machine.calendly.clock.advance(OVER)
    running = machine.credentials()
    call = asyncio.create_task(running.access_token())
    await asyncio.sleep(0)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await running.finish()
    assert machine.calendly.token_requests() == [200]
    assert machine.calendly.is_live(await running.access_token())


@pytest.mark.requirement("login-shared")
async def test_several_programs_that_find_the_login_expired_refresh_it_once_each_time(machine: Machine) -> None:
    await machine.login()
    calendly = machine.calendly
    with ExitStack() as stack:
        programs = [
            stack.enter_context(process("local_server", str(machine.folder), calendly.url, "never")) for _ in range(3)
        ]
        assert [await each.hear() for each in programs] == ["ready"] * 3
        for _ in range(TIMES):
            calendly.clock.advance(OVER)
            for each in programs:
                each.call(calendly.clock.now(), CALLS)
            tokens = {await each.hear() for each in programs}
            assert len(tokens) == 1
            assert calendly.is_live(tokens.pop())
            assert calendly.token_requests() == [200]


@pytest.mark.requirement("login-shared")
@pytest.mark.parametrize(("stall", "requests"), [("before", [200]), ("after", [200, 400])])
async def test_a_program_killed_in_the_middle_holds_up_nobody(
    machine: Machine, stall: str, requests: list[int]
) -> None:
    await machine.login()
    calendly = machine.calendly
    calendly.clock.advance(OVER)
    with process("local_server", str(machine.folder), calendly.url, stall) as doomed:
        assert await doomed.hear() == "ready"
        doomed.call(calendly.clock.now())
        assert await doomed.hear() == stall
        doomed.kill()
    credentials = machine.credentials()
    if stall == "before":
        assert calendly.is_live(await credentials.access_token())
    else:
        with pytest.raises(Unauthenticated, match="calendly-mcp login"):
            await credentials.access_token()
    assert calendly.token_requests() == requests


@pytest.mark.requirement("login-browser")
def test_the_browser_is_given_the_address_as_one_argument_and_no_shell_reads_it(tmp_path: Path) -> None:
    said = tmp_path / "said"
    program = (sys.executable, "-c", f"import sys; open({str(said)!r}, 'a').write(repr(sys.argv[1:]))")
    url = f'https://calendly.com/?a=1&b=$(touch {tmp_path}/x);`id` "quoted"'
    started = open_browser(url, program)
    assert started is not None
    started.wait()
    assert said.read_text() == repr([url])
    assert not (tmp_path / "x").exists()


@pytest.mark.requirement("login-browser")
def test_a_machine_without_a_browser_is_shown_the_address_alone() -> None:
    assert open_browser("https://calendly.com/", ("/no/such/program",)) is None


@pytest.mark.parametrize(
    ("platform", "command"),
    [("linux", ("xdg-open",)), ("darwin", ("open",)), ("win32", ("rundll32", "url.dll,FileProtocolHandler"))],
)
def test_each_system_has_its_way_to_a_browser(platform: str, command: Sequence[str]) -> None:
    assert browser_command(platform) == command


def test_a_local_server_loads_neither_the_database_nor_authlib_nor_the_keyring_before_it_needs_them() -> None:
    found = subprocess.run(
        [sys.executable, "-c", "import auth.local.credentials, auth.local.login_store, sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    ).stdout.split()
    assert not {"sqlalchemy", "alembic", "authlib", "keyring", "starlette", "mcp", "httpx2"}.intersection(found)
