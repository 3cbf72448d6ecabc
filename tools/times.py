"""Times and zones: as agents write them, as Calendly sends and takes them.

Agents may write any ISO 8601 time. A time without an offset is in the caller's own zone, never in
the zone of this machine. Calendly gets UTC.
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
"""A margin for Calendly's bounds on start times, which are exclusive."""


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time, with or without an offset.

    Raises:
        ValueError: The text is not a time, or only a date.
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
    """Read a time that Calendly sent; None if it is missing, unreadable or without an offset."""
    try:
        time = parse_time(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo is not None else None


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
    """Return the caller's own time zone, None if the token may not say."""
    try:
        return (await caller.identity()).timezone
    except (InsufficientScope, PermissionDenied, ToolError):
        return None


async def zone_for(caller: Caller, timezone: str | None = None) -> ZoneInfo | None:
    """Return the given zone, else the caller's own; None if that is not known."""
    return zone_of(timezone or await own_timezone(caller))


async def zone_needed(caller: Caller, timezone: str | None) -> ZoneInfo:
    """Return the given zone, else the caller's own. Raises ArgumentError if that is not known."""
    zone = await zone_for(caller, timezone)
    if zone is None:
        raise ArgumentError.of(
            "timezone", "Your time zone is not known, so name the one whose days and hours are meant."
        )
    return zone


def zone_of(name: str | None) -> ZoneInfo | None:
    """Return the zone of an IANA name, None if there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (LookupError, OSError, ValueError):  # what is no file, a folder, or no path at all
        return None


def begin(day: date, zone: ZoneInfo) -> datetime:
    """Return the first instant of a day, also where clocks change at midnight."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


async def span(
    caller: Caller,
    start_time: datetime,
    end_time: datetime,
    timezone: str | None = None,
    *,
    longest: timedelta = LONGEST_RANGE,
) -> tuple[datetime, datetime]:
    """Return both ends of a range as instants. Times without an offset are in `timezone`, else in the caller's zone.

    Raises:
        ArgumentError: A time cannot be read, or the range is empty or too long.
    """
    start = await instant(caller, "start_time", start_time, timezone=timezone)
    end = await instant(caller, "end_time", end_time, timezone=timezone)
    if end <= start:
        raise ArgumentError.of("end_time", "Must be after start_time.")
    if end - start > longest:
        raise ArgumentError.of("end_time", f"Must be within {longest.days} days of start_time.")
    return start, end
