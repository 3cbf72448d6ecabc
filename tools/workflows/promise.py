"""How far a rescheduling has come, kept between calls so that the same call again finishes it.

Each step is noted before the request that it stands for is sent. A call that was cut short, in
whatever place, tells the next one what may have happened.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from typing_extensions import TypedDict

from calendly.errors import OutcomeUnknown
from tools.toolset.ledger import Ledger

MovingStep = Literal["booking", "canceling", "booking_after", "booking_back", "booked", "done"]
"""The write that was sent last, or what is certain: the new meeting is booked, or all is done."""


class Progress(TypedDict, total=False):
    """How far it has come.

    Attributes:
        invitee: Of the new meeting, once it is booked.
        answer: The final answer, once all is done.
    """

    step: MovingStep
    invitee: dict[str, Any]
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Promise:
    """The progress of moving one meeting to one time.

    Attributes:
        ledger: Where it is kept.
        what: The meeting and the time.
    """

    ledger: Ledger
    what: Mapping[str, object]

    async def recall(self) -> Progress | None:
        """Return how far an earlier call came, None if there was none. Raises Unreachable."""
        earlier = await self.ledger.recall(self._key, self.what)
        if earlier is None:
            return None
        return cast("Progress", earlier.answer) if earlier.answer else {"step": "booking"}

    async def begin(self, step: MovingStep) -> None:
        """Note the first step.

        Raises:
            OutcomeUnknown: Another call moves this meeting right now.
            Unreachable: It cannot be noted, so nothing is to be sent.
        """
        if await self.ledger.reserve(self._key, self.what) is not None:
            busy = OutcomeUnknown("Another call is moving this meeting to this time right now.")
            busy.goes_on = True
            raise busy
        await self.note({"step": step})

    async def note(self, progress: Progress) -> None:
        """Note a further step."""
        await self.ledger.settle(self._key, self.what, cast("dict[str, Any]", progress))

    async def drop(self) -> None:
        """Forget it: certainly nothing was changed."""
        await self.ledger.release(self._key)

    @property
    def _key(self) -> str:
        return f"move {self.what['scheduled_event']} {self.what['start_time']}"
