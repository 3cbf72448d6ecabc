"""The range that a search of bookings takes where it names none, or one end of it."""

from datetime import datetime, timedelta
from typing import Final

from tools.times import Day, TimeRange, end_instant, first_instant, span
from tools.toolset.declaring import Call

_BEFORE: Final = timedelta(days=30)
_AFTER: Final = timedelta(days=90)


async def with_defaults(
    call: Call,
    start: datetime | Day | None,
    end: datetime | Day | None,
    timezone: str | None,
    *,
    now: datetime,
    longest: timedelta,
) -> TimeRange:
    """Return the range to search. An end that is not named is as far from the other as by default from now.

    Raises:
        ArgumentError: As `span`.
    """
    first = await first_instant(call.caller, "start_time", start, timezone) if start else None
    last = await end_instant(call.caller, "end_time", end, timezone) if end else None
    return await span(
        call.caller,
        first or min(now, last or now) - _BEFORE,
        last or max(now, first or now) + _AFTER,
        longest=longest,
    )


def note_of_default(start: datetime | Day | None, end: datetime | Day | None, *, order: str = "") -> str | None:
    """Say which part of a range was not named, None if all of it was.

    Args:
        start: As it was named.
        end: As it was named.
        order: In which order the whole default range is searched, before a colon.
    """
    if start and end:
        return None
    if start or end:
        missing = "end_time" if start else "start_time"
        return f"{missing} is a default one: name it to look further."
    return f"This is the default range{order}: name start_time and end_time for another."
