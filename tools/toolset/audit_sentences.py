"""The sentence by which the audit log tells of a tool's call: a verb, and what it was done to.

    AGENT listed the scheduled events of USER, 1 to 7 Dec 2026
    AGENT tried to cancel the scheduled event UUID

It is made of the arguments alone, and any of them may be missing: Calendly is not asked for the audit log. A workflow
may pass its arguments as they would be sent, so a value is text or something that `str` makes text. Whatever names a
person goes through `PeopleNames`; secrets and free texts have no place in a sentence.
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
    """The arguments of a call, as a sentence may tell them.

    Attributes:
        values: By name, those that were given.
        me: The person of the call, as the audit log names them.
        names: How it names others.
    """

    values: Mapping[str, Any]
    me: str
    names: PeopleNames

    def given(self, name: str, phrase: str = "{}") -> str:
        """Return `phrase` with a value in it; empty where it was not given."""
        value = self.values.get(name)
        return "" if value is None else phrase.format(self._text(str(value)))

    def person(self, name: str = "user") -> str:
        """Return a user, the person of the call by default."""
        user = self.values.get(name)
        if user is None or getattr(user, "is_me", False):
            return self.me
        return self.names.name(getattr(user, "uri", str(user)))

    def owner(self) -> str:
        """Return whose things a list has: a user's, else a group's or an organization's, else the person's own."""
        kinds = () if self.values.get("user") is not None else ("group", "organization")
        return next((named for kind in kinds if (named := self.given(kind, f"the {kind} {{}}"))), self.person())

    def span(self, start: str, end: str) -> str:
        """Return from when to when, such as `, 1 to 7 Dec 2026`; empty without either."""
        first, last = (_time(self.values.get(name)) for name in (start, end))
        if first and last:
            return f", {_between(first, last)}"
        return f", from {_date(first)}" if first else f", until {_date(last)}" if last else ""

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
    """What a call of a tool does, and to what.

    Attributes:
        verb: Such as `list` or `look up`.
        to: What it is done to: made from the arguments, or a template. In a template `{parameter}` stands for a value
            and goes with the space before it where the value is missing, `[ of {parameter}]` with the whole bracket.
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
