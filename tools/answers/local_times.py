"""Local times as agents and people read them, and open times by day. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any

from tools.times import sent_time


def told(local: datetime) -> str:
    """Return a local time such as `Tue 2026-12-01 10:00`, with the weekday, which models often get wrong."""
    return f"{local:%a} {local.date().isoformat()} {_clock(local)}"


def told_end(start: datetime | None, end: datetime) -> str:
    """Return the local end of a meeting: the time of day, with the day where it is another than that of the start."""
    return _clock(end) if start is not None and start.date() == end.date() else told(end)


def open_times(rows: Sequence[Mapping[str, Any]], zone: tzinfo) -> list[dict[str, Any]]:
    """Join the open slots of each day into one row: the date and its start times.

    A time that the clock shows twice that day carries its offset. Rows that are not open slots stay
    as they are.
    """
    days: dict[str, dict[str, Any]] = {}
    unread: list[dict[str, Any]] = []
    for row in rows:
        start = sent_time(row.get("start_time"))
        is_open = row.get("status", "available") == "available" and row.get("invitees_remaining") != 0
        if start is None or not is_open:
            unread.append(dict(row))
            continue
        local = start.astimezone(zone)
        date = local.date().isoformat()
        day = days.setdefault(date, {"date": date, "timezone": str(zone), "times": []})
        day["times"].append(_clock(local))
    return [*days.values(), *unread]


def meeting_times(rows: Sequence[Mapping[str, Any]], zone: tzinfo) -> list[dict[str, Any]]:
    """Join the times of each day into one row, unless the rows say to whom a time is open."""
    if not any("open_to" in row for row in rows):
        return open_times(rows, zone)
    starts = [sent_time(row.get("start_time")) for row in rows]
    locals_ = [{"local_start": told(start.astimezone(zone))} if start else {} for start in starts]
    return [{**row, **local} for row, local in zip(rows, locals_, strict=True)]


def _clock(local: datetime) -> str:
    """Return the time of day, with its offset where the clock shows it twice that day."""
    twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    clock = local.time().isoformat() if local.second or local.microsecond else f"{local:%H:%M}"
    return f"{clock}{local.isoformat()[-6:]}" if twice else clock
