"""A grant whose tokens its person ended waits for its app to sign in again."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Change `oauth_grant` of `auth.tables`."""
    op.add_column("oauth_grant", sa.Column("awaited_until", sa.BigInteger))
