"""Whether a failed request is worth another try, and when: a decision about values."""

from typing import Final

from calendly.errors import CalendlyError, RateLimited, Refusal, Unreachable, UpstreamError

MAX_TRIES: Final = 3

_PASSING: Final = frozenset({500, 502, 503, 504})
_FIRST_PAUSE: Final = 0.5


def pause_before_retry(
    failure: CalendlyError, *, tries: int, now: float, deadline: float, random: float
) -> float | None:
    """Return the seconds to pause before the request is sent again, None when it must not or need not be.

    A write fails with one of these only when Calendly certainly did not act: it was refused by a rate limit, or never
    sent. A 429 needs no pause of its own, since pacing holds everything back until Calendly takes requests again.

    Args:
        failure: How the last try ended.
        tries: How many there were, at least 1.
        now: The time on the clock of `deadline`, in seconds.
        deadline: When the call has to be answered.
        random: In [0, 1), so that clients that failed together do not come back together.
    """
    if tries >= MAX_TRIES or not _may_pass(failure):
        return None
    asked = (failure.retry_after or 0.0) if isinstance(failure, Refusal) else 0.0
    own = 0.0 if isinstance(failure, RateLimited) else _FIRST_PAUSE * 2 ** (tries - 1) * (0.5 + random / 2)
    if now + max(asked, own) >= deadline:
        return None
    return 0.0 if isinstance(failure, RateLimited) else max(asked, own)


def _may_pass(failure: CalendlyError) -> bool:
    match failure:
        case Unreachable():
            return True
        case RateLimited():
            return failure.status is not None  # our own pacing already knew better
        case UpstreamError():
            return failure.status in _PASSING
        case _:
            return False
