"""The idempotency keys of bookings, and what became of each."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table of `auth.tables`."""
    op.create_table(
        "booking_key",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("grant_id", sa.Text),
        sa.Column("outcome_ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sa.ForeignKeyConstraint(["grant_id"], ["oauth_grant.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_booking_key_grant_id", "booking_key", ["grant_id"])
    op.create_index("ix_booking_key_expires_at", "booking_key", ["expires_at"])
