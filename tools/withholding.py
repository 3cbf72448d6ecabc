"""Answers without what they tell about invitees, for an agent that may not see them. Pure.

Which fields those are stands beside them, in `calendly.models`. Where an object is all about an invitee, a field that
Calendly adds later is withheld as well; so is what could not be recognized, wherever it came from.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from calendly import models
from calendly.models.personal import Personal
from calendly.models.reading import UNRECOGNIZED
from tools.shapes import fields_of, is_made_from, notes_of, object_in

WITHHELD: Final = "withheld"
"""The field of an answer that names the capabilities without which something was left out."""

INVITEE_DATA: Final = "invitee_data"


def withhold(shape: object, answer: object) -> object:
    """Return an answer without personal data of invitees and guests, which it then says.

    Args:
        shape: The type of the answer.
        answer: What a tool returned.
    """
    walk = _Walk()
    rest = walk.of(shape, answer)
    if not walk.has_withheld:
        return answer
    return {**cast("dict[str, object]", rest), WITHHELD: [INVITEE_DATA]}


def tells_of_invitees(shape: object) -> bool:
    """Say whether answers of this shape may hold personal data of invitees."""
    fields = fields_of(shape)
    marked = any(isinstance(note, Personal) for hint in fields.values() for note in notes_of(hint))
    return marked or any(tells_of_invitees(part) for part in map(object_in, fields.values()) if part is not None)


class _Walk:
    """One walk through an answer; `has_withheld` says whether it left something out."""

    def __init__(self) -> None:
        self.has_withheld = False

    def of(self, shape: object, value: object) -> object:
        """Walk on."""
        if isinstance(value, list):
            return [self.of(shape, item) for item in cast("list[object]", value)]
        if isinstance(value, dict):
            return self._object(object_in(shape), cast("dict[str, object]", value))
        return value

    def _object(self, shape: object, fields: dict[str, object]) -> dict[str, object]:
        hints = fields_of(shape)
        kept = {
            name: self.of(hints.get(name), value)
            for name, value in fields.items()
            if not _is_personal(shape, hints, name, fields)
        }
        # A null, an empty text and an empty list tell nothing, so nothing is said of them.
        self.has_withheld = self.has_withheld or any(value for name, value in fields.items() if name not in kept)
        return kept


def _is_personal(shape: object, hints: Mapping[str, object], name: str, fields: Mapping[str, Any]) -> bool:
    if name == UNRECOGNIZED:
        return True
    if name not in hints:
        return is_made_from(shape, models.Invitee)
    marks = [note for note in notes_of(hints[name]) if isinstance(note, Personal)]
    return any(mark.unless is None or fields.get(mark.unless[0]) not in mark.unless[1] for mark in marks)
