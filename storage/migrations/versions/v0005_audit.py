"""The record of what agents did."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables of `auth.tables` whose names begin with audit."""
    op.create_table(
        "audit_register",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("secret_ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("first", sa.BigInteger, nullable=False),
        sa.Column("following", sa.BigInteger, nullable=False),
        sa.Column("seal", sa.String(64), nullable=False),
    )
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("base_sequence", sa.BigInteger, nullable=False),
        sa.Column("base_mac", sa.String(64), nullable=False),
        sa.Column("base_seal", sa.String(64), nullable=False),
        sa.Column("tip_sequence", sa.BigInteger, nullable=False),
        sa.Column("tip_mac", sa.String(64), nullable=False),
        sa.Column("tip_seal", sa.String(64), nullable=False),
    )
    op.create_table(
        "audit_entry",
        sa.Column("chain_id", sa.Text, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("mac", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
        sa.Column("person", sa.Text),
        sa.Column("grant_id", sa.Text),
        sa.Column("action", sa.Text, nullable=False),
    )
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
    op.create_index("ix_audit_entry_request_id", "audit_entry", ["request_id"])
    op.create_index("audit_entry_by_person", "audit_entry", ["person", "at"])
    op.create_index("audit_entry_by_grant", "audit_entry", ["grant_id", "at"])
