import pytest

from auth.access.levels import Allowance
from auth.access.text import InvalidAccess, parse_access, read_access, spell_access
from tests.cases import each


def test_access_is_read_from_text_and_unnamed_capabilities_are_left_out() -> None:
    assert parse_access(" canceling = off ,booking=ask,,users=read ") == {
        "canceling": Allowance(level="off"),
        "booking": Allowance(level="ask"),
        "users": Allowance(level="read"),
    }
    assert parse_access("") == {}


def test_conditions_follow_the_level() -> None:
    text = "booking=ask:event_types=E1+E2:hosts=U1:domains=Example.com+example.org:per_day=5:confirm=browser"
    access = parse_access(text)
    assert access["booking"] == Allowance(
        level="ask",
        event_types=frozenset({"E1", "E2"}),
        hosts=frozenset({"U1"}),
        domains=frozenset({"example.com", "example.org"}),
        per_day=5,
        in_browser=True,
    )
    assert parse_access(spell_access(access)) == access


@each(
    "text, sentence",
    [
        ("booking=read", 'booking cannot be "read"; it can be off, ask, full.'),
        ("users=full", 'users cannot be "full"; it can be off, read.'),
        ("users=", 'users cannot be ""; it can be off, read.'),
        ("users=Reed", 'users cannot be "reed"; it can be off, read.'),
        ("users", '"users" is not of the form capability=level.'),
        ("users=read,users=read", "users comes twice."),
        ("cancelling=off", 'There is no capability "cancelling"; did you mean canceling?'),
        ("users=read:per_day=3", 'users has no condition "per_day"; it can have none.'),
        ("webhooks=ask:hosts=U1", 'webhooks has no condition "hosts"; it can have confirm.'),
        ("booking=ask:per_day", '"per_day" is not of the form condition=value.'),
        ("booking=ask:per_day=x", "booking: per_day: must be a number of bookings."),
        ("booking=ask:per_day=1:per_day=2", "booking: per_day comes twice."),
        ("booking=ask:confirm=anyhow", "booking: confirm: can only be browser."),
        ("booking=ask:hosts=me", 'booking: hosts: users are named by uuid, several with +; got "me".'),
        (
            "booking=ask:event_types=a b",
            'booking: event_types: event types are named by uuid, several with +; got "a b".',
        ),
        (
            "booking=ask:domains=nowhere",
            'booking: domains: "nowhere" is no domain such as example.com; several are joined with +.',
        ),
    ],
)
def test_text_that_does_not_say_access_is_refused_with_the_part_at_fault(text: str, sentence: str) -> None:
    with pytest.raises(InvalidAccess) as refused:
        parse_access(text)
    assert str(refused.value) == sentence


def test_an_unknown_capability_without_a_likeness_is_answered_with_all_there_are() -> None:
    with pytest.raises(InvalidAccess, match=r'There is no capability "x"; the capabilities are users, event_types,'):
        parse_access("x=off")


def test_what_is_stored_and_cannot_be_read_allows_nothing() -> None:
    assert read_access("booking=full,nonsense") == {}
    assert read_access("booking=full") == {"booking": Allowance(level="full")}
