import pytest

from auth.access.condition_fields import Box, read_conditions, show_conditions, with_ids
from auth.access.levels import CAPABILITIES, CONDITIONS, Allowance
from auth.access.text import InvalidAccess, parse_access, spell_access
from tests.cases import each

ME = "0b9d9c5e-1111-4222-8333-444455556666"
OTHER = "0b9d9c5e-1111-4222-8333-777788889999"
NAMES = {"E1": "Intro call", "E2": "Deep dive"}
PEOPLE = {ME: "Me", "U2": "Priya"}


def test_what_nothing_can_narrow_has_no_fields() -> None:
    for name in CAPABILITIES:
        shown = show_conditions(name, Allowance(level="off"), {}, {})
        assert (shown is None) is (name not in CONDITIONS and "ask" not in CAPABILITIES[name])


def test_each_capability_has_the_fields_of_its_conditions() -> None:
    for name, possible in CONDITIONS.items():
        shown = show_conditions(name, Allowance(level="ask"), NAMES, PEOPLE)
        assert shown is not None
        there = {
            "event_types": shown.event_types is not None,
            "hosts": shown.hosts is not None,
            "domains": shown.domains is not None,
            "per_day": shown.per_day is not None,
        }
        assert {condition for condition, is_there in there.items() if is_there} == set(possible)
        assert not shown.are_set


def test_what_is_set_is_shown_by_name_where_it_has_one() -> None:
    text = f"booking=ask:event_types=E1+E9:hosts={ME}+{OTHER}:domains=b.example+a.example:per_day=0:confirm=browser"
    shown = show_conditions("booking", parse_access(text)["booking"], NAMES, PEOPLE)
    assert shown is not None
    assert shown.event_types == (Box("E1", "Intro call", ticked=True), Box("E2", "Deep dive", ticked=False))
    assert shown.hosts == (Box(ME, "Me", ticked=True), Box("U2", "Priya", ticked=False))
    assert (shown.more_event_types, shown.more_hosts) == ("E9", OTHER)
    assert (shown.domains, shown.per_day, shown.in_browser, shown.are_set) == ("a.example, b.example", "0", True, True)


def test_what_is_shown_is_read_as_it_was() -> None:
    text = f"booking=ask:event_types=E1+E9:hosts={ME}+{OTHER}:domains=a.example+b.example:per_day=7:confirm=browser"
    fields = [
        *(("event_types-booking", "E1"), ("event_types-booking", " E9")),
        *(("hosts-booking", ME), ("hosts-booking", f"{OTHER}\n")),
        *(("domains-booking", "@A.example;b.example"), ("per_day-booking", " 7 "), ("confirm-booking", "browser")),
        *(("domains-canceling", "other.example"), ("hosts", "x"), ("domains-x", "x")),
    ]
    assert spell_access({"booking": read_conditions(fields, "booking", "ask")}) == text


def test_empty_fields_are_no_conditions() -> None:
    fields = [(f"{name}-booking", " , ") for name in ("event_types", "hosts", "domains", "per_day", "confirm")]
    assert read_conditions(fields, "booking", "full") == Allowance(level="full")


@each("word", ["a.example:confirm=browser", "a=b", "a+b", "<b>", "ä.example", "a" * 300])
def test_a_word_that_would_be_read_as_something_else_is_refused(word: str) -> None:
    with pytest.raises(InvalidAccess, match="Canceling, e-mail domains: "):
        read_conditions([("domains-canceling", word)], "canceling", "ask")


@each(
    "text, ids",
    [
        ("E1", "E1"),
        ("intro  call", "E1"),
        ("Deep dive, Intro call", "E2, E1"),
        ("Demo, long", "E3"),
        (f"{ME} {OTHER}\nDeep dive", f"{ME}, {OTHER}, E2"),
        ("GBJHDKVLQZWTXSNM", "GBJHDKVLQZWTXSNM"),
        (" , ", ""),
    ],
)
def test_a_name_is_as_good_as_an_id(text: str, ids: str) -> None:
    known = {"event_types": {**NAMES, "E3": "Demo, long"}, "hosts": PEOPLE}
    other = [("domains-booking", "a b"), ("event_types-x", "y z"), ("secret", "s")]
    assert with_ids([("event_types-booking", text), *other], known) == [("event_types-booking", ids), *other]


@each(
    "text, known, told",
    [
        ("Intro", NAMES, 'Booking, event types: there is no "Intro".'),
        ("E1 E9", NAMES, 'Booking, event types: there is no "E1 E9".'),
        (
            "Intro call",
            {"A": "Intro call", "B": "intro call"},
            'Booking, event types: several are called "Intro call"; ',
        ),
        ("Intro call", {}, "so only ids can stand there."),
    ],
)
def test_what_is_neither_a_name_nor_an_id_is_refused(text: str, known: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidAccess) as refused:
        with_ids([("event_types-booking", text)], {"event_types": known, "hosts": {}})
    assert told in str(refused.value)
