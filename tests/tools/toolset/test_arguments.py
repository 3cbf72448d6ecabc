"""What an agent reads when its arguments do not fit."""

import pytest

from tests.tools.agent import TOOLS
from tools.toolset.errors import ArgumentError


def fault_of(tool: str, **arguments: object) -> str:
    with pytest.raises(ArgumentError) as refused:
        TOOLS[tool].parse(arguments, ())
    return str(refused.value)


@pytest.mark.requirement("unknown-arguments")
def test_a_misspelt_parameter_is_answered_with_the_one_that_was_meant() -> None:
    assert fault_of("list_event_types", organisation="x") == (
        "organisation: list_event_types has no such parameter. Did you mean organization?"
    )
    assert fault_of("list_scheduled_events", start="2026-12-01") == (
        "start: list_scheduled_events has no such parameter. Did you mean min_start_time or max_start_time?"
    )


@pytest.mark.requirement("unknown-arguments")
def test_a_name_like_none_is_answered_once_with_all_there_are() -> None:
    with pytest.raises(ArgumentError) as refused:
        TOOLS["get_user_availability_schedule"].parse({"schedule": "ABCDEFGHIJKLMNOP", "start": 1, "until": 2}, ())
    none = "get_user_availability_schedule has no such parameter."
    assert [fault["message"] for fault in refused.value.faults] == [f"{none} It takes schedule, detail.", none]


def test_a_missing_parameter_is_named() -> None:
    assert fault_of("get_user") == "user: This parameter is required."


def test_every_parameter_at_fault_is_named_at_once() -> None:
    with pytest.raises(ArgumentError) as refused:
        TOOLS["list_scheduled_events"].parse({"count": 0, "status": "lost", "min_start_time": "soon"}, ())
    assert [fault.get("parameter") for fault in refused.value.faults] == ["status", "min_start_time", "count"]


def test_of_very_many_faults_ten_are_told() -> None:
    with pytest.raises(ArgumentError) as refused:
        TOOLS["get_user"].parse({f"evil{number}": 1 for number in range(100_000)}, ())
    assert len(refused.value.faults) == 10


@pytest.mark.parametrize("count", ["twenty", True, 20.5, None.__class__])
def test_what_is_no_number_is_refused(count: object) -> None:
    assert fault_of("list_event_types", count=count).startswith("count: ")


def test_values_to_choose_from_are_listed() -> None:
    assert fault_of("list_scheduled_events", status="lost") == "status: Must be one of 'active' or 'canceled'."


@pytest.mark.requirement("null-is-absence")
def test_null_stands_for_an_optional_parameter_that_is_left_out() -> None:
    tool = TOOLS["list_scheduled_events"]
    nulls = {"user": None, "status": None, "page_token": None, "count": None, "max_pages": None, "detail": None}
    assert tool.parse(nulls, ()).values() == tool.parse({}, ()).values()
    assert fault_of("get_user", user=None) == "user: This parameter is required."
    assert fault_of("get_user", user="me", evil=None) == (
        "evil: get_user has no such parameter. It takes user, detail."
    )


def test_what_is_ours_is_not_handed_to_the_function() -> None:
    assert "detail" not in TOOLS["get_user"].parse({"user": "me", "detail": "full"}, ()).values()
    values = TOOLS["delete_invitee_data"].parse({"emails": ["a@b.example"], "confirmation": "token"}, ()).values()
    assert values == {"emails": ["a@b.example"]}


def test_a_confirmation_of_endless_length_is_refused() -> None:
    fault = fault_of("delete_invitee_data", emails=["a@b.example"], confirmation="x" * 1_000_000)
    assert fault == "confirmation: Expected the token of a confirmation_required error."


@pytest.mark.requirement("uris-configured-origin")
def test_uris_at_the_configured_address_are_taken_too_and_at_no_other() -> None:
    tool = TOOLS["get_event_type"]
    here = "http://127.0.0.1:9000/event_types/ABCDEFGHIJKLMNOP"
    assert (
        tool.parse({"event_type": here}, ("http://127.0.0.1:9000",)).values()
        == tool.parse({"event_type": "ABCDEFGHIJKLMNOP"}, ()).values()
    )
    with pytest.raises(ArgumentError, match="event_type"):
        tool.parse({"event_type": here}, ())
