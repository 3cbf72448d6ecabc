"""The sentence of an audit log entry: a verb, and what it was done to.

    AGENT listed the scheduled events of USER, 1 to 7 Dec 2026
    AGENT tried to cancel the scheduled event UUID

It is made from the arguments alone, any of which may be missing; Calendly is not asked. Calls
inside a workflow have their arguments as sent, so a value may be plain text. What names a person
goes through `PeopleNames`. Secrets and free texts do not belong in a sentence.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from tools.toolset.wording import one_line

_IRREGULAR: Final = {"read": "read", "set": "set"}
_OPTIONAL: Final = re.compile(r"\[(?P<phrase>[^\]]*)\]|(?P<value> ?\{\w+\})")
_PARAMETER: Final = re.compile(r"\{(\w+)\}")


class PeopleNames(Protocol):
    """How the audit log names people."""

    def name(self, text: str) -> str:
        """Return a person's name, address or URI as it is recorded."""
        ...

    def hash(self, text: str) -> str:
        """Return its keyed hash, even where names are recorded."""
        ...


@dataclass(frozen=True, slots=True)
class AuditedArguments:
    """The arguments of a call, for its sentence.

    Attributes:
        values: The given arguments by name.
        me: The person of the call as the audit log names them.
        names: Names other people.
    """

    values: Mapping[str, Any]
    me: str
    names: PeopleNames

    def given(self, name: str, phrase: str = "{}") -> str:
        """Return `phrase` with a value in it; empty where it was not given."""
        value = self.values.get(name)
        return "" if value is None else phrase.format(self._text(str(value)))

    def person(self, name: str = "user") -> str:
        """Return the name of a user, by default of the person of the call."""
        user = self.values.get(name)
        if user is None or getattr(user, "is_me", False):
            return self.me
        return self.names.name(getattr(user, "uri", str(user)))

    def identified(self, name: str) -> str:
        """Return the identifier of what may go by the name of a person, which is recorded as names are."""
        value = self.values.get(name)
        return "" if value is None else str(value) if hasattr(value, "uuid") else self.names.name(str(value))

    def owner(self) -> str:
        """Return whose resources are listed: a user's, a group's or an organization's, by default the person's own."""
        kinds = () if self.values.get("user") is not None else ("group", "organization")
        return next((named for kind in kinds if (named := self.given(kind, f"the {kind} {{}}"))), self.person())

    def span(self, start: str, end: str) -> str:
        """Return a range such as `, 1 to 7 Dec 2026`; empty without both ends."""
        first, last = (_time(self.values.get(name)) for name in (start, end))
        if first and last:
            return f", {_between(first, last)}"
        begins, ends = (self._day(name) for name in (start, end))
        return (
            f", from {begins} to {ends}"
            if begins and ends
            else f", from {begins}"
            if begins
            else ends and f", until {ends}"
        )

    def _day(self, name: str) -> str:
        value = self.values.get(name)
        time = _time(value)
        return "" if value is None else _date(time) if time else one_line(str(value))

    def moment(self, name: str) -> str:
        """Return an instant, such as ` on 1 Dec 2026, 10:00 UTC`; empty where it was not given."""
        time = _time(self.values.get(name))
        return f" on {_date(time)}, {time:%H:%M %Z}".rstrip() if time else ""

    def filled(self, template: str) -> str:
        """Return a template with its values in it: see `Sentence`."""

        def put(part: re.Match[str]) -> str:
            phrase: str = part["value"] if part["phrase"] is None else part["phrase"]
            (name,) = _PARAMETER.findall(phrase)
            return self.given(name, _PARAMETER.sub("{}", phrase))

        return _OPTIONAL.sub(put, template)

    def _text(self, text: str) -> str:
        return self.names.name(text) if "@" in text[1:] else one_line(text)


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a tool does, and to what.

    Attributes:
        verb: Such as `list` or `look up`.
        to: What it is done to: a function of the arguments, or a template. A missing value drops
            `{parameter}` with the space before it, or the whole bracket `[ of {parameter}]`.
    """

    verb: str
    to: str | Callable[[AuditedArguments], str]

    @property
    def past(self) -> str:
        """The verb in the past tense."""
        verb, _, rest = self.verb.partition(" ")
        past = _IRREGULAR.get(verb) or f"{verb}{'d' if verb.endswith('e') else 'ed'}"
        return f"{past} {rest}".rstrip()

    def told(self, arguments: AuditedArguments) -> str:
        """Return what a call with these arguments is done to."""
        return arguments.filled(self.to) if isinstance(self.to, str) else self.to(arguments)


def _time(value: object) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _date(day: datetime) -> str:
    return f"{day.day} {day:%b %Y}"


def _between(first: datetime, last: datetime) -> str:
    if first.date() == last.date():
        return _date(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day} to {_date(last)}"
    return f"{_date(first)} to {_date(last)}"
