"""Looking up one row in PostgreSQL: see `storage.lookups`. Loaded only where there is PostgreSQL."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final, Protocol, Self

import anyio
from sqlalchemy import Dialect

from storage.lookups import Fields, Lookup, LookUpFailed, Values

_asyncpg: Final[Any] = import_module("asyncpg")  # it has no types


class _Record(Protocol):
    def values(self) -> Sequence[Any]: ...


class _Pool(Protocol):
    async def fetchrow(self, query: str, *arguments: str) -> _Record | None: ...

    def terminate(self) -> None: ...


@dataclass(frozen=True, slots=True)
class PostgreSQLFinder:
    """Asks through a pool of asyncpg's own: a checkout of SQLAlchemy's takes longer than the statement."""

    pool: _Pool
    dialect: Dialect
    patience: float

    @classmethod
    async def open(cls, session: Mapping[str, Any], dialect: Dialect, *, connections: int, patience: float) -> Self:
        """Make the pool; it connects when it is first used.

        Args:
            session: How asyncpg connects.
            dialect: SQLAlchemy's.
            connections: How many there may be.
            patience: How long to wait for an answer, in seconds.
        """
        pool = _asyncpg.create_pool(min_size=0, max_size=connections, reset=_keep, timeout=patience, **session)
        return cls(await pool, dialect, patience)

    async def find(self, lookup: Lookup, values: Values) -> Fields | None:
        """Return the row, None when there is none. Raises LookUpFailed, and TimeoutError after `patience`."""
        compiled = lookup.compiled(self.dialect)
        row = None
        with anyio.CancelScope(shield=True):  # a cancellation would take a connection of its own
            row = await self._fetch(compiled.sql, compiled.arguments(values))
        return None if row is None else compiled.fields(row.values())

    async def close(self) -> None:
        """Close the pool at once: nobody waits for what is still looked up."""
        self.pool.terminate()

    async def _fetch(self, sql: str, arguments: Sequence[str]) -> _Record | None:
        try:
            async with asyncio.timeout(self.patience):
                return await self.pool.fetchrow(sql, *arguments)
        except TimeoutError:
            raise
        except (_asyncpg.PostgresError, _asyncpg.InterfaceError, OSError) as fault:
            raise LookUpFailed from fault


async def _keep(_connection: object) -> None:
    """Leave a connection as it is: resetting one that only reads would be a round trip for each look-up."""
