"""The statements behind the audit log: on its register, its chains and its entries.

Each process writes one chain of its own. Beginning a chain and clearing out entries lock the
register.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import (
    ColumnElement,
    and_,
    delete,
    exists,
    func,
    literal,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy import insert as plain_insert

from auth.audit.chain import (
    KEY_BYTES,
    Chain,
    Keys,
    Link,
    Register,
    Tip,
    extend,
    follow,
    is_base_sealed,
    is_sealed,
    seal_base,
    seal_register,
    seal_tip,
)
from auth.audit.entries import AuditEntry, read
from auth.tables import audit_chain as chain_table
from auth.tables import audit_entry as table
from auth.tables import audit_register as register_table
from storage.connection import DatabaseConnection
from storage.database import insert
from storage.keys import KeyRing
from storage.rows import columns, find_all, find_one, part, values
from storage.types import Instant, sealed_for

_ROW: Final = "record"
"""The key of the register's one row."""

_BROKEN: Final = "broken"
"""A seal that never matches."""

_PAGE: Final = 500

_CHAINS: Final = select(*columns(Chain, chain_table))


@dataclass(frozen=True, slots=True)
class OwnChain:
    """The chain that this process writes."""

    id: str
    number: int
    tip: Tip


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFilter:
    """Which entries to find. A field that is None does not filter.

    Attributes:
        people: Of these persons, as entries name them: hashed or in clear.
        grant: Of which grant.
        action: Of this tool, or this decision outside of calls.
        chain: In the chain of this number.
        entry: At this place of its chain.
        since: From this time on.
        until: Before this time.
    """

    people: Sequence[str] | None = None
    grant: str | None = None
    action: str | None = None
    chain: int | None = None
    entry: int | None = None
    since: datetime | None = None
    until: datetime | None = None


async def open_keys(connection: DatabaseConnection, ring: KeyRing, random: Callable[[int], bytes]) -> Keys:
    """Return the keys of the audit log; makes them when there are none. Raises UnreadableSecret."""
    place = sealed_for(register_table.c.secret_ciphertext, _ROW)
    secret = random(KEY_BYTES)
    # If somebody deleted the register, numbering goes on after the chains it had, which no longer
    # verify.
    following = 1 + (await connection.scalar(select(func.max(chain_table.c.number))) or 0)
    fresh = insert(connection, register_table).values(
        id=_ROW,
        secret_ciphertext=ring.seal(secret, **place),
        first=1,
        following=following,
        seal=seal_register(Keys.of(secret), 1, following),
    )
    await connection.execute(fresh.on_conflict_do_nothing())
    sealed = (await connection.execute(select(register_table.c.secret_ciphertext))).scalar_one()
    return Keys.of(ring.open(sealed, **place))


async def begin_chain(connection: DatabaseConnection, keys: Keys, chain: str) -> OwnChain:
    """Begin a chain and add it to the register."""
    register = await _hold_register(connection)
    number, tip = register.following, Tip()
    base_seal, tip_seal = seal_base(keys, chain, number, tip), seal_tip(keys, chain, number, tip)
    begun = Chain(chain, number, tip.sequence, tip.mac, base_seal, tip.sequence, tip.mac, tip_seal)
    await connection.execute(plain_insert(chain_table).values(values(begun, chain_table)))
    await _write_register(connection, keys, register, replace(register, following=number + 1))
    return OwnChain(chain, number, tip)


async def append(
    connection: DatabaseConnection, keys: Keys, own: OwnChain, entries: Sequence[AuditEntry]
) -> OwnChain | None:
    """Append to a chain. None when the chain is gone, because all of it was cleared out."""
    links, tip = extend(keys, own.id, own.tip, entries)
    moved = update(chain_table).where(chain_table.c.id == own.id)
    moved = moved.values(
        tip_sequence=tip.sequence, tip_mac=tip.mac, tip_seal=seal_tip(keys, own.id, own.number, tip)
    ).returning(chain_table.c.id)
    if (await connection.execute(moved)).first() is None:
        return None
    await connection.execute(plain_insert(table), [values(link, table) for link in links])
    return OwnChain(own.id, own.number, tip)


async def find(
    connection: DatabaseConnection,
    wanted: EntryFilter,
    limit: int,
    *,
    after: AuditEntry | None = None,
    oldest_first: bool = False,
) -> list[AuditEntry]:
    """Find entries in the order of their times. A finished call is found once, by its end.

    Args:
        connection: To the database.
        wanted: Which.
        limit: How many at most.
        after: The last entry of the page before.
        oldest_first: Begin with the oldest instead of the newest.
    """
    order = tuple_(table.c.at, table.c.request_id)
    query = select(table.c.entry, table.c.at, table.c.request_id).where(*_conditions(wanted))
    if after is not None:
        last = tuple_(literal(after.time, Instant), literal(after.request_id))
        query = query.where(order > last if oldest_first else order < last)
    ordered = [column.asc() if oldest_first else column.desc() for column in (table.c.at, table.c.request_id)]
    query = query.order_by(*ordered).limit(limit)
    return [_readable(*row) for row in await connection.execute(query)]


def _readable(text: str, at: datetime, request_id: str) -> AuditEntry:
    """Return a stored entry, or what stands in the place of one that somebody made unreadable."""
    try:
        return read(text)
    except ValueError:
        told = "this entry was changed so that it cannot be read (`calendly-mcp audit verify`)"
        return AuditEntry(time=at, kind="note", request_id=request_id, action="unreadable", sentence=told)


