import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendly.pacing.rate_headers import RateHeaders

NAMES = ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after", "date"]


def test_the_headers_of_a_good_answer_are_read() -> None:
    headers = {
        "x-ratelimit-limit": "500",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "59.5",
        "retry-after": "7",
    }
    assert RateHeaders.read(headers) == RateHeaders(limit=500, remaining=0, reset=59.5, retry_after=7.0)


def test_an_answer_without_headers_says_nothing() -> None:
    assert RateHeaders.read({}) == RateHeaders()


@pytest.mark.parametrize(
    "absurd", ["-1", "NaN", "inf", "1e3", "soon", "", " ", "0x10", "1_000", "\u0661", "9" * 400, "60, 60"]
)
def test_absurd_headers_count_as_missing(absurd: str) -> None:
    assert RateHeaders.read(dict.fromkeys(NAMES, absurd)) == RateHeaders()


def test_absurd_numbers_count_as_missing() -> None:
    headers = {
        "x-ratelimit-limit": "0",
        "x-ratelimit-remaining": "99999999",
        "x-ratelimit-reset": "1796083200",
        "retry-after": "1796083200",
    }
    assert RateHeaders.read(headers) == RateHeaders()


@given(st.dictionaries(st.sampled_from(NAMES), st.text()))
def test_any_header_can_be_read(headers: dict[str, str]) -> None:
    report = RateHeaders.read(headers)
    assert report.limit is None or report.limit > 0


def test_a_date_to_retry_after_counts_from_the_date_of_the_answer() -> None:
    headers = {"retry-after": "Tue, 01 Dec 2026 10:00:30 GMT", "date": "Tue, 01 Dec 2026 10:00:00 GMT"}
    assert RateHeaders.read(headers).retry_after == 30.0


@pytest.mark.parametrize(
    ("date", "seconds"),
    [
        ("Tue, 01 Dec 2026 10:01:00 GMT", 0.0),
        ("Tue, 01 Dec 2020 10:00:00 GMT", 86_400.0),
        ("yesterday", None),
        ("Tue, 01 Dec 2026 10:00:00 -0000", None),
    ],
)
def test_a_date_to_retry_after_is_bounded(date: str, seconds: float | None) -> None:
    assert RateHeaders.read({"retry-after": "Tue, 01 Dec 2026 10:00:30 GMT", "date": date}).retry_after == seconds
