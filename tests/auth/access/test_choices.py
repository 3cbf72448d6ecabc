from auth.access.choices import CAUTIOUS, highest, scopes_for, settled
from auth.access.levels import CAPABILITIES, OFF, Access
from auth.access.text import parse_access
from calendly.scopes import SCOPES
from tests.auth.site import OPERATIONS
from tests.cases import each

MEETINGS = frozenset({"scheduled_events:read"})
ALL_SCOPES = frozenset(SCOPES)


def levels(access: Access) -> dict[str, str]:
    return {name: allowance.level for name, allowance in access.items()}


@each(
    "capability, level",
    [("scheduled_events", "read"), ("invitee_data", "read"), ("booking", "off"), ("event_types", "off")],
)
def test_a_capability_reaches_as_far_as_the_scopes_do(capability: str, level: str) -> None:
    assert highest(capability, MEETINGS, OPERATIONS) == level


def test_with_every_scope_every_capability_reaches_its_highest_level() -> None:
    assert {highest(name, ALL_SCOPES, OPERATIONS) for name in ("booking", "webhooks", "event_types")} == {"full"}


def test_what_cannot_be_undone_or_shows_others_is_left_to_the_person_where_a_client_asks_for_everything() -> None:
    assert {name for name, level in levels(CAUTIOUS).items() if level == "off"} == {
        "organization",
        "webhooks",
        "data_deletion",
        "no_shows",
        "contacts",
        "meeting_recaps",
        "routing_forms",
        "activity_log",
    }
    assert {name for name, level in levels(CAUTIOUS).items() if level == "ask"} == {
        "booking",
        "canceling",
        "scheduling_links",
    }


def test_what_the_client_did_not_ask_for_stays_open_and_what_the_person_refused_does_not() -> None:
    scopes = frozenset({"event_types:read", "scheduled_events:write"})
    chosen = {**dict.fromkeys(CAPABILITIES, OFF), **parse_access("event_types=read,scheduled_events=read,booking=full")}
    stored = levels(settled(chosen, scopes, OPERATIONS))
    assert stored["event_types"] == "ask"
    assert stored["webhooks"] == "ask"
    assert (stored["canceling"], stored["invitee_data"], stored["booking"]) == ("off", "off", "full")
    assert set(stored) == {operation.capability for operation in OPERATIONS}


def test_a_choice_takes_the_scopes_of_what_it_allows() -> None:
    chosen = parse_access("scheduled_events=read,webhooks=read,scheduling_links=ask")
    assert scopes_for(chosen, OPERATIONS) == {"scheduled_events:read", "webhooks:read", "scheduling_links:write"}
    assert scopes_for({}, OPERATIONS) == frozenset()
