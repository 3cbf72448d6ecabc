import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.access.choices import highest
from auth.access.levels import CAPABILITIES, OFF, UNLIMITED, Access, is_at_most
from auth.access.offers import NOT_ALLOWED, NOT_ASKED, Levels, choose, levels_within, offer, preselect
from auth.access.text import parse_access, spell_access
from auth.access.words import LEVELS, WORDS, by_level, changes, conditions
from calendly.scopes import SCOPES
from tests.auth.site import OFFERED, OPERATIONS
from tests.cases import each

ACTS = {(operation.capability, operation.access) for operation in OPERATIONS}
EXISTING = frozenset(capability for capability, _ in ACTS)
ALL_LEVELS = levels_within(OFFERED, UNLIMITED, OPERATIONS)
SCOPE_SETS = st.frozensets(st.sampled_from(SCOPES))
CEILINGS = st.fixed_dictionaries({name: st.sampled_from(levels) for name, levels in CAPABILITIES.items()}).map(
    lambda levels: parse_access(",".join(f"{name}={level}" for name, level in levels.items()))
)


def offered(scopes: str, ceiling: Access = UNLIMITED) -> Levels:
    return levels_within(frozenset(scopes.split()), ceiling, OPERATIONS)


def preselected(scopes: frozenset[str], before: str | None = None, memory: str = "") -> str:
    levels = levels_within(scopes, UNLIMITED, OPERATIONS)
    return spell_access(
        preselect(scopes, OFFERED, levels, None if before is None else parse_access(before), parse_access(memory))
    )


def test_every_capability_and_level_has_words_that_are_not_its_name() -> None:
    assert list(WORDS) == list(CAPABILITIES)
    assert set(LEVELS) == {level for levels in CAPABILITIES.values() for level in levels}
    for name, words in WORDS.items():
        assert ("read" in CAPABILITIES[name]) is bool(words.reading)
        assert ("ask" in CAPABILITIES[name]) is bool(words.writing)
        assert words.title != name
        assert "_" not in words.sentence


@pytest.mark.requirement("consent-choice", "never-grows")
@given(SCOPE_SETS, CEILINGS)
def test_what_is_offered_is_within_the_scopes_and_the_ceiling(scopes: frozenset[str], ceiling: Access) -> None:
    for name, levels in levels_within(scopes, ceiling, OPERATIONS).items():
        assert levels[0] == "off"
        assert len(levels) > 1
        assert all(is_at_most(level, highest(name, scopes, OPERATIONS)) for level in levels)
        assert all(is_at_most(level, ceiling[name].level) for level in levels)


def test_with_all_scopes_and_no_ceiling_everything_is_offered() -> None:
    assert {name: levels[-1] for name, levels in ALL_LEVELS.items()} == {
        name: CAPABILITIES[name][-1] if (name, "write") in ACTS else "read" for name, _ in ACTS
    }
    whole = offer(ALL_LEVELS, ALL_LEVELS, {}, EXISTING)
    assert whole.not_asked == whole.not_allowed == ()


def test_a_part_says_why_there_is_no_more_of_it() -> None:
    ceiling = {**UNLIMITED, **parse_access("event_types=read,webhooks=off")}
    levels = offered("event_types:write organizations:read webhooks:write users:read", ceiling)
    shown = offer(levels, levels_within(OFFERED, ceiling, OPERATIONS), {}, EXISTING)
    assert {part.capability: part.note for part in shown.parts} == {
        "users": None,
        "event_types": NOT_ALLOWED,
        "organization": NOT_ASKED,
    }
    assert "Webhooks" in shown.not_allowed
    assert "Booking" in shown.not_asked


def test_a_part_has_one_level_chosen_and_says_whether_it_changes_things() -> None:
    for part in offer(ALL_LEVELS, ALL_LEVELS, parse_access("users=read,booking=ask"), EXISTING).parts:
        chosen = [option.level for option in part.options if option.chosen]
        assert chosen == [{"users": "read", "booking": "ask"}.get(part.capability, "off")]
        assert part.writes is ((part.capability, "write") in ACTS)


@pytest.mark.requirement("consent-choice")
def test_of_a_client_that_asks_for_everything_only_the_harmless_and_the_usual_is_preselected() -> None:
    assert preselected(OFFERED) == (
        "users=read,event_types=read,scheduled_events=read,invitee_data=read,availability=read,"
        "booking=ask,canceling=ask,scheduling_links=ask,organization=off,webhooks=off,data_deletion=off"
    )


