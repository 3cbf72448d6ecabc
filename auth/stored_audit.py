"""The statements behind the record: its secret, its chains, what is found in it, and what is cleared out.

Each process writes one chain of its own. Whoever begins a chain or clears out entries holds the register meanwhile.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Row, Select, and_, delete, exists, func, select, true, update
from sqlalchemy import insert as plain_insert
from sqlalchemy.ext.asyncio import AsyncConnection

from auth.audit import (
    KEY_BYTES,
    Chain,
    Entry,
    Keys,
    Link,
    Register,
    Tip,
    extend,
    read,
    seal_base,
    seal_register,
    seal_tip,
)
from auth.tables import audit_chain as chain_table
from auth.tables import audit_entry as table
from auth.tables import audit_register as register_table
from storage.database import insert
from storage.keys import KeyRing

_ROW: Final = "record"
"""The key of the register's one row."""

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class OwnChain:
    """The chain that this process writes, as it remembers it."""

    id: str
    number: int
    tip: Tip


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """Which entries are wanted. What is None narrows nothing.

    Attributes:
        people: Whose, as their persons may be recorded: hashed or as they are.
        grant: Of which grant.
        action: Of which tool, or which decision outside of calls.
        since: From this time on.
        until: Before this time.
    """

    people: Sequence[str] | None = None
    grant: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def open_keys(connection: AsyncConnection, ring: KeyRing, random: Callable[[int], bytes]) -> Keys:
    """Return the keys of the record, made when there are none. Raises UnreadableSecret."""
    place = {"table": register_table.name, "row": _ROW, "column": register_table.c.secret_ciphertext.name}
    secret = random(KEY_BYTES)
    fresh = insert(connection, register_table).values(
        id=_ROW,
        secret_ciphertext=ring.seal(secret, **place),
        first=1,
        following=1,
        seal=seal_register(Keys.of(secret), 1, 1),
    )
    await connection.execute(fresh.on_conflict_do_nothing())
    sealed = await connection.scalar(select(register_table.c.secret_ciphertext))
    return Keys.of(ring.open(sealed, **place))


async def begin_chain(connection: AsyncConnection, keys: Keys, chain: str) -> OwnChain:
    """Begin a chain and enter it in the register."""
    register = await _hold_register(connection)
    number, tip = register.following, Tip()
    await connection.execute(
        plain_insert(chain_table).values(
            id=chain,
            number=number,
            base_sequence=tip.sequence,
            base_mac=tip.mac,
            base_seal=seal_base(keys, chain, number, tip),
            tip_sequence=tip.sequence,
            tip_mac=tip.mac,
            tip_seal=seal_tip(keys, chain, number, tip),
        )
    )
    await _write_register(connection, keys, register.first, number + 1)
    return OwnChain(chain, number, tip)


async def append(connection: AsyncConnection, keys: Keys, own: OwnChain, entries: Sequence[Entry]) -> OwnChain | None:
    """Continue a chain; None when it is gone, because all of it was cleared out meanwhile."""
    links, tip = extend(keys, own.id, own.tip, entries)
    moved = update(chain_table).where(chain_table.c.id == own.id)
    moved = moved.values(
        tip_sequence=tip.sequence, tip_mac=tip.mac, tip_seal=seal_tip(keys, own.id, own.number, tip)
    ).returning(chain_table.c.id)
    if (await connection.execute(moved)).first() is None:
        return None
    rows = [
        {"chain_id": link.chain, "sequence": link.sequence, "entry": link.text, "mac": link.mac, **link.found_by}
        for link in links
    ]
    await connection.execute(plain_insert(table), rows)
    return OwnChain(own.id, own.number, tip)


async def recent(
    connection: AsyncConnection, sought: Sought, limit: int, *, after: tuple[datetime, str] | None = None
) -> list[Entry]:
    """Find entries, the newest first. A call that is over is found once, by its end.

    Args:
        connection: To the database.
        sought: Which.
        limit: How many at most.
        after: Time and request id of the last one of the page before.
    """
    query: Select[tuple[str]] = select(table.c.entry).where(*_conditions(sought))
    if after is not None:
        at, request_id = after
        query = query.where((table.c.at < at) | ((table.c.at == at) & (table.c.request_id < request_id)))
    query = query.order_by(table.c.at.desc(), table.c.request_id.desc()).limit(limit)
    return [read(text) for text in (await connection.execute(query)).scalars()]


async def read_chains(connection: AsyncConnection) -> tuple[Register | None, list[Chain]]:
    """Read the register and all chains as they are at one moment; None where there is no register."""
    query = select(
        register_table.c.first, register_table.c.following, register_table.c.seal, *chain_table.c
    ).select_from(register_table.outerjoin(chain_table, true()))
    rows = (await connection.execute(query.order_by(chain_table.c.number))).all()
    register = Register(rows[0].first, rows[0].following, rows[0].seal) if rows else None
    return register, [_chain(row) for row in rows if row.id is not None]


async def read_chain(connection: AsyncConnection, chain: str) -> Chain | None:
    """Read the row of one chain."""
    row = (await connection.execute(select(*chain_table.c).where(chain_table.c.id == chain))).one_or_none()
    return None if row is None else _chain(row)


