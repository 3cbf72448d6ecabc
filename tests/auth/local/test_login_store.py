import asyncio
import logging
import stat
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Event
from typing import Any

import keyring
import pytest
from keyring.backends import fail, null
from typing_extensions import override

from auth.local.login_store import SERVICE, Keyring, KeyringSilentError, LocalLogin, LoginStore, system_keyring
from auth.local.process_lock import ProcessLockError, locked
from auth.upstream.application import Application
from auth.upstream.connection import Connection, RefreshFailure, Status
from auth.upstream.login import CalendlyPerson, LoginRefused, LoginUnavailable
from tests.auth.calendly_side import REDIRECT_URI, START, Clock
from tests.cases import each

API = "https://api.calendly.com"
MAYA = f"{API}/users/MAYA"
LOGIN = LocalLogin(
    person=CalendlyPerson(MAYA, None, "Maya Ünïcode", "maya@acme.example", "Europe/Berlin"),
    application=Application.configured("the-client", "the-secret", "https://auth.calendly.com"),
    redirect_uri=REDIRECT_URI,
    connection=Connection(
        MAYA,
        3,
        Status.ACTIVE,
        START + timedelta(hours=2),
        START,
        frozenset({"users:read"}),
        frozenset({"webhooks:read"}),
        retry_at=START,
        failure=RefreshFailure.BUSY,
    ),
    access_token="the-access-token",
    refresh_token="the-refresh-token",
)
LARGEST_ENTRY = 1_280  # Windows has 2,560 bytes of UTF-16
LONG = replace(LOGIN, access_token="a" * 2_000)


class Memory:
    """A keyring of this process."""

    def __init__(self, *, broken: bool = False) -> None:
        self.entries: dict[tuple[str, str], str] = {}
        self.broken = broken

    def get_password(self, service: str, username: str) -> str | None:
        """Look."""
        self._work()
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keep."""
        self._work()
        if len(password) > LARGEST_ENTRY:
            raise OSError("The stub received bad data.")
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Drop; what is not there cannot be dropped."""
        self._work()
        del self.entries[service, username]

    def _work(self) -> None:
        if self.broken:
            raise ArithmeticError("locked: the-refresh-token")


class Silent(Memory):
    """A keyring that asks its person, and says nothing until it is unlocked."""

    def __init__(self) -> None:
        super().__init__()
        self.unlocked = Event()
        self.unlocked.set()
        self.asked = 0

    @override
    def get_password(self, service: str, username: str) -> str | None:
        """Look, once unlocked."""
        self.asked += 1
        self.unlocked.wait()
        return super().get_password(service, username)


def store(folder: Path, found: Keyring | None = None, *, api_url: str = API) -> LoginStore:
    return LoginStore(folder / "data", api_url, lambda: found, Clock().sleep)


def the_file(folder: Path) -> Path:
    [found] = (folder / "data").glob("login-*")
    return found


async def test_nobody_is_signed_in_at_first(tmp_path: Path) -> None:
    assert await store(tmp_path).read() is None
    assert await store(tmp_path, Memory()).read() is None
    assert not (tmp_path / "data").exists()


@pytest.mark.requirement("login-kept")
async def test_a_login_comes_back_from_the_keyring_as_it_was(tmp_path: Path) -> None:
    memory = Memory()
    await store(tmp_path, memory).write(LOGIN)
    assert await store(tmp_path, memory).read() == LOGIN
    assert [*memory.entries] == [(SERVICE, API)]
    assert not (tmp_path / "data").exists()


@pytest.mark.requirement("login-kept")
async def test_without_a_keyring_it_comes_back_from_an_encrypted_file_for_the_owner_only(tmp_path: Path) -> None:
    await store(tmp_path).write(LOGIN)
    assert await store(tmp_path).read() == LOGIN
    folder = tmp_path / "data"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not [secret for secret in ("the-", "Maya") if secret.encode() in path.read_bytes()]


@pytest.mark.parametrize("memory", [Memory(broken=True), None])
async def test_a_keyring_that_does_not_open_is_as_good_as_none(
    tmp_path: Path, memory: Memory | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await store(tmp_path, memory).write(LOGIN)
    assert await store(tmp_path, memory).read() == LOGIN
    assert "the-refresh-token" not in caplog.text


async def test_a_keyring_that_waits_for_its_person_holds_nobody_up_and_is_asked_once(tmp_path: Path) -> None:
    silent = Silent()
    await store(tmp_path, silent).write(LOGIN)
    mine = LoginStore(tmp_path / "data", API, lambda: silent, Clock().sleep, patience=0.01)
    silent.unlocked.clear()
    for _ in range(3):
        with pytest.raises(KeyringSilentError, match=r"has not answered within 0\.01 seconds: unlock it"):
            await mine.read()
    assert silent.asked == 1
    silent.unlocked.set()
    mine.patience = 60
    assert await mine.read() == LOGIN


async def test_a_login_that_the_keyring_does_not_take_goes_to_the_file(tmp_path: Path) -> None:
    memory = Memory()
    await store(tmp_path, memory).write(LOGIN)
    await store(tmp_path, memory).write(LONG)
    assert await store(tmp_path, memory).read() == LONG
    await store(tmp_path, memory).write(LOGIN)
    assert await store(tmp_path, memory).read() == LOGIN
    assert not [*(tmp_path / "data").glob("login-*")]


async def test_a_keyring_that_holds_the_login_and_does_not_open_is_named(tmp_path: Path) -> None:
    memory = Memory()
    await store(tmp_path, memory).write(LOGIN)
    memory.broken = True
    with pytest.raises(LoginUnavailable, match=r"keyring does not open \(ArithmeticError\)") as failure:
        await store(tmp_path, memory).read()
    assert "the-refresh-token" not in repr(failure.value)


async def test_dropping_drops_it_from_both(tmp_path: Path) -> None:
    memory = Memory()
    both = store(tmp_path, memory)
    await both.write(LOGIN)
    await both.write(LONG)
    await both.delete()
    assert await both.read() is None
    assert memory.entries == {}
    await both.delete()


@pytest.mark.parametrize("found", [Memory(), None])
async def test_each_address_of_the_api_has_a_login_of_its_own(tmp_path: Path, found: Memory | None) -> None:
    await store(tmp_path, found).write(LOGIN)
    sandbox = store(tmp_path, found, api_url="http://127.0.0.1:9000")
    assert await sandbox.read() is None
    await sandbox.write(LONG)
    assert await store(tmp_path, found).read() == LOGIN


def swap(folder: Path) -> None:
    """Pass the file of the sandbox's login off as that of the real one."""
    real, other = sorted((folder / "data").glob("login-*"), key=lambda path: "9000" in path.name)
    other.replace(real)


def damage(folder: Path) -> None:
    path = the_file(folder)
    sealed = path.read_bytes()
    path.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))


