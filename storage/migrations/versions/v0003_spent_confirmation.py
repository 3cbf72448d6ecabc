"""The confirmations of single calls that were used."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of `auth.tables`."""
    op.create_table(
        "spent_confirmation",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_spent_confirmation_expires_at", "spent_confirmation", ["expires_at"])
