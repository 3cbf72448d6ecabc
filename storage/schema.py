"""Migrates a database at the start, once however many processes start together.

Each revision is a file in `storage/migrations/versions` and does not use the tables of the
packages, which change later. There is no downgrade; a database that a newer version has migrated is
refused.
"""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

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


def _is_current(connection: Connection) -> bool:
    """Say whether all revisions are applied. Raises SchemaError.

    Reads what Alembic would: that takes 12 MB of memory, and most starts have nothing to migrate.
    """
    known = {file.name[1:5] for file in MIGRATIONS.glob("versions/v*.py")}
    has_table = inspect(connection).has_table("alembic_version")
    applied = set(connection.scalars(text("SELECT version_num FROM alembic_version")) if has_table else ())
    if applied - known:
        raise SchemaError("The database was migrated by a newer version of this program; start that one.")
    return applied == {max(known)}


def _upgrade(connection: Connection) -> None:
    if _is_current(connection):  # it may be by now, after waiting for the lock
        return
    from alembic import command  # noqa: PLC0415 - see `_is_current`
    from alembic.config import Config  # noqa: PLC0415 - the same

    config = Config()
    # Alembic expands % in its options.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
