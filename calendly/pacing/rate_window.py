"""How many calls an account has left in the current rate limit window, and when the next one can start.

Calendly counts in fixed windows of a minute and reports on every answer what is left. Answers arrive
out of order or not at all, and other programs share the limit. So a call in flight counts as spent,
and no answer raises what is left within a window. One call explores a new window. Then at most half
of what is left is spent at once, and the rest evenly over the remaining time.

All functions are pure in time: `now` is in seconds, on any clock that only moves forward.
"""

from dataclasses import dataclass, field
from typing import Final

from calendly.pacing.rate_headers import RateHeaders

WINDOW_SECONDS: Final = 60.0

# Resets are whole seconds, and Calendly does not say how they are rounded.
_MARGIN: Final = 1.0

# Answers whose windows end further apart than this belong to different windows.
_APART: Final = 5.0

_LONGEST_BACK_OFF: Final = 60.0

LONGEST_HOLD: Final = 600.0
"""How long one 429 holds calls back, in seconds. Where it names a longer wait, one call then finds out whether
Calendly still refuses: a proxy may have named it, and nothing else would end it."""


@dataclass(frozen=True, slots=True)
class StartedCall:
    """A call in flight.

    Attributes:
        at: When it started.
        number: Its number among the calls of the account.
        is_patient: Whether it keeps no other call waiting, and so belongs to no burst.
    """

    at: float
    number: int
    is_patient: bool = False


