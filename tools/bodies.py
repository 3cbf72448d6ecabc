"""Objects inside the body of a request, as parameters."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NotRequired, TypeVar

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from calendly.models.location_kinds import LocationKind
from tools.fields import Line, Text
from tools.toolset.errors import ArgumentError

Shaped = TypeVar("Shaped", bound=Mapping[str, object])

CLOSED: Final = ConfigDict(extra="forbid", strict=True)
"""The configuration of objects inside a body: like the top level, strict and without unknown fields."""


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def with_nulls(fields: Mapping[str, Any], parameter: str, names: Iterable[str] | None) -> dict[str, Any]:
    """Return the fields that have a value, and null for those that `parameter` names.

    Raises:
        ArgumentError: One has a value and is named.
    """
    values, nulls = given(fields), dict.fromkeys(names or ())
    for name in nulls:
        if name in values:
            raise ArgumentError.of(parameter, f"{name} is given too: leave it out of one.")
    return values | nulls


@dataclass(frozen=True, slots=True, eq=False)
class Variants:
    """A validator for an object whose fields depend on one of them.

    Attributes:
        by: The field that decides.
        fields: Required and optional fields by its value; a value that is not listed has none.
    """

    by: str
    fields: Mapping[str, tuple[Iterable[str], Iterable[str]]]

    def __call__(self, value: Shaped) -> Shaped:
        """Return `value`. Raises ValueError naming the field that is missing or does not belong."""
        there = set(given(value)) - {self.by}
        kind = str(value[self.by])
        required, optional = map(set, self.fields.get(kind, ((), ())))
        for name in sorted(required - there):
            raise ValueError(f"{name} is required when {self.by} is {kind}.")
        for name in sorted(there - required - optional):
            raise ValueError(f"{name} does not belong to {self.by} {kind}.")
        return value


@with_config(CLOSED)
class OfferedLocationFields(TypedDict):
    """Where meetings of the type happen."""

    kind: LocationKind
    location: NotRequired[Text | None]
    additional_info: NotRequired[Text | None]
    phone_number: NotRequired[Line | None]
