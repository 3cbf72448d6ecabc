"""Why Calendly refuses a booking that keeps everything but the time of the meeting it replaces. Pure.

A workflow has no parameter for what goes along: Calendly's entries name it in plain words, so that a sentence
keeps its subject.
"""

import re
from collections.abc import Iterator
from typing import Final

from calendly.errors import CalendlyRefusal, Detail, InvalidArgument
from tools.toolset.redaction import address_free
from tools.toolset.wording import one_line

_INSIDE: Final = "event."
_TIME: Final = "start_time"
_LONGEST: Final = 300
_BETWEEN: Final = re.compile(r"[\W_]+")
_TWICE: Final = "location configuration location"


def is_of_what_goes_along(refused: Exception) -> bool:
    """Return whether Calendly refused what the booking keeps of the old one: another time does not help."""
    return isinstance(refused, InvalidArgument) and not any(map(_is_of_time, refused.details))


def told(refused: Exception) -> str:
    """Say why a booking was refused, without the addresses that Calendly may repeat."""
    if not isinstance(refused, CalendlyRefusal):
        return str(refused)
    entries = [one_line(entry, _LONGEST) for entry in _entries(refused)]
    return address_free(" ".join([one_line(str(refused), _LONGEST * 3), *entries]))


def _is_of_time(detail: Detail) -> bool:
    return detail.get("parameter", "").removeprefix(_INSIDE) == _TIME


def _entries(refused: CalendlyRefusal) -> Iterator[str]:
    for detail in refused.details:
        path = _BETWEEN.sub(" ", detail.get("parameter", "").removeprefix(_INSIDE)).strip()
        message = detail.get("message", "").rstrip(".")
        subject = "location" if path == _TWICE else path
        if message not in str(refused) or subject:
            yield f"{subject}: {message}." if subject else f"{message}."
