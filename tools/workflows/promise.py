"""How far a rescheduling has come, kept between calls so that the same call again finishes it.

Each step is noted before the request that it stands for is sent. A call that was cut short, in
whatever place, tells the next one what may have happened.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, cast

from typing_extensions import TypedDict

from calendly.errors import OutcomeUnknown
from tools.times import wire
from tools.toolset.ledger import Ledger

MovingStep = Literal["booking", "canceling", "booking_after", "booking_back", "booked", "done"]
"""The write that was sent last, or what is certain: the new meeting is booked, or all is done."""


class Progress(TypedDict, total=False):
    """How far it has come.

    Attributes:
        turn: How many calls went on after the first one.
        at: When it was noted.
        invitee: Of the new meeting, once it is booked.
        answer: The final answer, once all is done.
    """

    step: MovingStep
    turn: int
    at: str
    invitee: dict[str, Any]
    answer: dict[str, Any]


@dataclass(slots=True)
class Promise:
    """The progress of moving one meeting to one time.

    Attributes:
        ledger: Where it is kept.
        what: The meeting and the time.
        now: Tells the time, in UTC.
        turn: How many calls went on before this one; 0 for the first.
    """

    ledger: Ledger
    what: Mapping[str, object]
    now: Callable[[], datetime]
    turn: int = 0

    async def recall(self) -> Progress | None:
        """Return how far an earlier call came, None if there was none. Raises Unreachable."""
        earlier = await self.ledger.recall(self._key, self.what)
        if earlier is None:
            return None
        return cast("Progress", earlier.answer) if earlier.answer else {"step": "booking"}

    async def go_on(self, step: MovingStep, earlier: Progress | None) -> None:
        """Note the step after `earlier`, or the first one.

        Raises:
            OutcomeUnknown: Another call has begun to move this meeting right now.
            Unreachable: It cannot be noted, so nothing is to be sent.
        """
        if earlier is None and await self.ledger.reserve(self._key, self.what) is not None:
            busy = OutcomeUnknown("Another call is moving this meeting to this time right now.")
            busy.goes_on = True
            raise busy
        if earlier is None:
            await self.ledger.reserve(self._pointer, self._meeting)
            await self.ledger.settle(self._pointer, self._meeting, {"start_time": self.what["start_time"]})
        self.turn = 0 if earlier is None else earlier.get("turn", 0) + 1
        await self.note({"step": step})

    async def note(self, progress: Progress) -> None:
        """Note a further step."""
        told = {**progress, "turn": self.turn, "at": wire(self.now())}
        await self.ledger.settle(self._key, self.what, cast("dict[str, Any]", told))

    async def refused(self) -> None:
        """Forget it, unless another call sent something too: what this one sent certainly changed nothing."""
        now = await self.recall()
        if now is None or (self.turn == 0 and now.get("turn", 0) == 0):
            await self.end()

    async def end(self) -> None:
        """Forget it."""
        await self.ledger.release(self._key)
        if await self.to_another_time() is None:
            await self.ledger.release(self._pointer)

    async def to_another_time(self) -> "Promise | None":
        """Return the promise of an earlier call to move the same meeting to another time, if one was begun last."""
        pointer = await self.ledger.recall(self._pointer, self._meeting)
        start = None if pointer is None or pointer.answer is None else pointer.answer.get("start_time")
        if start is None or start == self.what["start_time"]:
            return None
        return replace(self, what={**self.what, "start_time": start}, turn=0)

    @property
    def _meeting(self) -> Mapping[str, object]:
        return {"scheduled_event": self.what["scheduled_event"]}

    @property
    def _pointer(self) -> str:
        return f"moving {self.what['scheduled_event']}"

    @property
    def _key(self) -> str:
        return f"move {self.what['scheduled_event']} {self.what['start_time']}"
