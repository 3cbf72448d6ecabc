"""Times and zones: as agents write them, as Calendly sends and takes them.

Agents may write any ISO 8601 time. A time without an offset is in the caller's own zone, never in
the zone of this machine. Calendly gets UTC.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from typing_extensions import override

from calendly.errors import CalendlyError, InsufficientScope, PermissionDenied
from tools.toolset.declaring import Caller
from tools.toolset.errors import ArgumentError, ToolError
from tools.zones import zone_of

_LONGEST_TEXT: Final = 40
_DATE_ONLY: Final = len("2026-12-01")
YEARS: Final = range(1970, 3000)
LONGEST_RANGE: Final = timedelta(days=366)

_TICK: Final = timedelta(seconds=1)
"""The least difference between two times that agents name."""

_SOON: Final = timedelta(minutes=1)

_LONGEST_LENGTH: Final = 24 * 60
"""The longest meeting or buffer that is believed, in minutes."""


@dataclass(frozen=True, slots=True)
class Day:
    """A whole day of a zone that is not yet known, such as one end of a range.

    Attributes:
        which: The date, or how far it is from today.
    """

    which: date | timedelta

    def on(self, today: date) -> date:
        """Return which day it is."""
        return today + self.which if isinstance(self.which, timedelta) else self.which

    @override
    def __str__(self) -> str:
        return self.which.isoformat() if isinstance(self.which, date) else _WORD_OF_DAY[self.which]


_DAYS_FROM_TODAY: Final = {"today": timedelta(0), "tomorrow": timedelta(days=1), "yesterday": timedelta(days=-1)}
_WORD_OF_DAY: Final = {day: word for word, day in _DAYS_FROM_TODAY.items()}


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time, with or without an offset.

    Raises:
        ValueError: The text is not a time, or only a date.
    """
    text = text.strip()
    try:
        time = datetime.fromisoformat(text.upper()) if len(text) <= _LONGEST_TEXT else None
    except ValueError:
        time = None
    if time is None or time.year not in YEARS:
        raise ValueError("Expected an ISO 8601 time such as 2026-12-01T09:00:00Z.")
    if len(text) <= _DATE_ONLY:
        raise ValueError("This is only a date: add a time of day, such as 2026-12-01T09:00:00Z.")
    return time


def parse_moment(text: str) -> datetime | Day:
    """Read one end of a range: an ISO 8601 time, or what `parse_day` reads for the whole day. Raises ValueError."""
    if (day := _day(text.strip())) is not None:
        return day
    try:
        return parse_time(text)
    except ValueError as fault:
        raise ValueError(f"{fault} {_DAYS_TAKEN}") from None


def parse_day(text: str) -> Day:
    """Read a date, or today, tomorrow or yesterday. Raises ValueError."""
    day = _day(text.strip())
    if day is None:
        raise ValueError(f"Expected a date. {_DAYS_TAKEN}")
    return day


_DAYS_TAKEN: Final = "Days are written as 2026-12-01, today, tomorrow or yesterday."


def _day(text: str) -> Day | None:
    if text.casefold() in _DAYS_FROM_TODAY:
        return Day(_DAYS_FROM_TODAY[text.casefold()])
    try:
        day = date.fromisoformat(text) if len(text) <= _DATE_ONLY else None
    except ValueError:
        return None
    if day is not None and day.year not in YEARS:
        raise ValueError(f"Expected a date from {YEARS.start} on and before {YEARS.stop}.")
    return None if day is None else Day(day)


