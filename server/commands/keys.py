"""`calendly-mcp keys rotate`: seal every stored secret under the first key of the ring, so that the others may go."""

import sys
from contextlib import AsyncExitStack
from functools import partial

import anyio

from auth.audit.log import AuditNote
from auth.tables import metadata
from server.configuration.command_line import CommandLine
from server.configuration.logs import log_to_stderr
from server.configuration.settings import Settings, load
from server.configuration.terminal import CommandError
from server.stores.database import audit_log_in, open_store
from storage.errors import StorageError
from storage.rotation import rotate


def run(arguments: CommandLine) -> int:
    """Rotate. Returns the exit status."""
    settings = load("keys", arguments.flags, config=arguments.config)
    log_to_stderr(settings.log_level, settings.log_format)
    sys.stdout.write(f"{anyio.run(partial(_rotate, settings))}\n")
    sys.stdout.flush()
    return 0


async def _rotate(settings: Settings) -> str:
    async with AsyncExitStack() as stack:
        store = await open_store(settings, stack)
        try:
            renewed = await rotate(store.database, store.keyring, metadata.tables.values())
            told = "an operator sealed every stored secret anew"
            await audit_log_in(store.archive).note(
                AuditNote(action="rotate_keys", told=told, source="operator", transport="command")
            )
        except StorageError as fault:
            raise CommandError(str(fault)) from None
    return f"{renewed} secrets sealed anew under the key {store.keyring.first}; the other keys may go."
