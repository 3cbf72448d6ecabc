from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.upstream.connection import (
    EARLY,
    LEASE,
    LONGEST_PAUSE,
    MARGIN,
    RECENT,
    Connection,
    GiveUp,
    Impasse,
    RefreshFailure,
    Status,
    Step,
    decide,
    failed,
    refreshed,
    signed_in,
)
from auth.upstream.login import (
    CalendlyLoginError,
    GrantRefused,
    IdentityUnproven,
    LoginBusy,
    LoginRefused,
    LoginUnavailable,
    Tokens,
)
from calendly.scopes import SCOPES
from tests.cases import each

NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
MAYA = "https://api.calendly.com/users/MAYA"
SECOND = timedelta(seconds=1)
HOURS = timedelta(hours=2)


def connection(
    *,
    status: Status = Status.ACTIVE,
    left: timedelta = HOURS,
    age: timedelta = HOURS,
    scopes: frozenset[str] | None = None,
) -> Connection:
    """Make the third generation of tokens, `age` old and with so much `left` of the access token."""
    return Connection(MAYA, 3, status, NOW + left, NOW - age, scopes)


def leased(left: timedelta, row: Connection | None = None) -> Connection:
    return replace(row or connection(left=SECOND), lease_holder="somebody", lease_until=NOW + left)


def paused(pause: timedelta, *, left: timedelta) -> Connection:
    return replace(connection(left=left), retry_at=NOW + pause, failure=RefreshFailure.BUSY)


def tokens(*scopes: str) -> Tokens:
    return Tokens("access", "refresh", NOW + HOURS, frozenset(scopes) or None)


@each("row", [None, connection(status=Status.REVOKED)])
def test_without_a_connection_there_is_nothing_to_wait_for(row: Connection | None) -> None:
    assert decide(row, NOW) == GiveUp(Impasse.NOT_CONNECTED)


def test_a_connection_that_calendly_ended_is_given_up_even_while_its_token_seems_good() -> None:
    assert decide(connection(status=Status.NEEDS_REAUTH), NOW) == GiveUp(Impasse.NEEDS_REAUTH)


@pytest.mark.requirement("connection-early")
@each(
    "left, step",
    [(EARLY + SECOND, Step.USE), (EARLY, Step.REFRESH), (MARGIN, Step.REFRESH), (-HOURS, Step.REFRESH)],
)
def test_a_token_is_sent_while_more_than_a_quarter_of_an_hour_is_left(left: timedelta, step: Step) -> None:
    assert decide(connection(left=left), NOW) is step


@pytest.mark.requirement("connection-early")
def test_a_token_with_a_short_life_is_sent_for_most_of_it() -> None:
    row = connection(left=timedelta(minutes=10), age=timedelta(0))
    assert decide(row, NOW) is Step.USE
    assert decide(row, NOW + timedelta(minutes=8, seconds=44)) is Step.USE
    assert decide(row, NOW + timedelta(minutes=8, seconds=46)) is Step.REFRESH


@pytest.mark.requirement("connection-leased")
@each("left, step", [(SECOND, Step.WAIT), (timedelta(0), Step.REFRESH), (-SECOND, Step.REFRESH)])
def test_the_lease_of_another_process_is_waited_for_until_it_runs_out(left: timedelta, step: Step) -> None:
    assert decide(leased(left), NOW) is step


@pytest.mark.requirement("connection-leased")
def test_a_lease_that_a_clock_carried_into_the_future_is_waited_for_by_the_waiters_own_clock() -> None:
    far = leased(timedelta(days=365))
    assert decide(far, NOW, watched=LEASE - SECOND) is Step.WAIT
    assert decide(far, NOW, watched=LEASE) is Step.REFRESH


@pytest.mark.requirement("upstream-429")
@each(
    "left, step",
    [(HOURS, Step.USE), (MARGIN + SECOND, Step.USE), (MARGIN, GiveUp(Impasse.PAUSED, RefreshFailure.BUSY, 40.0))],
)
def test_during_a_pause_the_token_is_sent_to_its_end_and_then_the_caller_hears_how_long(
    left: timedelta, step: Step | GiveUp
) -> None:
    assert decide(paused(40 * SECOND, left=left), NOW) == step


@each("pause", [timedelta(0), -SECOND, LONGEST_PAUSE + SECOND])
def test_a_pause_that_is_over_or_that_a_clock_carried_away_stops_nobody(pause: timedelta) -> None:
    assert decide(paused(pause, left=SECOND), NOW) is Step.REFRESH


@pytest.mark.requirement("connection-401")
def test_a_refused_token_forces_a_refresh_however_much_of_it_is_left() -> None:
    assert decide(connection(), NOW, refused=3) is Step.REFRESH
    assert decide(leased(SECOND, connection()), NOW, refused=3) is Step.WAIT
    assert decide(paused(40 * SECOND, left=HOURS), NOW, refused=3) == GiveUp(Impasse.PAUSED, RefreshFailure.BUSY, 40.0)


@pytest.mark.requirement("connection-401")
def test_a_refusal_of_older_tokens_is_answered_with_those_there_are() -> None:
    assert decide(connection(), NOW, refused=2) is Step.USE


@pytest.mark.requirement("connection-401")
@each(
    "age, step",
    [(timedelta(0), Step.USE), (RECENT - SECOND, Step.USE), (RECENT, Step.REFRESH), (-HOURS, Step.REFRESH)],
)
def test_tokens_that_a_refresh_brought_seconds_ago_are_not_refreshed_again_for_a_refusal(
    age: timedelta, step: Step
) -> None:
    assert decide(replace(connection(), refreshed_at=NOW - age), NOW, refused=3) is step
    assert decide(connection(age=age), NOW, refused=3) is Step.REFRESH  # a sign-in brought these


