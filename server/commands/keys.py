"""`calendly-mcp keys rotate`: encrypts every stored secret under the first key, so that the other keys may go."""

from contextlib import AsyncExitStack
from functools import partial
from typing import Final

import anyio

from auth.audit.log import AuditNote
from auth.tables import metadata as authorization
from events.tables import metadata as events
from server.commands.declaring import Action, Command, Invocation
from server.configuration.settings import Settings
from server.configuration.terminal import reporting, show
from server.stores.database import audit_log_in, open_store, require_database
from storage.errors import StorageError
from storage.rotation import rotate


def run(invocation: Invocation) -> int:
    """Rotate the keys."""
    show(anyio.run(partial(_rotate, invocation.settings())))
    return 0


async def _rotate(settings: Settings) -> str:
    require_database(settings)
    async with AsyncExitStack() as stack:
        store = await open_store(settings, stack)
        with reporting(StorageError):
            tables = [*authorization.tables.values(), *events.tables.values()]
            renewed = await rotate(store.database, store.keyring, tables)
            told = "an operator sealed every stored secret anew"
            await audit_log_in(store.archive).note(
                AuditNote(action="rotate_keys", told=told, source="operator", transport="command")
            )
    key = store.keyring.first
    if not renewed:
        return f"Nothing to do: this database holds no secret under another key than {key}."
    some = "1 secret" if renewed == 1 else f"{renewed} secrets"
    return f"{some} encrypted anew under the key {key}; the other keys may go."


COMMAND: Final = Command(
    actions={"rotate": Action("encrypt every stored secret anew, under the first key of the ring", run)}
)
