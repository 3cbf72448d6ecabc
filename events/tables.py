"""The tables of events. The statements on them stand in the modules that use them.

Everything here hangs on a row of `feed` and is deleted with it. Nothing refers to tables of other
packages: a grant is an id, a person a user URI. What must be read back (`…_ciphertext`) is sealed
under the key ring, bound to its table, row and column. The digests of addresses and of invitees are
keyed with the secret of the feed, since an address could be guessed from a plain one.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from storage.types import Instant, Sealed

metadata = MetaData()

_PERSON: Final = "feed.person"


def _parent(column: str) -> ForeignKey:
    """Name the row which a row belongs to, and is deleted with."""
    return ForeignKey(column, ondelete="CASCADE")


feed = Table(
    "feed",
    metadata,
    Column("user_uri", Text, key="person", primary_key=True),
    Column("epoch", String(8), nullable=False),  # 8 hexadecimal digits: cursors of another feed do not match
    Column("head", Integer, nullable=False),  # the last position that was given
    Column("secret_ciphertext", Sealed, nullable=False),  # keys the digests of addresses and invitees
    Column("since", Instant, nullable=False),  # looks publish nothing older
    Column("checked_at", Instant),  # when the last look was over
    Column("looks_next_at", Instant, index=True),  # when the next look in the background is due
    Column("look_continues_at", Text),  # the start of the meetings with which the next look goes on
    Column("lease_owner", String(32)),  # the replica that looks
    Column("lease_until", Instant),
    Column("proved_at", Instant),  # the first verified delivery of the webhook
    Column("listened_until", Instant),  # until when an agent listens, unless it says anew that it does
)

feed_event = Table(
    "feed_event",
    metadata,
    Column("id", String(64), primary_key=True),  # digest of the person and the event id
    Column("user_uri", Text, _parent(_PERSON), key="person", nullable=False),
    Column("position", Integer),  # null while it waits for its other half
    Column("event_id", String(36), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("half", String(8)),  # which half of a reschedule is there: `old` or `new`; `unmark` without its mark
    Column("filter", Text),  # the uuid of the event type or of the routing form
    Column("invitee_digest", String(64)),
    Column("occurred_at", Instant, nullable=False),
    Column("stored_at", Instant, nullable=False, index=True),
    Column("waits_until", Instant, index=True),
    Column("payload_ciphertext", Sealed),  # null when it is gone
    Column("payload_until", Instant, index=True),
    Column("forgotten_at", Instant),  # when the invitee was taken out of it
    UniqueConstraint("person", "position", name="feed_event_position"),
    Index("feed_event_by_invitee", "person", "invitee_digest"),
)

event_address = Table(
    "event_address",
    metadata,
    Column("id", String(64), primary_key=True),  # digest of the row below and the digest
    Column("feed_event", String(64), _parent("feed_event.id"), key="event", nullable=False, index=True),
    Column("address_digest", String(64), nullable=False, index=True),
)

seen_event = Table(
    "seen_event",
    metadata,
    Column("id", String(64), primary_key=True),  # digest of the person and the uuid of the scheduled event
    Column("user_uri", Text, _parent(_PERSON), key="person", nullable=False, index=True),
    Column("fingerprint", String(64), nullable=False),  # of what changes when its invitees do
    Column("ends_at", Instant, nullable=False, index=True),
    Column("looked_at", Instant, nullable=False),  # when its invitees were read
)

receiver = Table(
    "receiver",
    metadata,
    Column("receiver_digest", String(64), primary_key=True),  # of the secret in its address
    Column("user_uri", Text, _parent(_PERSON), key="person", nullable=False, index=True),
    Column("family", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("calendly_uri", Text),  # of Calendly's subscription, null while it is made
    Column("key_ciphertext", Sealed, nullable=False),  # what Calendly signs with
    Column("created_at", Instant, nullable=False),
    Column("valid_until", Instant, index=True),  # of a replaced one
    Column("checked_at", Instant),  # when Calendly's subscription was read last
    Column("last_at", Instant),  # the last verified delivery
    Column("refused", Integer, nullable=False, server_default="0"),  # signatures refused in a row
    Column("repairs", Integer, nullable=False, server_default="0"),  # in the day that began at `repaired_at`
    Column("repaired_at", Instant),
    CheckConstraint("state IN ('making', 'live', 'replaced', 'off')", name="receiver_state"),
)

event_subscription = Table(
    "event_subscription",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("grant_id", Text, key="grant", nullable=False, index=True),
    Column("user_uri", Text, _parent(_PERSON), key="person", nullable=False, index=True),
    Column("name", String(128), nullable=False),  # the kind of events
    Column("arguments", Text, nullable=False),  # canonical JSON
    Column("filter", Text),
    Column("host", Text, nullable=False),  # of the callback
    Column("url_ciphertext", Sealed, nullable=False),
    Column("secret_ciphertext", Sealed, nullable=False),
    Column("former_secret_ciphertext", Sealed),
    Column("former_until", Instant),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, index=True),  # null without end
    Column("max_age", BigInteger),  # milliseconds
    Column("state", String(16), nullable=False),
    Column("failed_since", Instant),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("last_at", Instant),
    Column("last_error", String(32)),
    Column("truncated", Boolean, nullable=False),
    CheckConstraint("state IN ('active', 'suspended')", name="event_subscription_state"),
)

event_delivery = Table(
    "event_delivery",
    metadata,
    Column("id", String(64), primary_key=True),  # digest of the subscription and the event
    Column("subscription_id", String(36), _parent("event_subscription.id"), key="subscription", nullable=False),
    Column("feed_event", String(64), _parent("feed_event.id"), key="event", nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("queued_at", Instant, nullable=False),
    Column("first_at", Instant),  # the first attempt
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Instant),  # null when it is done
    Column("claim", String(32)),
    Column("state", String(16), nullable=False),
    Column("error", String(32)),
    Column("done_at", Instant, index=True),
    CheckConstraint("state IN ('due', 'arrived', 'given up')", name="event_delivery_state"),
    Index("event_delivery_by_subscription", "subscription", "state", "position"),
    Index("event_delivery_by_due", "state", "due_at"),
)

verified_callback = Table(
    "verified_callback",
    metadata,
    Column("id", String(64), primary_key=True),  # digest of the grant and the URL
    Column("grant_id", Text, key="grant", nullable=False, index=True),
    Column("valid_until", Instant, nullable=False, index=True),
)

own_change = Table(
    "own_change",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("grant_id", Text, key="grant", nullable=False),
    Column("user_uri", Text, _parent(_PERSON), key="person", nullable=False),
    Column("kind", String(32), nullable=False),
    Column("match_digest", String(64), nullable=False),  # of what the event will be known by
    Column("invitee_digest", String(64)),  # once it is known
    Column("valid_until", Instant, nullable=False, index=True),
    Index("own_change_by_person", "person", "kind"),
)

empty_poll = Table(
    "empty_poll",
    metadata,
    Column("grant_id", Text, key="grant", primary_key=True),
    Column("user_uri", Text, key="person", nullable=False, index=True),  # on a machine of one's own nobody may have one
    Column("agent", Text, nullable=False),
    Column("began_at", Instant, nullable=False, index=True),
    Column("polls", Integer, nullable=False),  # that found nothing since
)
