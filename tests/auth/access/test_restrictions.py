from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.access.levels import CAPABILITIES, OFF, Access
from auth.access.offers import levels_within, preselect
from auth.access.restrictions import ConsentChoice, is_within, keep, place, remember, settle
from auth.access.text import parse_access, spell_access
from tests.auth.site import OFFERED, OPERATIONS
from tests.cases import each

FULL = {name: levels[-1] for name, levels in CAPABILITIES.items()}
ACCESSES = st.dictionaries(st.sampled_from(list(CAPABILITIES)), st.integers(0, 3)).map(
    lambda picked: parse_access(
        ",".join(f"{name}={CAPABILITIES[name][index % len(CAPABILITIES[name])]}" for name, index in picked.items())
    )
)


def read(text: str) -> Access:
    return parse_access(text)


@each(
    "memory, chosen, before, remembered",
    [
        ("", "booking=ask", "booking=ask", ""),  # took what was there
        ("", "booking=off", "booking=ask", "booking=off"),  # took less
        ("", "booking=full", "booking=ask", ""),  # took more
        ("booking=off", "booking=off", "booking=off", "booking=off"),  # left it as it was remembered
        ("booking=off", "booking=ask", "booking=off", ""),  # gave back
        ("booking=ask", "event_types=read", "event_types=read", "booking=ask"),  # was not asked about it
        ("event_types=ask", "event_types=read", "event_types=read", "event_types=ask"),  # could not choose more
        ("", "booking=ask:per_day=3", "booking=ask", "booking=ask:per_day=3"),
        ("booking=ask:per_day=3", "booking=full:per_day=3", "booking=ask:per_day=3", "booking=full:per_day=3"),
        ("booking=ask:per_day=3", "booking=ask", "booking=ask:per_day=3", ""),
        ("webhooks=off,booking=off", "booking=full,webhooks=off", "booking=off,webhooks=off", "webhooks=off"),
    ],
)
def test_less_is_remembered_and_more_is_forgotten(memory: str, chosen: str, before: str, remembered: str) -> None:
    assert spell_access(remember(read(memory), read(chosen), read(before))) == remembered


@each(
    "one, other, within",
    [
        ("booking=off", "booking=ask", True),
        ("booking=full", "booking=ask", False),
        ("booking=ask:domains=a.example", "booking=ask", True),
        ("booking=ask", "booking=ask:domains=a.example", False),
        ("booking=ask:per_day=3", "booking=ask:per_day=2", False),
        ("booking=ask:confirm=browser", "booking=full", True),
    ],
)
def test_one_allowance_is_within_another_when_it_allows_nothing_more(one: str, other: str, *, within: bool) -> None:
    assert is_within(read(one)["booking"], read(other)["booking"]) is within


class Consent(NamedTuple):
    """A choice on a consent page, as texts."""

    chosen: str
    shown: str | None = None
    before: str = ""
    memory: str = ""
    asked: str | None = None

    def settle(self, *, seen: bool) -> tuple[dict[str, str], str]:
        """Return what is stored, capability by capability, and what is remembered."""
        scopes = OFFERED if self.asked is None else frozenset(self.asked.split())
        choice = ConsentChoice(read(self.shown or self.chosen), read(self.chosen), scopes)
        outcome = settle(choice, read(self.before), read(self.memory), OPERATIONS, seen=seen)
        parts = [part.split("=", 1) for part in spell_access(outcome.access).split(",")]
        return dict(parts), spell_access(outcome.memory)


@pytest.mark.requirement("restrictions-kept")
def test_what_was_not_shown_to_the_person_holds_whatever_the_page_says() -> None:
    access, memory = Consent("booking=full,users=read", memory="booking=off").settle(seen=False)
    assert access["booking"] == "off"
    assert access["users"] == "read"
    assert memory == "booking=off"


@pytest.mark.requirement("restrictions-kept")
def test_who_saw_what_is_remembered_has_the_last_word() -> None:
    access, memory = Consent("booking=full", shown="booking=off", memory="booking=off").settle(seen=True)
    assert (access["booking"], memory) == ("full", "")


@pytest.mark.requirement("restrictions-kept")
@each("seen", [True, False])
def test_choosing_less_than_was_preselected_is_remembered(*, seen: bool) -> None:
    access, memory = Consent("booking=off", shown="booking=ask").settle(seen=seen)
    assert (access["booking"], memory) == ("off", "booking=off")


@pytest.mark.requirement("restrictions-kept")
@each("seen", [True, False])
def test_conditions_stay_since_a_consent_page_does_not_ask_for_them(*, seen: bool) -> None:
    for kept in ({"before": "booking=ask:per_day=2"}, {"memory": "booking=ask:per_day=2"}):
        access, _ = Consent("booking=ask", **kept).settle(seen=seen)
        assert access["booking"] == "ask:per_day=2"


@pytest.mark.requirement("restrictions-kept")
def test_what_the_client_did_not_ask_for_stays_open_but_for_what_is_remembered() -> None:
    access, memory = Consent("users=read", memory="booking=off", asked="users:read").settle(seen=True)
    assert (access["booking"], access["canceling"]) == ("off", "ask")
    assert memory == "booking=off"


def test_what_was_not_offered_is_off() -> None:
    access, _ = Consent("users=read").settle(seen=True)  # everything was asked for, and the ceiling left this
    assert {name for name, level in access.items() if level != "off"} == {"users"}


@pytest.mark.requirement("restrictions-kept", "never-grows")
@given(ACCESSES, ACCESSES, st.booleans(), st.frozensets(st.sampled_from(sorted(OFFERED))))
def test_memory_never_gives_anything(memory: Access, before: Access, seen: bool, asked: frozenset[str]) -> None:  # noqa: FBT001 - hypothesis passes it by position
    levels = levels_within(asked, parse_access(",".join(f"{n}={v}" for n, v in FULL.items())), OPERATIONS)
    shown = preselect(asked, OFFERED, levels, None, memory if seen else {})
    plain = settle(ConsentChoice(shown, shown, asked), before, {}, OPERATIONS, seen=seen)
    kept = settle(ConsentChoice(shown, shown, asked), before, memory, OPERATIONS, seen=seen)
    for name, allowance in kept.access.items():
        assert is_within(allowance, plain.access[name])
        if not seen:
            assert is_within(allowance, memory.get(name, parse_access(f"{name}={FULL[name]}")[name]))


def test_what_restrictions_do_not_name_they_leave() -> None:
    kept = keep(read("booking=full,users=read"), read("booking=ask"))
    assert spell_access(kept) == "users=read,booking=ask"
    assert keep({}, read("booking=ask")) == {}
    assert keep({"users": OFF}, {}) == {"users": OFF}


@each(
    "uri, known_by",
    [
        ("https://agent.example/callback?x=1", "agent.example"),
        ("http://127.0.0.1:33418/callback", "loopback"),
        ("http://localhost/callback", "loopback"),
        ("cursor://anysphere.cursor-mcp/callback", "cursor:"),
    ],
)
def test_an_agent_is_known_again_by_the_host_and_on_this_machine_by_that_alone(uri: str, known_by: str) -> None:
    assert place(uri) == known_by
