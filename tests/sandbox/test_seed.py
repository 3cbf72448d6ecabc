"""The account every sandbox starts with, and the untidy organization."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox.booking.openings import openings
from sandbox.records.records import Records
from sandbox.records.slots import TimeSpan
from sandbox.seed.account import seeded_records
from sandbox.seed.events import INSTRUCTING_ANSWER, ODD_NAME
from sandbox.seed.untidy import add_untidy
from tests.dates import DATES
from tests.sandbox.api import MONDAY


def whole(now: datetime) -> Records:
    records = seeded_records(now)
    add_untidy(records, now)
    return records


@cache
def usual() -> dict[str, list[str]]:
    return identifiers(whole(MONDAY))


def identifiers(records: Records) -> dict[str, list[str]]:
    return {name: sorted(rows) for name, rows in vars(records).items()}


def at_odd_dates(test: Callable[[datetime], None]) -> Callable[[datetime], None]:
    for moment in DATES.values():
        test = example(moment)(test)
    return settings(max_examples=25)(test)


@pytest.mark.requirement("sandbox-same-uris")
@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis adds the zone
@at_odd_dates
def test_every_start_has_the_same_uris_around_its_own_time(now: datetime) -> None:
    records = whole(now)
    assert identifiers(records) == usual()
    past = [event for event in records.events.values() if event.times.end < now]
    coming = [event for event in records.events.values() if event.times.start > now]
    assert len(past) > 250
    assert len(coming) > 50
    assert all(event.created_at < min(now, event.times.start) for event in records.events.values())


@given(st.datetimes(datetime(2026, 1, 1), datetime(2029, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - Hypothesis adds the zone
@at_odd_dates
def test_nobody_is_in_two_meetings_at_once(now: datetime) -> None:
    records = whole(now)
    for user in records.users:
        meetings = sorted(
            (event.times.start, event.times.end)
            for event in records.events.values()
            if user in event.hosts and event.cancellation is None
        )
        for (_, end), (start, _) in pairwise(meetings):
            assert end <= start


@pytest.mark.parametrize("now", DATES.values(), ids=DATES)
def test_every_active_type_can_be_booked_within_the_week(now: datetime) -> None:
    records = whole(now)
    week = TimeSpan(now + timedelta(days=1), now + timedelta(days=7))
    kinds = [kind for kind in records.event_types.values() if kind.active]
    assert [kind.name for kind in kinds if not openings(records, kind, week, now)] == []


@pytest.mark.requirement("sandbox-account", "sandbox-tokens")
def test_the_account_has_one_of_everything_worth_meeting() -> None:
    records = seeded_records(MONDAY)
    events = list(records.events.values())
    invitees = [invitee for event in events for invitee in event.invitees]
    kinds = list(records.event_types.values())
    assert {organization.plan for organization in records.organizations.values()} == {"free", "paid", "enterprise"}
    assert {place.role for place in records.memberships.values()} == {"owner", "admin", "user"}
    assert {"Europe/Berlin", "America/New_York"} <= {person.timezone for person in records.users.values()}
    assert {kind.pooling_type for kind in kinds} == {None, "collective", "round_robin"}
    assert {kind.kind for kind in kinds} == {"solo", "group"}
    assert any(not kind.active for kind in kinds)
    assert any(kind.secret for kind in kinds)
    assert any(len(kind.locations) > 1 for kind in kinds)
    assert any(question.required for kind in kinds for question in kind.questions)
    assert {invitation.status for invitation in records.invitations.values()} == {"pending", "accepted", "declined"}
    assert {event.cancellation.canceler_type for event in events if event.cancellation} == {"host", "invitee"}
    assert any(event.guests for event in events)
    assert any(len(event.invitees) > 1 for event in events)
    assert any(invitee.no_show for invitee in invitees)
    assert any(answer.answer == INSTRUCTING_ANSWER for invitee in invitees for answer in invitee.answers)
    assert any(invitee.name == ODD_NAME for invitee in invitees)
    assert len(records.webhooks) == 1
    assert {token.value for token in records.access_tokens.values()} == {
        f"sandbox-pat-{name}"
        for name in ("owner", "admin", "member", "readonly", "noscopes", "free", "enterprise", "legacy")
    }


@pytest.mark.parametrize("moment", [MONDAY, MONDAY + timedelta(days=200)])
def test_the_same_time_gives_the_same_account(moment: datetime) -> None:
    assert asdict(whole(moment)) == asdict(whole(moment))
