"""A sign-in in a keyring that does not answer: the server starts, and its calls wait for the keyring."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from auth.local.login_store import LoginStore
from calendly.errors import Unauthenticated, Unreachable
from server.configuration.loading import load
from server.local.login import LateSignIn
from tests.auth.local.test_login_store import API, LOGIN, MAYA, Silent


async def test_nobody_waits_for_a_keyring_that_asks_its_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = Silent()
    store = LoginStore(tmp_path, API, lambda: silent, asyncio.sleep, patience=0.01)
    await store.write(LOGIN)
    silent.unlocked.clear()
    async with AsyncExitStack() as stack:
        late = LateSignIn(load("stdio", {}, environ={}), store, stack)
        assert await late.look()
        assert "The server starts meanwhile, and its calls wait for the keyring." in capsys.readouterr().err
        with pytest.raises(Unreachable, match="unlock it if it asks for that"):
            await late.access_token()
        assert not await late.refresh()
        assert late.principal().identity is None
        silent.unlocked.set()
        store.patience = 60
        assert await late.access_token() == "the-access-token"
        assert late.principal().account.user == MAYA
        await late.refresh()


async def test_a_keyring_that_has_nothing_after_all_leaves_nobody_signed_in(tmp_path: Path) -> None:
    silent = Silent()
    store = LoginStore(tmp_path, API, lambda: silent, asyncio.sleep, patience=0.01)
    silent.unlocked.clear()
    async with AsyncExitStack() as stack:
        late = LateSignIn(load("stdio", {}, environ={}), store, stack)
        assert await late.look()
        silent.unlocked.set()
        store.patience = 60
        with pytest.raises(Unauthenticated, match="Nobody has signed in on this machine"):
            await late.access_token()
        assert not await late.look()
