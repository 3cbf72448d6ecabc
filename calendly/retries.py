"""Decides whether and when a failed request is tried again. A pure function."""

from typing import Final

from calendly.errors import CalendlyError, CalendlyRefusal, RateLimited, Unreachable, UpstreamError

MAX_TRIES: Final = 3

_PASSING: Final = frozenset({500, 502, 503, 504})
_FIRST_PAUSE: Final = 0.5


def pause_before_retry(
    failure: CalendlyError, *, tries: int, now: float, deadline: float, random: float
) -> float | None:
    """Return the seconds to wait before the request is sent again, None to give up.

    A write fails with a retryable error only when Calendly certainly did not act: a rate limit refused
    it, or it was not sent. A 429 needs no pause, since pacing already holds calls back.

    Args:
        failure: The error of the last try.
        tries: The number of tries so far, at least 1.
        now: The time on the clock of `deadline`, in seconds.
        deadline: When the call must be answered.
        random: A number in [0, 1), so that clients that failed together do not retry together.
    """
    if tries >= MAX_TRIES or not _may_pass(failure):
        return None
    asked = (failure.retry_after or 0.0) if isinstance(failure, CalendlyRefusal) else 0.0
    own = 0.0 if isinstance(failure, RateLimited) else _FIRST_PAUSE * 2 ** (tries - 1) * (0.5 + random / 2)
    if now + max(asked, own) >= deadline:
        return None
    return 0.0 if isinstance(failure, RateLimited) else max(asked, own)


def _may_pass(failure: CalendlyError) -> bool:
    match failure:
        case Unreachable():
            return failure.status is None  # a proxy that refuses goes on refusing
        case RateLimited():
            return failure.status is not None  # our own pacing refused it
        case UpstreamError():
            return failure.status in _PASSING
        case _:
            return False
