"""The tables of `auth.tables`."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables of authorization; one that refers to another comes after it."""
    _calendly_user()
    _client()
    _rate_window()
    _upstream_registration()
    _authorization_transaction()
    _oauth_grant()
    _upstream_connection()
    _agent_token()
    _authorization_code()
    _token_family()
    _access_token()
    _refresh_token()


def _calendly_user() -> None:
    op.create_table(
        "calendly_user",
        sa.Column("uri", sa.Text, nullable=False),
        sa.Column("organization", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("email", sa.Text),
        sa.Column("timezone", sa.Text),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("uri"),
    )


def _client() -> None:
    op.create_table(
        "client",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("name", sa.Text),
        sa.Column("redirect_uris", sa.JSON, nullable=False),
        sa.Column("auth_method", sa.String(32), nullable=False),
        sa.Column("secret_digest", sa.String(64)),
        sa.Column("refreshes", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("approved_at", sa.BigInteger),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.Column("stale_at", sa.BigInteger),
        sa.CheckConstraint("kind IN ('registered', 'document', 'agent')", name="client_kind"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("client_by_use", "client", ["approved_at", "used_at"])


def _rate_window() -> None:
    op.create_table(
        "rate_window",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("starts_at", sa.BigInteger, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("key", "starts_at"),
    )


def _upstream_registration() -> None:
    op.create_table(
        "upstream_registration",
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("application_ciphertext", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("redirect_uri"),
    )


def _authorization_transaction() -> None:
    op.create_table(
        "authorization_transaction",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("browser_digest", sa.String(64), nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("redirect_uri_sent", sa.Boolean, nullable=False),
        sa.Column("client_state", sa.Text),
        sa.Column("challenge", sa.String(43), nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("approved_scope", sa.Text),
        sa.Column("approval_digest", sa.String(64)),
        sa.Column("state_digest", sa.String(64)),
        sa.Column("verifier_ciphertext", sa.LargeBinary),
        sa.Column("ended_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest"),
        sa.UniqueConstraint("state_digest"),
    )
    op.create_index("ix_authorization_transaction_expires_at", "authorization_transaction", ["expires_at"])


def _oauth_grant() -> None:
    op.create_table(
        "oauth_grant",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("user_uri", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["client_id"], ["client.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_uri"], ["calendly_user.uri"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_oauth_grant_client_id", "oauth_grant", ["client_id"])
    op.create_index("ix_oauth_grant_user_uri", "oauth_grant", ["user_uri"])
    op.create_index(
        "oauth_grant_live",
        "oauth_grant",
        ["user_uri", "client_id", "resource"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _upstream_connection() -> None:
    op.create_table(
        "upstream_connection",
        sa.Column("user_uri", sa.Text, nullable=False),
        sa.Column("generation", sa.BigInteger, nullable=False),
        sa.Column("access_token_ciphertext", sa.LargeBinary),
        sa.Column("refresh_token_ciphertext", sa.LargeBinary),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("renewed_at", sa.BigInteger, nullable=False),
        sa.Column("scope", sa.Text),
        sa.Column("narrowed", sa.Text, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("lease_holder", sa.Text),
        sa.Column("lease_until", sa.BigInteger),
        sa.Column("retry_at", sa.BigInteger),
        sa.Column("failure", sa.String(16)),
        sa.CheckConstraint("status IN ('active', 'needs_reauth', 'revoked')", name="upstream_connection_status"),
        sa.ForeignKeyConstraint(["user_uri"], ["calendly_user.uri"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("user_uri"),
    )


def _agent_token() -> None:
    op.create_table(
        "agent_token",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["oauth_grant.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest"),
        sa.UniqueConstraint("grant_id"),
    )


def _authorization_code() -> None:
    op.create_table(
        "authorization_code",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("redirect_uri", sa.Text, nullable=False),
        sa.Column("redirect_uri_sent", sa.Boolean, nullable=False),
        sa.Column("challenge", sa.String(43), nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["grant_id"], ["oauth_grant.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_authorization_code_expires_at", "authorization_code", ["expires_at"])
    op.create_index("ix_authorization_code_grant_id", "authorization_code", ["grant_id"])


def _token_family() -> None:
    op.create_table(
        "token_family",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("grant_id", sa.Text, nullable=False),
        sa.Column("client_id", sa.Text, nullable=False),
        sa.Column("code_digest", sa.String(64), nullable=False),
        sa.Column("resource", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.ForeignKeyConstraint(["grant_id"], ["oauth_grant.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("code_digest"),
    )
    op.create_index("ix_token_family_expires_at", "token_family", ["expires_at"])
    op.create_index("ix_token_family_grant_id", "token_family", ["grant_id"])


def _access_token() -> None:
    op.create_table(
        "access_token",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("family_id", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.ForeignKeyConstraint(["family_id"], ["token_family.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_access_token_expires_at", "access_token", ["expires_at"])
    op.create_index("ix_access_token_family_id", "access_token", ["family_id"])


def _refresh_token() -> None:
    op.create_table(
        "refresh_token",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("family_id", sa.Text, nullable=False),
        sa.Column("sequence", sa.Integer, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
        sa.Column("successor_ciphertext", sa.LargeBinary),
        sa.ForeignKeyConstraint(["family_id"], ["token_family.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest"),
        sa.UniqueConstraint("family_id", "sequence"),
    )
    op.create_index("ix_refresh_token_used_at", "refresh_token", ["used_at"])
