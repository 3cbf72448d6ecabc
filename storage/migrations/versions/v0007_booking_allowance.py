"""How many bookings each agent made within 24 hours, for those that are limited to a number."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create the table of `auth.tables`."""
    op.create_table(
        "booking_allowance",
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("counted", sa.JSON, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("grant_id"),
        sa.ForeignKeyConstraint(["grant_id"], ["oauth_grant.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_booking_allowance_expires_at", "booking_allowance", ["expires_at"])
