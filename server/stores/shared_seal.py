"""Confirmations that any replica can finish: sealed under the key ring, timed by the wall clock, spent in the database.

See `server.stores.seal` for what they are; there they live and die with one process.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from auth.grants.confirmation_rows import spend
from auth.tables import spent_confirmation
from calendly.errors import Unreachable
from server.stores.seal import LIFETIME, Unproven
from storage.database import Database
from storage.errors import StorageUnavailable, UnreadableSecret
from storage.keys import KeyRing

_TIME: Final = 8
_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class SharedSeal:
    """Issues tokens and takes each of them once, on whichever replica: `server.calls.confirm.Confirmations`.

    Args:
        keyring: What tokens are sealed under; its nonces keep any two apart.
        database: Where it is noted which ones were taken.
        now: The wall clock.
    """

    keyring: KeyRing = field(repr=False)
    database: Database
    now: Callable[[], datetime]

    def issue(self, purpose: str, bound_to: bytes) -> str:
        """Make a token that `redeem` takes once, for the same purpose and the same `bound_to`."""
        expiry = (self.now() + timedelta(seconds=LIFETIME) - _EPOCH) // _MICROSECOND
        sealed = self.keyring.seal(
            expiry.to_bytes(_TIME, "big"), table=spent_confirmation.name, row=bound_to.hex(), column=purpose
        )
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    def check(self, token: str, purpose: str, bound_to: bytes) -> None:
        """Check that a token could be taken, unless it was before. Raises Unproven."""
        self._opened(token, purpose, bound_to)

    async def redeem(self, token: str, purpose: str, bound_to: bytes) -> None:
        """Take a token, so that it never works again.

        Raises:
            Unproven: It is not ours, was issued for something else, has expired, or was taken before.
            Unreachable: The database does not let it be taken now.
        """
        expiry, sealed = self._opened(token, purpose, bound_to), _decoded(token)
        try:
            async with self.database.begin() as connection:
                is_first = await spend(connection, hashlib.sha256(sealed).hexdigest(), expiry)
        except StorageUnavailable:
            raise Unreachable("The confirmation could not be noted, so nothing was sent.") from None
        if not is_first:
            raise Unproven("The confirmation was used already; each is good for one call.")

    def _opened(self, token: str, purpose: str, bound_to: bytes) -> datetime:
        """Return until when a token is good. Raises Unproven when it is not ours, is for something else or is over."""
        place = {"table": spent_confirmation.name, "row": bound_to.hex(), "column": purpose}
        try:
            opened = self.keyring.open(_decoded(token), **place)
        except UnreadableSecret:
            raise Unproven("The confirmation was not given for this very call.") from None
        expiry = _EPOCH + int.from_bytes(opened, "big") * _MICROSECOND
        if expiry <= self.now():
            raise Unproven("The confirmation has expired.")
        return expiry


def _decoded(token: str) -> bytes:
    try:
        return urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (NotBase64, ValueError):
        return b""
