"""The whole matrix of access, over the pure decision: every tool at every level of every source."""

from itertools import product
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.access.levels import (
    CAPABILITIES,
    CONDITIONS,
    OFF,
    Access,
    Allowance,
    Level,
    Limits,
    Verdict,
    decide,
    is_at_most,
    least,
    object_to,
)
from auth.access.text import parse_access, read_access, spell_access
from calendly.scopes import SCOPES
from server.calls.principal import operation_of
from tests.cases import each
from tools import ENDPOINTS, EndpointTool
from tools.toolset.effects import Affected

LEVELS: Final[tuple[Level, ...]] = ("off", "read", "ask", "full")
ALLOWED: Final = {"read": {"read", "ask", "full"}, "write": {"ask", "full"}}
"""By what a tool does, the levels at which it is not refused."""
ORDER: Final[tuple[Verdict, ...]] = ("deny", "ask", "allow")

EVERYTHING: Final = frozenset(SCOPES)
TOOLS: Final = each("tool", ENDPOINTS)

CELLS: Final = [(tool, level) for tool in ENDPOINTS for level in CAPABILITIES[tool.capability]]


def at(tool: EndpointTool, level: Level) -> Access:
    return {tool.capability: Allowance(level=level)}


def expected(tool: EndpointTool, level: Level) -> Verdict:
    if level not in ALLOWED[tool.access]:
        return "deny"
    return "ask" if (tool.access, level) == ("write", "ask") else "allow"


@pytest.mark.requirement("every-call-decided")
@each("tool, level", CELLS)
def test_a_level_decides_about_every_tool_of_its_capability(tool: EndpointTool, level: Level) -> None:
    decision = decide(operation_of(tool), Limits(ceiling=at(tool, level)))
    assert (decision.verdict, decision.rule, decision.source) == (
        expected(tool, level),
        f"{tool.capability} is {level}",
        "operator",
    )
    person = decide(
        operation_of(tool), Limits(ceiling=at(tool, CAPABILITIES[tool.capability][-1]), chosen=at(tool, level))
    )
    assert (person.verdict, person.rule, person.source) == (expected(tool, level), decision.rule, "person")


@TOOLS
def test_of_four_sources_the_least_decides_and_the_first_of_the_least_is_named(tool: EndpointTool) -> None:
    levels = CAPABILITIES[tool.capability]
    without = EVERYTHING - {tool.scope, tool.scope.replace(":read", ":write")}
    chosen: tuple[Level | None, ...] = (None, *levels)
    scopes = (None, EVERYTHING, without)
    for ceiling, choice, token, granted in product(levels, chosen, scopes, scopes):
        limits = Limits(
            ceiling=at(tool, ceiling),
            chosen=None if choice is None else at(tool, choice),
            scopes=token,
            granted=granted,
        )
        decision = decide(operation_of(tool), limits)
        of_scope: dict[bool, Verdict] = {True: "deny", False: "allow"}
        verdicts: dict[str, Verdict] = {
            "operator": expected(tool, ceiling),
            **({} if choice is None else {"person": expected(tool, choice)}),
            "token": of_scope[token is without],
            "calendly": of_scope[granted is without],
        }
        least_of_them = min(verdicts.values(), key=ORDER.index)
        assert decision.verdict == least_of_them
        if least_of_them != "allow":
            assert decision.source == next(source for source, verdict in verdicts.items() if verdict == least_of_them)


@TOOLS
def test_what_nobody_mentions_is_off(tool: EndpointTool) -> None:
    full = {name: Allowance(level=levels[-1]) for name, levels in CAPABILITIES.items() if name != tool.capability}
    assert decide(operation_of(tool), Limits(ceiling=full)).verdict == "deny"
    assert decide(operation_of(tool), Limits(ceiling=at(tool, "full"), chosen=full)).verdict == "deny"


UUIDS: Final = st.text("ABCDEF0123456789", min_size=1, max_size=8)
DOMAINS: Final = st.sampled_from(["example.com", "example.org", "a.example.com", "xn--bcher-kva.example"])


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[frozenset[str] | None]:
    return st.none() | st.frozensets(values, min_size=1, max_size=4)


@st.composite
def allowances(draw: st.DrawFn, capability: str) -> Allowance:
    """An allowance that text can say."""
    possible = CONDITIONS.get(capability, ())
    return Allowance(
        level=draw(st.sampled_from(CAPABILITIES[capability])),
        event_types=draw(some(UUIDS)) if "event_types" in possible else None,
        hosts=draw(some(UUIDS)) if "hosts" in possible else None,
        domains=draw(some(DOMAINS)) if "domains" in possible else None,
        per_day=draw(st.none() | st.integers(0, 100_000)) if "per_day" in possible else None,
        in_browser=draw(st.booleans()) if "ask" in CAPABILITIES[capability] else False,
    )


