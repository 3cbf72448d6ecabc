"""What an event type tells of a booking, and what it leaves to Calendly."""

import pytest

from tests.sandbox.api import Json
from tools.booking.checks import answer_faults, location_faults, only_location, state_faults

EVERY_KIND = [
    *("ask_invitee", "custom", "google_conference", "gotomeeting_conference", "inbound_call"),
    *("microsoft_teams_conference", "outbound_call", "physical", "webex_conference", "zoom_conference"),
]
NEED_TEXT = {"ask_invitee", "custom", "outbound_call", "physical"}
COLORS = {
    "name": "Colour?",
    "type": "single_select",
    "position": 1,
    "enabled": True,
    "required": False,
    "answer_choices": ["red", "blue"],
    "include_other": False,
}


def kind(**fields: object) -> Json:
    """An event type with these fields."""
    return {"uri": "E", "active": True, **fields}


def asking(**changes: object) -> Json:
    """An event type with one question."""
    return kind(custom_questions=[{**COLORS, **changes}])


def answering(answer: str, question: str = "Colour?") -> Json:
    return [{"question": question, "answer": answer, "position": 1}]


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
    ("question", "answers", "is_missing"),
    [
        ({"required": True}, [], True),
        ({"required": True}, answering("  "), True),
        ({"required": True}, answering("red"), False),
        ({"required": True, "enabled": False}, [], False),
        ({"required": True, "enabled": None}, [], True),
        ({"required": None}, [], False),
    ],
)
def test_a_required_question_wants_an_answer(question: dict[str, object], answers: Json, *, is_missing: bool) -> None:
    told = messages(answer_faults(asking(**question), answers))
    assert (told != "") == is_missing
    if is_missing:
        assert '"Colour?" (position 1, single_select, choices "red", "blue", required)' in told


@pytest.mark.parametrize(
    ("question", "answer", "fits"),
    [
        ({}, "red", True),
        ({}, "green", False),
        ({}, "Red", False),
        ({}, "", True),
        ({"include_other": True}, "green", True),
        ({"type": "multi_select"}, "red\ngreen", True),
        ({"type": "string"}, "green", True),
        ({"answer_choices": []}, "green", True),
        ({"answer_choices": None}, "green", True),
    ],
)
def test_an_answer_to_a_closed_choice_is_one_of_the_choices(
    question: dict[str, object], answer: str, *, fits: bool
) -> None:
    told = messages(answer_faults(asking(**question), answering(answer)))
    assert told == ("" if fits else '"Colour?" takes one of its answer choices: "red", "blue".')


def test_a_question_is_matched_to_the_letter_and_quoted_so_that_it_can_be_repeated() -> None:
    odd = asking(name='Why "here"?\nSay more. ', type="text", answer_choices=[], required=True)
    told = messages(answer_faults(odd, answering("x", 'Why "here"?\nSay more.')))
    quoted = '"Why \\"here\\"?\\nSay more. "'
    assert f"This required question needs an answer: {quoted} (position 1, text, required)." in told
    assert f"is no question of this event type, which asks: {quoted}" in told
    assert answer_faults(odd, answering("x", 'Why "here"?\nSay more. ')) == []


def test_what_cannot_be_seen_in_a_question_does_not_matter() -> None:
    assert answer_faults(asking(), answering("red", "Col\u200bour?")) == []


def test_an_event_type_without_questions_says_so() -> None:
    told = messages(answer_faults(kind(custom_questions=[]), answering("red")))
    assert told == '"Colour?" is no question of this event type, which asks nothing.'


def test_an_answer_to_a_question_that_is_switched_off_is_left_to_calendly() -> None:
    assert answer_faults(asking(enabled=False), answering("red")) == []


@pytest.mark.parametrize(
    "questions", [None, [{**COLORS, "name": None}], [COLORS, COLORS], [{}]], ids=["none", "nameless", "twice", "empty"]
)
def test_questions_that_cannot_be_told_apart_are_calendlys_business(questions: Json) -> None:
    assert answer_faults(kind(custom_questions=questions), answering("green", "Other?")) == []
