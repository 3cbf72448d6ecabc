"""What is known of a token decides what an agent sees and is refused before Calendly is asked."""

import pytest

from auth.personal_token import PersonalToken
from calendly.request import Account
from server.party import Party
from tools import ALL

ACCOUNT = Account("person", "agent", PersonalToken("secret"))
TOOLS = {tool.name: tool for tool in ALL}


def seen(party: Party) -> set[str]:
    return {tool.name for tool in ALL if party.sees(tool)}


def test_a_token_of_which_nothing_is_known_is_shown_everything() -> None:
    assert len(seen(Party(account=ACCOUNT))) == len(ALL)


def test_a_write_scope_shows_what_its_read_scope_does() -> None:
    party = Party(account=ACCOUNT, allowed=frozenset({"webhooks:write"}))
    assert seen(party) == {name for name, tool in TOOLS.items() if tool.scope.startswith("webhooks:")}


@pytest.mark.requirement("least-of-four")
def test_what_calendly_granted_counts_as_much_as_what_the_person_allowed() -> None:
    allowed = frozenset({"users:read", "event_types:read"})
    party = Party(account=ACCOUNT, allowed=allowed, granted=frozenset({"users:read", "webhooks:read"}))
    assert seen(party) == {"get_current_user", "get_user"}
    assert party.lack(TOOLS["list_event_types"]) == "Calendly did not grant the scope event_types:read to this server."
    assert party.lack(TOOLS["list_webhook_subscriptions"]) == "The scope webhooks:read was not allowed to this agent."


@pytest.mark.requirement("list-by-token")
def test_who_can_ask_for_more_is_shown_everything_and_refused_all_the_same() -> None:
    party = Party(account=ACCOUNT, allowed=frozenset({"users:read"}), steps_up=True)
    assert len(seen(party)) == len(ALL)
    assert party.lack(TOOLS["list_event_types"]) is not None


@pytest.mark.anyio
async def test_nothing_is_known_of_scopes_that_were_never_granted() -> None:
    assert await Party(account=ACCOUNT).note({"users:read"}) is None
