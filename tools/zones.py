"""Time zones by IANA name, as agents write them and as Calendly sends them. Pure.

The zone of this machine has no name here: nobody who uses Calendly lives in a server.
"""

import difflib
import re
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

_NO_PLACE: Final = frozenset({"localtime", "Factory", "posixrules"})
"""Names in the zone data that stand for the machine or for nothing."""

_LONGEST_NAME: Final = 64

# Etc/GMT+2 is two hours behind UTC: POSIX counts westward (tzdata, file "etcetera").
_OFFSET: Final = re.compile(r"(etc/)?(gmt|utc)?[+-](0*[1-9]\d?|\d\d?:?\d\d)", re.IGNORECASE)
_IN_BRACKETS: Final = re.compile(r"\([^()]*\)?")
_SUFFIX: Final = re.compile(r"_(standard_|daylight_)?time$")

_ABBREVIATIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys(("est", "edt", "et", "est5edt", "eastern"), "America/New_York"),
        **dict.fromkeys(("cst", "cdt", "ct", "cst6cdt", "central"), "America/Chicago"),
        **dict.fromkeys(("mst", "mdt", "mt", "mst7mdt", "mountain"), "America/Denver"),
        **dict.fromkeys(("pst", "pdt", "pt", "pst8pdt", "pacific"), "America/Los_Angeles"),
        **dict.fromkeys(("cet", "cest", "met", "mez", "mesz"), "Europe/Berlin"),
        **dict.fromkeys(("wet", "west"), "Europe/Lisbon"),
        **dict.fromkeys(("eet", "eest"), "Europe/Helsinki"),
        "hst": "Pacific/Honolulu",
        "akst": "America/Anchorage",
        "bst": "Europe/London",
        "ist": "Asia/Kolkata",
        "jst": "Asia/Tokyo",
        "sgt": "Asia/Singapore",
        "aest": "Australia/Sydney",
        "aedt": "Australia/Sydney",
        "msk": "Europe/Moscow",
        "nzst": "Pacific/Auckland",
        "nzdt": "Pacific/Auckland",
    }
)
"""What people most often mean by an abbreviation. IANA's EST never has daylight saving time, New York does."""


def zone_of(name: str | None) -> ZoneInfo | None:
    """Return the zone of an IANA name that Calendly sent, None if there is none."""
    try:
        return ZoneInfo(name) if name and name not in _NO_PLACE else None
    except (LookupError, OSError, ValueError):  # what is no file, a folder, or no path at all
        return None


def named_zone(text: str) -> str:
    """Return the IANA name that a person means, in its own spelling.

    Raises:
        ValueError: It names no zone, or one that is seldom meant. The message suggests another.
    """
    text = text.strip()
    name = _by_spelling().get(text.casefold()) if len(text) <= _LONGEST_NAME else None
    if name is None or text.casefold() in _ABBREVIATIONS or _OFFSET.fullmatch(text):
        raise ValueError(f"Expected an IANA time zone such as Europe/Berlin.{_suggestion(text)}")
    return name


@cache
def _by_spelling() -> Mapping[str, str]:
    return {name.casefold(): name for name in available_timezones() - _NO_PLACE}


@cache
def _by_city() -> Mapping[str, list[str]]:
    cities: dict[str, list[str]] = {}
    for name in sorted(available_timezones() - _NO_PLACE):
        area, _, city = name.rpartition("/")
        if area and not area.startswith("Etc"):
            cities.setdefault(city.casefold(), []).append(name)
    return cities


def _suggestion(text: str) -> str:
    if _OFFSET.fullmatch(text):
        return " Name a place, or give the offset with the time: Etc/GMT+2 is behind UTC, not ahead of it."
    name = " ".join(_IN_BRACKETS.sub(" ", text[:_LONGEST_NAME]).split())
    wanted = name.casefold().replace(" ", "_")
    short = _ABBREVIATIONS.get(_SUFFIX.sub("", wanted))
    found = [short] if short else _by_city().get(wanted) or _alike(wanted)
    return f" Did you mean {' or '.join(found)}?" if found else ""


def _alike(wanted: str) -> list[str]:
    names = _by_spelling()
    city = wanted.rpartition("/")[2]
    return [
        *map(names.__getitem__, difflib.get_close_matches(wanted, list(names), n=1, cutoff=0.75)),
        *(
            name
            for near in difflib.get_close_matches(city, list(_by_city()), n=1, cutoff=0.8)
            for name in _by_city()[near]
        ),
    ][:1]
