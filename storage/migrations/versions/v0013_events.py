"""The tables of `events.tables`."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create them."""
    _create_feed()
    _create_addresses_and_seen()
    _create_receiver()
    _create_subscription()
    _create_delivery()
    op.create_table(
        "own_change",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("user_uri", sa.Text, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("match_digest", sa.String(64), nullable=False),
        sa.Column("invitee_digest", sa.String(64)),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["user_uri"], ["feed.user_uri"], ondelete="CASCADE"),
    )
    _index("own_change", "valid_until")
    op.create_index("own_change_by_person", "own_change", ["user_uri", "kind"])


def _create_feed() -> None:
    op.create_table(
        "feed",
        sa.Column("user_uri", sa.Text, nullable=False),
        sa.Column("epoch", sa.String(8), nullable=False),
        sa.Column("head", sa.Integer, nullable=False),
        sa.Column("secret_ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("since", sa.BigInteger, nullable=False),
        sa.Column("checked_at", sa.BigInteger),
        sa.Column("looks_next_at", sa.BigInteger),
        sa.Column("look_continues_at", sa.Text),
        sa.Column("lease_owner", sa.String(32)),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("proved_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("user_uri"),
    )
    _index("feed", "looks_next_at")
    op.create_table(
        "feed_event",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("user_uri", sa.Text, nullable=False),
        sa.Column("position", sa.Integer),
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("half", sa.String(8)),
        sa.Column("filter", sa.Text),
        sa.Column("invitee_digest", sa.String(64)),
        sa.Column("occurred_at", sa.BigInteger, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
        sa.Column("waits_until", sa.BigInteger),
        sa.Column("payload_ciphertext", sa.LargeBinary),
        sa.Column("payload_until", sa.BigInteger),
        sa.Column("forgotten_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["user_uri"], ["feed.user_uri"], ondelete="CASCADE"),
        sa.UniqueConstraint("user_uri", "position", name="feed_event_position"),
    )
    _index("feed_event", "stored_at", "waits_until", "payload_until")
    op.create_index("feed_event_by_invitee", "feed_event", ["user_uri", "invitee_digest"])


def _create_addresses_and_seen() -> None:
    op.create_table(
        "event_address",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("feed_event", sa.String(64), nullable=False),
        sa.Column("address_digest", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["feed_event"], ["feed_event.id"], ondelete="CASCADE"),
    )
    _index("event_address", "feed_event", "address_digest")
    op.create_table(
        "seen_event",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("user_uri", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.Column("looked_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["user_uri"], ["feed.user_uri"], ondelete="CASCADE"),
    )
    _index("seen_event", "user_uri", "ends_at")


def _create_receiver() -> None:
    op.create_table(
        "receiver",
        sa.Column("receiver_digest", sa.String(64), nullable=False),
        sa.Column("user_uri", sa.Text, nullable=False),
        sa.Column("family", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("calendly_uri", sa.Text),
        sa.Column("key_ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("valid_until", sa.BigInteger),
        sa.Column("checked_at", sa.BigInteger),
        sa.Column("last_at", sa.BigInteger),
        sa.Column("refused", sa.Integer, nullable=False, server_default="0"),
        sa.Column("repairs", sa.Integer, nullable=False, server_default="0"),
        sa.Column("repaired_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("receiver_digest"),
        sa.ForeignKeyConstraint(["user_uri"], ["feed.user_uri"], ondelete="CASCADE"),
        sa.CheckConstraint("state IN ('making', 'live', 'replaced', 'off')", name="receiver_state"),
    )
    _index("receiver", "user_uri", "valid_until")


def _create_subscription() -> None:
    op.create_table(
        "event_subscription",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("user_uri", sa.Text, nullable=False),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("filter", sa.Text),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("url_ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("secret_ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("former_secret_ciphertext", sa.LargeBinary),
        sa.Column("former_until", sa.BigInteger),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("max_age", sa.BigInteger),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("failed_since", sa.BigInteger),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("last_at", sa.BigInteger),
        sa.Column("last_error", sa.String(32)),
        sa.Column("truncated", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["user_uri"], ["feed.user_uri"], ondelete="CASCADE"),
        sa.CheckConstraint("state IN ('active', 'suspended')", name="event_subscription_state"),
    )
    _index("event_subscription", "grant_id", "user_uri", "expires_at")


def _create_delivery() -> None:
    op.create_table(
        "event_delivery",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("subscription_id", sa.String(36), nullable=False),
        sa.Column("feed_event", sa.String(64), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("queued_at", sa.BigInteger, nullable=False),
        sa.Column("first_at", sa.BigInteger),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("due_at", sa.BigInteger),
        sa.Column("claim", sa.String(32)),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("error", sa.String(32)),
        sa.Column("done_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id"),
        sa.ForeignKeyConstraint(["subscription_id"], ["event_subscription.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["feed_event"], ["feed_event.id"], ondelete="CASCADE"),
        sa.CheckConstraint("state IN ('due', 'arrived', 'given up')", name="event_delivery_state"),
    )
    _index("event_delivery", "feed_event", "done_at")
    op.create_index("event_delivery_by_subscription", "event_delivery", ["subscription_id", "state", "position"])
    op.create_index("event_delivery_by_due", "event_delivery", ["state", "due_at"])
    op.create_table(
        "verified_callback",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("valid_until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    _index("verified_callback", "grant_id", "valid_until")


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(f"ix_{table}_{column}", table, [column])