@st.composite
def accesses(draw: st.DrawFn) -> Access:
    names = draw(st.sets(st.sampled_from(sorted(CAPABILITIES))))
    return {name: draw(allowances(name)) for name in sorted(names)}


@given(access=accesses())
def test_access_is_read_from_text_as_it_was_written(access: Access) -> None:
    assert parse_access(spell_access(access)) == access
    assert read_access(spell_access(access)) == access
    assert spell_access(parse_access(spell_access(access))) == spell_access(access)


def settled(access: Access) -> dict[str, Allowance]:
    """Access without what is off, which goes without saying."""
    return {name: allowance for name, allowance in access.items() if allowance.level != "off"}


@given(one=accesses(), other=accesses(), third=accesses())
def test_what_several_allow_does_not_depend_on_their_order(one: Access, other: Access, third: Access) -> None:
    assert settled(least([one, other])) == settled(least([other, one]))
    assert settled(least([least([one, other]), third])) == settled(least([one, least([other, third])]))
    assert settled(least([one, one])) == settled(least([one])) == settled(one)


@given(one=accesses(), other=accesses(), third=accesses())
def test_what_several_allow_is_no_more_than_any_of_them_does(one: Access, other: Access, third: Access) -> None:
    met = least([one, other])
    for name, allowance in met.items():
        for alone in (one.get(name, OFF), other.get(name, OFF)):
            assert is_at_most(allowance.level, alone.level)
            assert allowance.in_browser >= (alone.in_browser and allowance.level != "off")
            assert alone.per_day is None or (allowance.per_day is not None and allowance.per_day <= alone.per_day)
    more = least([met, third])
    assert all(is_at_most(allowance.level, met[name].level) for name, allowance in more.items())


SCOPE_SETS: Final = st.none() | st.frozensets(st.sampled_from(sorted(EVERYTHING)))
SUBJECTS: Final = st.builds(
    Affected, event_types=some(UUIDS), hosts=some(UUIDS), addresses=some(DOMAINS.map("lee@{}".format))
)


@given(
    tool=st.sampled_from(ENDPOINTS),
    ceiling=accesses(),
    chosen=st.none() | accesses(),
    scopes=SCOPE_SETS,
    granted=SCOPE_SETS,
)
def test_no_combination_of_sources_allows_more_than_each_alone(
    tool: EndpointTool,
    ceiling: Access,
    chosen: Access | None,
    scopes: frozenset[str] | None,
    granted: frozenset[str] | None,
) -> None:
    everything: Access = {name: Allowance(level=levels[-1]) for name, levels in CAPABILITIES.items()}
    operation = operation_of(tool)
    together = decide(operation, Limits(ceiling=ceiling, chosen=chosen, scopes=scopes, granted=granted)).verdict
    alone = [
        Limits(ceiling=ceiling),
        Limits(ceiling=everything, chosen=chosen),
        Limits(ceiling=everything, scopes=scopes),
        Limits(ceiling=everything, granted=granted),
    ]
    verdicts = [decide(operation, limits).verdict for limits in alone]
    assert together == min(verdicts, key=ORDER.index)


@given(capability=st.sampled_from(sorted(CONDITIONS)), one=accesses(), other=accesses(), subject=SUBJECTS)
def test_a_call_that_nobody_objects_to_is_within_the_conditions_of_each(
    capability: str, one: Access, other: Access, subject: Affected
) -> None:
    together = object_to(capability, Limits(ceiling=one, chosen=other), subject)
    alone = [object_to(capability, Limits(ceiling=access), subject) for access in (one, other)]
    assert (together is None) == (alone == [None, None])
    met = object_to(capability, Limits(ceiling=least([one, other])), subject)
    if capability in one and capability in other:
        assert (met is None) == (together is None)


@each(
    "address, is_within",
    [
        ("lee@example.com", True),
        ("Lee.Park@EXAMPLE.Com", True),
        ("lee@sub.example.com", False),
        ("lee@notexample.com", False),
        ("lee@example.com.evil.example", False),
        ("example.com", False),
        ("lee@example.org", False),
        ("lee@\u212aelvin.example", False),
        ("", False),
    ],
)
def test_a_domain_is_that_one_alone_in_letters_of_any_size(address: str, *, is_within: bool) -> None:
    limits = Limits(ceiling=parse_access("booking=full:domains=Example.COM+kelvin.example"))
    subject = Affected(addresses=frozenset({address}))
    assert (object_to("booking", limits, subject) is None) is is_within
