"""The statements behind `auth.grants.transactions`."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.access.levels import Access
from auth.access.text import read_access, spell_access
from auth.grants.transactions import AuthorizationRequest, Transaction
from auth.protocol import scopes
from auth.protocol.scopes import Scopes
from auth.tables import authorization_transaction as table


@dataclass(frozen=True, slots=True)
class Approval:
    """What approving a sign-in leaves in its row.

    Attributes:
        scopes: What the person allowed.
        access: The levels that the person chose.
        approval_digest: Of the cookie of the browser.
        state_digest: Of the state sent to Calendly.
        verifier_ciphertext: Of the PKCE towards Calendly.
    """

    scopes: Scopes
    access: Access
    approval_digest: str
    state_digest: str
    verifier_ciphertext: bytes = field(repr=False)


def verifier_place(digest: str) -> dict[str, str]:
    """Name the place that the verifier of a sign-in is sealed for."""
    return {"table": table.name, "row": digest, "column": table.c.verifier_ciphertext.name}


async def add(connection: AsyncConnection, transaction: Transaction) -> None:
    """Store a sign-in that begins."""
    request = transaction.request
    await connection.execute(
        insert(table).values(
            digest=transaction.digest,
            browser_digest=transaction.browser_digest,
            client_id=request.client,
            redirect_uri=request.redirect_uri,
            redirect_uri_sent=request.redirect_uri_sent,
            client_state=request.state,
            challenge=request.challenge,
            resource=request.resource,
            scope=scopes.spell(request.scopes),
            expires_at=transaction.expires_at,
            shown_access=spell_access(transaction.shown),
            shown_to=transaction.shown_to,
        )
    )


async def by_form(connection: AsyncConnection, digest: str) -> Transaction | None:
    """Find the sign-in of a consent form by the digest of its secret."""
    row = await _find(connection, table.c.digest == digest)
    return None if row is None else _transaction(row)


async def by_state(connection: AsyncConnection, digest: str) -> tuple[Transaction, bytes] | None:
    """Find the sign-in that Calendly answers by the digest of the state, and the ciphertext of its verifier."""
    row = await _find(connection, table.c.state_digest == digest)
    return None if row is None else (_transaction(row), row.verifier_ciphertext)


async def approve(connection: AsyncConnection, digest: str, approval: Approval) -> bool:
    """Note an approval; an earlier one of the same sign-in is void. False when it ended meanwhile."""
    result = await connection.execute(
        update(table)
        .where(table.c.digest == digest, table.c.ended_at.is_(None))
        .values(
            approved_scope=scopes.spell(approval.scopes),
            approved_access=spell_access(approval.access),
            approval_digest=approval.approval_digest,
            state_digest=approval.state_digest,
            verifier_ciphertext=approval.verifier_ciphertext,
        )
    )
    return result.rowcount == 1


async def end(connection: AsyncConnection, digest: str, now: datetime, *, state_digest: str | None = None) -> bool:
    """End a sign-in; of several that try, one succeeds.

    Args:
        connection: A transaction.
        digest: Which one.
        now: The time.
        state_digest: It must still be this state that Calendly was given.
    """
    conditions = [table.c.digest == digest, table.c.ended_at.is_(None)]
    if state_digest is not None:
        conditions.append(table.c.state_digest == state_digest)
    result = await connection.execute(update(table).where(*conditions).values(ended_at=now, verifier_ciphertext=None))
    return result.rowcount == 1


async def _find(connection: AsyncConnection, condition: ColumnElement[bool]) -> Row[tuple[object, ...]] | None:
    return (await connection.execute(select(table).where(condition))).one_or_none()


def _transaction(row: Row[tuple[object, ...]]) -> Transaction:
    return Transaction(
        digest=row.digest,
        request=AuthorizationRequest(
            client=row.client_id,
            redirect_uri=row.redirect_uri,
            redirect_uri_sent=row.redirect_uri_sent,
            state=row.client_state,
            challenge=row.challenge,
            resource=row.resource,
            scopes=scopes.read(row.scope),
        ),
        browser_digest=row.browser_digest,
        expires_at=row.expires_at,
        shown=read_access(row.shown_access or ""),
        shown_to=row.shown_to,
        approved=None if row.approved_scope is None else scopes.read(row.approved_scope),
        chosen=read_access(row.approved_access or ""),
        approval_digest=row.approval_digest,
        ended=row.ended_at is not None,
    )
