import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from auth.local.login_store import LocalLogin, LoginStore
from auth.local.sign_in import LocalSignIn, browser_command, logout, open_browser
from auth.upstream.application import Application, Configured
from auth.upstream.calendly_login import CalendlyLogin
from auth.upstream.connection import Status
from auth.upstream.login import LoginRefused, LoginUnavailable, Upstream
from auth.upstream.refresher import ConnectionCredentials
from auth.upstream.registration import register
from calendly.errors import Unauthenticated, Unreachable
from tests.auth.calendly_side import ASKED, Calendly, consent
from tests.auth.places import on_machine
from tests.ports import kept_port

OVER = timedelta(hours=3)


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
            issuers=frozenset({self.calendly.url}),
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

    def credentials(self, login: LocalLogin) -> ConnectionCredentials:
        """Start a program's server for whoever signed in."""
        return on_machine(self.folder, self.calendly.url, self.calendly.clock).credentials(login.person.uri)


@pytest.fixture
def machine(tmp_path: Path, fresh_upstream: Calendly) -> Machine:
    return Machine(tmp_path / "data", fresh_upstream)


@pytest.mark.requirement("login")
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
    assert await machine.credentials(login).access_token() == login.access_token


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


@pytest.mark.parametrize("paste", ["{uri}?code={code}&state={state}", "code={code}&state={state}", "{code}"])
async def test_who_signs_in_on_another_machine_pastes_where_the_browser_was_sent(machine: Machine, paste: str) -> None:
    async def pasted() -> AsyncIterator[str]:
        [url] = machine.shown
        query = dict(parse_qsl(urlsplit(url).query))
        yield f"{query['redirect_uri']}?code=forged&state=guessed"
        yield "no answer at all"
        back = await consent(url, person=machine.person, decision="allow")
        yield paste.format(uri=query["redirect_uri"], **back)

    way = replace(machine.sign_in, open_browser=str, pasted=pasted)  # which does nothing with the address
    login = await way.login(0, ASKED)
    assert await machine.store.read() == login
    assert len([line for line in machine.shown if line.startswith("This is no answer to the sign-in")]) == 2


async def test_one_registration_serves_all_sign_ins_at_one_address(machine: Machine) -> None:
    way = replace(machine.sign_in, issuer=machine.calendly.url)
    named = replace(way, issuer=None)
    with kept_port() as port:
        first, again = await way.login(port, ASKED), await way.login(port, ASKED)
        assert first.application == again.application
        assert (await way.login(0, ASKED)).application != first.application
        assert (await named.login(port, ASKED)).application != first.application
    await asyncio.gather(*machine.browsing)


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
    running = machine.credentials(login)
    await running.access_token()
    assert await logout(machine.store, machine.upstream) == login
    assert await machine.store.read() is None
    assert not machine.calendly.is_live(login.access_token)
    assert await logout(machine.store, machine.upstream) is None
    with pytest.raises(Unauthenticated, match="calendly-mcp login"):
        await machine.credentials(login).access_token()
    machine.calendly.clock.advance(timedelta(minutes=5))
    with pytest.raises(Unauthenticated, match="calendly-mcp login"):
        await running.refresh()


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


async def test_a_login_that_cannot_be_locked_or_read_is_said_as_it_is(machine: Machine) -> None:
    login = await machine.login()
    machine.calendly.clock.advance(OVER)
    (machine.folder / "login.lock").write_text("no lock, but a text that could be taken for a database" * 100)
    with pytest.raises(Unreachable, match="cannot be changed now"):
        await machine.credentials(login).access_token()
    (machine.folder / "login.key").write_text("damaged")
    with pytest.raises(Unauthenticated, match="calendly-mcp login"):
        await machine.credentials(login).access_token()


async def test_a_running_program_goes_on_for_nobody_else(machine: Machine) -> None:
    running = machine.credentials(await machine.login())
    machine.person = 1
    await machine.login()
    with pytest.raises(Unauthenticated, match="Somebody else has signed in"):
        await running.access_token()


Blocked = Callable[[], AbstractContextManager[None]]


@pytest.fixture
def unwritable(machine: Machine) -> Blocked:
    """Keep the login's files from being written for a while."""

    @contextmanager
    def block() -> Generator[None]:
        [sealed] = machine.folder.glob("login-*")
        blocked = [path.with_name(f"{path.name}.new") for path in (machine.folder / "login.key", sealed)]
        for path in blocked:
            path.mkdir()
        yield
        for path in blocked:
            path.rmdir()

    return block


async def test_tokens_that_cannot_be_stored_at_first_are_used_and_stored_the_next_time(
    machine: Machine, unwritable: Blocked, caplog: pytest.LogCaptureFixture
) -> None:
    login = await machine.login()
    running = machine.credentials(login)
    machine.calendly.clock.advance(OVER)
    with unwritable():
        token = await running.access_token()
        assert machine.calendly.is_live(token)
        assert "not stored" in caplog.text
        assert await running.access_token() == token
    # What another program learns of the token that is spent ends nothing.
    with pytest.raises(Unauthenticated):
        await machine.credentials(login).access_token()
    machine.calendly.clock.advance(OVER)
    assert machine.calendly.is_live(await running.access_token())
    stored = await machine.store.read()
    assert stored is not None
    assert (stored.connection.generation, stored.connection.status) == (3, Status.ACTIVE)
    assert machine.calendly.token_requests() == [200, 400, 200]


async def test_tokens_that_could_not_be_stored_give_way_to_a_new_sign_in(machine: Machine, unwritable: Blocked) -> None:
    running = machine.credentials(await machine.login())
    machine.calendly.clock.advance(OVER)
    with unwritable():
        await running.access_token()
    login = await machine.login()
    tokens = machine.calendly.running.sandbox.records.refresh_tokens
    for other in tokens.keys() - {login.refresh_token}:
        del tokens[other]
    machine.calendly.clock.advance(OVER)
    assert machine.calendly.is_live(await running.access_token())


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
        [sys.executable, "-c", "import auth.local.connection, auth.local.login_store, sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
    ).stdout.split()
    assert not {"sqlalchemy", "alembic", "authlib", "keyring", "starlette", "mcp", "httpx2"}.intersection(found)
