"""Zones as people write them: only names that mean what is meant, and a suggestion in place of any other."""

import zoneinfo
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tools.agent import Agent
from tools.toolset.errors import ArgumentError
from tools.zones import named_zone, zone_of

PLACES = sorted(name for name in zoneinfo.available_timezones() if "/" in name and not name.startswith("Etc/"))


@pytest.mark.parametrize("name", ["Europe", "../../etc/passwd", "/etc/passwd", "\x00", "", None, "Europe/Berlin\n"])
def test_what_is_no_zone_is_none(name: str | None) -> None:
    assert zone_of(name) is None


@given(name=st.sampled_from(PLACES), change=st.sampled_from([str.upper, str.lower, str.title, str.swapcase]))
def test_a_place_is_known_in_any_case_and_told_as_iana_writes_it(name: str, change: Callable[[str], str]) -> None:
    assert named_zone(change(name)) == name


@pytest.mark.requirement("zones-meant")
@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("London", "Europe/London"),
        ("europe/londn", "Europe/London"),
        ("New York", "America/New_York"),
        ("America/NewYork", "America/New_York"),
        ("EST", "America/New_York"),
        ("est5edt", "America/New_York"),
        ("MST", "America/Denver"),
        ("HST", "Pacific/Honolulu"),
        ("Pacific Time", "America/Los_Angeles"),
        ("Eastern Time (US & Canada)", "America/New_York"),
        ("(UTC-06:00) Central Time (US & Canada)", "America/Chicago"),
        ("Eastern Standard Time", "America/New_York"),
        ("CET", "Europe/Berlin"),
        ("Kolkata", "Asia/Kolkata"),
    ],
)
def test_what_is_no_name_of_a_zone_or_misleads_is_answered_with_the_one_that_is_meant(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"Expected an IANA time zone such as Europe/Berlin. Did you mean {meant}"):
        named_zone(text)


@pytest.mark.parametrize("text", ["Etc/GMT+2", "etc/gmt-5", "GMT+2", "UTC+02:00", "+02:00"])
def test_an_offset_is_no_zone_and_its_sign_is_explained(text: str) -> None:
    with pytest.raises(ValueError, match=r"Etc/GMT\+2 is behind UTC"):
        named_zone(text)


@pytest.mark.requirement("zones-meant")
@pytest.mark.parametrize("text", ["localtime", "Factory", "posixrules", "Mars/Base", "x" * 999, ""])
def test_neither_the_zone_of_this_machine_nor_an_unknown_one_has_a_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Expected an IANA time zone such as Europe/Berlin\.$"):
        named_zone(text)
    assert zone_of(text) is None


@pytest.mark.parametrize("text", ["UTC", "utc", "GMT", "Etc/UTC", "Japan", "US/Eastern", "Asia/Calcutta"])
def test_other_names_that_mean_what_they_say_are_taken(text: str) -> None:
    assert named_zone(text).casefold() == text.casefold()


async def test_a_tool_answers_in_the_zone_however_it_is_written(agent: Agent) -> None:
    found = await agent.call("get_agenda", date="2026-11-24", timezone="asia/TOKYO")
    assert found["searched"]["start_time"].startswith("2026-11-23T15:00")
    with pytest.raises(ArgumentError, match=r"timezone: .* Did you mean Europe/London"):
        await agent.call("get_agenda", timezone="London")