@pytest.mark.requirement("consent-choice")
def test_of_a_client_that_asks_for_something_in_particular_all_of_it_is_preselected_at_ask() -> None:
    assert preselected(frozenset({"webhooks:write", "data_compliance:write"})) == "webhooks=ask,data_deletion=ask"


def test_something_is_always_preselected() -> None:
    only = frozenset({"webhooks:write"})
    levels = levels_within(only, UNLIMITED, OPERATIONS)
    assert spell_access(preselect(only, only, levels, None, {})) == "webhooks=ask"


def test_what_the_person_chose_before_is_preselected_as_far_as_it_is_asked_for() -> None:
    asked = frozenset({"users:read", "scheduled_events:write"})
    before = "users=off,booking=full,canceling=off,webhooks=full"
    assert preselected(asked, before) == ("users=off,scheduled_events=off,invitee_data=off,booking=full,canceling=off")


def test_nothing_is_preselected_that_the_person_did_not_want_a_client_of_that_name_to_do() -> None:
    found = preselected(OFFERED, memory="invitee_data=off,booking=full,organization=read")
    assert "invitee_data=off" in found
    assert "booking=ask" in found
    assert "organization=off" in found


@given(SCOPE_SETS, CEILINGS, CEILINGS, CEILINGS)
def test_the_preselection_is_always_among_what_is_offered(
    scopes: frozenset[str], ceiling: Access, before: Access, memory: Access
) -> None:
    levels = levels_within(scopes, ceiling, OPERATIONS)
    for known in (None, before):
        chosen = preselect(scopes, OFFERED, levels, known, memory)
        assert set(chosen) == set(levels)
        assert all(allowance.level in levels[name] for name, allowance in chosen.items())


@pytest.mark.requirement("never-grows")
@given(SCOPE_SETS, CEILINGS, st.lists(st.tuples(st.sampled_from([*CAPABILITIES, "x"]), st.sampled_from([*LEVELS, ""]))))
def test_a_form_chooses_among_what_was_offered_and_never_more(
    scopes: frozenset[str], ceiling: Access, sent: list[tuple[str, str]]
) -> None:
    levels = levels_within(scopes, ceiling, OPERATIONS)
    chosen = choose([(f"level-{name}", level) for name, level in sent], levels)
    assert set(chosen) == set(levels)
    for name, allowance in chosen.items():
        answers = [level for other, level in sent if other == name]
        assert allowance.level == (answers[0] if len(answers) == 1 and answers[0] in levels[name] else "off")


def test_what_an_agent_may_do_is_said_level_by_level() -> None:
    assert by_level({}) == by_level(dict.fromkeys(CAPABILITIES, OFF)) == []
    assert by_level(parse_access("booking=ask:per_day=3,canceling=ask,users=read,webhooks=off")) == [
        ("See", "Your profile"),
        ("Ask me each time", "Booking (at most 3 a day), Canceling"),
    ]


UUID = "0b9d9c5e-1111-4222-8333-444455556666"


@each(
    "before, after, said",
    [
        ("booking=ask", "booking=ask", []),
        ("booking=ask", "booking=off", ["Booking is now “No”."]),
        ("", "users=read", ["Your profile is now “See”."]),
        ("booking=ask", "booking=ask:per_day=2", ["Booking: at most 2 a day."]),
        ("booking=ask:per_day=2", "booking=ask", ["Booking: no conditions any more."]),
        (
            "canceling=full",
            "canceling=ask:domains=b.example+a.example:confirm=browser",
            [
                "Canceling is now “Ask me each time”.",
                "Canceling: only addresses at a.example, b.example, confirmed only on this server's page.",
            ],
        ),
        (
            "booking=ask",
            f"booking=ask:event_types={UUID}:hosts={UUID}",
            ["Booking: only 1 event type, only meetings of certain hosts."],
        ),
    ],
)
def test_what_changed_is_said_in_sentences(before: str, after: str, said: list[str]) -> None:
    assert changes(parse_access(before), parse_access(after)) == said


def test_no_condition_is_left_unsaid() -> None:
    one = parse_access(f"booking=ask:event_types={UUID}:hosts={UUID}:domains=a.example:per_day=1:confirm=browser")
    assert len(conditions(one["booking"])) == 5
