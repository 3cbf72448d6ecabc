"""The idempotency keys of bookings as tools see them; the server supplies them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from calendly.request import JSON

LIFETIME: Final = timedelta(hours=24)
"""How long a key stands for its booking."""


@dataclass(frozen=True, slots=True)
class KeyOutcome:
    """What became of a booking call that carried an idempotency key.

    Attributes:
        answer: The invitee as Calendly answered it, None while that is not known.
    """

    answer: JSON | None = None


class Ledger(Protocol):
    """The idempotency keys of one person and agent in the last 24 hours."""

    async def recall(self, key: str, arguments: Mapping[str, object]) -> KeyOutcome | None:
        """Return what became of the call with `key`, None when there was none.

        Raises:
            KeyTaken: The key was used for other arguments.
            Unreachable: It cannot be looked up now.
        """
        ...

    async def reserve(self, key: str, arguments: Mapping[str, object]) -> KeyOutcome | None:
        """Return what `recall` returns; where that is None, `key` is taken until it is settled or released.

        Of several calls at once, in whatever processes, one is answered None.

        Raises:
            KeyTaken: The key was used for other arguments.
            Unreachable: It cannot be taken now.
        """
        ...

    async def settle(self, key: str, arguments: Mapping[str, object], answer: JSON) -> None:
        """Keep the answer that every later call with `key` gets. Where that fails, later calls look for the booking."""
        ...

    async def release(self, key: str) -> None:
        """Give `key` back: Calendly certainly booked nothing. Where that fails, later calls look for a booking."""
        ...

    async def forget(self, addresses: Collection[str]) -> None:
        """Keep no answer with one of these e-mail addresses any more, whoever in the organization had it booked."""
        ...
