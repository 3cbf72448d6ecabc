import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.offers import Choice, choose, offer
from calendly.scopes import SCOPES
from tests.auth.site import OFFERED

EVERYTHING = frozenset(SCOPES)


def choices(asked: frozenset[str], offered: frozenset[str] = OFFERED) -> dict[str, Choice]:
    return {choice.scope: choice for part in offer(asked, offered) for choice in part.choices}


@pytest.mark.requirement("consent-choice")
@given(st.frozensets(st.sampled_from(SCOPES)))
def test_every_scope_that_is_asked_for_is_one_choice_in_plain_words(asked: frozenset[str]) -> None:
    found = [choice for part in offer(asked, EVERYTHING) for choice in part.choices]
    assert sorted(choice.scope for choice in found) == sorted(asked)
    assert all(choice.words and choice.scope not in choice.words for choice in found)


@pytest.mark.requirement("consent-choice")
def test_of_a_client_that_asks_for_everything_only_the_harmless_and_the_usual_is_preselected() -> None:
    preselected = {scope for scope, choice in choices(OFFERED).items() if choice.preselected}
    assert preselected == {
        *("users:read", "event_types:read", "scheduled_events:read", "availability:read"),
        *("scheduled_events:write", "scheduling_links:write"),
    }


@pytest.mark.requirement("consent-choice")
def test_of_a_client_that_asks_for_something_in_particular_all_of_it_is_preselected() -> None:
    asked = frozenset({"webhooks:write", "data_compliance:write"})
    assert all(choice.preselected for choice in choices(asked).values())


def test_something_is_always_preselected() -> None:
    only = frozenset({"webhooks:write"})
    assert all(choice.preselected for choice in choices(only, only).values())


@pytest.mark.requirement("never-grows")
@given(st.frozensets(st.sampled_from(SCOPES)), st.lists(st.sampled_from([*SCOPES, "mcp:scheduling:write", "x"])))
def test_a_form_chooses_less_than_was_asked_and_never_more(asked: frozenset[str], chosen: list[str]) -> None:
    assert choose(chosen, asked) == asked & set(chosen)
