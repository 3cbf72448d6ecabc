"""What tools ask of a ledger of bookings made under idempotency keys; the server supplies it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from calendly.request import JSON

LIFETIME: Final = timedelta(hours=24)
"""How long a key stands for its booking."""


@dataclass(frozen=True, slots=True)
class Booking:
    """What became of a booking call that carried an idempotency key.

    Attributes:
        answer: The invitee as Calendly answered it, None while that is not known.
    """

    answer: JSON | None = None


class Bookings(Protocol):
    """The bookings made under idempotency keys in the last 24 hours, for one person and agent."""

    async def recall(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """What became of the call with `key`, None when there was none.

        Raises:
            KeyTaken: The key was used for other arguments.
            Unreachable: It cannot be looked up now.
        """
        ...

    async def reserve(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """As `recall`, and the answer None makes `key` taken, its outcome not known until it is settled or released.

        Of several calls at once, in whatever processes, one is answered None.

        Raises:
            KeyTaken: The key was used for other arguments.
            ArgumentError: Too many keys are in use.
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


class Ledger(Protocol):
    """The keys of all people and agents."""

    def of(self, person: str, agent: str) -> Bookings:
        """The bookings of one person and agent."""
        ...
