import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendly.errors import (
    CalendlyError,
    Conflict,
    InsufficientScope,
    InvalidArgument,
    NotFound,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    Unreachable,
    UpstreamError,
)
from calendly.retries import MAX_TRIES, pause_before_retry

PASSING = [Unreachable("No connection."), *(UpstreamError("Failed.", status=status) for status in (500, 502, 503, 504))]
LASTING = [
    InvalidArgument("No.", status=400),
    Unauthenticated("No.", status=401),
    InsufficientScope("No.", status=403),
    PermissionDenied("No.", status=403),
    NotFound("No.", status=404),
    Conflict("No.", status=409),
    UpstreamError("No.", status=424),
    UpstreamError("No.", status=501),
    UpstreamError("Unreadable.", status=200),
    UpstreamError("A redirect.", status=302),
    OutcomeUnknown("Who knows.", status=503),
    RateLimited("Our own pacing.", retry_after=1.0),
]
TOLD = RateLimited("Slower.", status=429, retry_after=20.0)


def pause(failure: CalendlyError, *, tries: int = 1, left: float = 50.0, random: float = 0.0) -> float | None:
    """The pause when `left` seconds are left."""
    return pause_before_retry(failure, tries=tries, now=1_000.0, deadline=1_000.0 + left, random=random)


@pytest.mark.requirement("reads-repeated")
@pytest.mark.parametrize("failure", PASSING, ids=repr)
def test_a_passing_error_is_tried_three_times_with_growing_pauses(failure: CalendlyError) -> None:
    assert [pause(failure, tries=tries) for tries in (1, 2, 3, 4)] == [0.25, 0.5, None, None]
    assert MAX_TRIES == 3


@pytest.mark.parametrize("failure", LASTING, ids=repr)
def test_a_lasting_error_is_not_tried_again(failure: CalendlyError) -> None:
    assert pause(failure) is None


@given(st.floats(0, 1, exclude_max=True), st.integers(1, 2))
def test_the_pause_has_a_jitter_of_up_to_half(random: float, tries: int) -> None:
    longest = 0.5 * 2 ** (tries - 1)
    assert longest / 2 <= (pause(PASSING[0], tries=tries, random=random) or 0) <= longest


def test_a_429_needs_no_pause_since_pacing_holds_calls_back() -> None:
    assert pause(TOLD) == 0.0
    assert pause(TOLD, tries=3) is None


@pytest.mark.parametrize("failure", [TOLD, UpstreamError("Down.", status=503, retry_after=20.0)])
def test_nothing_is_tried_again_when_the_pause_would_end_after_the_deadline(failure: CalendlyError) -> None:
    assert pause(failure, left=20.0) is None
    assert pause(failure, left=20.1) is not None


def test_a_503_with_retry_after_is_retried_then() -> None:
    assert pause(UpstreamError("Down.", status=503, retry_after=7.0)) == 7.0
