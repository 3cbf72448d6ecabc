"""The tables of authorization. The statements on them stand in the modules that use them.

No secret that we hand out is kept: a `digest` is the SHA-256 of one, in hexadecimal digits. What
must be read back (`…_ciphertext`) is sealed under the key ring, bound to its table, row and column.
Where a column has a `key`, that is its name in Python, also as a field of the dataclasses that
`storage.rows` reads and writes.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
    text,
)

from auth.columns import AccessText, ScopeSet
from storage.types import Instant, Instants, Sealed, Texts

metadata = MetaData()


def _parent(column: str) -> ForeignKey:
    """Name the row which a row belongs to, and is deleted with."""
    return ForeignKey(column, ondelete="CASCADE")


client = Table(
    "client",
    metadata,
    Column("id", Text, primary_key=True),  # ours, or the address of a client ID metadata document
    Column("kind", String(16), nullable=False),  # registered, document or agent
    Column("name", Text),  # what the client says of itself
    Column("redirect_uris", Texts, nullable=False),
    Column("auth_method", String(32), nullable=False),
    Column("secret_digest", String(64)),
    Column("refreshes", Boolean, nullable=False),  # refresh_token is among its grant types
    Column("created_at", Instant, nullable=False),
    Column("approved_at", Instant),  # when a person first let it in
    Column("used_at", Instant, nullable=False),  # when it last got a token, else when it came
    Column("stale_at", Instant),  # of a document: when it is to be fetched again
    CheckConstraint("kind IN ('registered', 'document', 'agent')", name="client_kind"),
    Index("client_by_use", "approved_at", "used_at"),
)

authorization_transaction = Table(
    "authorization_transaction",
    metadata,
    Column("digest", String(64), primary_key=True),  # of the secret in the consent form
    Column("browser_digest", String(64), nullable=False),  # of the cookie of the browser that was shown the form
    Column("client_id", Text, _parent("client.id"), key="client", nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("redirect_uri_sent", Boolean, nullable=False),
    Column("client_state", Text, key="state"),
    Column("challenge", String(43), nullable=False),
    Column("resource", Text, nullable=False),
    Column("scope", ScopeSet, key="scopes", nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("shown_access", AccessText, key="shown"),  # what the page had chosen before the person touched it
    Column("shown_to", Text),  # the person whose earlier choices that took into account
    Column("approved_scope", ScopeSet, key="approved"),  # what the person allowed of it
    Column("approved_access", AccessText, key="chosen"),  # the levels that the person chose
    Column("approval_digest", String(64)),  # of the cookie set at approval
    Column("state_digest", String(64), unique=True),  # of the state sent to Calendly
    Column("verifier_ciphertext", Sealed),  # of the PKCE towards Calendly
    Column("ended_at", Instant),  # denied, or Calendly answered
)

user = Table(
    "calendly_user",
    metadata,
    Column("uri", Text, primary_key=True),
    Column("organization", Text),
    Column("name", Text),
    Column("email", Text),
    Column("timezone", Text),
    Column("created_at", Instant, nullable=False),
)

upstream_connection = Table(
    "upstream_connection",
    metadata,
    Column("user_uri", Text, _parent("calendly_user.uri"), key="user", primary_key=True),
    Column("generation", BigInteger, nullable=False),  # the fence: every change of the tokens adds one
    Column("access_token_ciphertext", Sealed),
    Column("refresh_token_ciphertext", Sealed),
    Column("expires_at", Instant, nullable=False),
    Column("renewed_at", Instant, key="issued_at", nullable=False),
    Column("refreshed_at", Instant),  # null when a sign-in brought the tokens
    Column("scope", ScopeSet, key="scopes"),  # what Calendly granted, null when it does not say
    Column("narrowed", ScopeSet, nullable=False),  # scopes that a later answer of Calendly's left out
    Column("status", String(16), nullable=False),
    Column("lease_holder", Text),
    Column("lease_until", Instant),
    Column("retry_at", Instant),  # nothing may be asked of Calendly's token endpoint before
    Column("failure", String(16)),  # why
    CheckConstraint("status IN ('active', 'needs_reauth', 'revoked')", name="upstream_connection_status"),
)

upstream_registration = Table(
    "upstream_registration",
    metadata,
    Column("redirect_uri", Text, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("application_ciphertext", Sealed, nullable=False),
    Column("created_at", Instant, nullable=False),
)

grant = Table(
    "oauth_grant",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_uri", Text, _parent("calendly_user.uri"), key="person", nullable=False, index=True),
    Column("client_id", Text, _parent("client.id"), key="client", nullable=False, index=True),
    Column("resource", Text, nullable=False),
    Column("scope", ScopeSet, key="scopes", nullable=False),  # what the person allowed last
    Column("access", AccessText, nullable=False, server_default=""),  # what the person chose
    Column("created_at", Instant, nullable=False),
    Column("awaited_until", Instant),  # the person had it sign in again: it lives until then without a token
    Column("ended_at", Instant),
)


# A person sees each agent once; tokens of an ended grant stay dead when the same agent is let in
# again.
@event.listens_for(grant, "after_create")
def _create_index_of_live_grants(_table: object, connection: Connection, **_: object) -> None:
    """Create it by SQL: an Index with a condition for PostgreSQL loads that dialect also where there is none."""
    columns = "user_uri, client_id, resource"
    connection.execute(text(f"CREATE UNIQUE INDEX oauth_grant_live ON oauth_grant ({columns}) WHERE ended_at IS NULL"))


code = Table(
    "authorization_code",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("grant_id", Text, _parent("oauth_grant.id"), key="grant", nullable=False, index=True),
    Column("client_id", Text, key="client", nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("redirect_uri_sent", Boolean, nullable=False),
    Column("challenge", String(43), nullable=False),
    Column("resource", Text, nullable=False),
    Column("scope", ScopeSet, key="scopes", nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("used_at", Instant),
)

family = Table(
    "token_family",
    metadata,
    Column("id", Text, primary_key=True),
    Column("grant_id", Text, _parent("oauth_grant.id"), key="grant", nullable=False, index=True),
    Column("client_id", Text, key="client", nullable=False),
    Column("code_digest", String(64), nullable=False, unique=True),  # of the code it began with
    Column("resource", Text, nullable=False),
    Column("scope", ScopeSet, key="scopes", nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("ended_at", Instant),
)

refresh_token = Table(
    "refresh_token",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("family_id", Text, _parent("token_family.id"), key="family", nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),  # first
    Column("uses", Integer, nullable=False, server_default="0"),  # how many successors it has given
)

access_token = Table(
    "access_token",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("family_id", Text, _parent("token_family.id"), key="family", nullable=False, index=True),
    Column("scope", ScopeSet, key="scopes", nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)

agent_token = Table(
    "agent_token",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("grant_id", Text, _parent("oauth_grant.id"), key="grant", nullable=False, unique=True),
    Column("expires_at", Instant, nullable=False),
)

page_sign_in = Table(
    "page_sign_in",
    metadata,
    Column("state_digest", String(64), primary_key=True),  # of the state sent to Calendly
    Column("browser_digest", String(64), nullable=False),  # of the cookie of the browser that set out
    Column("verifier_ciphertext", Sealed, nullable=False),  # of the PKCE towards Calendly
    Column("goes_to", Text, nullable=False),  # the page of ours that was asked for
    Column("expires_at", Instant, nullable=False, index=True),
)

# It stands by itself: whoever signs in to look has not let in anybody yet, and leaves nothing
# behind.
page_session = Table(
    "page_session",
    metadata,
    Column("digest", String(64), primary_key=True),  # of the cookie
    Column("user_uri", Text, key="person", nullable=False, index=True),
    Column("name", Text),
    Column("email", Text),
    Column("timezone", Text),
    Column("message", Text),  # what the next page says once: what came of a form
    Column("ends_at", Instant, nullable=False),  # at the latest
    Column("expires_at", Instant, nullable=False, index=True),  # when nothing more is asked for
)

# It outlives grants and clients: a client that registers again is another one, and what it may not
# do stays.
agent_restriction = Table(
    "agent_restriction",
    metadata,
    Column("user_uri", Text, key="person", primary_key=True),
    Column("name", Text, primary_key=True),  # what the client calls itself
    Column("host", Text, key="place", primary_key=True),  # where it has the browser sent back to
    Column("access", AccessText, nullable=False),
    Column("changed_at", Instant, nullable=False, index=True),
)

audit_register = Table(
    "audit_register",
    metadata,
    Column("id", Text, primary_key=True),  # there is one row
    Column("secret_ciphertext", Sealed, nullable=False),  # what the keys of the audit log come from
    Column("first", BigInteger, nullable=False),  # the chains there are: from this number
    Column("following", BigInteger, nullable=False),  # until before this one
    Column("seal", String(64), nullable=False),
)

audit_chain = Table(
    "audit_chain",
    metadata,
    Column("id", Text, primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("base_sequence", BigInteger, nullable=False),  # the last entry that is no longer kept
    Column("base_mac", String(64), nullable=False),
    Column("base_seal", String(64), nullable=False),
    Column("tip_sequence", BigInteger, nullable=False),  # the last entry
    Column("tip_mac", String(64), nullable=False),
    Column("tip_seal", String(64), nullable=False),
)

# No foreign key: entries that outlive their chain are to be found, not to vanish with it.
audit_entry = Table(
    "audit_entry",
    metadata,
    Column("chain_id", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True),
    Column("entry", Text, nullable=False),  # all of it, as `auth.audit.entries` writes it
    Column("mac", String(64), nullable=False),
    # What it is found by, copied from it.
    Column("at", Instant, nullable=False, index=True),
    Column("kind", String(8), nullable=False),
    Column("request_id", Text, nullable=False, index=True),
    Column("person", Text),
    Column("grant_id", Text),
    Column("action", Text, nullable=False),
    Index("audit_entry_by_person", "person", "at"),
    Index("audit_entry_by_grant", "grant_id", "at"),
)

spent_confirmation = Table(
    "spent_confirmation",
    metadata,
    Column("digest", String(64), primary_key=True),  # of the token with which a call was confirmed
    Column("expires_at", Instant, nullable=False, index=True),  # when it would have ended by itself
)

# No grant on a person's own machine.
booking_count = Table(
    "booking_count",
    metadata,
    Column("digest", String(64), primary_key=True),  # of the person and the agent
    Column("grant_id", Text, _parent("oauth_grant.id"), key="grant", index=True),
    Column("counted", Instants, nullable=False),  # when it booked within 24 hours
    Column("expires_at", Instant, nullable=False, index=True),  # when none of them counts any more
)

# No grant on a person's own machine.
booking_key = Table(
    "booking_key",
    metadata,
    Column("digest", String(64), primary_key=True),  # of the person, the agent, and the idempotency key it chose
    Column("grant_id", Text, _parent("oauth_grant.id"), key="grant", index=True),
    Column("outcome_ciphertext", Sealed, nullable=False),  # what was asked for, and Calendly's answer once there is one
    Column("expires_at", Instant, nullable=False, index=True),
)

pending_confirmation = Table(
    "pending_confirmation",
    metadata,
    Column("digest", String(64), primary_key=True),  # of what the address of the page ends in
    Column("grant_id", Text, _parent("oauth_grant.id"), key="grant", nullable=False, index=True),
    Column("question_ciphertext", Sealed, nullable=False),  # what the call would do, and to whom
    Column("expires_at", Instant, nullable=False, index=True),
    Column("decided_at", Instant),  # when the person said yes or no
    Column("approved", Boolean),
    Column("taken_at", Instant),  # when the agent came with its token, after which no answer is taken
)

rate_window = Table(
    "rate_window",
    metadata,
    Column("key", Text, primary_key=True),  # what is limited, and for which address
    Column("starts_at", Instant, primary_key=True),
    Column("count", Integer, nullable=False),
)
