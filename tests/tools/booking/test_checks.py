"""What an event type tells of a booking, and what it leaves to Calendly."""

import pytest

from tests.sandbox.api import Json
from tools.booking.checks import exact_location, location_faults, only_location, state_faults

EVERY_KIND = [
    *("ask_invitee", "custom", "google_conference", "gotomeeting_conference", "inbound_call"),
    *("microsoft_teams_conference", "outbound_call", "physical", "webex_conference", "zoom_conference"),
]
NEED_TEXT = {"ask_invitee", "custom", "outbound_call", "physical"}


def kind(**fields: object) -> Json:
    """An event type with these fields."""
    return {"uri": "E", "active": True, **fields}


def messages(faults: Json) -> str:
    return " ".join(fault["message"] for fault in faults)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, ""),
        ({"active": None}, ""),
        ({"active": False}, "switched off"),
        ({"deleted_at": "2026-01-01T00:00:00Z", "active": False}, "deleted"),
    ],
)
def test_only_what_is_certainly_off_is_said_to_be(fields: dict[str, object], said: str) -> None:
    told = messages(state_faults(kind(**fields)))
    assert (said in told) if said else told == ""


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_single_location_is_filled_in_unless_it_needs_a_text(name: str) -> None:
    single = kind(locations=[{"kind": name}])
    if name in NEED_TEXT:
        assert only_location(single) is None
        assert f"{name} needs location: " in messages(location_faults(single, None))
    else:
        assert only_location(single) == {"kind": name}
        assert location_faults(single, {"kind": name}) == []


@pytest.mark.parametrize("name", ["physical", "custom"])
def test_a_single_place_that_the_event_type_names_is_filled_in_with_its_text(name: str) -> None:
    assert only_location(kind(locations=[{"kind": name, "location": "Room 4"}])) == {"kind": name, "location": "Room 4"}


@pytest.mark.parametrize("name", ["ask_invitee", "outbound_call"])
def test_what_the_invitee_has_to_say_is_never_filled_in(name: str) -> None:
    assert only_location(kind(locations=[{"kind": name, "location": "somewhere"}])) is None


@pytest.mark.parametrize(
    "locations", [None, [], [{}], [{"kind": None}], [{"kind": "holodeck"}], [{"kind": "holodeck"}, {"kind": "custom"}]]
)
@pytest.mark.parametrize("chosen", [None, {"kind": "zoom_conference"}])
def test_locations_that_are_not_known_are_calendlys_business(locations: Json, chosen: Json) -> None:
    assert only_location(kind(locations=locations)) is None
    assert location_faults(kind(locations=locations), chosen) == []


def test_two_locations_of_one_kind_are_both_told_and_either_may_be_chosen() -> None:
    two = kind(locations=[{"kind": "physical", "location": "Room 4"}, {"kind": "physical", "location": "Room 5"}])
    told = messages(location_faults(two, None))
    assert '"Room 4"' in told
    assert '"Room 5"' in told
    assert location_faults(two, {"kind": "physical", "location": "Room 6"}) == []
    assert only_location(two) is None


def test_a_round_robin_is_sent_no_location() -> None:
    shared = kind(pooling_type="round_robin", locations=[{"kind": "zoom_conference"}])
    assert only_location(shared) is None
    assert location_faults(shared, None) == []
    assert "Leave it out" in messages(location_faults(shared, {"kind": "zoom_conference"}))


@pytest.mark.parametrize(
    ("written", "sent"),
    [("room\u00a04", "Room 4"), ("Room 4", "Room 4"), ("Room 5 ", "Room 5"), ("Room 6", "Room 6")],
)
def test_a_place_is_sent_as_the_event_type_writes_it(written: str, sent: str) -> None:
    two = kind(locations=[{"kind": "physical", "location": "Room 4"}, {"kind": "physical", "location": "Room 5"}])
    assert exact_location(two, {"kind": "physical", "location": written}) == {"kind": "physical", "location": sent}
