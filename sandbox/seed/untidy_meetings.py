"""The meetings of the untidy organization: a quarter of past ones, and the coming ones."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Final
from zoneinfo import ZoneInfo

from sandbox.records.event_types import StoredEventType
from sandbox.records.identifiers import fixed_id
from sandbox.records.people import StoredUser
from sandbox.records.records import Records
from sandbox.records.scheduled_events import StoredCancellation, StoredScheduledEvent
from sandbox.seed.events import SeededInvitee, add_meeting, cancel, seeded_person, workdays

UntidyTypes = dict[str, StoredEventType]

UNTIDY_PAST_DAYS: Final = 66
WEBINAR_INVITEES: Final = 230
LONG_ANSWER: Final = ("We move off the old system, and every team has a list of its own. " * 4700)[:300_000]
ODD_INVITEES: Final = (
    "\u201cBob\u201d O'Brien",
    "Zo\u00eb \U0001f98a \U0001f469\u200d\U0001f680",
    "Jean\u00a0Luc\u00a0Picard",
    "\u05d3\u05e0\u05d4 \u05db\u05d4\u05df",
    "\u202eevil\u202c <b>&amp;</b>",
    'Robert"); DROP TABLE',
)
HOPES: Final = ("Prices for teams", "How to migrate", "The new reports", "Security", "What comes next", "Just curious")

# Two meetings a day, in turn: event type, and who hosts a round robin.
_TURNS: Final = (
    *(("discovery", None), ("demo", None), ("support", "aiko"), ("interview", None), ("check-in", None)),
    *(("discovery", None), ("support", "diego"), ("aiko's demo", None), ("check-in", None)),
)
_CANCELED_BY_HOST: Final = range(3, 2 * UNTIDY_PAST_DAYS, 17)
_CANCELED_BY_INVITEE: Final = range(12, 2 * UNTIDY_PAST_DAYS, 19)
_MISSED: Final = range(5, 2 * UNTIDY_PAST_DAYS, 11)


def add_untidy_meetings(records: Records, people: Mapping[str, StoredUser], kinds: UntidyTypes, now: datetime) -> None:
    """Add every meeting with its invitees."""
    today = now.astimezone(UTC).date()
    calendar = _Calendar(records, people, kinds, list(islice(workdays(today, 1), 12)))
    for away, day in enumerate(islice(workdays(today, -1), UNTIDY_PAST_DAYS)):
        for number in (2 * away, 2 * away + 1):
            calendar.add_past(number, day)
    calendar.add_coming()
    calendar.add_odd()
    calendar.add_groups(next(islice(workdays(today, -1), 5, None)))
    calendar.add_over_clock_change(now)


class _Calendar:
    """Adds meetings.

    Args:
        records: Where to.
        people: The hosts.
        kinds: The event types.
        days: The next working days.
    """

    def __init__(
        self, records: Records, people: Mapping[str, StoredUser], kinds: UntidyTypes, days: Sequence[date]
    ) -> None:
        self._records = records
        self._people = people
        self._kinds = kinds
        self._days = days

    def _add(  # noqa: PLR0913 - the facts of a meeting
        self, kind: str, name: str, day: date, hour: int, people: Sequence[SeededInvitee], *, host: str | None = None
    ) -> StoredScheduledEvent:
        """Add a meeting at an hour of its host's day."""
        found = self._kinds[kind]
        hosted_by = self._people[host].id if host else found.hosts[0]
        start = datetime.combine(day, time(hour), ZoneInfo(self._records.users[hosted_by].timezone))
        return add_meeting(self._records, found, f"untidy {name}", start, people, host=hosted_by)

    def add_past(self, number: int, day: date) -> None:
        """Add a past meeting. Some were canceled, and some were missed."""
        kind, host = _TURNS[number % len(_TURNS)]
        event = self._add(kind, f"past {number}", day, 10 + number % 2 * 4, (seeded_person(number),), host=host)
        if number in _CANCELED_BY_INVITEE:
            cancel(event, _by_invitee(event))
        elif number in _CANCELED_BY_HOST:
            cancel(event, self._by_host(event, "A release went wrong"))
        elif number in _MISSED:
            event.invitees[0].no_show = (fixed_id(f"untidy no-show {number}"), event.times.end + timedelta(hours=1))

    def add_coming(self) -> None:
        """Add the ordinary coming meetings, canceled ones, and two that nobody may read one by one."""
        days = self._days
        for number, day in enumerate(days):
            kind, host = _TURNS[number % len(_TURNS)]
            self._add(kind, f"coming {number}", day, 10, (seeded_person(number),), host=host)
        self._add("demo", "forbidden", days[0], 15, (seeded_person(20),)).refused = "forbidden"
        self._add("check-in", "missing", days[5], 15, (seeded_person(21),)).refused = "missing"
        by_host = self._add("demo", "by host", days[6], 15, (seeded_person(22),))
        cancel(by_host, self._by_host(by_host, None))
        by_invitee = self._add("interview", "by invitee", days[7], 15, (seeded_person(23),))
        cancel(by_invitee, _by_invitee(by_invitee))
        self._add("panel", "panel", days[8], 16, (seeded_person(24),))
        self._move(self._add("check-in", "moved from", days[2], 15, (seeded_person(25),)))

    def _move(self, old: StoredScheduledEvent) -> None:
        """Reschedule a meeting to an hour later, as its invitee does on Calendly's page."""
        (gone,) = old.invitees
        new = add_meeting(
            self._records,
            self._records.event_types[old.event_type],
            "untidy moved to",
            old.times.start + timedelta(hours=1),
            (SeededInvitee(gone.name, gone.email, gone.timezone),),
        )
        cancel(old, _by_invitee(old))
        gone.rescheduled, gone.new_invitee = True, new.invitees[0].uri
        new.invitees[0].old_invitee = gone.uri

    def add_odd(self) -> None:
        """Add invitees with odd names, a long answer, and null in every field that may have it."""
        days = self._days
        for number, name in enumerate(ODD_INVITEES):
            person = SeededInvitee(name, f"odd.{number}@elsewhere.example", None if number % 2 else "Asia/Tokyo")
            self._add("discovery", f"odd {number}", days[number + 3], 12, (person,))
        long = SeededInvitee("Lena Long", "lena@elsewhere.example", "Europe/London", LONG_ANSWER)
        self._add("discovery", "long answer", days[2], 14, (long,))
        nameless = self._add("nameless", "nameless", days[4], 9, (replace(seeded_person(26), timezone=None),))
        nameless.calendar_event = None
        unplaced = self._add("demo", "unplaced", days[3], 9, (seeded_person(27),))
        unplaced.location = {"type": "zoom", "status": None, "join_url": None, "data": None}
        homeless = self._add("check-in", "homeless", days[4], 9, (seeded_person(28),))
        homeless.location = {"type": "physical", "location": None}

    def add_groups(self, past: date) -> None:
        """Add workshops that one invitee canceled, one of them past with somebody missing, and the webinar."""
        self._add_workshop("workshop", self._days[1])
        missed = self._add_workshop("past workshop", past)
        missed.invitees[2].no_show = (fixed_id("untidy workshop no-show"), missed.times.end + timedelta(hours=1))
        audience = [
            SeededInvitee(
                f"{seeded_person(number).name} {number}",
                f"guest.{number}@{'acme' if number % 3 else 'elsewhere'}.example",
                ("Europe/London", "America/New_York", "Asia/Tokyo")[number % 3],
                HOPES[number % len(HOPES)],
            )
            for number in range(WEBINAR_INVITEES)
        ]
        self._add("webinar", "webinar", self._days[9], 16, audience)

    def _add_workshop(self, name: str, day: date) -> StoredScheduledEvent:
        workshop = self._add("workshop", name, day, 16, [seeded_person(number) for number in (30, 31, 32, 33)])
        left = workshop.invitees[1]
        left.cancellation = replace(_by_invitee(workshop), canceled_by=left.name)
        left.updated_at = workshop.updated_at = left.cancellation.created_at
        return workshop

    def add_over_clock_change(self, now: datetime) -> None:
        """Add a meeting that begins before London's clocks change and ends after."""
        start = next_clock_change(now + timedelta(days=1), ZoneInfo("Europe/London")) - timedelta(minutes=30)
        add_meeting(
            self._records,
            self._kinds["release"],
            "untidy release",
            start,
            (seeded_person(29),),
            ahead=start - now + timedelta(days=1),
        )

    def _by_host(self, event: StoredScheduledEvent, reason: str | None) -> StoredCancellation:
        host = self._records.users[event.hosts[0]]
        return StoredCancellation(host.name, reason, "host", event.created_at + timedelta(days=1))


def _by_invitee(event: StoredScheduledEvent) -> StoredCancellation:
    return StoredCancellation(event.invitees[0].name, "Ill", "invitee", event.created_at + timedelta(hours=5))


def next_clock_change(after: datetime, zone: ZoneInfo) -> datetime:
    """Return the hour in UTC at which the clocks of a zone next change."""
    moment = after.astimezone(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    step = timedelta(days=1)
    while step >= timedelta(hours=1):
        if (moment + step).astimezone(zone).utcoffset() == moment.astimezone(zone).utcoffset():
            moment += step
        else:
            step /= 24
    return moment + timedelta(hours=1)
