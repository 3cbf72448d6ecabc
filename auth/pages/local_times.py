"""Times as a person reads them: in their own zone. Pure."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo


def said(moment: datetime, timezone: str | None) -> str:
    """Write a moment, such as `1 Dec 2026, 10:00`."""
    local = moment.astimezone(_zone(timezone))
    return f"{local.day} {local:%b %Y, %H:%M}"


def zone_name(timezone: str | None) -> str:
    """Return the name of the zone that `said` writes times in."""
    return str(_zone(timezone))


def _zone(name: str | None) -> tzinfo:
    """Find a zone; UTC for one that Calendly did not give or we do not know."""
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):  # OSError: a name that is a folder of the database of zones
        return UTC