rows = st.builds(
    Connection,
    user=st.just(MAYA),
    generation=st.integers(1, 3),
    status=st.sampled_from(Status),
    expires_at=st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC)),
    issued_at=st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC)),
    lease_holder=st.just("somebody"),
    lease_until=st.none() | st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC)),
    retry_at=st.none() | st.datetimes().map(lambda moment: moment.replace(tzinfo=UTC)),
)


@pytest.mark.requirement("connection-leased")
@given(row=rows, refused=st.none() | st.integers(1, 3))
def test_whatever_the_clocks_said_nobody_waits_longer_than_a_lease(row: Connection, refused: int | None) -> None:
    assert decide(row, NOW, refused=refused, watched=LEASE) in {Step.USE, Step.REFRESH} or isinstance(
        decide(row, NOW, refused=refused, watched=LEASE), GiveUp
    )


@pytest.mark.requirement("upstream-429")
@given(row=rows)
def test_a_pause_is_never_longer_than_the_longest(row: Connection) -> None:
    step = decide(row, NOW)
    if isinstance(step, GiveUp) and step.retry_after is not None:
        assert 0 < step.retry_after <= LONGEST_PAUSE.total_seconds()


def test_new_tokens_end_lease_pause_and_doubt() -> None:
    before = replace(leased(SECOND), status=Status.NEEDS_REAUTH, retry_at=NOW, failure=RefreshFailure.BUSY)
    assert refreshed(before, tokens("users:read"), NOW) == Connection(
        MAYA,
        4,
        Status.ACTIVE,
        NOW + HOURS,
        NOW,
        frozenset({"users:read"}),
        frozenset(SCOPES) - {"users:read"},
        refreshed_at=NOW,
    )


@pytest.mark.requirement("upstream-granted")
def test_scopes_are_replaced_and_the_lost_ones_noted_until_they_come_back() -> None:
    row = connection(scopes=frozenset({"users:read", "webhooks:read", "event_types:write"}))
    row = refreshed(row, tokens("users:read", "event_types:read"), NOW)
    assert row.narrowed == {"webhooks:read", "event_types:write"}
    row = refreshed(row, tokens("users:read", "event_types:write"), NOW)
    assert row.narrowed == {"webhooks:read"}
    row = refreshed(row, tokens("users:read", "event_types:write", "webhooks:write"), NOW)
    assert row.narrowed == frozenset()


@pytest.mark.requirement("upstream-granted")
def test_scopes_that_are_not_told_take_nothing_away() -> None:
    row = refreshed(connection(scopes=frozenset({"users:read"})), tokens(), NOW)
    assert (row.scopes, row.narrowed) == (None, frozenset())


@pytest.mark.requirement("upstream-granted")
def test_a_grant_from_before_scopes_loses_what_its_first_scoped_answer_lacks() -> None:
    assert refreshed(connection(), tokens("users:read"), NOW).narrowed == frozenset(SCOPES) - {"users:read"}


def test_a_sign_in_begins_anew_where_there_was_nothing_or_somebody_else_and_goes_on_otherwise() -> None:
    given_now = tokens("users:read")
    fresh = Connection(MAYA, 1, Status.ACTIVE, NOW + HOURS, NOW, frozenset({"users:read"}))
    assert signed_in(None, MAYA, given_now, NOW) == fresh
    assert signed_in(connection(status=Status.REVOKED), MAYA, given_now, NOW) == replace(fresh, generation=4)
    assert signed_in(replace(connection(), user="another"), MAYA, given_now, NOW) == replace(fresh, generation=4)
    row = connection(scopes=frozenset({"webhooks:read"}))
    assert signed_in(row, MAYA, given_now, NOW) == replace(refreshed(row, given_now, NOW), refreshed_at=None)


@pytest.mark.requirement("connection-kept")
def test_only_a_refused_grant_ends_a_connection() -> None:
    row = leased(SECOND)
    assert failed(row, GrantRefused("used"), NOW) == replace(
        row, status=Status.NEEDS_REAUTH, lease_holder=None, lease_until=None
    )


@pytest.mark.requirement("connection-kept")
@each(
    "error, failure, pause",
    [
        (LoginBusy("429", retry_after=33.0), RefreshFailure.BUSY, 33 * SECOND),
        (LoginBusy("429", retry_after=1e6), RefreshFailure.BUSY, LONGEST_PAUSE),
        (LoginUnavailable("cut"), RefreshFailure.UNAVAILABLE, 10 * SECOND),
        (LoginUnavailable("503", retry_after=90.0), RefreshFailure.UNAVAILABLE, 90 * SECOND),
        (LoginRefused("401", code="invalid_client"), RefreshFailure.REFUSED, 60 * SECOND),
        (IdentityUnproven("another"), RefreshFailure.REFUSED, 60 * SECOND),
    ],
)
def test_any_other_failure_leaves_it_active_and_pauses(
    error: CalendlyLoginError, failure: RefreshFailure, pause: timedelta
) -> None:
    row = failed(leased(SECOND), error, NOW)
    assert (row.status, row.lease_holder, row.lease_until) == (Status.ACTIVE, None, None)
    assert (row.failure, row.retry_at, row.generation) == (failure, NOW + pause, 3)