@dataclass(slots=True)
class RateWindow:
    """The current rate limit window of one account.

    Attributes:
        limit: Calls per window: the setting at first, then Calendly's own figure.
        began: When this window began, as far as is known.
        is_informed: Whether there was any answer, so that forecasts do not rest on the setting alone.
    """

    limit: int
    began: float
    is_informed: bool = field(init=False, default=False)
    _ends: float = field(init=False, default=0.0)
    _remaining: int = field(init=False, default=0)  # the lowest report of this window, minus calls lost since
    _explored: bool = field(init=False, default=False)
    _closed: bool = field(init=False, default=False)  # by a 429
    _refusals: int = field(init=False, default=0)  # in a row
    _in_flight: int = field(init=False, default=0)
    _counted: int = field(init=False, default=0)  # calls in flight that `_remaining` may include
    _started: int = field(init=False, default=0)
    _counted_up_to: int = field(init=False, default=0)  # the last call that `_remaining` may include
    _burst: int = field(init=False, default=0)  # calls since none was waiting or in flight
    _last: float = field(init=False, default=0.0)  # when the last call started

    def __post_init__(self) -> None:
        """Start with a full window."""
        self._renew(self.began)

    def delay(self, now: float) -> float:
        """Return the seconds until the next call can start, 0 for now."""
        self._roll(now)
        left = self._remaining - self._in_flight
        if left <= 0:
            return self._reopens - now
        if self._burst < (self._share(left) if self._explored else 1):
            return 0.0
        return max(0.0, self._last + self._gap(left, self._last) - now)

    def expected(self, place: int, now: float) -> float:
        """Return a low estimate of the seconds until a call with `place` others before it can start."""
        self._roll(now)
        left = max(0, self._remaining - self._in_flight + self._counted)
        at_once = max(0, self._share(left) - self._burst) if left else 0
        if place < at_once:
            return 0.0
        if place < left:
            since = now if at_once else self._last
            return max(0.0, since + (place - at_once + 1) * self._gap(left - at_once, since) - now)
        windows, place = divmod(place - left, self.limit)
        start = self._reopens - now + windows * (WINDOW_SECONDS + _MARGIN)
        half = max(1, self.limit // 2)
        return start + max(0, place - half + 1) * WINDOW_SECONDS / (self.limit - half + 1)

    def start(self, now: float, *, is_patient: bool = False) -> StartedCall:
        """Count a call that starts now."""
        self._roll(now)
        self._in_flight += 1
        self._started += 1
        if not is_patient:
            self._burst += 1
            self._last = now
        return StartedCall(now, self._started, is_patient)

    def take_back(self, call: StartedCall) -> None:
        """Stop counting a call that was not sent."""
        self._finish(call)
        if not call.is_patient:
            self._burst = max(0, self._burst - 1)

    def lost(self, call: StartedCall) -> None:
        """Count a call without an answer as spent, since Calendly may have counted it."""
        self._finish(call)
        self._remaining -= 1

    def answered(self, call: StartedCall, headers: RateHeaders, now: float) -> None:
        """Learn from an answer. One without headers counts as one call spent."""
        self._finish(call)
        self._roll(now)
        self.is_informed = True
        if self._closed or self._is_of_an_earlier_window(call, headers, now):
            return
        self._refusals = 0
        self.limit = headers.limit or self.limit
        self._learn_end(call, headers, now)
        if headers.remaining is None:
            self._remaining -= 1
        elif headers.remaining < self._remaining:
            self._remaining = headers.remaining
            self._counted, self._counted_up_to = self._in_flight, self._started

    def refused(self, call: StartedCall, headers: RateHeaders, now: float, random: float) -> float:
        """Close the window after a 429, for as long as Calendly says, up to a limit, or for a back-off.

        Return the seconds until a repeat makes sense.
        """
        self._finish(call)
        self.is_informed = True
        if not self._closed:
            self._closed, self._remaining, self._ends = True, 0, now
            self._refusals += 1
        back_off = min(_LONGEST_BACK_OFF, 2.0**self._refusals) * (0.5 + random / 2)
        told = headers.retry_after
        if told is None and headers.reset is not None:
            told = headers.reset + _MARGIN
        wait = max(_MARGIN, back_off if told is None else told)
        self._ends = max(self._ends, now + min(wait, LONGEST_HOLD))
        self.limit = headers.limit or self.limit
        return max(wait, self._reopens - now)

    def end_burst(self) -> None:
        """Note that no call waits. The burst ends unless calls are still in flight."""
        if not self._in_flight:
            self._burst = 0

    def is_forgettable(self, now: float) -> bool:
        """Return whether the window holds nothing that a new one would not."""
        return not self._in_flight and not self.began <= now < self._reopens

    @property
    def _reopens(self) -> float:
        return self._ends if self._closed else self._ends + _MARGIN

    def _share(self, left: int) -> int:
        """Return how many calls of a burst can start at once: half of what was left when it began."""
        return max(1, (left + self._burst) // 2)

    def _gap(self, left: int, since: float) -> float:
        return max(0.0, self._ends - since) / (left + 1)

    def _roll(self, now: float) -> None:
        if not self.began <= now < self._reopens:  # it is over, or the clock jumped
            self._renew(now)

    def _renew(self, now: float) -> None:
        self.began, self._ends, self._remaining = now, now + WINDOW_SECONDS, self.limit
        self._explored = self._closed = False
        self._burst = 0
        self._counted, self._counted_up_to = self._in_flight, self._started

    def _finish(self, call: StartedCall) -> None:
        self._in_flight -= 1
        if call.number <= self._counted_up_to:
            self._counted -= 1

    def _is_of_an_earlier_window(self, call: StartedCall, headers: RateHeaders, now: float) -> bool:
        """Return whether an answer belongs to the window before this one, in which its call started."""
        if call.at >= self.began:
            return False
        return headers.reset is None or now + headers.reset < self._ends - _APART

    def _learn_end(self, call: StartedCall, headers: RateHeaders, now: float) -> None:
        """Take the end from the first answer of a window; later answers can only bring it nearer."""
        is_newer = headers.reset is not None and call.at + headers.reset > self._ends + _APART
        if is_newer:
            self._burst = self._in_flight
        if is_newer or not self._explored:
            self._explored, self._remaining = True, self.limit
            if headers.reset is not None:
                self.began, self._ends = now, now + headers.reset
        elif headers.reset is not None:
            self._ends = min(self._ends, now + headers.reset)
