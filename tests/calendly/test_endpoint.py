from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendly.endpoint import Endpoint

CANCELLATION = Endpoint("POST", "/scheduled_events/{scheduled_event}/cancellation")
INVITEE = Endpoint("GET", "/scheduled_events/{scheduled_event}/invitees/{invitee}")


def test_an_endpoint_names_its_parameters_in_order() -> None:
    assert INVITEE.parameters == ("scheduled_event", "invitee")


def test_an_endpoint_reads_as_method_and_path() -> None:
    assert str(CANCELLATION) == "POST /scheduled_events/{scheduled_event}/cancellation"


def test_filling_puts_every_identifier_in_its_place() -> None:
    assert INVITEE.fill({"invitee": "I", "scheduled_event": "E"}) == "/scheduled_events/E/invitees/I"


@given(st.text(min_size=1).filter(lambda text: text not in {".", ".."}))
def test_an_identifier_stays_one_segment_whatever_it_is(hostile: str) -> None:
    try:
        hostile.encode()
    except UnicodeEncodeError:
        return
    segments = CANCELLATION.fill({"scheduled_event": hostile}).split("/")
    assert segments[:2] == ["", "scheduled_events"]
    assert segments[3:] == ["cancellation"]
    assert unquote(segments[2]) == hostile
    assert not set(segments[2]) & set("?#\\@: \r\n")


def test_an_identifier_is_not_read_as_a_placeholder() -> None:
    assert INVITEE.fill({"scheduled_event": "{invitee}", "invitee": "I"}).endswith("%7Binvitee%7D/invitees/I")


@pytest.mark.parametrize("ids", [{}, {"scheduled_event": "E", "user": "U"}, {"user": "U"}])
def test_missing_and_foreign_names_are_a_programming_error(ids: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="takes"):
        CANCELLATION.fill(ids)


@pytest.mark.parametrize("segment", ["", ".", ".."])
def test_an_empty_or_dot_segment_is_a_programming_error(segment: str) -> None:
    with pytest.raises(ValueError, match="dot segment"):
        CANCELLATION.fill({"scheduled_event": segment})
