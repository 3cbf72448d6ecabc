from datetime import UTC, datetime, timedelta

from events.outgoing.retrying import Attempts, is_suspended, next_attempt, outcome, retry_after
from tests.cases import each

FIRST = datetime(2026, 12, 1, 9, tzinfo=UTC)


def seconds(moment: datetime | None) -> float | None:
    return None if moment is None else (moment - FIRST).total_seconds()


@each("random, offsets", [(0.5, [15, 60, 240, 720]), (0.0, [12, 48, 192, 576]), (1.0, [18, 72, 288, 864])])
def test_five_attempts_are_made_within_fifteen_minutes(random: float, offsets: list[float]) -> None:
    made = [next_attempt(Attempts(FIRST, number), FIRST, random) for number in range(1, 6)]

    assert list(map(seconds, made)) == [*offsets, None]


@each("made, minutes, expected", [(2, 0.5, 60), (2, 1, 105), (2, 3, 225), (3, 10, 780), (4, 11, 720), (4, 12, 1200)])
def test_after_a_late_attempt_the_next_one_is_not_made_at_once(made: int, minutes: float, expected: float) -> None:
    now = FIRST + timedelta(minutes=minutes)

    assert seconds(next_attempt(Attempts(FIRST, made), now, 0.5)) == expected


@each(
    "made, elapsed, asked_for, expected",
    [
        (1, 1, None, 15),
        (1, 1, 5, 15),
        (1, 1, 14, 15),
        (1, 1, 15, 16),
        (1, 1, 600, 601),
        (1, 1, 899, 900),
        (1, 1, 900, 15),
        (4, 250, 649, 899),
        (4, 250, 650, 900),
        (4, 250, 651, 720),
        (5, 720, 10, None),
        (1, 1, 1e12, 15),
    ],
)
def test_retry_after_counts_where_it_asks_for_more_and_ends_within_fifteen_minutes(
    made: int, elapsed: float, asked_for: float | None, expected: float | None
) -> None:
    now = FIRST + timedelta(seconds=elapsed)
    wait = None if asked_for is None else timedelta(seconds=asked_for)

    assert seconds(next_attempt(Attempts(FIRST, made), now, 0.5, wait)) == expected


@each(
    "value, expected",
    [
        (None, None),
        ("", None),
        ("120", 120),
        (" 7 ", 7),
        ("0", 0),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("¹²", None),
        ("9" * 5000, timedelta.max.total_seconds()),
        ("Tue, 01 Dec 2026 09:02:00 GMT", 120),
        ("Tue, 01 Dec 2026 08:00:00 GMT", 0),
        ("Tue, 01 Dec 2026 09:02:00 -0000", 120),
        ("Tue, 99 Dec 2026 09:02:00 GMT", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_a_date(value: str | None, expected: float | None) -> None:
    found = retry_after(value, FIRST)

    assert (None if found is None else found.total_seconds()) == expected


@each(
    "status, expected",
    [
        (200, "arrived"),
        (202, "arrived"),
        (204, "arrived"),
        (299, "arrived"),
        (301, "failed"),
        (400, "failed"),
        (401, "failed"),
        (404, "failed"),
        (410, "refused"),
        (413, "refused"),
        (429, "failed"),
        (500, "failed"),
        (503, "failed"),
    ],
)
def test_a_status_says_what_came_of_a_post(status: int, expected: str) -> None:
    assert outcome(status) == expected


@each(
    "minutes, failures, expected",
    [(60, 20, True), (59, 20, False), (60, 19, False), (900, 400, True), (None, 20, False)],
)
def test_a_subscription_is_suspended_when_nothing_got_through(
    minutes: int | None, failures: int, *, expected: bool
) -> None:
    since = None if minutes is None else FIRST - timedelta(minutes=minutes)

    assert is_suspended(since, failures, FIRST) is expected
