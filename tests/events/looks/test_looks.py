"""Looks: what they find, what they cost, how long they are waited for, and how often nobody has to ask for them."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Executable, insert, select, update

from calendly.errors import NotFound, PermissionDenied, RateLimited, Unauthenticated, Unreachable, UpstreamError
from events.feed.feed import Feeds
from events.incoming.stored_receivers import prove
from events.joining import LONGEST_WAIT
from events.looks.background import BackgroundLooks, pace
from events.looks.looks import Looks
from events.outgoing.listeners import FeedListeners
from events.tables import event_subscription, feed, receiver
from tests.cases import each
from tests.databases import open_migrated
from tests.events.calendly import AccountApi
from tests.events.feeds import Clock, Happenings, all_kinds, feeds_in, kinds_in
from tests.events.histories import PERSON, Account, arrivals, seeded

ROUND = timedelta(seconds=30)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MEETINGS, LIST = "meeting.booked", "/scheduled_events"


@dataclass
class Watch:
    """A feed in memory that is filled by looks, and what they look at."""

    feeds: Feeds
    clock: Clock
    api: AccountApi
    patience: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with no look."""
        self.looks = Looks(feeds=self.feeds, owner="replica", sleep=self.wait)
        self.background = BackgroundLooks(self.looks, lambda _: self.api)
        self.happen = Happenings(self.api.account)

    async def wait(self, seconds: float) -> None:
        """Wait as long as the test lets one."""
        self.patience.append(seconds)
        await asyncio.Event().wait()

    def pass_time(self, span: timedelta) -> None:
        """Let time pass."""
        self.clock.now += span
        self.api.account.now = self.clock.now

    async def read(self, *, rereads: bool = False) -> list[str]:
        """Look on demand; the kinds in the feed."""
        await self.looks.on_demand(PERSON, self.api, rereads=rereads)
        return await kinds_in(self.feeds)

    async def go_on(self, span: timedelta, *, happens: tuple[str, ...] = (), every: timedelta = ROUND) -> None:
        """Let the rounds of the background go by; what happens is spread over them."""
        rounds = int(span / every)
        moments = {(number + 1) * rounds // (len(happens) + 1): name for number, name in enumerate(happens)}
        for number in range(rounds):
            self.pass_time(every)
            if number in moments:
                getattr(self.happen, moments[number])()
            await self.background.round()

    async def listen(self, kind: str = MEETINGS) -> None:
        """Have an agent subscribed."""
        row = {"id": f"sub_{kind}", "grant": "G1", "person": PERSON, "name": kind, "arguments": "{}", "host": "h"}
        sealed = {"url_ciphertext": b"u", "secret_ciphertext": b"s"}
        state = {"created_at": self.clock.now, "state": "active", "truncated": False}
        await self._write(insert(event_subscription).values(**row, **sealed, **state))

    async def prove(self, proved_at: datetime) -> None:
        """Have a webhook that has told something."""
        row = {"receiver_digest": "r", "person": PERSON, "family": "meetings", "state": "live", "key_ciphertext": b"k"}
        await self._write(insert(receiver).values(**row, created_at=self.clock.now))
        await self._write(update(feed).values(proved_at=proved_at))

    async def _write(self, statement: Executable) -> None:
        async with self.feeds.database.begin() as connection:
            await connection.execute(statement)


@pytest.fixture
async def watch() -> AsyncGenerator[Watch]:
    async with open_migrated() as database:
        clock = Clock()
        yield Watch(feeds_in(database, clock), clock, AccountApi(Account(seeded(5), clock.now)))


@pytest.mark.requirement("looks-on-demand")
async def test_who_reads_looks_first_where_the_last_look_is_old(watch: Watch) -> None:
    assert await watch.read() == []
    watch.pass_time(timedelta(seconds=30))
    watch.happen.book()
    assert await watch.read() == []
    watch.pass_time(timedelta(seconds=31))
    assert await watch.read() == ["meeting.booked"]
    assert watch.api.asked == [LIST, LIST, f"{LIST}/E0/invitees"]
    watch.happen.move()
    watch.pass_time(timedelta(seconds=61))
    assert await watch.read() == ["meeting.booked", "meeting.rescheduled"]
    watch.pass_time(-timedelta(hours=2))  # the clock is set back
    watch.happen.mark()
    assert len(await watch.read(rereads=True)) == 2
    assert watch.api.asked[-1] == LIST


async def test_a_first_look_goes_back_a_day_and_reads_no_more(watch: Watch) -> None:
    watch.happen.book()
    watch.pass_time(timedelta(hours=23))
    watch.happen.book()
    watch.pass_time(timedelta(hours=2))
    assert await watch.read() == ["meeting.booked"]
    assert watch.api.asked == [LIST, f"{LIST}/E1/invitees"]


@pytest.mark.requirement("looks-on-demand")
async def test_a_slow_look_is_waited_for_ten_seconds_and_goes_on_by_itself(watch: Watch) -> None:
    answers = asyncio.Event()
    watch.happen.book()
    watch.api.before = answers.wait

    async def wait(seconds: float) -> None:
        watch.patience.append(seconds)

    watch.looks.sleep = wait
    assert await watch.read() == []
    assert watch.patience == [10.0]
    answers.set()
    watch.looks.sleep = watch.wait
    assert await watch.read() == ["meeting.booked"]


async def test_a_look_that_is_given_up_at_the_end_lets_another_process_look(watch: Watch) -> None:
    asked = asyncio.Event()

    async def before() -> None:
        asked.set()
        await asyncio.Event().wait()

    watch.api.before = before
    reading = asyncio.create_task(watch.read())
    await asked.wait()
    await watch.looks.close()
    reading.cancel()
    await asyncio.wait([reading])
    watch.api.before = None
    watch.happen.book()
    assert await watch.read() == ["meeting.booked"]


async def test_replicas_do_not_look_at_once(watch: Watch) -> None:
    other = Looks(feeds=watch.feeds, owner="other", sleep=watch.wait)
    entered, answers = asyncio.Event(), asyncio.Event()

    async def before() -> None:
        entered.set()
        await answers.wait()

    watch.api.before = before
    reading = asyncio.create_task(watch.read())
    await entered.wait()
    await other.on_demand(PERSON, watch.api, rereads=False)
    assert watch.api.asked == [LIST]
    answers.set()
    await reading
    watch.pass_time(timedelta(seconds=61))
    await other.on_demand(PERSON, watch.api, rereads=False)
    assert watch.api.asked == [LIST, LIST]


@pytest.mark.requirement("looks-cost")
async def test_a_look_spends_a_tenth_of_the_limit_a_minute_and_goes_on_later(watch: Watch) -> None:
    watch.api.per_minute = 50
    for _ in range(12):
        watch.happen.book()
    watch.api.account.meetings = dict(list(watch.api.account.meetings.items()))
    found = [len(await watch.read())]
    while found[-1] < 12:
        assert len(watch.api.asked) <= 5 * len(found)
        watch.pass_time(timedelta(seconds=60))
        found.append(len(await watch.read()))
    assert len(found) <= 4
    watch.api.asked.clear()
    watch.api.per_minute = 7
    watch.pass_time(timedelta(seconds=61))
    for _ in range(5):
        watch.happen.book()
    await watch.read()
    assert len(watch.api.asked) == 2


async def test_a_look_that_is_refused_ends_until_calendly_lets_it_again(watch: Watch) -> None:
    watch.api.failing = RateLimited("Too many.", status=429, retry_after=120)
    assert await watch.read() == []
    watch.pass_time(timedelta(seconds=119))
    assert await watch.read() == []
    assert len(watch.api.asked) == 1
    watch.api.failing = None
    watch.happen.book()
    watch.pass_time(timedelta(seconds=2))
    assert await watch.read() == ["meeting.booked"]


async def test_who_has_to_sign_in_again_is_told_so_and_who_is_out_of_reach_gets_what_is_there(watch: Watch) -> None:
    watch.api.failing = Unauthenticated("Sign in again.", status=401)
    with pytest.raises(Unauthenticated):
        await watch.read()
    watch.api.failing = Unreachable("Nobody answers.")
    assert await watch.read() == []


async def test_no_shows_are_found_though_nothing_in_the_list_changes_and_only_for_who_wants_them(watch: Watch) -> None:
    assert await watch.read() == []
    watch.happen.book()
    watch.pass_time(timedelta(days=2, hours=1))  # the meeting is over
    assert await watch.read(rereads=True) == ["meeting.booked"]
    watch.happen.mark()
    watch.pass_time(timedelta(minutes=10))
    assert await watch.read(rereads=True) == ["meeting.booked"]
    watch.pass_time(timedelta(minutes=21))
    assert await watch.read() == ["meeting.booked"]
    watch.pass_time(timedelta(minutes=2))
    assert await watch.read(rereads=True) == ["meeting.booked", "no_show.marked"]
    watch.happen.unmark()
    watch.pass_time(timedelta(minutes=31))
    assert await watch.read(rereads=True) == ["meeting.booked", "no_show.marked", "no_show.unmarked"]


async def test_many_meetings_are_gone_through_page_after_page_over_several_looks(watch: Watch) -> None:
    watch.api.account.now -= timedelta(hours=30)
    for _ in range(1100):
        watch.api.account.now += timedelta(seconds=1)
        watch.api.account.new_meeting()
    assert await watch.read() == []
    assert watch.api.asked == [LIST] * 10
    watch.api.asked.clear()
    watch.pass_time(timedelta(seconds=61))
    await watch.read()
    assert watch.api.asked == [LIST] * 2


@pytest.mark.requirement("looks-cost")
async def test_looks_that_may_ask_for_little_go_through_all_pages_in_turn(watch: Watch) -> None:
    watch.api.per_minute = 20
    watch.api.account.now -= timedelta(days=3)
    for _ in range(300):
        watch.api.account.now += timedelta(seconds=1)
        watch.api.account.new_meeting()
    watch.pass_time(timedelta(days=1, hours=20))
    watch.happen.book()
    found = list[str]()
    for _ in range(6):
        watch.pass_time(timedelta(seconds=61))
        found = await watch.read()
    assert found == ["meeting.booked"]


async def test_a_meeting_that_cannot_be_read_does_not_hide_the_others(watch: Watch) -> None:
    refusals = [
        NotFound("It is not there.", status=404),
        PermissionDenied("Not yours.", status=403),
        UpstreamError("It broke.", status=500),
    ]
    watch.api.refusing = {f"{LIST}/E{number}/invitees": refusal for number, refusal in enumerate(refusals)}
    account = watch.api.account
    while len(account.meetings) < 4:
        account.book()
    readable = [uri for uri in account.invitees if "/E3/" in uri]
    for _ in range(12):
        assert await watch.read() == ["meeting.booked"] * len(readable)
        watch.pass_time(timedelta(seconds=75))
    # A new meeting may not be there yet, so that it is asked for again for ten minutes.
    assert [watch.api.asked.count(f"{LIST}/E{number}/invitees") for number in range(4)] == [9, 9, 12, 1]


@pytest.mark.requirement("looks-quiet")
async def test_meetings_that_are_long_over_are_not_read_again(watch: Watch) -> None:
    await watch.read(rereads=True)
    for _ in range(8):
        watch.happen.book()
    watch.pass_time(timedelta(days=2, hours=1))
    await watch.read(rereads=True)
    watch.pass_time(timedelta(hours=75))
    await watch.feeds.retain()
    watch.api.asked.clear()
    await watch.read(rereads=True)
    assert watch.api.asked == [LIST]


async def test_what_changed_is_read_before_what_is_read_again(watch: Watch) -> None:
    await watch.read(rereads=True)
    for _ in range(4):
        watch.happen.book()
    watch.pass_time(timedelta(days=2, hours=1))
    await watch.read(rereads=True)
    watch.pass_time(timedelta(hours=1))
    watch.happen.book()
    watch.api.per_minute = 20
    assert len(await watch.read(rereads=True)) == 5


@each(
    "is_listened, is_proved, quiet_for, expected",
    [
        (True, False, timedelta(minutes=59), timedelta(seconds=60)),
        (True, False, timedelta(hours=1), timedelta(minutes=2)),
        (True, False, timedelta(hours=6), timedelta(minutes=5)),
        (True, True, timedelta(0), timedelta(hours=6)),
        (False, False, timedelta(0), timedelta(hours=6)),
    ],
)
def test_how_often_somebody_is_looked_at(
    *, is_listened: bool, is_proved: bool, quiet_for: timedelta, expected: timedelta
) -> None:
    assert pace(is_listened=is_listened, is_proved=is_proved, quiet_for=quiet_for) == expected


@pytest.mark.requirement("looks-quiet")
async def test_nothing_is_asked_while_nobody_listens_and_there_is_no_webhook(watch: Watch) -> None:
    await watch.read()
    watch.api.asked.clear()
    await watch.go_on(HOUR, happens=("book", "book"))
    assert watch.api.asked == []


@pytest.mark.requirement("looks-quiet")
async def test_a_proved_webhook_is_looked_behind_once_in_six_hours(watch: Watch) -> None:
    await watch.read()
    await watch.listen()
    await watch.prove(watch.clock.now)
    watch.api.asked.clear()
    await watch.go_on(7 * HOUR, every=timedelta(minutes=2))
    assert len(watch.api.asked) <= 2


@pytest.mark.requirement("looks-quiet")
async def test_listened_for_by_looks_an_hour_costs_sixty_requests_and_one_for_each_meeting_that_changed(
    watch: Watch,
) -> None:
    await watch.read()
    await watch.listen()
    watch.happen.book()
    watch.api.asked.clear()
    await watch.go_on(HOUR, happens=("book", "cancel", "book"))
    assert len(watch.api.asked) <= 60 + 4
    assert (await kinds_in(watch.feeds)).count("meeting.booked") == 3
    watch.api.asked.clear()
    await watch.go_on(8 * HOUR, every=timedelta(minutes=1))
    assert 120 <= len(watch.api.asked) <= 60 + 150 + 24


@pytest.mark.requirement("listen-limits", "looks-quiet")
async def test_while_somebody_is_connected_and_listens_looks_keep_their_pace_and_then_stop(watch: Watch) -> None:
    await watch.feeds.begin(PERSON)
    listeners = FeedListeners(watch.feeds.database, watch.clock)
    with listeners.opened(PERSON, "G1"):
        await listeners.began(PERSON)
        await watch.go_on(HOUR / 60)
    assert watch.api.asked == [LIST]
    watch.pass_time(timedelta(seconds=75))
    await watch.go_on(HOUR)
    assert watch.api.asked == [LIST]


@pytest.mark.requirement("listen-limits")
async def test_who_begins_to_listen_beside_a_webhook_that_is_not_proved_does_not_wait_six_hours(watch: Watch) -> None:
    await watch.feeds.begin(PERSON)
    await watch.prove(watch.clock.now)
    await watch.go_on(ROUND)
    async with watch.feeds.database.begin() as connection:
        await prove(connection, PERSON, None)
    await watch.go_on(HOUR)
    assert watch.api.asked == [LIST, LIST]  # the second as the webhook is not proved any more
    await FeedListeners(watch.feeds.database, watch.clock).began(PERSON)
    await watch.go_on(ROUND)
    assert watch.api.asked == [LIST, LIST, LIST]


@pytest.mark.requirement("looks-quiet")
@pytest.mark.requirement("looks-quiet")
async def test_who_listens_anew_again_and_again_has_a_look_a_minute_and_none_beside_a_proved_webhook(
    watch: Watch,
) -> None:
    listeners = FeedListeners(watch.feeds.database, lambda: watch.clock.now)
    await watch.read()

    async def looks_in_ten_minutes() -> int:
        watch.api.asked.clear()
        for _ in range(60):
            watch.pass_time(timedelta(seconds=10))
            await listeners.began(PERSON)
            await watch.background.round()
        return len(watch.api.asked)

    assert 9 <= await looks_in_ten_minutes() <= 10
    await watch.prove(watch.clock.now)
    assert await looks_in_ten_minutes() <= 1


async def test_whose_feed_has_just_begun_without_news_is_looked_at_each_minute(watch: Watch) -> None:
    await watch.feeds.begin(PERSON)
    await watch.listen()
    await watch.go_on(timedelta(minutes=10))
    assert watch.api.asked == [LIST] * 10


async def test_behind_a_proved_webhook_nothing_is_read_again_for_no_shows(watch: Watch) -> None:
    watch.happen.book()
    await watch.read()
    await watch.listen("no_show.marked")
    await watch.prove(watch.clock.now)
    await watch.go_on(3 * DAY, every=HOUR)
    assert set(watch.api.asked[2:]) == {LIST}


async def test_a_webhook_that_did_not_tell_is_proved_no_more(watch: Watch) -> None:
    await watch.read()
    await watch.listen()
    await watch.prove(watch.clock.now)
    await watch.background.round()
    watch.pass_time(timedelta(minutes=5))
    watch.happen.book()
    watch.pass_time(6 * HOUR)
    await watch.background.round()
    assert await kinds_in(watch.feeds) == ["meeting.booked"]
    async with watch.feeds.database.read() as connection:
        assert await connection.scalar(select(feed.c.proved_at)) is None
    watch.api.asked.clear()
    await watch.go_on(timedelta(minutes=10))
    assert len(watch.api.asked) >= 5


async def test_a_half_is_completed_after_its_wait_by_reading_the_other(watch: Watch) -> None:
    await watch.read()
    await watch.prove(watch.clock.now)
    await watch.background.round()
    watch.api.asked.clear()
    watch.happen.book()
    old, new = watch.happen.move()
    for half in (old, new):
        await watch.feeds.publish(PERSON, half)
        if half is old:
            await watch.go_on(timedelta(seconds=25), every=timedelta(seconds=5))
            assert watch.api.asked == []
            await watch.go_on(timedelta(seconds=10), every=timedelta(seconds=5))
            assert await kinds_in(watch.feeds) == ["meeting.rescheduled"]
    assert await kinds_in(watch.feeds) == ["meeting.rescheduled"]


async def test_a_half_whose_other_cannot_be_read_is_published_after_ten_minutes(watch: Watch) -> None:
    await watch.read()
    watch.happen.book()
    old, _ = watch.happen.move()
    watch.api.failing = Unreachable("Nobody answers.")
    await watch.feeds.publish(PERSON, old)
    await watch.go_on(LONGEST_WAIT - timedelta(minutes=1))
    assert await kinds_in(watch.feeds) == []
    await watch.go_on(timedelta(minutes=2))
    assert await kinds_in(watch.feeds) == ["meeting.rescheduled"]


@pytest.mark.requirement("feed-same")
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_looks_give_the_same_feed_as_webhooks_alone_and_as_both(watch: Watch, seed: int) -> None:
    await watch.read()
    account = watch.api.account = watch.happen.account = Account(seeded(seed), watch.clock.now)
    async with open_migrated() as of_webhooks, open_migrated() as of_both:
        told, both = feeds_in(of_webhooks, watch.clock), feeds_in(of_both, watch.clock)
        looks = Looks(feeds=both, owner="replica", sleep=watch.wait)
        for feeds in (told, both):
            await feeds.begin(PERSON)
        for _ in range(30):
            before = len(account.changes)
            account.go_on(1)
            watch.clock.now = account.now + timedelta(seconds=61)
            deliveries = [each for change in account.changes[before:] for each in change.deliveries]
            for number, arrival in enumerate(arrivals(deliveries)):
                await told.publish(PERSON, arrival)
                if number >= seed % 2:  # else one half of a change is told by the look alone
                    await both.publish(PERSON, arrival)
            await watch.read(rereads=True)
            await looks.on_demand(PERSON, watch.api, rereads=True)
        expected = await events_in(told)
        assert len(expected) > 8
        assert await events_in(watch.feeds) == await events_in(both) == expected


async def events_in(feeds: Feeds) -> set[tuple[str, str]]:
    """Return what a feed tells but of no-shows, which no look sees before a meeting has ended."""
    events = (await feeds.read(PERSON, all_kinds())).events
    return {(event.event_id, event.kind) for event in events if event.kind.startswith("meeting.")}
