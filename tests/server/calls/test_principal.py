"""What is known of a token and what the person chose decide what an agent sees and is refused."""

import pytest

from auth.access.levels import CAPABILITIES, OFF, UNLIMITED, Access, Limits
from auth.access.text import parse_access
from calendly.request import Account, PersonalToken
from server.calls.principal import Principal, is_for_lack_of_scope
from tools import ALL

ACCOUNT = Account("person", "agent", PersonalToken("secret"))
TOOLS = {tool.name: tool for tool in ALL}


def principal(
    *,
    scopes: frozenset[str] | None = None,
    granted: frozenset[str] | None = None,
    chosen: Access | None = None,
    steps_up: bool = False,
) -> Principal:
    limits = Limits(ceiling=UNLIMITED, chosen=chosen, scopes=scopes, granted=granted)
    return Principal(account=ACCOUNT, limits=limits, steps_up=steps_up)


def seen(principal: Principal) -> set[str]:
    return {tool.name for tool in ALL if principal.sees(tool)}


def test_a_token_of_which_nothing_is_known_is_shown_everything() -> None:
    assert len(seen(principal())) == len(ALL)


def test_a_write_scope_shows_what_its_read_scope_does() -> None:
    shown = seen(principal(scopes=frozenset({"webhooks:write"})))
    assert shown == {name for name, tool in TOOLS.items() if all("webhooks:" in scope for scope in tool.scopes)}


@pytest.mark.requirement("least-of-four")
def test_what_calendly_granted_counts_as_much_as_what_the_person_allowed() -> None:
    scopes = frozenset({"users:read", "event_types:read"})
    one = principal(scopes=scopes, granted=frozenset({"users:read", "webhooks:read"}))
    assert seen(one) == {"get_current_user", "get_user"}
    unlisted = one.decide(TOOLS["list_event_types"])
    assert (unlisted.source, unlisted.rule) == (
        "calendly",
        "Calendly did not grant the scope event_types:read to this server",
    )
    not_allowed = one.decide(TOOLS["list_webhook_subscriptions"])
    assert (not_allowed.source, not_allowed.rule) == ("token", "the scope webhooks:read was not allowed to this agent")


@pytest.mark.requirement("list-by-token")
def test_who_can_ask_for_more_is_shown_everything_and_refused_all_the_same() -> None:
    one = principal(scopes=frozenset({"users:read"}), steps_up=True)
    assert len(seen(one)) == len(ALL)
    assert is_for_lack_of_scope(one.decide(TOOLS["list_event_types"]))


@pytest.mark.requirement("least-of-four")
def test_what_the_person_switched_off_is_hidden_even_from_who_can_ask_for_more() -> None:
    chosen = {**dict.fromkeys(CAPABILITIES, OFF), **parse_access("users=read,booking=ask")}
    one = principal(chosen=chosen, scopes=frozenset({"users:read"}), steps_up=True)
    assert seen(one) == {"get_current_user", "get_user", "create_event_invitee"}
    decision = one.decide(TOOLS["cancel_scheduled_event"])
    assert (decision.verdict, decision.source, decision.rule) == ("deny", "person", "canceling is off")
    assert not is_for_lack_of_scope(decision)


async def test_nothing_is_known_of_scopes_that_were_never_granted() -> None:
    assert await principal().note({"users:read"}) is None
