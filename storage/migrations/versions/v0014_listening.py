"""Until when somebody listens to a feed, and the polls that found nothing, which are told together."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add both."""
    op.add_column("feed", sa.Column("listened_until", sa.BigInteger))
    op.create_table(
        "empty_poll",
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("user_uri", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("began_at", sa.BigInteger, nullable=False),
        sa.Column("polls", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("grant_id"),
    )
    op.create_index("ix_empty_poll_user_uri", "empty_poll", ["user_uri"])
    op.create_index("ix_empty_poll_began_at", "empty_poll", ["began_at"])
