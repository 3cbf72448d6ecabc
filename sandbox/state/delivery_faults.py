"""Faults of webhook deliveries that a control asks for: what happens to the next attempts, and how often."""

import asyncio
from dataclasses import dataclass, field
from typing import Final, Literal

Corruption = Literal["body", "signature", "time"]
CORRUPTIONS: Final[tuple[Corruption, ...]] = ("body", "signature", "time")

FEWEST_TO_REORDER: Final = 2


@dataclass(frozen=True)
class ReversedTurn:
    """The place of one attempt among those that are sent in reverse order.

    Attributes:
        awaited: Set once the attempt that goes before this one is out; None for the first to go.
        passed: Set once this attempt is out.
    """

    awaited: asyncio.Event | None = None
    passed: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass
class DeliveryFault:
    """What happens to the next attempts.

    Attributes:
        duplicate: How many further copies are sent.
        delay: Seconds of the sandbox's clock to wait first.
        reorder: The attempts that are hit, two at least, are sent in reverse order.
        corrupt: What is wrong: a bit of the body or a digit of the signature, or it was signed an hour ago.
        drop: Nothing is sent, and the attempt fails.
        times: How many attempts are still to be hit.
        passed: Set once the next attempt to be hit is out.
    """

    duplicate: int = 0
    delay: float = 0
    reorder: bool = False
    corrupt: Corruption | None = None
    drop: bool = False
    times: int = 1
    passed: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        if self.reorder:
            self.times = max(self.times, FEWEST_TO_REORDER)


class DeliveryFaults:
    """The faults that are not used up, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[DeliveryFault] = []

    def add(self, fault: DeliveryFault) -> None:
        """Add a fault."""
        self._waiting.append(fault)

    def take(self) -> tuple[DeliveryFault, ReversedTurn]:
        """Count one use of the oldest fault.

        Returns:
            The fault, or one that does nothing, and the turn of the attempt.
        """
        if not self._waiting:
            return DeliveryFault(), ReversedTurn()
        fault = self._waiting[0]
        fault.times -= 1
        if fault.times == 0:
            self._waiting.pop(0)
        if not fault.reorder:
            return fault, ReversedTurn()
        passed, fault.passed = fault.passed, asyncio.Event()
        return fault, ReversedTurn(fault.passed if fault.times else None, passed)
