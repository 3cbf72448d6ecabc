"""The calls that wait for a person to approve them on our own page."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Create the table of `auth.tables`."""
    op.create_table(
        "pending_confirmation",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("question_ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("decided_at", sa.BigInteger),
        sa.Column("approved", sa.Boolean),
        sa.Column("taken_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("digest"),
        sa.ForeignKeyConstraint(["grant_id"], ["oauth_grant.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_pending_confirmation_grant_id", "pending_confirmation", ["grant_id"])
    op.create_index("ix_pending_confirmation_expires_at", "pending_confirmation", ["expires_at"])
