"""One walk over an answer: it redacts what the agent may not see and drops what the next step does not need.

`calendly.models` marks the personal fields, `tools.answers.views` says which fields a lean answer
has. Fields that Calendly adds to an invitee later are redacted too, at any depth, and so are
unrecognized values in answers that contain invitees. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Final, NamedTuple, cast

from calendly import models
from calendly.models.scheduled_event import ConferenceData
from tools.answers.local_times import told, told_end
from tools.answers.views import FULL, View, view_of
from tools.times import sent_time
from tools.toolset.redaction import (
    INVITEE_DATA,
    IS_DATA,
    THIRD_PARTY_TEXT,
    WITHHELD,
    is_personal,
    labels_of,
    tells_of_invitees,
)
from tools.toolset.shapes import fields_of, is_made_from, object_in
from tools.zones import zone_of

_COLLECTION: Final = "collection"
_START, _END = "local_start", "local_end"
_CONFERENCE: Final = "data"
_SECRET: Final = re.compile(r"pass(word|code|phrase)|pwd|\bpin\b|_pin$", re.IGNORECASE)
_ZONE: Final = "timezone"
_CANCELLATION: Final = "cancellation"

_PEOPLE: Final = (models.Invitee, models.Contact, models.ContactNote)
"""What is about one person, and of which a field that Calendly adds is personal too."""

_TIMES: Final = ("_time", "_at", "_date")
"""How the names of times end."""

_FRACTION: Final = re.compile(r"^([0-9-]{10}T[0-9:]{8})\.[0-9]+(Z|[+-][0-9:]{5})$")


def shown(
    shape: object,
    answer: object,
    zone: tzinfo | None = None,
    *,
    is_full: bool = False,
    redacts: bool = False,
    passwords: bool = False,
) -> object:
    """Return what an agent is shown of an answer.

    Args:
        shape: The type of the answer.
        answer: What the tool returned.
        zone: The zone of local times; None adds none, and slots stay in UTC.
        is_full: Show everything that Calendly sent, instead of what the next step needs.
        redacts: Leave out personal data of invitees and guests, and say so.
        passwords: Show the passwords of online meetings.
    """
    tells = tells_of_invitees(shape)
    walk = _Walk(zone=zone, is_full=is_full, redacts=redacts and tells, tells=tells, passwords=passwords)
    rest = walk.of(shape, answer, _Place())
    if walk.redacts and not walk.has_redacted:  # what is null or empty tells nothing, so it stays as it is
        return shown(shape, answer, zone, is_full=is_full, passwords=passwords)
    notes = {
        WITHHELD: [INVITEE_DATA] if walk.has_redacted else None,
        _ZONE: str(zone) if walk.has_local_time else None,
        THIRD_PARTY_TEXT: IS_DATA if walk.has_third_party_text else None,
    }
    added = {name: note for name, note in notes.items() if note is not None}
    return {**cast("dict[str, object]", rest), **added} if added else rest


class _Place(NamedTuple):
    """Where a value stands in an answer.

    Attributes:
        in_list: Inside a list.
        in_invitee: Inside an invitee.
        in_conference: Inside the data of an online meeting.
        cancellation: Of what it is inside of.
    """

    in_list: bool = False
    in_invitee: bool = False
    in_conference: bool = False
    cancellation: object = None


@dataclass(slots=True, kw_only=True)
class _Walk:
    """One walk over an answer, and what it found.

    Attributes:
        tells: The answer may contain invitees.
    """

    zone: tzinfo | None
    is_full: bool
    redacts: bool
    tells: bool
    passwords: bool
    has_redacted: bool = False
    has_third_party_text: bool = False
    has_local_time: bool = False

    def of(self, shape: object, value: object, place: _Place) -> object:
        """Return what is shown of a value."""
        if isinstance(value, list):
            rows = [(row, self.of(shape, row, place)) for row in cast("list[object]", value)]
            return [shown for row, shown in rows if not self._tells_nothing(shape, row, shown)]
        if isinstance(value, dict):
            return self._object(object_in(shape), cast("dict[str, object]", value), place)
        return value

    def _tells_nothing(self, shape: object, row: object, shown: object) -> bool:
        """Return whether redaction has left no more of a row than whose it was."""
        if not self.redacts or not shown or not isinstance(shown, dict) or shown == row:
            return False
        return labels_of(object_in(shape)).issuperset(cast("dict[str, object]", shown))

    def _object(self, shape: object, fields: Mapping[str, object], place: _Place) -> dict[str, object]:
        own = view_of(shape)
        view = FULL if self.is_full else own
        place = place._replace(
            in_invitee=place.in_invitee or any(is_made_from(shape, person) for person in _PEOPLE),
            in_conference=place.in_conference or is_made_from(shape, ConferenceData),
        )
        inside = place._replace(cancellation=fields.get(_CANCELLATION) or place.cancellation)
        kept: dict[str, object] = {}
        for name, value in fields.items():
            personal = self.tells and is_personal(shape, name, fields, in_invitee=place.in_invitee)
            if personal and self.redacts:
                self.has_redacted = self.has_redacted or bool(value)
            elif not self._is_left_out(name, view, fields, place):
                self._keep(kept, name, self._field(shape, name, value, inside), view, personal=personal)
        if place.in_list:
            kept = {name: value for name, value in kept.items() if not _has_usual_fields(view, name, value)}
        if view.adds:
            kept |= view.adds(fields)
        return {**kept, **self._local_times(own, fields, place), **self._in_zone(own, fields)}

    def _is_left_out(self, name: str, view: View, fields: Mapping[str, object], place: _Place) -> bool:
        """Return whether a field is left out. Of an online meeting's data a lean answer has the passwords alone."""
        if place.in_conference:
            is_secret = _SECRET.search(name) is not None
            return not self.passwords if is_secret else not self.is_full
        if name in view.omits:
            return not (self.passwords and name == _CONFERENCE)
        if name in view.redundant and view.redundant[name](fields):
            return True
        return not self.is_full and _is_told_already(name, view, fields, place)

    def _keep(self, kept: dict[str, object], name: str, value: object, view: View, *, personal: bool) -> None:
        if view.keeps_empty or not (value is None or value == {} or (name in view.usual and value == view.usual[name])):
            kept[name] = value if self.is_full else _without_fraction(name, value)
            self.has_third_party_text = self.has_third_party_text or (personal and bool(value))

    def _field(self, shape: object, name: str, value: object, place: _Place) -> object:
        hint = fields_of(shape).get(name)
        if name != _COLLECTION or not isinstance(value, list):
            return self.of(hint, value, place)
        rows, place = cast("list[object]", value), place._replace(in_list=True)
        gather = None if self.is_full else view_of(object_in(hint)).gather
        if gather is None:
            return [self.of(hint, row, place) for row in rows]
        gathered = gather([cast("dict[str, Any]", row) for row in rows if isinstance(row, dict)], self.zone or UTC)
        return [self.of(None, row, place) for row in gathered]

    def _local_times(self, view: View, fields: Mapping[str, object], place: _Place) -> dict[str, str]:
        if self.zone is None:
            return {}
        instants = {
            name: sent_time(fields.get(source))
            for name, source in view.local.items()
            if not (place.in_list and name in view.omits_in_lists)
        }
        locals_ = {name: instant.astimezone(self.zone) for name, instant in instants.items() if instant}
        start = locals_.get(_START)
        times = {name: told_end(start, local) if name == _END else told(local) for name, local in locals_.items()}
        self.has_local_time = self.has_local_time or bool(times)
        return times

    def _in_zone(self, view: View, fields: Mapping[str, object]) -> dict[str, str]:
        instants = {name: sent_time(fields.get(name)) for name in view.in_zone}
        own = fields.get(_ZONE)
        zone = (zone_of(own) if isinstance(own, str) else None) or self.zone or UTC
        times = {name: time.astimezone(zone).isoformat(timespec="seconds") for name, time in instants.items() if time}
        return {**times, _ZONE: str(zone)} if times else {}


def _is_told_already(name: str, view: View, fields: Mapping[str, object], place: _Place) -> bool:
    """Return whether what is around a field tells the same, or the resource by itself does."""
    value = fields[name]
    if name == _CANCELLATION and value and value == place.cancellation:
        return True
    return place.in_list and (name in view.omits_in_lists or _is_begun_by(fields.get("uri"), value))


def _is_begun_by(uri: object, value: object) -> bool:
    """Return whether a URI begins with another one, as that of an invitee does with that of the meeting."""
    return isinstance(uri, str) and isinstance(value, str) and bool(value) and uri.startswith(f"{value}/")


def _has_usual_fields(view: View, name: str, value: object) -> bool:
    usual = view.usual_fields_in_lists.get(name)
    return usual is not None and isinstance(value, dict) and usual.issuperset(cast("dict[str, object]", value))


def _without_fraction(name: str, value: object) -> object:
    """Return a time of Calendly's without its microseconds, any other value as it is."""
    if isinstance(value, str) and name.endswith(_TIMES):
        return _FRACTION.sub(r"\1\2", value)
    return value