async def read_links(connection: AsyncConnection, chain: str, after: int, limit: int = _PAGE) -> list[Link]:
    """Read what is stored of a chain after a place, in its order."""
    query = select(*table.c).where(table.c.chain_id == chain, table.c.sequence > after)
    rows = await connection.execute(query.order_by(table.c.sequence).limit(limit))
    return [_link(row) for row in rows]


async def count_strays(connection: AsyncConnection) -> int:
    """Count the entries that no chain has: of none, or of before where it begins."""
    of_chain = exists().where(chain_table.c.id == table.c.chain_id, chain_table.c.base_sequence < table.c.sequence)
    found: int | None = await connection.scalar(select(func.count()).select_from(table).where(~of_chain))
    return found or 0


async def is_empty(connection: AsyncConnection) -> bool:
    """Say whether there is neither an entry nor a chain."""
    found = select(exists().select_from(table) | exists().select_from(chain_table))
    return not await connection.scalar(found)


async def clear_out(connection: AsyncConnection, keys: Keys, before: datetime, limit: int = _PAGE) -> bool:
    """Delete entries of before a time from the front of a chain, and chains of which nothing is left.

    Returns:
        Whether there may be more: a transaction does a part of it.
    """
    register = await _hold_register(connection)
    old = select(table.c.chain_id).where(table.c.at < before)
    front = and_(
        table.c.chain_id == chain_table.c.id, table.c.sequence == chain_table.c.base_sequence + 1, table.c.at < before
    )
    held = select(*chain_table.c).where(chain_table.c.id.in_(old), exists().where(front))
    row = (await connection.execute(held.order_by(chain_table.c.number).limit(1).with_for_update())).one_or_none()
    if row is not None:
        await _advance(connection, keys, _chain(row), before, limit)
        return True
    await _drop_empty(connection, keys, register)
    return False


async def _advance(connection: AsyncConnection, keys: Keys, chain: Chain, before: datetime, limit: int) -> None:
    """Move the beginning of a chain over the entries of before a time that stand in front."""
    of_chain = table.c.chain_id == chain.id
    query = select(table.c.sequence, table.c.mac, table.c.at).where(of_chain, table.c.sequence > chain.base.sequence)
    base = chain.base
    for row in await connection.execute(query.order_by(table.c.sequence).limit(limit)):
        if row.at >= before:
            break
        base = Tip(row.sequence, row.mac)
    await connection.execute(delete(table).where(of_chain, table.c.sequence <= base.sequence))
    moved = {
        "base_sequence": base.sequence,
        "base_mac": base.mac,
        "base_seal": seal_base(keys, chain.id, chain.number, base),
    }
    await connection.execute(update(chain_table).where(chain_table.c.id == chain.id).values(moved))


async def _drop_empty(connection: AsyncConnection, keys: Keys, register: Register) -> None:
    """Delete the first chains as long as nothing is left of them; a process that still writes one begins another."""
    query = select(*chain_table.c).order_by(chain_table.c.number).limit(_PAGE).with_for_update()
    first = register.first
    for chain in map(_chain, (await connection.execute(query)).all()):
        if chain.number != first or chain.base != chain.tip or chain.tip.sequence == 0:
            break
        await connection.execute(delete(chain_table).where(chain_table.c.id == chain.id))
        first += 1
    if first != register.first:
        await _write_register(connection, keys, first, register.following)


async def _hold_register(connection: AsyncConnection) -> Register:
    query = select(register_table.c.first, register_table.c.following, register_table.c.seal).with_for_update()
    row = (await connection.execute(query)).one()
    return Register(row.first, row.following, row.seal)


async def _write_register(connection: AsyncConnection, keys: Keys, first: int, following: int) -> None:
    seal = seal_register(keys, first, following)
    await connection.execute(update(register_table).values(first=first, following=following, seal=seal))


def _conditions(sought: Sought) -> list[ColumnElement[bool]]:
    """What narrows a search; always, that a call which is over is not found by its beginning too."""
    end = table.alias()
    is_over = exists().where(end.c.request_id == table.c.request_id, end.c.kind == "ended")
    conditions = [~and_(table.c.kind == "begun", is_over)]
    if sought.people is not None:
        conditions.append(table.c.person.in_(sought.people))
    if sought.grant is not None:
        conditions.append(table.c.grant_id == sought.grant)
    if sought.action is not None:
        conditions.append(table.c.action == sought.action)
    if sought.since is not None:
        conditions.append(table.c.at >= sought.since)
    if sought.until is not None:
        conditions.append(table.c.at < sought.until)
    return conditions


def _chain(row: Row[tuple[object, ...]]) -> Chain:
    return Chain(
        id=row.id,
        number=row.number,
        base=Tip(row.base_sequence, row.base_mac),
        base_seal=row.base_seal,
        tip=Tip(row.tip_sequence, row.tip_mac),
        tip_seal=row.tip_seal,
    )


def _link(row: Row[tuple[object, ...]]) -> Link:
    copied = {name: getattr(row, name) for name in ("at", "kind", "request_id", "person", "grant_id", "action")}
    return Link(row.chain_id, row.sequence, row.entry, copied, row.mac)
