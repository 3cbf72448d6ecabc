"""Times as agents write them and as Calendly takes them.

An agent may write any ISO 8601 time. One without an offset is read in the caller's own time zone, never in the zone of
the machine this runs on; Calendly gets UTC.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from calendly.errors import InsufficientScope, PermissionDenied
from tools.toolset.declaring import Caller
from tools.toolset.errors import ArgumentError, ToolError

_LONGEST_TEXT: Final = 40
_DATE_ONLY: Final = len("2026-12-01")
YEARS: Final = range(1970, 3000)
LONGEST_RANGE: Final = timedelta(days=366)

BOUND: Final = timedelta(seconds=1)
"""Calendly's bounds on start times are exclusive: later than, earlier than."""


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time, with or without an offset.

    Raises:
        ValueError: It is none, or only a date.
    """
    try:
        time = datetime.fromisoformat(text.upper()) if len(text) <= _LONGEST_TEXT else None
    except ValueError:
        time = None
    if time is None or time.year not in YEARS:
        raise ValueError("Expected an ISO 8601 time such as 2026-12-01T09:00:00Z.")
    if len(text) <= _DATE_ONLY:
        raise ValueError("This is only a date: add a time of day, such as 2026-12-01T09:00:00Z.")
    return time


def sent_time(text: object) -> datetime | None:
    """Read a time that Calendly sent; None where there is none, or none that can be told as an instant."""
    try:
        time = parse_time(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None


def wire(time: datetime) -> str:
    """An instant as Calendly's open times are written: UTC, with fractions of a second only where there are any."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


async def instant(caller: Caller, parameter: str, time: datetime, *, timezone: str | None = None) -> datetime:
    """The instant in UTC that `time` means: as its offset says, else in `timezone`, else in the caller's own.

    Raises:
        ArgumentError: It has no offset and the zone is not known, or the clock shows that time twice or never there.
    """
    if time.tzinfo is not None:
        return time.astimezone(UTC)
    zone = await zone_for(caller, timezone)
    if zone is None:
        raise ArgumentError.of(
            parameter, "This time has no offset and your time zone is not known: add an offset, such as Z or +01:00."
        )
    local = time.replace(tzinfo=zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise ArgumentError.of(
            parameter, f"Clocks change in {zone}, so this time comes twice or never: add an offset, such as +01:00."
        )
    return local.astimezone(UTC)


async def own_timezone(caller: Caller) -> str | None:
    """The caller's own time zone, None where the token may not say."""
    try:
        return (await caller.identity()).timezone
    except (InsufficientScope, PermissionDenied, ToolError):
        return None


async def zone_for(caller: Caller, timezone: str | None = None) -> ZoneInfo | None:
    """Return the zone that was asked for, else the caller's own; None where that is not known."""
    return zone_of(timezone or await own_timezone(caller))


async def zone_needed(caller: Caller, timezone: str | None) -> ZoneInfo:
    """Return the zone that was asked for, else the caller's own. Raises ArgumentError where that is not known."""
    zone = await zone_for(caller, timezone)
    if zone is None:
        raise ArgumentError.of(
            "timezone", "Your time zone is not known, so name the one whose days and hours are meant."
        )
    return zone


def zone_of(name: str | None) -> ZoneInfo | None:
    """The time zone of an IANA name, None when there is no such zone."""
    try:
        return ZoneInfo(name) if name else None
    except (LookupError, OSError, ValueError):  # what is no file, a folder, or no path at all
        return None


def begin(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of a day, where clocks may change at midnight, too."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


async def span(
    caller: Caller,
    start_time: datetime,
    end_time: datetime,
    timezone: str | None = None,
    *,
    longest: timedelta = LONGEST_RANGE,
) -> tuple[datetime, datetime]:
    """The two ends of a range as instants; `timezone` is that of times without an offset, None for the caller's own.

    Raises:
        ArgumentError: One of them cannot be read, or the range is empty or too long.
    """
    start = await instant(caller, "start_time", start_time, timezone=timezone)
    end = await instant(caller, "end_time", end_time, timezone=timezone)
    if end <= start:
        raise ArgumentError.of("end_time", "Must be after start_time.")
    if end - start > longest:
        raise ArgumentError.of("end_time", f"Must be within {longest.days} days of start_time.")
    return start, end
