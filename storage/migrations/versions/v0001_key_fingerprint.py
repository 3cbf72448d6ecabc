"""Prove at the start that the key ring is the one the stored secrets need."""

from alembic import op
from sqlalchemy import BigInteger, Column, LargeBinary, String

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table of `storage.tables`."""
    op.create_table(
        "key_fingerprint",
        Column("key_id", String(64), primary_key=True),
        Column("proof", LargeBinary, nullable=False),
        Column("created_at", BigInteger, nullable=False),
    )
