"""Migrates a database at the start, once however many processes start together.

Each revision is a file in `storage/migrations/versions` and does not use the tables of the
packages, which change later. There is no downgrade; a database that a newer version has migrated is
refused.
"""

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from storage.database import Database
from storage.errors import SchemaError

MIGRATIONS: Final = Path(__file__).parent / "migrations"
PATIENCE: Final = 60.0
"""How long waiting for another process and migrating may take, in seconds."""

POSTGRESQL_LOCK: Final = int.from_bytes(b"calendly")
"""The advisory lock that a process holds while it migrates: a number that nothing else uses."""


async def migrate(database: Database, *, patience: float = PATIENCE) -> None:
    """Apply the missing revisions, all or none. Raises SchemaError and StorageUnavailable."""
    async with database.read() as connection:
        if await connection.run_sync(_is_current):
            return
    async with database.begin(patience=patience) as connection:
        if connection.dialect.name == "postgresql":
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({POSTGRESQL_LOCK})"))
        await connection.run_sync(_upgrade)


def _config() -> Config:
    config = Config()
    # Alembic expands % in its options.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _is_current(connection: Connection) -> bool:
    """Say whether all revisions are applied. Raises SchemaError."""
    script = ScriptDirectory.from_config(_config())
    applied = set(MigrationContext.configure(connection).get_current_heads())
    known = {revision.revision for revision in script.walk_revisions()}
    if applied - known:
        raise SchemaError("The database was migrated by a newer version of this program; start that one.")
    return applied == set(script.get_heads())


def _upgrade(connection: Connection) -> None:
    if not _is_current(connection):  # it may be by now, after waiting for the lock
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
