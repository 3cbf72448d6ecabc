"""The row of a connection: read into a value, and changed only as whoever changes it has seen it.

Every change is one conditional UPDATE, the same on SQLite and PostgreSQL, and says whether it found the row as it was.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, RowMapping, Update, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.tables import upstream_connection
from auth.upstream.connection import Connection, RefreshFailure, Status
from auth.upstream.login import Tokens
from storage.database import insert
from storage.keys import KeyRing

_TABLE: Final = upstream_connection
_ACCESS: Final = _TABLE.c.access_token_ciphertext
_REFRESH: Final = _TABLE.c.refresh_token_ciphertext


@dataclass(frozen=True, slots=True)
class StoredConnection:
    """A connection with its tokens, opened when they are needed: `auth.upstream.refresher.Held`.

    Attributes:
        connection: What is known about the tokens.
        keyring: What they are sealed under.
        sealed: Both ciphertexts by column, None once revoked.
    """

    connection: Connection
    keyring: KeyRing = field(repr=False)
    sealed: Mapping[str, bytes | None] = field(repr=False)

    @property
    def access_token(self) -> str:
        """Open the access token. Raises UnreadableSecret."""
        return self._open(_ACCESS.name)

    @property
    def refresh_token(self) -> str:
        """Open the refresh token. Raises UnreadableSecret."""
        return self._open(_REFRESH.name)

    def _open(self, column: str) -> str:
        sealed = self.sealed[column] or b""
        return self.keyring.open(sealed, table=_TABLE.name, row=self.connection.user, column=column).decode()


class ConnectionRows:
    """The table of connections, under one key ring. Every method is part of the caller's transaction."""

    def __init__(self, keyring: KeyRing) -> None:
        self._keyring = keyring

    async def read(
        self, transaction: AsyncConnection, user: str, *, to_change: bool = False
    ) -> StoredConnection | None:
        """Return a user's connection; one read `to_change` stays as it is until the transaction ends."""
        query = select(_TABLE).where(_TABLE.c.user_uri == user)
        found = (await transaction.execute(query.with_for_update() if to_change else query)).mappings().one_or_none()
        if found is None:
            return None
        return StoredConnection(
            _connection(found), self._keyring, {_ACCESS.name: found[_ACCESS], _REFRESH.name: found[_REFRESH]}
        )

    async def create(self, transaction: AsyncConnection, row: Connection, tokens: Tokens) -> None:
        """Write a connection over whatever is there."""
        values = {**_values(row), **self._sealed(row.user, tokens)}
        statement = insert(transaction, _TABLE).values(user_uri=row.user, **values)
        await transaction.execute(statement.on_conflict_do_update(index_elements=["user_uri"], set_=values))

    async def claim(self, transaction: AsyncConnection, seen: Connection, claimed: Connection) -> bool:
        """Take the lease over from the holder that was seen, who may be nobody."""
        changed = _of(seen, _TABLE.c.lease_holder.is_not_distinct_from(seen.lease_holder)).values(
            lease_holder=claimed.lease_holder, lease_until=claimed.lease_until
        )
        return await _is_done(transaction, changed)

    async def replace(self, transaction: AsyncConnection, seen: Connection, row: Connection, tokens: Tokens) -> bool:
        """Write new tokens over the generation that was seen, whoever holds the lease by now.

        These tokens are proof that the connection lives, should anybody have thought otherwise meanwhile.
        """
        changed = _of(seen, _TABLE.c.status != Status.REVOKED).values(**_values(row), **self._sealed(row.user, tokens))
        return await _is_done(transaction, changed)

    async def fail(self, transaction: AsyncConnection, claimed: Connection, row: Connection) -> bool:
        """Write what became of a refresh without tokens, unless the lease was taken over meanwhile."""
        return await _is_done(
            transaction, _of(claimed, _TABLE.c.lease_holder == claimed.lease_holder).values(**_values(row))
        )

    async def revoke(self, transaction: AsyncConnection, row: Connection) -> None:
        """Write a revoked connection, which keeps no tokens."""
        values = {**_values(row), _ACCESS.name: None, _REFRESH.name: None}
        await transaction.execute(update(_TABLE).where(_TABLE.c.user_uri == row.user).values(**values))

    def _sealed(self, user: str, tokens: Tokens) -> dict[str, bytes]:
        texts = {_ACCESS.name: tokens.access_token, _REFRESH.name: tokens.refresh_token}
        return {
            column: self._keyring.seal(text.encode(), table=_TABLE.name, row=user, column=column)
            for column, text in texts.items()
        }


def _of(seen: Connection, condition: ColumnElement[bool]) -> Update:
    """Begin to change a connection whose tokens are those that were seen."""
    return update(_TABLE).where(_TABLE.c.user_uri == seen.user, _TABLE.c.generation == seen.generation, condition)


async def _is_done(transaction: AsyncConnection, changed: Update) -> bool:
    return (await transaction.execute(changed)).rowcount == 1


def _values(row: Connection) -> dict[str, Any]:
    return {
        "generation": row.generation,
        "expires_at": row.expires_at,
        "renewed_at": row.issued_at,
        "scope": None if row.scopes is None else _spell(row.scopes),
        "narrowed": _spell(row.narrowed),
        "status": row.status,
        "lease_holder": row.lease_holder,
        "lease_until": row.lease_until,
        "retry_at": row.retry_at,
        "failure": row.failure,
    }


def _connection(found: RowMapping | Mapping[str, Any]) -> Connection:
    scope, failure = found["scope"], found["failure"]
    return Connection(
        user=found["user_uri"],
        generation=found["generation"],
        status=Status(found["status"]),
        expires_at=found["expires_at"],
        issued_at=found["renewed_at"],
        scopes=None if scope is None else frozenset(scope.split()),
        narrowed=frozenset(found["narrowed"].split()),
        lease_holder=found["lease_holder"],
        lease_until=found["lease_until"],
        retry_at=found["retry_at"],
        failure=None if failure is None else RefreshFailure(failure),
    )


def _spell(scopes: frozenset[str]) -> str:
    """Write scopes as they are stored. Calendly may grant some that we do not know yet, so any order will do."""
    return " ".join(sorted(scopes))
