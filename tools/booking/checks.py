"""Checks of a booking against its event type: can it be booked, and at which location. Pure.

Calendly refuses most of this too, but its messages name neither the question nor the location. What
the event type does not say, or says in an unknown way, is left to Calendly.
"""

import json
from collections.abc import Mapping
from typing import Final

from calendly import models
from calendly.models.event_type import EventTypeLocation
from calendly.models.location_kinds import KINDS, NAMED_BY_INVITEE, PLACE_NEEDED
from calendly.third_party_text import exactly
from tools.matching import the_one
from tools.toolset.errors import ArgumentFault

_LOCATION: Final = "location"


def state_faults(kind: models.EventType, parameter: str = "event_type") -> list[ArgumentFault]:
    """Return why an event type cannot be booked at all, if so, as a fault of `parameter`."""
    if kind.get("deleted_at"):
        return [_fault(parameter, "This event type is deleted, so nobody can book it.")]
    if kind.get("active") is False:
        return [_fault(parameter, "This event type is switched off (inactive) in Calendly, so nobody can book it.")]
    return []


def hosts_take_turns(kind: models.EventType) -> bool:
    """Return whether Calendly chooses the host and the location of each meeting (round robin)."""
    return kind.get("pooling_type") == "round_robin"


def stays_open(kind: models.EventType) -> bool:
    """Return whether a time can still be open once it is booked: another host or another seat is left."""
    return hosts_take_turns(kind) or kind.get("kind") == "group"


def only_location(kind: models.EventType) -> Mapping[str, str] | None:
    """Return the location of an event type with a single, complete one; else None."""
    places = _places(kind)
    if hosts_take_turns(kind) or len(places) != 1:
        return None
    name, place = places[0].get("kind") or "", places[0].get("location")
    if name in PLACE_NEEDED:
        return {"kind": name, "location": exactly(place)} if place and name not in NAMED_BY_INVITEE else None
    return {"kind": name} if name in KINDS else None


def location_faults(kind: models.EventType, chosen: Mapping[str, object] | None) -> list[ArgumentFault]:
    """Return what is wrong with a location, or with its absence.

    Args:
        kind: The event type.
        chosen: The location to send.
    """
    places = _places(kind)
    if hosts_take_turns(kind):
        told = "Leave it out: hosts take turns at this event type, so Calendly says where to meet."
        return [_fault(_LOCATION, told)] if chosen else []
    known = [place.get("kind") for place in places]
    if not places or any(name not in KINDS for name in known) or (chosen and chosen.get("kind") in known):
        return []
    problem = "This event type does not offer that one" if chosen else "This event type needs one"
    return [_fault(_LOCATION, f"{problem}. Its locations, by kind: {'; '.join(map(_described, places))}.")]


def exact_location(kind: models.EventType, chosen: Mapping[str, str]) -> Mapping[str, str]:
    """Return a location with its text as the event type has it, where it says the same."""
    name, where = chosen["kind"], chosen.get("location")
    texts = [place.get("location") or "" for place in _places(kind) if place.get("kind") == name]
    found = the_one(where, texts) if where and name not in NAMED_BY_INVITEE else None
    return {"kind": name, "location": exactly(found)} if found else chosen


def _places(kind: models.EventType) -> list[EventTypeLocation]:
    return kind.get("locations") or []


def _described(place: EventTypeLocation) -> str:
    name = place.get("kind") or ""
    said = next((text for text in (place.get("location"), place.get("phone_number")) if text), None)
    needed = f"location: {PLACE_NEEDED[name]}" if name in PLACE_NEEDED else "no more"
    return f"{name}{f' ({quoted(said)})' if said else ''} needs {needed}"


def quoted(text: str) -> str:
    """Quote a text exactly, line breaks included."""
    return json.dumps(text, ensure_ascii=False)


def _fault(parameter: str, message: str) -> ArgumentFault:
    return {"parameter": parameter, "message": message}
