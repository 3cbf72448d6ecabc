"""What tools ask of a ledger of bookings made under idempotency keys; the server supplies it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from calendly.request import JSON


@dataclass(frozen=True, slots=True)
class Booking:
    """What became of a booking call that carried an idempotency key.

    Attributes:
        answer: The invitee as Calendly answered it, None while that is not known.
    """

    answer: JSON | None = None


class Bookings(Protocol):
    """The bookings made under idempotency keys in the last 24 hours, for one person and agent."""

    def recall(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """What became of the call with `key`, None when there was none.

        Raises:
            ArgumentError: the key was used for other arguments.
        """
        ...

    def reserve(self, key: str, arguments: Mapping[str, object]) -> Booking | None:
        """As `recall`, and the answer None makes `key` taken, its outcome not known until it is settled or released.

        Raises:
            ArgumentError: the key was used for other arguments, or too many keys are in use.
        """
        ...

    def settle(self, key: str, answer: JSON) -> None:
        """Keep the answer that every later call with `key` gets."""
        ...

    def release(self, key: str) -> None:
        """Give `key` back: Calendly certainly booked nothing."""
        ...
