"""What an operator is told about a call that nobody makes."""

from dataclasses import replace

import pytest

from auth.access.levels import UNLIMITED, Limits
from auth.access.text import parse_access
from calendly.request import Account, PersonalToken
from server.calls.explanation import ExplainedAgent, explain
from server.calls.next_steps import made_for_agent_at, signed_in_at
from server.calls.principal import Principal
from server.calls.selection import Rules, refusal_of, select
from tools import ALL

TOOLS = {tool.name: tool for tool in ALL}
ALL_SCOPES = frozenset(scope for tool in ALL for scope in tool.scopes)
BOOK, CANCEL, READ = "create_event_invitee", "cancel_scheduled_event", "get_scheduled_event"


def principal(
    ceiling: str = "",
    chosen: str | None = None,
    scopes: frozenset[str] | None = None,
    granted: frozenset[str] | None = None,
) -> Principal:
    return Principal(
        account=Account("", "", PersonalToken("")),
        limits=Limits(
            ceiling={**UNLIMITED, **parse_access(ceiling)},
            chosen=None if chosen is None else parse_access(chosen),
            scopes=scopes,
            granted=granted,
        ),
        changes_at="" if chosen is None else " at https://mcp.example/connections",
    )


def told(name: str, principal: Principal, *, read_only: bool = False) -> dict[str, list[str]]:
    """The explanation by the names of its rows."""
    selection = select(ALL, Rules(read_only=read_only, ceiling=principal.limits.ceiling))
    rows: dict[str, list[str]] = {}
    for line in explain(TOOLS[name], ExplainedAgent("CI (grant g1)", principal), selection).splitlines():
        rows.setdefault(line[:12].rstrip(), []).append(line[12:])
    return rows


def test_a_refusal_says_when_a_change_takes_a_new_sign_in() -> None:
    """A level that the person raises is of no use without the scope that it needs."""
    hours = TOOLS["change_working_hours"]
    ending = " The app has to sign in again then, for availability:write"
    for scopes, is_told in ((frozenset({"availability:read"}), True), (ALL_SCOPES, False), (None, False)):
        one = principal(chosen="availability=read", scopes=scopes)
        assert (ending in refusal_of(hours, one.decide(hours), one)) is is_told


@pytest.mark.requirement("access-explain")
def test_every_source_is_shown_and_the_one_that_decides_is_named() -> None:
    one = principal("canceling=full", "canceling=ask", scopes=ALL_SCOPES, granted=frozenset({"scheduled_events:write"}))
    rows = told(CANCEL, one)
    assert rows["tool"] == [f"{CANCEL}: writes, capability canceling, scope scheduled_events:write"]
    assert rows["agent"] == ["CI (grant g1)"]
    assert rows["a call"] == ["is asked of a person first"]
    assert rows["because"] == ["canceling is ask (the person's choice)"]
    assert rows["changed by"] == ["The person it acts for can change that at https://mcp.example/connections."]
    assert (rows["operator"], rows["person"], rows["together"]) == (
        ["canceling=full"],
        ["canceling=ask"],
        ["canceling=ask"],
    )
    assert rows["token"][0].startswith("has scheduled_events:write: ")
    assert rows["calendly"] == ["has scheduled_events:write: scheduled_events:write"]
    assert rows["listed"] == ["yes"]
    assert rows["asked"][0].startswith("through the client")


def test_on_ones_own_machine_the_person_is_the_operator_and_scopes_may_not_be_known() -> None:
    rows = told(READ, principal())
    assert rows["a call"] == ["is carried out without asking"]
    assert rows["person"] == ["is the operator"]
    assert "together" not in rows
    assert rows["token"] == ["is the person's own: the agent has none of ours"]
    assert rows["calendly"] == ["does not say: it refuses what its token does not cover"]
    assert "asked" not in rows
    assert "condition" not in rows


def test_conditions_are_told_with_whose_they_are() -> None:
    rows = told(
        BOOK, principal("booking=ask:per_day=5:confirm=browser", "booking=full:domains=b.example+a.example:hosts=U1")
    )
    assert rows["a call"] == ["is asked of a person first, within the conditions below"]
    assert rows["condition"] == [
        "booking is limited to meetings hosted by U1 (the person's choice)",
        "booking is limited to invitees and guests at a.example, b.example (the person's choice)",
        "booking is limited to 5 within 24 hours (the operator's ceiling)",
    ]
    assert rows["together"] == ["booking=ask:hosts=U1:domains=a.example+b.example:per_day=5:confirm=browser"]
    assert rows["asked"][0].startswith("on this server's own page")


@pytest.mark.parametrize(("name", "is_told"), [(READ, True), (BOOK, True), ("list_event_types", False)])
def test_what_answers_leave_out_is_told(name: str, *, is_told: bool) -> None:
    rows = told(name, principal(chosen="invitee_data=off,scheduled_events=read,booking=full,event_types=read"))
    expected = ["what answers tell about invitees: invitee_data is off (the person's choice)"]
    assert rows.get("left out") == (expected if is_told else None)


def test_a_tool_that_the_operator_left_out_is_refused_in_the_words_that_the_agent_gets() -> None:
    rows = told(CANCEL, principal("canceling=ask"), read_only=True)
    assert rows["a call"] == ["is refused"]
    [because] = rows["because"]
    assert because.startswith(f"{CANCEL} (capability canceling) is switched off: the server is read-only. ")
    assert because.endswith("can change that with another start, without --read-only (CALENDLY_MCP_READ_ONLY).")
    assert rows["listed"] == ["no"]
    assert "changed by" not in rows
    assert "asked" not in rows


def test_what_the_person_switched_off_is_refused_and_hidden() -> None:
    rows = told(CANCEL, principal(chosen="users=read"))
    assert (rows["a call"], rows["listed"]) == (["is refused"], ["no"])
    assert rows["because"] == ["canceling is off (the person's choice)"]
    assert rows["person"] == ["canceling=off"]
    assert rows["together"] == ["canceling=off"]


@pytest.mark.parametrize(
    ("scopes", "granted", "source"),
    [
        (frozenset({"users:read"}), None, "the scopes of the agent's token"),
        (ALL_SCOPES, frozenset[str](), "what Calendly granted"),
    ],
)
def test_a_scope_that_is_lacking_says_how_to_come_by_it(
    scopes: frozenset[str], granted: frozenset[str] | None, source: str
) -> None:
    one = principal("", "canceling=full", scopes, granted)
    by_browser = replace(one, steps_up=True, advice=signed_in_at("https://mcp.example"))
    by_operator = replace(one, advice=made_for_agent_at("https://mcp.example"))
    rows = told(CANCEL, by_browser)
    assert rows["a call"] == ["is refused, and the client sends its person to allow more"]
    assert rows["because"][0].endswith(f"({source})")
    assert "connect Calendly again and to allow scheduled_events:write" in rows["changed by"][0]
    assert rows["listed"] == ["yes"]
    rows = told(CANCEL, by_operator)
    assert (rows["a call"], rows["listed"]) == (["is refused"], ["no"])
    assert "`calendly-mcp token create`" in rows["changed by"][0]