def empty(folder: Path) -> None:
    the_file(folder).write_bytes(b"")


def open_to_others(folder: Path) -> None:
    the_file(folder).chmod(0o640)


def lose_the_key(folder: Path) -> None:
    (folder / "data/login.key").unlink()


def shorten_the_key(folder: Path) -> None:
    (folder / "data/login.key").write_text("k1:AAAA")


def open_the_key_to_others(folder: Path) -> None:
    (folder / "data/login.key").chmod(0o644)


@pytest.mark.requirement("login-kept")
@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (damage, "changed or moved"),
        (empty, "damaged"),
        (open_to_others, "chmod 600"),
        (lose_the_key, "cannot be read"),
        (shorten_the_key, "must be 32"),
        (open_the_key_to_others, "chmod 600"),
    ],
)
async def test_a_file_that_cannot_be_trusted_is_not_read_and_signing_in_again_mends_it(
    tmp_path: Path, harm: Callable[[Path], object], words: str
) -> None:
    await store(tmp_path).write(LOGIN)
    harm(tmp_path)
    with pytest.raises(LoginRefused, match=words) as failure:
        await store(tmp_path).read()
    assert "calendly-mcp login" in failure.value.reason
    await store(tmp_path).write(LONG)
    assert await store(tmp_path).read() == LONG


async def test_the_file_of_one_login_is_not_taken_for_another(tmp_path: Path) -> None:
    await store(tmp_path).write(LOGIN)
    await store(tmp_path, api_url="http://127.0.0.1:9000").write(LOGIN)
    swap(tmp_path)
    with pytest.raises(LoginRefused, match="changed or moved"):
        await store(tmp_path).read()


async def test_a_keyring_entry_that_is_no_login_is_refused_without_showing_it(tmp_path: Path) -> None:
    memory = Memory()
    memory.entries[SERVICE, API] = '{"access_token": "the-access-token"}'
    with pytest.raises(LoginRefused, match="damaged") as failure:
        await store(tmp_path, memory).read()
    assert "the-access-token" not in f"{failure.value!r}{failure.value.__cause__!r}"


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(LoginUnavailable, match="data"):
        await store(tmp_path).write(LOGIN)
    with pytest.raises(LoginUnavailable, match="data"):
        async with store(tmp_path).alone():
            pass


@pytest.mark.requirement("login-shared")
async def test_one_at_a_time_changes_the_login(tmp_path: Path) -> None:
    order: list[str] = []
    one, other = store(tmp_path), store(tmp_path)

    async def second() -> None:
        async with other.alone():
            order.append("second")

    async with one.alone():
        waiting = asyncio.create_task(second())
        await asyncio.sleep(0)
        order.append("first")
    await waiting
    assert order == ["first", "second"]


async def test_a_lock_that_is_held_too_long_is_given_up(tmp_path: Path) -> None:
    clock = Clock()
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(locked(tmp_path / "lock", tries=3, sleep=clock.sleep))
        with pytest.raises(ProcessLockError, match="too long"):
            await stack.enter_async_context(locked(tmp_path / "lock", tries=3, sleep=clock.sleep))
    assert clock.seconds == pytest.approx(0.2)
    async with locked(tmp_path / "lock", tries=1, sleep=clock.sleep):
        assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600


async def test_a_lock_file_that_is_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("no database, but a text that is long enough to be taken for one" * 100)
    with pytest.raises(ProcessLockError, match="cannot be used"):
        async with locked(tmp_path / "lock", tries=1, sleep=Clock().sleep):
            pass
    with pytest.raises(ProcessLockError, match="cannot be used"):
        async with locked(tmp_path / "missing" / "lock", tries=1, sleep=Clock().sleep):
            pass


class Rated(Memory):
    """A keyring that is recommended or not by its priority.

    It is no `KeyringBackend`: the package would offer each kind of that to the whole process.
    """

    def __init__(self, priority: float) -> None:
        super().__init__()
        self.priority = priority


OF_THE_PACKAGE: Any = (fail.Keyring, null.Keyring)


@each("backend, is_used", [(Rated(5.0), True), (Rated(0.5), False), *((none(), False) for none in OF_THE_PACKAGE)])
def test_only_a_keyring_that_is_recommended_counts(
    backend: object, *, is_used: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", lambda: backend)
    assert (system_keyring() is backend) is is_used


def test_a_login_shows_no_secret() -> None:
    assert "the-access" not in repr(LOGIN)
    assert "the-refresh" not in repr(LOGIN)
    assert "the-secret" not in repr(LOGIN)
    assert "the-access" not in repr(LOGIN.tokens)
