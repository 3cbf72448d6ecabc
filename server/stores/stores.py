"""What calls keep in the database, together."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from server.stores.confirmations import Confirmations
from server.stores.daily_counts import DailyCounts
from server.stores.idempotency import IdempotencyKeys
from storage.database import Database
from storage.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of all people and agents."""

    confirmations: Confirmations
    daily_counts: DailyCounts
    idempotency_keys: IdempotencyKeys

    @classmethod
    def over(cls, database: Database, keyring: KeyRing, now: Callable[[], datetime], *, by_grant: bool) -> Self:
        """Make the stores over a database.

        Args:
            database: A migrated one.
            keyring: Seals what they keep.
            now: The wall clock.
            by_grant: An agent is the id of its grant, with which what is kept of it ends.
        """
        return cls(
            Confirmations(database, keyring, now),
            DailyCounts(database=database, now=now, by_grant=by_grant),
            IdempotencyKeys(database=database, keyring=keyring, now=now, by_grant=by_grant),
        )
