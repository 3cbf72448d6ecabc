"""The row of a connection: read into a value, and changed only as whoever changes it has seen it.

Every change is one conditional UPDATE, the same on SQLite and PostgreSQL, and says whether it found the row as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Update, bindparam, select, update

from auth.tables import upstream_connection
from auth.upstream.connection import Connection, RefreshFailure, Status
from auth.upstream.login import Tokens
from storage.connection import DatabaseConnection
from storage.database import insert
from storage.keys import KeyRing
from storage.lookups import Fields, Lookup
from storage.rows import part, values
from storage.types import sealed_for

_TABLE: Final = upstream_connection
_ACCESS: Final = _TABLE.c.access_token_ciphertext
_REFRESH: Final = _TABLE.c.refresh_token_ciphertext

COLUMNS: Final = tuple(column.label(f"connection_{column.key}") for column in _TABLE.c)
"""A whole connection, in any statement that has its table: `stored_connection` reads them."""

_BY_USER: Final = select(*COLUMNS).where(_TABLE.c.user == bindparam("user"))

OF_USER: Final = Lookup(_BY_USER)
"""The connection of a `user`."""


@dataclass(frozen=True, slots=True)
class StoredConnection:
    """A connection with its tokens, opened when they are needed: `auth.upstream.refresher.Held`.

    Attributes:
        connection: What is known about the tokens.
        keyring: What they are sealed under.
        sealed: Its row, in which both tokens are ciphertext, and None once revoked.
    """

    connection: Connection
    keyring: KeyRing = field(repr=False)
    sealed: Mapping[str, Any] = field(repr=False)

    @property
    def access_token(self) -> str:
        """Open the access token. Raises UnreadableSecret."""
        return self._open(_ACCESS)

    @property
    def refresh_token(self) -> str:
        """Open the refresh token. Raises UnreadableSecret."""
        return self._open(_REFRESH)

    def _open(self, column: Column[Any]) -> str:
        return self.keyring.open(self.sealed[column.key] or b"", **sealed_for(column, self.connection.user)).decode()


def stored_connection(row: Fields | None, keyring: KeyRing) -> StoredConnection | None:
    """Read `COLUMNS`; None without a row, or where an outer join found no connection."""
    if row is None or row["connection_user"] is None:
        return None
    found = {column.key: row[f"connection_{column.key}"] for column in _TABLE.c}
    failure = None if found["failure"] is None else RefreshFailure(found["failure"])
    connection = part(Connection, {**found, "status": Status(found["status"]), "failure": failure})
    return StoredConnection(connection, keyring, found)


class ConnectionRows:
    """The table of connections, under one key ring. Every method is part of the caller's transaction."""

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring

    async def read(
        self, transaction: DatabaseConnection, user: str, *, to_change: bool = False
    ) -> StoredConnection | None:
        """Return a user's connection; one read `to_change` stays as it is until the transaction ends."""
        query = _BY_USER.with_for_update() if to_change else _BY_USER
        row = (await transaction.execute(query, {"user": user})).mappings().one_or_none()
        return stored_connection(row, self._keyring)

    async def create(self, transaction: DatabaseConnection, row: Connection, tokens: Tokens) -> None:
        """Write a connection over whatever is there."""
        written = {**values(row, _TABLE), **self._sealed(row.user, tokens)}
        statement = insert(transaction, _TABLE).values(written)
        await transaction.execute(statement.on_conflict_do_update(index_elements=[_TABLE.c.user], set_=written))

    async def claim(self, transaction: DatabaseConnection, seen: Connection, claimed: Connection) -> bool:
        """Take the lease over from the holder that was seen, who may be nobody."""
        changed = _of(seen, _TABLE.c.lease_holder.is_not_distinct_from(seen.lease_holder)).values(
            lease_holder=claimed.lease_holder, lease_until=claimed.lease_until
        )
        return await _is_done(transaction, changed)

    async def replace(self, transaction: DatabaseConnection, seen: Connection, row: Connection, tokens: Tokens) -> bool:
        """Write new tokens over the generation that was seen, whoever holds the lease by now.

        These tokens are proof that the connection lives, should anybody have thought otherwise meanwhile.
        """
        changed = _of(seen, _TABLE.c.status != Status.REVOKED).values(
            **values(row, _TABLE), **self._sealed(row.user, tokens)
        )
        return await _is_done(transaction, changed)

    async def fail(self, transaction: DatabaseConnection, claimed: Connection, row: Connection) -> bool:
        """Write what became of a refresh without tokens, unless the lease was taken over meanwhile."""
        return await _is_done(
            transaction, _of(claimed, _TABLE.c.lease_holder == claimed.lease_holder).values(**values(row, _TABLE))
        )

    async def revoke(self, transaction: DatabaseConnection, row: Connection) -> None:
        """Write a revoked connection, which keeps no tokens."""
        written = {**values(row, _TABLE), _ACCESS.name: None, _REFRESH.name: None}
        await transaction.execute(update(_TABLE).where(_TABLE.c.user == row.user).values(**written))

    def _sealed(self, user: str, tokens: Tokens) -> dict[str, bytes]:
        texts = ((_ACCESS, tokens.access_token), (_REFRESH, tokens.refresh_token))
        return {column.name: self._keyring.seal(text.encode(), **sealed_for(column, user)) for column, text in texts}


def _of(seen: Connection, condition: ColumnElement[bool]) -> Update:
    """Begin to change a connection whose tokens are those that were seen."""
    return update(_TABLE).where(_TABLE.c.user == seen.user, _TABLE.c.generation == seen.generation, condition)


async def _is_done(transaction: DatabaseConnection, changed: Update) -> bool:
    return (await transaction.execute(changed)).rowcount == 1
