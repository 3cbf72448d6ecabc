"""Signing in to our own pages, and what a person did not want an agent to do."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the tables and columns of `auth.tables`."""
    op.create_table(
        "page_sign_in",
        sa.Column("state_digest", sa.String(64), nullable=False),
        sa.Column("browser_digest", sa.String(64), nullable=False),
        sa.Column("verifier_ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("goes_to", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("state_digest"),
    )
    op.create_index("ix_page_sign_in_expires_at", "page_sign_in", ["expires_at"])
    op.create_table(
        "page_session",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("user_uri", sa.Text, nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("timezone", sa.Text),
        sa.Column("message", sa.Text),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_page_session_user_uri", "page_session", ["user_uri"])
    op.create_index("ix_page_session_expires_at", "page_session", ["expires_at"])
    op.create_table(
        "agent_restriction",
        sa.Column("user_uri", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("access", sa.Text, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("user_uri", "name", "host"),
    )
    op.create_index("ix_agent_restriction_changed_at", "agent_restriction", ["changed_at"])
    op.add_column("authorization_transaction", sa.Column("shown_access", sa.Text))
    op.add_column("authorization_transaction", sa.Column("shown_to", sa.Text))
