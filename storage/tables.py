"""The one table of this package: what proves that a key ring is the one the stored secrets need."""

from sqlalchemy import Column, LargeBinary, MetaData, String, Table

from storage.types import Instant

metadata = MetaData()

key_fingerprint = Table(
    "key_fingerprint",
    metadata,
    Column("key_id", String(64), primary_key=True),  # a key that stored secrets may be sealed under
    Column("proof", LargeBinary, nullable=False),  # a known text, sealed under it
    Column("created_at", Instant, nullable=False),
)
