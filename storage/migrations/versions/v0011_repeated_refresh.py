"""A used refresh token gives further successors, which are counted; a connection knows when it was refreshed."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Change two tables of `auth.tables`. SQLite copies `refresh_token`: its unique constraint has no name."""
    op.drop_index("ix_refresh_token_used_at", "refresh_token")
    with op.batch_alter_table("refresh_token") as table:
        table.drop_column("sequence")
        table.drop_column("successor_ciphertext")
        table.add_column(sa.Column("uses", sa.Integer, nullable=False, server_default="0"))
    op.add_column("upstream_connection", sa.Column("refreshed_at", sa.BigInteger))
    op.execute("UPDATE refresh_token SET uses = 1 WHERE used_at IS NOT NULL")
