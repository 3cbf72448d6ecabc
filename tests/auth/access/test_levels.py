from dataclasses import dataclass, replace
from typing import Literal

import pytest

from auth.access.levels import (
    CAPABILITIES,
    CONDITIONS,
    LOCAL,
    UNLIMITED,
    Access,
    Allowance,
    Level,
    Limits,
    Operation,
    Verdict,
    conditions,
    daily_limit,
    decide,
    is_browser_only,
    least,
    object_to,
)
from auth.access.text import parse_access
from tests.cases import each

READING = ("users", "scheduled_events", "invitee_data", "events", "routing_forms", "activity_log")
ACTIONS = ("booking", "canceling", "scheduling_links", "no_shows", "data_deletion")
BOTH = ("event_types", "availability", "organization", "webhooks", "contacts", "meeting_recaps")

BOOKING = Operation("booking", "write", "scheduled_events:write")
BOTH_SCOPES = frozenset({"users:read", "scheduled_events:write"})


@dataclass(frozen=True)
class About:
    """What a call is about."""

    event_types: frozenset[str] | None = frozenset({"E1"})
    hosts: frozenset[str] | None = frozenset({"U1"})
    addresses: frozenset[str] | None = frozenset({"lee@Example.com"})


def limits(ceiling: str, chosen: str | None = None) -> Limits:
    return Limits(ceiling=parse_access(ceiling), chosen=None if chosen is None else parse_access(chosen))


def test_a_capability_that_came_after_the_consent_is_asked_for_with_its_scope() -> None:
    contacts = Operation("contacts", "read", "contacts:read")
    undecided = limits("contacts=full", "users=read")
    assert decide(contacts, replace(undecided, scopes=BOTH_SCOPES)).source == "token"
    assert decide(contacts, replace(undecided, scopes={"contacts:read"})).source == "person"
    assert decide(contacts, replace(limits("contacts=full", "contacts=off"), scopes=BOTH_SCOPES)).source == "person"


def test_every_capability_reads_acts_or_does_both() -> None:
    assert set(CAPABILITIES) == {*READING, *ACTIONS, *BOTH}
    assert {CAPABILITIES[name] for name in READING} == {("off", "read")}
    assert {CAPABILITIES[name] for name in ACTIONS} == {("off", "ask", "full")}
    assert {CAPABILITIES[name] for name in BOTH} == {("off", "read", "ask", "full")}
    assert set(CONDITIONS) < set(CAPABILITIES)


@each(
    "access, level, verdict",
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
    operation = Operation("organization", access, "organizations:read")
    decision = decide(operation, Limits(ceiling={"organization": Allowance(level=level)}))
    assert (decision.verdict, decision.rule) == (verdict, f"organization is {level}")


@pytest.mark.requirement("least-of-four")
@each(
    "over, verdict, source",
    [
        (limits("booking=off", "booking=off"), "deny", "operator"),
        (limits("booking=full", "booking=off"), "deny", "person"),
        (limits("booking=full", ""), "deny", "person"),
        (
            replace(limits("booking=full", "booking=ask"), scopes={"users:read"}, granted={"users:read"}),
            "deny",
            "token",
        ),
        (
            replace(limits("booking=full", "booking=ask"), scopes=BOTH_SCOPES, granted={"users:read"}),
            "deny",
            "calendly",
        ),
        (limits("booking=ask", "booking=full"), "ask", "operator"),
        (limits("booking=full", "booking=ask"), "ask", "person"),
        (replace(limits("booking=full", "booking=full"), scopes=BOTH_SCOPES, granted=BOTH_SCOPES), "allow", "person"),
    ],
)
def test_the_least_of_four_decides_and_is_named(over: Limits, verdict: Verdict, source: str) -> None:
    decision = decide(BOOKING, over)
    assert (decision.verdict, decision.source) == (verdict, source)


def test_on_ones_own_machine_what_reaches_strangers_or_cannot_be_undone_is_asked() -> None:
    asked = {name for name, allowance in LOCAL.items() if allowance.level == "ask"}
    assert asked == {"canceling", "organization", "webhooks", "data_deletion", "meeting_recaps"}
    assert all(allowance.level == CAPABILITIES[name][-1] for name, allowance in LOCAL.items() if name not in asked)
    assert set(LOCAL) == set(UNLIMITED) == set(CAPABILITIES)


@each(
    "ceiling, chosen, source",
    [
        ("booking=full:event_types=E2", "booking=full", "operator"),
        ("booking=full", "booking=full:hosts=U2+U3", "person"),
        ("booking=full:domains=example.org", "booking=full:domains=example.com", "operator"),
        ("booking=full:event_types=E1:domains=ample.com", None, "operator"),
    ],
)
def test_a_call_outside_a_condition_is_refused_in_the_name_of_whose_it_is(
    ceiling: str, chosen: str | None, source: str
) -> None:
    over = limits(ceiling, chosen)
    objection = object_to("booking", over, About())
    assert conditions("booking", over)
    assert objection is not None
    assert (objection.verdict, objection.source) == ("deny", source)


@each("ceiling", ["booking=full", "booking=full:event_types=E1+E2:hosts=U1:domains=EXAMPLE.com:per_day=1"])
def test_a_call_within_every_condition_is_not_objected_to(ceiling: str) -> None:
    assert object_to("booking", limits(ceiling), About()) is None


@each(
    "ceiling, about",
    [
        ("booking=full:hosts=U1", About(hosts=None)),
        ("booking=full:hosts=U1", About(hosts=frozenset({"U1", "U2"}))),
        ("booking=full:domains=example.com", About(addresses=frozenset())),
        ("booking=full:domains=example.com", About(addresses=frozenset({"lee@example.com", "x@sub.example.com"}))),
        ("booking=full:event_types=E1", About(event_types=None)),
    ],
)
def test_what_is_not_known_or_only_partly_within_is_outside(ceiling: str, about: About) -> None:
    assert object_to("booking", limits(ceiling), about) is not None


def test_limits_of_several_are_the_smallest_and_browser_only_holds_if_anybody_wants_it() -> None:
    over = limits("booking=ask:per_day=5", "booking=ask:per_day=3:confirm=browser")
    assert daily_limit("booking", over) == (3, "person")
    assert daily_limit("canceling", over) is None
    assert is_browser_only("booking", over)
    assert not is_browser_only("canceling", over)


def test_the_least_of_several_keeps_every_condition() -> None:
    one, other = (
        parse_access("booking=full:event_types=A+B:per_day=5,users=read,webhooks=full"),
        parse_access("booking=ask:event_types=B+C:domains=example.com:per_day=9:confirm=browser,webhooks=read"),
    )
    met: Access = least([one, other])
    assert met["booking"] == Allowance(
        level="ask", event_types=frozenset({"B"}), domains=frozenset({"example.com"}), per_day=5, in_browser=True
    )
    assert met["users"].level == "off"
    assert met["webhooks"].level == "read"
