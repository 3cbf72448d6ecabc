from typing import get_args

import pytest

from server.calls.next_steps import (
    LOCAL_LOGIN,
    PERSONAL_TOKEN,
    RETRYABLE,
    Advice,
    Failure,
    Kind,
    made_for_agent_at,
    meaning,
    next_step,
    signed_in_at,
)
from tests.cases import each
from tools import ALL
from tools.toolset.errors import AlreadyBooked, KeyTaken
from tools.toolset.tool import Tool

TOOLS = {tool.name: tool for tool in ALL}
KINDS: tuple[Kind, ...] = get_args(Kind)


ADVICE = {
    "personal token": PERSONAL_TOKEN,
    "local login": LOCAL_LOGIN,
    "browser": signed_in_at("https://mcp.example"),
    "agent token": made_for_agent_at("https://mcp.example"),
}


@each("tool", ALL)
@each("kind", KINDS)
@each("advice", ADVICE.values())
def test_every_kind_has_a_meaning_and_a_next_step_for_every_tool(advice: Advice, kind: Kind, tool: Tool) -> None:
    failure = Failure(kind=kind)
    for sentence in (meaning(failure, tool, advice), next_step(failure, tool, advice)):
        assert sentence[0].isupper()
        assert sentence.endswith(".")
        assert "{" not in sentence


@pytest.mark.requirement("next-400", "next-401", "next-403-scope", "next-403-role", "next-404", "next-429", "next-500")
@pytest.mark.parametrize(
    ("failure", "tool", "words"),
    [
        (Failure(kind="invalid_argument", status=400, parameters=("event.start_time",)), "create_event_invitee",
         ["`event.start_time`", "call again"]),
        (Failure(kind="invalid_argument"), "get_user", ["the arguments as the message says"]),
        (Failure(kind="unauthenticated", status=401), "get_user",
         ["renew the access token", "sign in again", "login e-mail", "password", "login method"]),
        (Failure(kind="insufficient_scope", status=403, scopes=("users:read",)), "get_user",
         ["users:read", "Integrations & apps", "until one is granted"]),
        (Failure(kind="insufficient_scope", status=403), "get_user", ["users:read"]),
        (Failure(kind="permission_denied", status=403, message="Please upgrade to a paid Calendly account."),
         "create_webhook_subscription", ["higher Calendly plan"]),
        (Failure(kind="permission_denied", status=403), "delete_invitee_data", ["Enterprise plan"]),
        (Failure(kind="permission_denied", status=403), "get_routing_form", ["a Calendly plan with routing forms"]),
        (Failure(kind="permission_denied", status=403), "remove_organization_membership", ["owner or admin"]),
        (Failure(kind="permission_denied", status=403), "get_user", ["role does not allow"]),
        (Failure(kind="not_found", status=404), "get_user", ["Check the identifier", "can see it"]),
        (Failure(kind="rate_limited", status=429, retry_after=11.2), "get_user", ["in 12 s", "more slowly"]),
        (Failure(kind="upstream_error", status=500), "get_user", ["later", "Calendly's support"]),
        (Failure(kind="upstream_error", status=424), "list_user_busy_times", ["reconnect the calendar"]),
        (Failure(kind="outcome_unknown"), "create_event_invitee", ["list_scheduled_events", "Do not simply repeat"]),
        (Failure(kind="outcome_unknown"), "cancel_scheduled_event", ["get_scheduled_event"]),
        (Failure(kind="confirmation_required"), "cancel_scheduled_event",
         ["`confirmation`", "Only if the user agrees"]),
        (Failure(kind="conflict", status=403), "cancel_scheduled_event", ["present state"]),
        (Failure(kind="conflict"), "cancel_scheduled_event", ["present state", "with get_scheduled_event:"]),
        (Failure(kind="conflict", status=409), "create_contact", ["present state", "with list_contacts:"]),
        (Failure(kind="conflict", own_step=KeyTaken.next_step), "create_event_invitee", ["another idempotency_key"]),
        (Failure(kind="conflict", own_step=AlreadyBooked.next_step), "create_event_invitee", ["do not book again"]),
    ],
)  # fmt: skip
def test_the_next_step_says_what_helps(failure: Failure, tool: str, words: list[str]) -> None:
    step = next_step(failure, TOOLS[tool])
    assert [word for word in words if word not in step] == []


@pytest.mark.requirement("next-403-scope")
def test_what_helps_depends_on_how_the_token_came() -> None:
    lacking = Failure(kind="insufficient_scope", scopes=("users:read",))
    steps = {name: next_step(lacking, TOOLS["get_user"], advice) for name, advice in ADVICE.items()}
    assert len(set(steps.values())) == len(ADVICE)
    assert all("users:read" in step for step in steps.values())
    assert "https://mcp.example says how" in steps["browser"]
    assert "calendly-mcp token create" in steps["agent token"]
    assert "calendly-mcp login" in steps["local login"]


def test_every_tool_that_writes_says_where_to_look_after_an_unknown_outcome() -> None:
    for tool in ALL:
        if tool.access == "write":
            assert "the reading tools" not in next_step(Failure(kind="outcome_unknown"), tool)


def test_only_what_may_pass_by_itself_is_worth_a_retry() -> None:
    assert set(RETRYABLE) == {"rate_limited", "upstream_error", "upstream_unreachable"}
