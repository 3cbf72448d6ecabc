import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.protocol.errors import InvalidScope
from auth.protocol.scopes import BUNDLES, ask, least, narrow, published, spell
from calendly.scopes import SCOPES, expand, includes
from tests.auth.site import OFFERED
from tests.cases import each

SETS = st.frozensets(st.sampled_from(SCOPES))


@pytest.mark.requirement("scopes-published")
def test_what_is_published_is_what_is_offered_and_the_two_bundles() -> None:
    names = published(OFFERED)
    assert set(names) == {*OFFERED, "mcp:scheduling:read", "mcp:scheduling:write"}
    assert len(names) == len(set(names))


@pytest.mark.requirement("scopes-published")
@given(st.frozensets(st.sampled_from(SCOPES), min_size=1))
def test_every_published_name_is_taken(offered: frozenset[str]) -> None:
    for name in published(offered):
        given_scopes = ask(name, offered)
        assert given_scopes
        assert includes(offered, given_scopes)
        assert ask(spell(given_scopes), offered) == given_scopes  # and so is every name in a token


@pytest.mark.requirement("scopes-bundles")
def test_the_bundles_of_the_hosted_server_stand_for_scheduling() -> None:
    reading = {"users:read", "event_types:read", "scheduled_events:read", "availability:read"}
    writing = reading | {"scheduled_events:write", "event_types:write", "scheduling_links:write"}
    assert ask("mcp:scheduling:read", OFFERED) == reading
    assert ask("mcp:scheduling:write", OFFERED) == writing
    assert ask("mcp:scheduling:write", OFFERED | {"availability:write"}) == writing | {"availability:write"}
    assert ask("mcp:scheduling:read webhooks:read", OFFERED) == reading | {"webhooks:read"}


@pytest.mark.requirement("scopes-default")
@each("text", [None, "", " ", "openid profile offline_access", "x"])
def test_no_scope_or_none_that_is_known_asks_for_all_there_is_to_choose_from(text: str | None) -> None:
    assert ask(text, OFFERED) == OFFERED


@pytest.mark.requirement("scopes-unknown-dropped")
def test_unknown_names_beside_known_ones_are_dropped() -> None:
    assert ask("openid users:read  offline_access", OFFERED) == {"users:read"}
    assert ask("contacts:read users:read", OFFERED) == {"users:read"}  # Calendly's, but not offered here


def test_a_request_for_nothing_but_what_is_not_offered_is_refused() -> None:
    with pytest.raises(InvalidScope):
        ask("contacts:read", OFFERED)


@each("text", ['"', "\\", "a\tb", "users:read\n", "\u00fc", "a\x00"])
def test_what_is_no_list_of_scopes_is_refused(text: str) -> None:
    with pytest.raises(InvalidScope):
        ask(text, OFFERED)


def test_a_write_scope_that_is_offered_makes_its_read_scope_available() -> None:
    assert ask("scheduled_events:read", {"scheduled_events:write"}) == {"scheduled_events:read"}
    with pytest.raises(InvalidScope):
        ask("scheduled_events:write", {"scheduled_events:read"})


@pytest.mark.requirement("never-grows")
@given(SETS, st.lists(st.sampled_from([*SCOPES, *BUNDLES, "openid"])))
def test_a_refresh_never_widens_the_scope(given_scopes: frozenset[str], names: list[str]) -> None:
    try:
        narrowed = narrow(" ".join(names), given_scopes)
    except InvalidScope:
        return
    assert expand(narrowed) <= expand(given_scopes)


@pytest.mark.requirement("never-grows")
def test_a_refresh_may_ask_for_less_and_is_refused_more() -> None:
    given_scopes = frozenset({"users:read", "scheduled_events:write"})
    assert narrow(None, given_scopes) == given_scopes
    assert narrow("scheduled_events:read", given_scopes) == {"scheduled_events:read"}
    assert narrow("users:read openid", given_scopes) == {"users:read"}
    assert expand(narrow("mcp:scheduling:write", given_scopes)) == expand(given_scopes)
    with pytest.raises(InvalidScope):
        narrow("users:read webhooks:read", given_scopes)
    with pytest.raises(InvalidScope):
        narrow("mcp:scheduling:read", frozenset({"webhooks:read"}))


@pytest.mark.requirement("scopes-hierarchy")
@given(SETS, SETS)
def test_the_least_of_two_sets_allows_what_both_allow(some: frozenset[str], others: frozenset[str]) -> None:
    assert expand(least(some, others)) == expand(some) & expand(others)
    assert least(some, some) == some


@given(SETS)
def test_a_set_is_read_as_it_was_spelled(scopes: frozenset[str]) -> None:
    assert frozenset(spell(scopes).split()) == scopes
