"""Idempotency keys of a person's own server: in the database of its audit log, opened when the first one is needed."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from calendly.errors import Unreachable
from server.configuration.loading import load
from server.local.audit_log import local_audit_log
from server.local.idempotency import local_ledger
from server.local.late_store import LateStore
from tools.toolset.idempotency import OwnBookings
from tools.toolset.ledger import Booking, Bookings

pytestmark = pytest.mark.anyio

ARGUMENTS: Final = {"event_type": "E"}


@asynccontextmanager
async def store_in(url: str, *, sandbox: bool = False) -> AsyncGenerator[LateStore]:
    """Have a database at hand until the block is left."""
    environ = {"CALENDLY_ACCESS_TOKEN": "secret", "CALENDLY_MCP_DATABASE_URL": url}
    async with AsyncExitStack() as databases:
        yield LateStore(load("stdio", {"sandbox": sandbox}, environ=environ), databases)


def keys_in(store: LateStore) -> Bookings:
    return local_ledger(store, lambda: 0.0).of("person", "agent")


async def test_a_key_is_known_to_the_next_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'database'}"
    async with store_in(url) as store:
        keys = keys_in(store)
        assert await keys.reserve("k", ARGUMENTS) is None
        assert await keys.reserve("l", ARGUMENTS) is None
        await keys.settle("k", ARGUMENTS, {"uri": "I"})
        await keys.release("l")
        await keys.forget(["lee@acme.example"])
    async with store_in(url) as store:
        assert await keys_in(store).recall("k", ARGUMENTS) == Booking({"uri": "I"})
        assert await keys_in(store).recall("l", ARGUMENTS) is None


async def test_nothing_is_opened_before_a_key_is_asked_for_and_then_once(tmp_path: Path) -> None:
    file = tmp_path / "database"
    async with store_in(f"sqlite:///{file}") as store, local_audit_log(store) as audit_log:
        keys = keys_in(store)
        assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - a folder of this machine
        await keys.recall("k", ARGUMENTS)
        opened = await store.opened()
        assert await audit_log.recent() == []
        assert await store.opened() is opened


@pytest.mark.parametrize(("url", "sandbox"), [("sqlite://", False), ("sqlite:///ignored", True)])
async def test_where_the_database_ends_with_the_process_keys_need_none(url: str, *, sandbox: bool) -> None:
    async with store_in(url, sandbox=sandbox) as store:
        assert isinstance(keys_in(store), OwnBookings)


async def test_a_database_that_cannot_be_opened_stops_a_booking_and_is_tried_again(tmp_path: Path) -> None:
    obstacle = tmp_path / "folder"
    obstacle.write_text("not a folder")
    async with store_in(f"sqlite:///{obstacle / 'database'}") as store:
        keys = keys_in(store)
        for _ in range(2):
            with pytest.raises(Unreachable, match="could not be kept, so this call sent nothing"):
                await keys.recall("k", ARGUMENTS)
            await keys.forget(["lee@acme.example"])
        obstacle.unlink()
        assert await keys.recall("k", ARGUMENTS) is None
