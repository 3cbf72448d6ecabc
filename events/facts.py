"""Facts in what Calendly sends, of which any field can be missing or of another type. Pure."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast
from urllib.parse import urlsplit

from calendly.identifiers import CALENDLY_ORIGIN

_PATH: Final = re.compile(r"(?:/[A-Za-z0-9_-]{1,64}){2,6}")
_LONGEST_TIME: Final = 40
_YEARS: Final = range(1970, 3000)


def canonical(uri: object) -> str | None:
    """Return a resource URI at Calendly's own origin, whatever origin it names; None for what is no resource URI."""
    if not isinstance(uri, str):
        return None
    try:
        path = urlsplit(uri).path
    except ValueError:
        return None
    return CALENDLY_ORIGIN + path if _PATH.fullmatch(path) else None


def last_segment(uri: object) -> str | None:
    """Return the uuid in a resource URI."""
    known = canonical(uri)
    return known and known.rpartition("/")[2]


def meeting_of(invitee: str) -> str:
    """Return the URI of the scheduled event of an invitee, given a canonical URI."""
    return invitee.partition("/invitees/")[0]


def moment(text: object) -> datetime | None:
    """Read a time that Calendly sent, None for anything else."""
    if not isinstance(text, str) or len(text) > _LONGEST_TIME:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo and read.year in _YEARS else None


def in_seconds(time: datetime) -> str:
    """Write a time as it is told, to the second."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def written(time: datetime) -> str:
    """Write a time as Calendly does, to the microsecond: for identities and questions, which say it exactly."""
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def part(whole: Mapping[str, Any], name: str | None) -> Mapping[str, Any]:
    """Return an object in an object, empty where there is none."""
    found: object = whole.get(name) if name is not None else None
    return cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}