def sent_time(text: object) -> datetime | None:
    """Read a time that Calendly sent; None if it is missing, unreadable or without an offset."""
    try:
        time = parse_time(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None


def sent_length(minutes: float | None) -> timedelta:
    """Return how long something is that Calendly sent in minutes; zero if it is missing or no such thing."""
    return timedelta(minutes=minutes) if minutes is not None and 0 <= minutes <= _LONGEST_LENGTH else timedelta()


def wire(time: datetime) -> str:
    """Write an instant as Calendly writes open times: UTC, without zero fractions."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def instant(caller: Caller, parameter: str, time: datetime, *, timezone: str | None = None) -> datetime:
    """Return the UTC instant of `time`: by its offset, else in `timezone`, else in the caller's zone.

    Raises:
        ArgumentError: It has no offset, and the zone is not known or has that time twice or never.
    """
    if time.tzinfo is not None:
        return time.astimezone(UTC)
    zone = await _zone_of_naive(caller, parameter, timezone)
    local = time.replace(tzinfo=zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise ArgumentError.of(
            parameter, f"Clocks change in {zone}, so this time comes twice or never: add an offset, such as +01:00."
        )
    return local.astimezone(UTC)


async def first_instant(
    caller: Caller, parameter: str, moment: datetime | Day, timezone: str | None = None
) -> datetime:
    """Return the instant at which a range begins, inclusive. Raises ArgumentError as `instant`."""
    if isinstance(moment, Day):
        zone = await _zone_of_naive(caller, parameter, timezone)
        return begin(moment.on(today_in(zone, caller)), zone)
    return await instant(caller, parameter, moment, timezone=timezone)


async def end_instant(caller: Caller, parameter: str, moment: datetime | Day, timezone: str | None = None) -> datetime:
    """Return the instant before which a range ends. A day ends with it. Raises ArgumentError as `instant`."""
    if isinstance(moment, Day):
        zone = await _zone_of_naive(caller, parameter, timezone)
        return begin(moment.on(today_in(zone, caller)) + timedelta(days=1), zone)
    return await instant(caller, parameter, moment, timezone=timezone)


async def last_instant(caller: Caller, parameter: str, moment: datetime | Day, timezone: str | None = None) -> datetime:
    """Return the last instant of a range, inclusive. Raises ArgumentError as `instant`."""
    end = await end_instant(caller, parameter, moment, timezone)
    return end - _TICK if isinstance(moment, Day) else end


def today_in(zone: ZoneInfo, caller: Caller) -> date:
    """Return which day it is in a zone."""
    return caller.now().astimezone(zone).date()


def before(instant: datetime) -> datetime:
    """Return Calendly's lower bound for starts from `instant` on: its bounds are exclusive ("later than")."""
    return instant - _TICK


def after(instant: datetime) -> datetime:
    """Return Calendly's upper bound for starts until `instant`: its bounds are exclusive ("earlier than")."""
    return instant + _TICK


async def _zone_of_naive(caller: Caller, parameter: str, timezone: str | None) -> ZoneInfo:
    zone = await zone_for(caller, timezone)
    if zone is None:
        raise ArgumentError.of(
            parameter, "This time has no offset and your time zone is not known: add an offset, such as Z or +01:00."
        )
    return zone


async def own_timezone(caller: Caller) -> str | None:
    """Return the caller's own time zone, None if the token may not say."""
    try:
        return (await caller.identity()).timezone
    except (InsufficientScope, PermissionDenied, ToolError):
        return None


async def zone_for(caller: Caller, timezone: str | None = None) -> ZoneInfo | None:
    """Return the given zone, else the caller's own; None if that is not known."""
    return zone_of(timezone or await own_timezone(caller))


async def zone_if_known(caller: Caller, timezone: str | None = None) -> ZoneInfo | None:
    """Return what `zone_for` returns; None if Calendly cannot be asked, since the times matter more than their zone."""
    try:
        return await zone_for(caller, timezone)
    except CalendlyError:
        return None


async def zone_needed(caller: Caller, timezone: str | None) -> ZoneInfo:
    """Return the given zone, else the caller's own. Raises ArgumentError if that is not known."""
    zone = await zone_for(caller, timezone)
    if zone is None:
        raise ArgumentError.of(
            "timezone", "Your time zone is not known, so name the one whose days and hours are meant."
        )
    return zone


def begin(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a day, also where clocks change at midnight."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


class TimeRange(NamedTuple):
    """A range of time: from `start` until just before `end`, both in UTC.

    Attributes:
        began: What was asked for began in the past, and `start` is now.
    """

    start: datetime
    end: datetime
    began: bool = False


async def span(
    caller: Caller,
    start_time: datetime | Day,
    end_time: datetime | Day,
    timezone: str | None = None,
    *,
    longest: timedelta = LONGEST_RANGE,
) -> TimeRange:
    """Return a range as instants. Times without an offset and days are in `timezone`, else in the caller's zone.

    Raises:
        ArgumentError: A time cannot be read, or the range is empty or too long.
    """
    start = await first_instant(caller, "start_time", start_time, timezone)
    end = await end_instant(caller, "end_time", end_time, timezone)
    if end <= start:
        raise ArgumentError.of("end_time", "Must be after start_time.")
    if end - start > longest:
        raise ArgumentError.of("end_time", f"Must be within {longest.days} days of start_time.")
    return TimeRange(start, end)


async def bounds(
    caller: Caller,
    names: tuple[str, str],
    first: datetime | Day | None,
    last: datetime | Day | None,
    timezone: str | None = None,
) -> tuple[datetime | None, datetime | None]:
    """Return the first and the last instant of a filter, both inclusive; `names` are its two parameters.

    Raises:
        ArgumentError: A time cannot be read, or the last is before the first.
    """
    start = await first_instant(caller, names[0], first, timezone) if first else None
    end = await last_instant(caller, names[1], last, timezone) if last else None
    if start is not None and end is not None and end < start:
        raise ArgumentError.of(names[1], f"Must not be before {names[0]}.")
    return start, end


async def coming_span(
    caller: Caller, start_time: datetime | Day, end_time: datetime | Day, timezone: str | None = None
) -> TimeRange:
    """Return the part of a range that is still to come. Raises ArgumentError as `span`, and if nothing of it is."""
    start, end, _ = await span(caller, start_time, end_time, timezone)
    if end <= soon(caller):
        raise ArgumentError.of("end_time", "Must be in the future.")
    return TimeRange(max(start, soon(caller)), end, began=start < caller.now())


async def past_span(
    caller: Caller, start_time: datetime | Day, end_time: datetime | Day, *, oldest: timedelta
) -> TimeRange:
    """Return a range that is over. Raises ArgumentError as `span`, and if it is not over or begins too long ago."""
    found, now = await span(caller, start_time, end_time, longest=oldest), caller.now()
    if found.end > now:
        raise ArgumentError.of("end_time", "Must be in the past.")
    if found.start < now - oldest:
        raise ArgumentError.of("start_time", f"Must be within the last {oldest.days} days.")
    return found


def soon(caller: Caller) -> datetime:
    """Return the first instant that a range can begin at: Calendly wants it in the future when it reads it."""
    return caller.now().replace(microsecond=0) + _SOON
