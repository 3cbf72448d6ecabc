"""The database of a person's own server: opened when something in it is first needed, and once."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from auth.audit.log import AuditLogUnavailable
from calendly.errors import Unreachable
from server.configuration.loading import load
from server.local.audit_log import local_audit_log
from server.local.late_store import LateStore
from tools.toolset.ledger import KeyOutcome, Ledger

ARGUMENTS: Final = {"event_type": "E"}
NOW: Final = datetime(2026, 12, 1, 12, tzinfo=UTC)


@asynccontextmanager
async def store_in(url: str) -> AsyncGenerator[LateStore]:
    """Have a database at hand until the block is left."""
    environ = {"CALENDLY_ACCESS_TOKEN": "secret", "CALENDLY_MCP_DATABASE_URL": url}
    async with AsyncExitStack() as databases:
        yield LateStore(load("stdio", {}, environ=environ), databases, lambda: NOW)


async def keys_in(store: LateStore) -> Ledger:
    return (await store.stores()).idempotency_keys.of("person", "agent")


async def test_a_key_is_known_to_the_next_process(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'database'}"
    async with store_in(url) as store:
        keys = await keys_in(store)
        assert await keys.reserve("k", ARGUMENTS) is None
        assert await keys.reserve("l", ARGUMENTS) is None
        await keys.settle("k", ARGUMENTS, {"uri": "I"})
        await keys.release("l")
        await keys.forget(["lee@acme.example"])
    async with store_in(url) as store:
        assert await (await keys_in(store)).recall("k", ARGUMENTS) == KeyOutcome({"uri": "I"})
        assert await (await keys_in(store)).recall("l", ARGUMENTS) is None


async def test_nothing_is_opened_before_it_is_asked_for_and_then_once(tmp_path: Path) -> None:
    file = tmp_path / "database"
    async with store_in(f"sqlite:///{file}") as store, local_audit_log(store) as audit_log:
        assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240 - a folder of this machine
        stores = await store.stores()
        assert await audit_log.recent() == []
        assert await store.stores() is stores


async def test_a_database_that_cannot_be_opened_stops_what_writes_and_is_tried_again(tmp_path: Path) -> None:
    obstacle = tmp_path / "folder"
    obstacle.write_text("not a folder")
    async with store_in(f"sqlite:///{obstacle / 'database'}") as store:
        for _ in range(2):
            with pytest.raises(Unreachable, match="could not be opened, so nothing was sent"):
                await store.stores()
            with pytest.raises(AuditLogUnavailable, match="cannot be opened for writing"):
                await store.archive()
        obstacle.unlink()
        assert await (await keys_in(store)).recall("k", ARGUMENTS) is None
