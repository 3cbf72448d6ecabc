"""What a person chose for an agent, by capability. Grants from before have nothing until something is chosen."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns of `auth.tables`."""
    op.add_column("oauth_grant", sa.Column("access", sa.Text, nullable=False, server_default=""))
    op.add_column("authorization_transaction", sa.Column("approved_access", sa.Text))