async def find_actions(connection: DatabaseConnection) -> set[str]:
    """Find the tools and the other actions that entries are about."""
    return set((await connection.execute(select(table.c.action).distinct())).scalars())


async def read_chains(connection: DatabaseConnection) -> tuple[Register | None, list[Chain]]:
    """Read the register, None where there is none, and all chains in one statement."""
    query = select(*columns(Register, register_table), *columns(Chain, chain_table))
    query = query.select_from(register_table.outerjoin(chain_table, true())).order_by(chain_table.c.number)
    rows = (await connection.execute(query)).mappings().all()
    chains = [part(Chain, row) for row in rows if row["id"] is not None]
    return (part(Register, rows[0]) if rows else None), chains


async def read_chain(connection: DatabaseConnection, chain: str) -> Chain | None:
    """Read the row of one chain."""
    return await find_one(connection, Chain, _CHAINS.where(chain_table.c.id == chain))


async def read_links(connection: DatabaseConnection, chain: str, after: int, limit: int = _PAGE) -> list[Link]:
    """Read the entries of a chain after a place, in order."""
    query = select(*columns(Link, table)).where(table.c.chain_id == chain, table.c.sequence > after)
    return await find_all(connection, Link, query.order_by(table.c.sequence).limit(limit))


async def count_strays(connection: DatabaseConnection) -> int:
    """Count the entries that belong to no chain, or come before its base."""
    of_chain = exists().where(chain_table.c.id == table.c.chain_id, chain_table.c.base_sequence < table.c.sequence)
    found: int | None = await connection.scalar(select(func.count()).select_from(table).where(~of_chain))
    return found or 0


async def count(connection: DatabaseConnection) -> tuple[int, int]:
    """Count entries and chains."""
    entries = await connection.scalar(select(func.count()).select_from(table))
    chains = await connection.scalar(select(func.count()).select_from(chain_table))
    return entries or 0, chains or 0


async def chains_before(connection: DatabaseConnection, before: datetime) -> list[str]:
    """Find the chains whose first entry is older than a time."""
    front = and_(
        table.c.chain_id == chain_table.c.id, table.c.sequence == chain_table.c.base_sequence + 1, table.c.at < before
    )
    query = select(chain_table.c.id).where(exists().where(front)).order_by(chain_table.c.number)
    return list((await connection.execute(query)).scalars())


async def clear_out(
    connection: DatabaseConnection, keys: Keys, chain: str, before: datetime, limit: int = _PAGE
) -> bool:
    """Delete entries older than a time from the front of a chain.

    A chain that was tampered with stays as it is, so that the traces remain.

    Returns:
        Whether more may be left: one transaction deletes one page.
    """
    await _hold_register(connection)
    held = await find_one(connection, Chain, _CHAINS.where(chain_table.c.id == chain).with_for_update())
    if held is None or not is_base_sealed(keys, held):
        return False
    base = held.base
    for link in await read_links(connection, chain, base.sequence, limit):
        tip, faults = follow(keys, held, base, [link])
        if faults or read(link.entry).time >= before:
            break
        base = tip
    if base == held.base:
        return False
    await connection.execute(delete(table).where(table.c.chain_id == chain, table.c.sequence <= base.sequence))
    seal = seal_base(keys, chain, held.number, base)
    moved = update(chain_table).where(chain_table.c.id == chain)
    await connection.execute(moved.values(base_sequence=base.sequence, base_mac=base.mac, base_seal=seal))
    return True


async def drop_empty(connection: DatabaseConnection, keys: Keys) -> None:
    """Delete the first chains that are empty. A process that still writes one begins another."""
    register = await _hold_register(connection)
    query = _CHAINS.order_by(chain_table.c.number).limit(_PAGE).with_for_update()
    first = register.first
    for chain in await find_all(connection, Chain, query):
        if chain.number != first or chain.base != chain.tip or not is_base_sealed(keys, chain):
            break
        await connection.execute(delete(chain_table).where(chain_table.c.id == chain.id))
        first += 1
    if first != register.first:
        await _write_register(connection, keys, register, replace(register, first=first))


async def _hold_register(connection: DatabaseConnection) -> Register:
    query = select(*columns(Register, register_table)).with_for_update()
    return part(Register, (await connection.execute(query)).mappings().one())


async def _write_register(connection: DatabaseConnection, keys: Keys, old: Register, new: Register) -> None:
    """Change the register. If it was tampered with, its seal stays broken."""
    seal = seal_register(keys, new.first, new.following) if is_sealed(keys, old) else _BROKEN
    await connection.execute(update(register_table).values(first=new.first, following=new.following, seal=seal))


def _conditions(wanted: EntryFilter) -> list[ColumnElement[bool]]:
    """Return the conditions of a search. A finished call is found by its end alone, unless one place is asked for."""
    end = table.alias()
    is_over = exists().where(end.c.request_id == table.c.request_id, end.c.kind == "ended")
    equal = ((table.c.grant_id, wanted.grant), (table.c.action, wanted.action), (table.c.sequence, wanted.entry))
    conditions = [column == value for column, value in equal if value is not None]
    if wanted.entry is None:
        conditions.append(~and_(table.c.kind == "begun", is_over))
    if wanted.people is not None:
        conditions.append(table.c.person.in_(wanted.people))
    if wanted.chain is not None:
        conditions.append(table.c.chain_id.in_(select(chain_table.c.id).where(chain_table.c.number == wanted.chain)))
    if wanted.since is not None:
        conditions.append(table.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(table.c.at < wanted.until)
    return conditions
