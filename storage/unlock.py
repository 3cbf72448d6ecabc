"""Loads the key ring at the start, and proves that it opens what is stored."""

import os
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import select

from storage.connection import DatabaseConnection
from storage.database import Database, insert
from storage.errors import KeyRingError, UnreadableSecret
from storage.keys import Key, KeyRing, RandomBytes
from storage.private_files import is_open_to_others, write_private
from storage.tables import key_fingerprint

PROOF: Final = b"This key ring is the one."


async def unlock(database: Database, keys: str | None, *, now: datetime, random: RandomBytes = os.urandom) -> KeyRing:
    """Return the key ring of a migrated database.

    `keys` is the configured ring. Without one, a SQLite file has its ring in a file of its own
    beside it (`PATH.keys`, made at the first start) and a database in memory gets a ring that ends
    with it. Raises KeyRingError when the ring is malformed, missing or another one, and
    StorageUnavailable.
    """
    # SQLite has one writer at a time, so two processes that start together make one key file. On
    # PostgreSQL, which has no key file, the second waits at the INSERT for the first.
    async with database.begin() as connection:
        ring = KeyRing.parse(keys, random=random) if keys is not None else await _own_ring(database, connection, random)
        proof = ring.seal(PROOF, table=key_fingerprint.name, row=ring.first, column="proof")
        row = insert(connection, key_fingerprint).values(key_id=ring.first, proof=proof, created_at=now)
        await connection.execute(row.on_conflict_do_nothing())
        await _prove(connection, ring)
    return ring


async def _prove(connection: DatabaseConnection, ring: KeyRing) -> None:
    for key_id, proof in await connection.execute(select(key_fingerprint.c.key_id, key_fingerprint.c.proof)):
        if key_id not in ring:
            raise KeyRingError(f"Stored secrets are sealed under the key {key_id}, and the key ring lacks it.")
        try:
            ring.open(proof, table=key_fingerprint.name, row=key_id, column="proof")
        except UnreadableSecret:
            raise KeyRingError(f"The key {key_id} is not the one that stored secrets are sealed under.") from None


async def _own_ring(database: Database, connection: DatabaseConnection, random: RandomBytes) -> KeyRing:
    """Read or make the key ring of a SQLite database without a configured one."""
    if connection.dialect.name == "postgresql":
        raise KeyRingError("With PostgreSQL the key ring must be configured: CALENDLY_MCP_SECRET_KEYS=id:base64.")
    file = database.engines.file
    if file is None:
        return KeyRing([_new_key(random)], random=random)
    path = file.path
    is_new = (await connection.execute(select(key_fingerprint.c.key_id))).first() is None
    return KeyRing.parse(_key_file(path.with_name(f"{path.name}.keys"), random, make=is_new), random=random)


def _new_key(random: RandomBytes) -> Key:
    return Key.generate(f"k{random(4).hex()}", random)


def _key_file(path: Path, random: RandomBytes, *, make: bool) -> str:
    """Read the key file; `make` it when it is missing. Raises KeyRingError and OSError."""
    if not path.exists():
        if not make:
            raise KeyRingError(f"The key file {path} is missing: without it the stored secrets cannot be read.")
        write_private(path, f"{_new_key(random)}\n".encode())
    if is_open_to_others(path):
        raise KeyRingError(
            f"The key file {path} is open to others: chmod 600 it, and renew its keys if they were read."
        )
    return path.read_text()
