"""A sign-in in a keyring that does not answer: the server starts, and its calls wait for the keyring."""

import asyncio
import socket
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from auth.local.login_store import LoginStore
from auth.upstream.application import Application
from calendly.errors import Unauthenticated, Unreachable
from server.configuration.loading import load
from server.local.login import LateSignIn
from tests.auth.local.test_login_store import API, LOGIN, MAYA, Silent

NEVER: Final = datetime(9999, 12, 31, tzinfo=UTC)


async def test_nobody_waits_for_a_keyring_that_asks_its_person(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    silent = Silent()
    store = LoginStore(tmp_path, API, lambda: silent, asyncio.sleep)
    async with AsyncExitStack() as stack:
        nobody = stack.enter_context(socket.socket())
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        application = Application.configured("the-client", None, f"http://127.0.0.1:{nobody.getsockname()[1]}")
        lasting = replace(LOGIN.connection, expires_at=NEVER, retry_at=None)
        await store.write(replace(LOGIN, application=application, connection=lasting))
        silent.unlocked.clear()
        store.patience = 0.01
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
        assert not await late.refresh()


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
