"""One-time tokens that prove an earlier step of the same call, on whichever replica.

A token is sealed under the key ring, so it says nothing to its holder. It is bound to a purpose and
to what it was issued for, expires by the wall clock, and is taken once: then it is stored as spent
until it would have expired.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from auth.tables import spent_confirmation as table
from server.stores.faults import required
from server.stores.proof import LIFETIME, Unproven
from storage.database import Database, insert
from storage.errors import UnreadableSecret
from storage.keys import KeyRing
from storage.retention import drop_over
from storage.types import from_microseconds, to_microseconds

_TIME: Final = 8
"""Bytes of the microseconds at which a token expires."""


@dataclass(frozen=True, slots=True)
class Confirmations:
    """Issues tokens and takes each of them once.

    Attributes:
        database: Where spent tokens are stored.
        keyring: What tokens are sealed under; its nonces keep any two apart.
        now: The wall clock.
    """

    database: Database
    keyring: KeyRing = field(repr=False)
    now: Callable[[], datetime]

    def issue(self, purpose: str, bound_to: bytes) -> str:
        """Make a token that `redeem` takes once, for the same purpose and the same `bound_to`."""
        expiry = to_microseconds(self.now() + LIFETIME).to_bytes(_TIME, "big")
        sealed = self.keyring.seal(expiry, table=table.name, row=bound_to.hex(), column=purpose)
        return urlsafe_b64encode(sealed).decode().rstrip("=")

    def check(self, token: str, purpose: str, bound_to: bytes) -> None:
        """Check that a token could be taken, unless it was before. Raises Unproven."""
        self._opened(token, purpose, bound_to)

    async def redeem(self, token: str, purpose: str, bound_to: bytes) -> datetime:
        """Take a token, so that it never works again; when it was issued.

        Raises:
            Unproven: It is not ours, was issued for something else, has expired, or was taken
                before.
            Unreachable: The database does not let it be taken now.
        """
        expiry, spent = self._opened(token, purpose, bound_to), hashlib.sha256(_decoded(token)).hexdigest()
        async with required("The confirmation could not be noted"), self.database.begin() as connection:
            await drop_over(connection, table.c.expires_at, self.now())
            added = insert(connection, table).values(digest=spent, expires_at=expiry).on_conflict_do_nothing()
            is_first = (await connection.execute(added)).rowcount == 1
        if not is_first:
            raise Unproven("The confirmation was used already; each is good for one call.")
        return expiry - LIFETIME

    def _opened(self, token: str, purpose: str, bound_to: bytes) -> datetime:
        """Return when a token expires. Raises Unproven if it is not ours, is for something else or has expired."""
        try:
            opened = self.keyring.open(_decoded(token), table=table.name, row=bound_to.hex(), column=purpose)
        except UnreadableSecret:
            raise Unproven("The confirmation was not given for this very call.") from None
        expiry = from_microseconds(int.from_bytes(opened, "big"))
        if expiry <= self.now():
            raise Unproven("The confirmation has expired.")
        return expiry


def _decoded(token: str) -> bytes:
    try:
        return urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (NotBase64, ValueError):
        return b""
