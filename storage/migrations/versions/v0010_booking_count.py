"""Bookings are counted for agents without a grant too."""

import hashlib
import json

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Put `booking_count` of `auth.tables` in the place of `booking_allowance`, with what that has counted."""
    count = op.create_table(
        "booking_count",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("grant_id", sa.Text),
        sa.Column("counted", sa.JSON, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        sa.ForeignKeyConstraint(["grant_id"], ["oauth_grant.id"], ondelete="CASCADE"),
    )
    op.create_index("ix_booking_count_grant_id", "booking_count", ["grant_id"])
    op.create_index("ix_booking_count_expires_at", "booking_count", ["expires_at"])
    user, grant_id = sa.column("user_uri", sa.Text), sa.column("grant_id", sa.Text)
    before = sa.select(user, grant_id, sa.column("counted", sa.JSON), sa.column("expires_at", sa.BigInteger))
    rows = op.get_bind().execute(before.select_from(sa.text("booking_allowance JOIN oauth_grant ON grant_id = id")))
    for person, grant, instants, expires_at in rows.all():
        digest = hashlib.sha256(json.dumps([person, grant], separators=(",", ":")).encode()).hexdigest()
        row = {"digest": digest, "grant_id": grant, "counted": instants, "expires_at": expires_at}
        op.execute(count.insert().values(row))
    op.drop_table("booking_allowance")
