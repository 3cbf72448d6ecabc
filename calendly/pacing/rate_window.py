"""How many calls a Calendly user has left in the present window, and when the next one may start.

Calendly counts in fixed windows of a minute and says on every answer what is left. Answers arrive out of order, some
never, and other programs spend from the same limit. So a call in flight counts as spent, no answer makes a window
fuller, and nothing but the next window does. A new window is explored by one call; then at most half of what is left
is spent at once, and the rest evenly over the time that is left.

Everything here is a decision about values; `now` is any clock that only moves forward, in seconds.
"""

from dataclasses import dataclass, field
from typing import Final

from calendly.pacing.rate_headers import Report

LENGTH: Final = 60.0

# Resets are whole seconds, rounded nobody knows which way.
_MARGIN: Final = 1.0

# Two answers whose windows end further apart than this speak of different windows.
_APART: Final = 5.0

_LONGEST_BACK_OFF: Final = 60.0


@dataclass(frozen=True, slots=True)
class Departure:
    """A call that is on its way: when it started, and as which one."""

    at: float
    number: int


@dataclass(slots=True)
class Window:
    """The present window of one Calendly user.

    Attributes:
        limit: Calls per window: the setting at first, then what Calendly says.
        began: Since when this window is known.
        is_informed: Whether any answer has been seen, so that forecasts are more than the setting's guess.
    """

    limit: int
    began: float
    is_informed: bool = field(init=False, default=False)
    _ends: float = field(init=False, default=0.0)
    _remaining: int = field(init=False, default=0)  # by the lowest report of this window, less what was lost since
    _explored: bool = field(init=False, default=False)
    _closed: bool = field(init=False, default=False)  # by a 429
    _refusals: int = field(init=False, default=0)  # in a row
    _in_flight: int = field(init=False, default=0)
    _counted: int = field(init=False, default=0)  # of those in flight, how many `_remaining` may have counted already
    _departures: int = field(init=False, default=0)
    _counted_up_to: int = field(init=False, default=0)  # the last departure that `_remaining` may have counted
    _burst: int = field(init=False, default=0)  # calls since the user was last quiet
    _last: float = field(init=False, default=0.0)  # when the last call started

    def __post_init__(self) -> None:
        """Begin with a full window."""
        self._renew(self.began)

    def delay(self, now: float) -> float:
        """Return the seconds until the next call may start, 0 when it may now."""
        self._roll(now)
        left = self._remaining - self._in_flight
        if left <= 0:
            return self._reopens - now
        if self._burst < (self._share(left) if self._explored else 1):
            return 0.0
        return max(0.0, self._last + self._gap(left, self._last) - now)

    def expected(self, place: int, now: float) -> float:
        """Estimate the seconds until a call may start that has `place` others before it, if anything too few."""
        self._roll(now)
        left = max(0, self._remaining - self._in_flight + self._counted)
        at_once = max(0, self._share(left) - self._burst) if left else 0
        if place < at_once:
            return 0.0
        if place < left:
            since = now if at_once else self._last
            return max(0.0, since + (place - at_once + 1) * self._gap(left - at_once, since) - now)
        windows, place = divmod(place - left, self.limit)
        start = self._reopens - now + windows * (LENGTH + _MARGIN)
        half = max(1, self.limit // 2)
        return start + max(0, place - half + 1) * LENGTH / (self.limit - half + 1)

    def depart(self, now: float) -> Departure:
        """Count a call that starts now."""
        self._roll(now)
        self._in_flight += 1
        self._burst += 1
        self._departures += 1
        self._last = now
        return Departure(now, self._departures)

    def never_left(self, departure: Departure) -> None:
        """Take back a call that was not sent after all."""
        self._land(departure)
        self._burst = max(0, self._burst - 1)

    def lost(self, departure: Departure) -> None:
        """Count a call without an answer as spent; whether Calendly counted it is not known."""
        self._land(departure)
        self._remaining -= 1

    def answered(self, departure: Departure, report: Report, now: float) -> None:
        """Learn from an answer. One without headers has spent a call and tells nothing else."""
        self._land(departure)
        self._roll(now)
        self.is_informed = True
        if self._closed or self._is_of_an_earlier_window(departure, report, now):
            return
        self._refusals = 0
        self.limit = report.limit or self.limit
        self._learn_end(departure, report, now)
        if report.remaining is None:
            self._remaining -= 1
        elif report.remaining < self._remaining:
            self._remaining = report.remaining
            self._counted, self._counted_up_to = self._in_flight, self._departures

    def refused(self, departure: Departure, report: Report, now: float, random: float) -> float:
        """Close the window after a 429, for as long as Calendly says or for a back-off; return the seconds."""
        self._land(departure)
        self.is_informed = True
        if not self._closed:
            self._closed, self._remaining, self._ends = True, 0, now
            self._refusals += 1
        back_off = min(_LONGEST_BACK_OFF, 2.0**self._refusals) * (0.5 + random / 2)
        told = report.retry_after
        if told is None and report.reset is not None:
            told = report.reset + _MARGIN
        self._ends = max(self._ends, now + max(_MARGIN, back_off if told is None else told))
        self.limit = report.limit or self.limit
        return self._reopens - now

    def quiet(self) -> None:
        """End the burst: nobody waits. The next call is a lone one again unless others are still in flight."""
        if not self._in_flight:
            self._burst = 0

    def is_forgettable(self, now: float) -> bool:
        """Whether a new window would know as much."""
        return not self._in_flight and not self.began <= now < self._reopens

    @property
    def _reopens(self) -> float:
        return self._ends if self._closed else self._ends + _MARGIN

    def _share(self, left: int) -> int:
        """Return how many calls of a burst may start at once: half of what was left when it began."""
        return max(1, (left + self._burst) // 2)

    def _gap(self, left: int, since: float) -> float:
        return max(0.0, self._ends - since) / (left + 1)

    def _roll(self, now: float) -> None:
        if not self.began <= now < self._reopens:  # over, or the clock jumped
            self._renew(now)

    def _renew(self, now: float) -> None:
        self.began, self._ends, self._remaining = now, now + LENGTH, self.limit
        self._explored = self._closed = False
        self._burst = 0
        self._counted, self._counted_up_to = self._in_flight, self._departures

    def _land(self, departure: Departure) -> None:
        self._in_flight -= 1
        if departure.number <= self._counted_up_to:
            self._counted -= 1

    def _is_of_an_earlier_window(self, departure: Departure, report: Report, now: float) -> bool:
        """Tell answers apart around the end of a window: a call that left later cannot have been counted earlier."""
        if departure.at >= self.began:
            return False
        return report.reset is None or now + report.reset < self._ends - _APART

    def _learn_end(self, departure: Departure, report: Report, now: float) -> None:
        """Adopt what is first told of a window, as the whole truth; of a known one, believe the earliest end."""
        is_newer = report.reset is not None and departure.at + report.reset > self._ends + _APART
        if is_newer:
            self._burst = self._in_flight
        if is_newer or not self._explored:
            self._explored, self._remaining = True, self.limit
            if report.reset is not None:
                self.began, self._ends = now, now + report.reset
        elif report.reset is not None:
            self._ends = min(self._ends, now + report.reset)
