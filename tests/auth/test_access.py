from typing import Literal

import pytest

from auth.access import CAPABILITIES, LOCAL_LEVELS, InvalidLevels, Level, Verdict, decide, parse_levels

READING = ("users", "scheduled_events", "invitee_data", "availability")
ACTIONS = ("booking", "canceling", "scheduling_links", "data_deletion")
BOTH = ("event_types", "organization", "webhooks")


def test_every_capability_reads_acts_or_does_both() -> None:
    assert set(CAPABILITIES) == {*READING, *ACTIONS, *BOTH}
    assert {CAPABILITIES[name] for name in READING} == {("off", "read")}
    assert {CAPABILITIES[name] for name in ACTIONS} == {("off", "ask", "full")}
    assert {CAPABILITIES[name] for name in BOTH} == {("off", "read", "ask", "full")}


@pytest.mark.parametrize(
    ("access", "level", "verdict"),
    [
        ("read", "off", "deny"),
        ("read", "read", "allow"),
        ("read", "ask", "allow"),
        ("read", "full", "allow"),
        ("write", "off", "deny"),
        ("write", "read", "deny"),
        ("write", "ask", "ask"),
        ("write", "full", "allow"),
    ],
)
def test_a_level_decides_about_reading_and_writing(
    access: Literal["read", "write"], level: Level, verdict: Verdict
) -> None:
    decision = decide("organization", access, level)
    assert decision.verdict == verdict
    assert decision.rule == f"organization is {level}"


def test_on_ones_own_machine_what_reaches_strangers_or_cannot_be_undone_is_asked() -> None:
    asked = {name for name, level in LOCAL_LEVELS.items() if level == "ask"}
    assert asked == {"canceling", "organization", "webhooks", "data_deletion"}
    assert all(level == CAPABILITIES[name][-1] for name, level in LOCAL_LEVELS.items() if name not in asked)
    assert set(LOCAL_LEVELS) == set(CAPABILITIES)


def test_levels_are_read_from_text_and_unnamed_capabilities_are_left_out() -> None:
    assert parse_levels(" canceling = off ,booking=ask,,users=read ") == {
        "canceling": "off",
        "booking": "ask",
        "users": "read",
    }
    assert parse_levels("") == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("booking=read", 'booking cannot be "read"; it can be off, ask, full.'),
        ("users=full", 'users cannot be "full"; it can be off, read.'),
        ("users=", 'users cannot be ""; it can be off, read.'),
        ("users=Read", 'users cannot be "Read"; it can be off, read.'),
        ("users", '"users" is not of the form capability=level.'),
        ("users=read,users=read", "users comes twice."),
        ("cancelling=off", 'There is no capability "cancelling"; did you mean canceling?'),
    ],
)
def test_text_that_does_not_say_levels_is_refused_with_the_part_at_fault(text: str, sentence: str) -> None:
    with pytest.raises(InvalidLevels) as refused:
        parse_levels(text)
    assert str(refused.value) == sentence


def test_an_unknown_capability_without_a_likeness_is_answered_with_all_there_are() -> None:
    with pytest.raises(InvalidLevels, match=r'There is no capability "x"; the capabilities are users, event_types,'):
        parse_levels("x=off")
