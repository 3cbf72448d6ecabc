"""Locations of meetings: from the `kind` that is written to the `type` that is read."""

from collections.abc import Mapping
from typing import Final

from sandbox.records.event_types import StoredEventType

# Kinds whose type has another name.
_READ_TYPES: Final = {"zoom_conference": "zoom", "gotomeeting_conference": "gotomeeting"}
_PLACES: Final = {"physical", "custom", "ask_invitee", "outbound_call", "inbound_call"}


def read_location(kind: StoredEventType, chosen: Mapping[str, str], event: str) -> dict[str, object]:
    """Return the location of a scheduled event, with the details that the event type configures.

    Args:
        kind: The event type.
        chosen: The location as it was asked for.
        event: Id of the scheduled event, from which the meeting number follows.
    """
    nothing: Mapping[str, str] = {}
    configured = next((one for one in kind.locations if one["kind"] == chosen["kind"]), nothing)
    read_type = _READ_TYPES.get(chosen["kind"], chosen["kind"])
    if chosen["kind"] in _PLACES:
        place = chosen.get("location") or configured.get("location") or configured.get("phone_number")
        more = {key: value for key, value in configured.items() if key == "additional_info"}
        return {"type": read_type, "location": place, **more}
    number = str(int(event.replace("-", "")[:9], 16))
    joined: dict[str, object] = {
        "type": read_type,
        "status": "pushed",
        "join_url": f"https://meet.example/{read_type}/{number}",
    }
    data: dict[str, dict[str, object]] = {
        "zoom": {"id": number, "password": "sandbox"},
        "gotomeeting": {"uniqueMeetingId": int(number)},
        "microsoft_teams_conference": {"id": number},
        "webex_conference": {"id": number, "telephony": {"callInNumbers": []}, "password": "sandbox"},
    }
    return {**joined, "data": data[read_type]} if read_type in data else joined
