"""Reads a query or a JSON body field by field, and reports all bad parameters at once.

A missing or bad value reads as empty, so that the next field can be read; `check` then raises one
error with a detail for each bad parameter.
"""

import json
import re
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime
from typing import Final, cast
from zoneinfo import ZoneInfo

from sandbox.errors import ApiError, BadParameter, invalid_argument
from sandbox.records.identifiers import id_of

MUST_BE_FILLED: Final = "must be filled"
LAST_YEAR: Final = 9000  # later times would overflow when something is added


def read_object(text: bytes) -> dict[str, object] | None:
    """Return the JSON object in a body, None for anything else, and for texts with a lone surrogate."""
    try:
        body = cast("object", json.loads(text))
        json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, object]", body) if isinstance(body, dict) else None


def is_email(value: str) -> bool:
    """Return whether this looks like one e-mail address."""
    return re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", value) is not None and value.isprintable()


def read_time(value: object) -> datetime | None:
    """Return an ISO 8601 time with an offset as UTC, None for anything else and after `LAST_YEAR`."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        read = moment.astimezone(UTC) if moment is not None and moment.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
    return read if read is not None and read.year < LAST_YEAR else None


def is_timezone(value: str) -> bool:
    """Return whether this is an IANA name."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):  # unknown, malformed, and a folder of the database
        return False
    return True


def objects_in(value: object) -> list[dict[str, object]] | None:
    """Return `value` if it is a list of JSON objects, else None."""
    if not isinstance(value, list):
        return None
    rows = cast("list[object]", value)
    found = [cast("dict[str, object]", row) for row in rows if isinstance(row, dict)]
    return found if len(found) == len(rows) else None


def texts_in(value: object) -> list[str] | None:
    """Return `value` if it is a list of texts, else None."""
    if not isinstance(value, list):
        return None
    rows = cast("list[object]", value)
    found = [row for row in rows if isinstance(row, str)]
    return found if len(found) == len(rows) else None


class InputFields:
    """The fields of a query or a JSON object, and what is wrong with them.

    Args:
        values: The query, or a JSON object.
        prefix: Precedes each name in the details: `invitee.` for the fields of `invitee`.
        problems: Where details are collected; nested objects share those of the body.
    """

    def __init__(
        self, values: Mapping[str, object], prefix: str = "", problems: list[BadParameter] | None = None
    ) -> None:
        self._values = values
        self._prefix = prefix
        self._problems = [] if problems is None else problems

    def refuse(self, name: str, message: str) -> None:
        """Note a bad field."""
        self._problems.append({"parameter": self._prefix + name, "message": message})

    @property
    def good(self) -> bool:
        """Whether no field was bad so far."""
        return not self._problems

    def refusal(self) -> ApiError:
        """Return the 400 with a detail for each bad field."""
        return invalid_argument(*self._problems)

    def check(self) -> None:
        """Refuse the request if any field was bad.

        Raises:
            ApiError: 400 with the details.
        """
        if not self.good:
            raise self.refusal()

    def has(self, name: str) -> bool:
        """Return whether the field was sent and is not null."""
        return self._values.get(name) is not None

    def named(self, name: str) -> bool:
        """Return whether the field was sent, even as null."""
        return name in self._values

    def names(self) -> list[str]:
        """Return the names of all fields sent."""
        return list(self._values)

    def raw(self, name: str, *, required: bool = False) -> object:
        """Return the value as it was sent."""
        value = self._values.get(name)
        if required and value in (None, ""):
            self.refuse(name, MUST_BE_FILLED)
        return value

    def text(self, name: str, *, required: bool = False, most: int | None = None) -> str:
        """Return a text, empty when missing."""
        value = self.raw(name, required=required)
        if value is None:
            return ""
        if not isinstance(value, str):
            self.refuse(name, "must be a string")
            return ""
        if most is not None and len(value) > most:
            self.refuse(name, f"is too long (maximum is {most} characters)")
        return value

    def nullable_text(self, name: str) -> str | None:
        """Return a text or null; the field must be there."""
        value = self._values.get(name)
        if name not in self._values:
            self.refuse(name, "is missing")
        elif value is not None and not isinstance(value, str):
            self.refuse(name, "must be a string or null")
        return value if isinstance(value, str) else None

    def choice(self, name: str, allowed: Collection[str], *, required: bool = False) -> str:
        """Return one of the allowed words, empty when missing."""
        value = self.text(name, required=required)
        if value and value not in allowed:
            self.refuse(name, f"must be one of: {', '.join(allowed)}")
            return ""
        return value

    def reference(self, name: str, collection: str, *, required: bool = False) -> str:
        """Return the id in a resource URI, empty when missing."""
        value = self.text(name, required=required)
        identifier = id_of(value, collection) if value else ""
        if identifier is None:
            self.refuse(name, f"must be a URI of {collection}")
            return ""
        return identifier

    def email(self, name: str, *, required: bool = False) -> str:
        """Return an e-mail address, empty when missing."""
        value = self.text(name, required=required)
        if value and not is_email(value):
            self.refuse(name, f"{value} is an invalid email format")
        return value

    def timezone(self, name: str, *, required: bool = False) -> str:
        """Return an IANA zone name, empty when missing."""
        value = self.text(name, required=required)
        if value and not is_timezone(value):
            self.refuse(name, "is not an IANA time zone")
        return value

    def time(self, name: str) -> datetime | None:
        """Return a time in UTC, None when missing."""
        value = self.text(name)
        moment = read_time(value) if value else None
        if value and moment is None:
            self.refuse(name, "must be an ISO 8601 time with an offset")
        return moment

    def required_time(self, name: str) -> datetime:
        """Return a time in UTC; the field must be there."""
        self.raw(name, required=True)
        return self.time(name) or datetime.min.replace(tzinfo=UTC)

    def date(self, name: str) -> date:
        """Return a date, written as YYYY-MM-DD; the field must be there."""
        value = self.text(name, required=True)
        try:
            return datetime.strptime(value, "%Y-%m-%d").replace(tzinfo=UTC).date() if value else date.min
        except ValueError:
            self.refuse(name, "must be a date as YYYY-MM-DD")
            return date.min

    def number(self, name: str, *, least: float, most: float, required: bool = False) -> float | None:
        """Return a number within bounds, None when missing."""
        value = self.raw(name, required=required)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            self.refuse(name, f"must be a number from {least:g} to {most:g}")
            return None
        return value

    def whole_number(self, name: str, *, least: int, most: int, required: bool = False) -> int | None:
        """Return a whole number within bounds, None when missing."""
        value = self.number(name, least=least, most=most, required=required)
        if value is not None and not isinstance(value, int):
            self.refuse(name, "must be a whole number")
            return None
        return value

    def boolean(self, name: str, *, required: bool = False) -> bool:
        """Return a JSON boolean, false when missing."""
        value = self.raw(name, required=required)
        if value is not None and not isinstance(value, bool):
            self.refuse(name, "must be true or false")
        return value is True

    def flag(self, name: str) -> bool | None:
        """Return a boolean of a query, None when missing."""
        value = self.choice(name, ("true", "false"))
        return value == "true" if value else None

    def within(self, name: str, *, required: bool = False) -> "InputFields | None":
        """Return the fields of a nested object, None when missing."""
        value = self.raw(name, required=required)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.refuse(name, "must be an object")
            return None
        return InputFields(cast("dict[str, object]", value), f"{self._prefix}{name}.", self._problems)
