"""Looking up one row by its key, as every call does first: the shortest way to either database.

SQLite is read on the event loop's own thread: handing a statement to another thread takes fifty
times as long as the statement. PostgreSQL is asked through asyncpg itself
(`storage.postgresql_lookups`). Both see what is committed when the statement starts. What fails here
is left to `Database.read`, which waits longer and says what is wrong.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Self

from sqlalchemy import Dialect, Select

from storage.sqlite import DatabaseFile

Fields = Mapping[Any, Any]
"""A row, by the names of its columns."""

Values = Mapping[str, str]
"""What the parameters of a statement stand for."""


class LookUpFailed(Exception):
    """The row could not be looked up this way, for whatever reason."""


class Finder(Protocol):
    """The short way to one database."""

    async def find(self, lookup: "Lookup", values: Values) -> Fields | None:
        """Return the row, None when there is none. Raises LookUpFailed, and TimeoutError."""
        ...

    async def close(self) -> None:
        """Close what it reads through."""
        ...


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in the words of one database."""

    sql: str
    parameters: tuple[str, ...]
    decoders: tuple[tuple[str, Callable[[Any], Any] | None], ...]

    def arguments(self, values: Values) -> list[str]:
        return [values[name] for name in self.parameters]

    def fields(self, row: Iterable[Any]) -> Fields:
        pairs = zip(self.decoders, row, strict=True)
        return {name: decode(value) if decode else value for (name, decode), value in pairs}


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A SELECT that finds at most one row, by texts that are bound by name. It is compiled once."""

    statement: Select[*tuple[Any, ...]]
    _compiled: dict[str, _Compiled] = field(default_factory=dict[str, _Compiled])

    def compiled(self, dialect: Dialect) -> _Compiled:
        """Return the statement as a driver takes it."""
        known = self._compiled.get(dialect.name)
        if known is None:
            compiled = self.statement.compile(dialect=dialect)
            columns = self.statement.selected_columns
            decoders = ((str(column.key), column.type.result_processor(dialect, None)) for column in columns)
            known = _Compiled(str(compiled), tuple(compiled.positiontup or ()), tuple(decoders))
            self._compiled[dialect.name] = known
        return known


@dataclass(frozen=True, slots=True)
class SQLiteFinder:
    """Reads a file on the thread of whoever asks. A file that is locked is not waited for."""

    file: DatabaseFile
    connection: sqlite3.Connection
    dialect: Dialect

    @classmethod
    def open(cls, file: DatabaseFile, dialect: Dialect) -> Self:
        """Open a file that is there."""
        connection = sqlite3.connect(file.path, timeout=0, isolation_level=None)
        connection.execute("PRAGMA query_only = ON")
        return cls(file, connection, dialect)

    async def find(self, lookup: Lookup, values: Values) -> Fields | None:
        """Return the row, None when there is none. Raises LookUpFailed."""
        compiled = lookup.compiled(self.dialect)
        try:
            self.file.check()
            rows = self.connection.execute(compiled.sql, compiled.arguments(values)).fetchall()
        except (sqlite3.Error, OSError) as fault:
            raise LookUpFailed from fault
        return compiled.fields(rows[0]) if rows else None

    async def close(self) -> None:
        """Close the connection."""
        self.connection.close()
