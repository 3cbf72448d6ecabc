import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update
from typing_extensions import override

from events.kinds import BOOKED, CANCELED, RESCHEDULED
from events.outgoing.callback_urls import CallbackRules, callback_hosts
from events.outgoing.callbacks import compact
from events.outgoing.standing import EventNote, EventStanding, NotNoted
from events.outgoing.subscription_sweep import SubscriptionSweep
from events.outgoing.subscriptions import AlreadyArranged
from events.outgoing.wire import EventsRefusal, Meaning
from events.tables import event_delivery, event_subscription, verified_callback
from storage.errors import UnreadableSecret
from storage.keys import Key, KeyRing
from storage.types import sealed_for
from tests.databases import open_migrated
from tests.events.outgoing.callback_host import HOST, Received, answer, repeating
from tests.events.outgoing.delivery_world import GRANT, OTHER_SECRET, PERSON, SECRET, URL, Notes, World, delivery_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncGenerator[World]:
    async with open_migrated() as database, delivery_world(database, tmp_path) as running:
        yield running


async def rows(world: World) -> list[str]:
    async with world.database.read() as connection:
        return list((await connection.execute(select(event_subscription.c.id))).scalars())


@pytest.mark.requirement("mcp-events-subscribed", "mcp-events-challenged")
async def test_a_new_subscription_is_challenged_once_and_lives_a_day(world: World) -> None:
    first = await world.subscribe()
    again = await world.subscribe()
    other = await world.subscribe(arguments={"event_type": "abc"}, narrowed_to="abc")

    assert len(world.posts("verification")) == 1
    assert first.until == world.now() + timedelta(hours=24)
    assert (first.cursor.endswith("-0"), first.is_truncated, first.status) == (True, False, None)
    assert again.id == first.id
    assert again.status is not None
    assert other.id != first.id
    assert world.notes.told == [
        f"{{agent}} subscribed to events 'meeting.booked' about {{person}}, posted to {HOST}",
        f"{{agent}} renewed its subscription to events 'meeting.booked' about {{person}}, posted to {HOST}",
        f"{{agent}} subscribed to events 'meeting.booked' about {{person}}, posted to {HOST}",
    ]


async def test_a_pass_counts_while_a_subscription_lives_and_a_day_longer(world: World) -> None:
    await world.subscribe()
    world.wait(hours=47, minutes=59)
    await world.subscribe()
    assert len(world.posts("verification")) == 1

    assert await world.unsubscribe()
    assert not await world.unsubscribe()
    world.wait(hours=23, minutes=59)
    await world.subscribe()
    assert len(world.posts("verification")) == 1

    assert await world.unsubscribe()
    world.wait(hours=24)
    await world.subscribe()
    assert len(world.posts("verification")) == 2


async def test_what_is_refused_changes_nothing_and_contacts_nobody(world: World) -> None:
    for changes, field in (
        ({"url": "http://connectors.example/"}, "delivery.url"),
        ({"secret": "whsec_short"}, "delivery.secret"),
    ):
        with pytest.raises(EventsRefusal) as refused:
            await world.subscribe(**changes)
        assert refused.value.data == {"field": field}
    world.notes.is_full = True
    with pytest.raises(NotNoted):
        await world.subscribe()

    assert await rows(world) == []
    assert world.notes.told == []
    assert len(world.host.received) == 1  # the challenge before the entry


async def test_a_callback_that_fails_its_challenge_has_no_subscription(world: World) -> None:
    world.host.answers = lambda _: answer(b'{"challenge": "other"}')

    with pytest.raises(EventsRefusal) as refused:
        await world.subscribe()

    assert refused.value.data == {"reason": "challenge_failed"}
    assert (await rows(world), world.notes.told) == ([], [])


async def test_five_challenges_a_minute_are_sent_for_a_grant_and_ten_to_a_host(world: World) -> None:
    world.host.answers = lambda _: answer(status="404 Not Found")

    async def reason(grant: str) -> dict[str, object]:
        with pytest.raises(EventsRefusal) as refused:
            await world.subscribe(grant)
        return dict(refused.value.data)

    assert [await reason("a") for _ in range(5)] == [{"reason": "http_4xx"}] * 5
    world.wait(seconds=20)
    assert await reason("a") == {"limit": "challenges", "max": 5, "retryAfterMs": 40_000}
    assert [await reason("b") for _ in range(5)] == [{"reason": "http_4xx"}] * 5
    assert await reason("c") == {"limit": "challenges", "max": 10, "retryAfterMs": 40_000}
    world.wait(seconds=40)
    assert await reason("a") == {"reason": "http_4xx"}
    world.wait(hours=-1)  # the clock is set back
    assert [await reason("a") for _ in range(5)] == [{"reason": "http_4xx"}] * 5


@pytest.mark.requirement("mcp-events-challenged", "mcp-events-subscribed")
async def test_a_listed_callback_is_not_challenged_and_may_have_no_end(world: World) -> None:
    world.rules = CallbackRules("listed", callback_hosts([HOST]))

    endless = await world.subscribe(ttlMs=None)

    assert endless.until is None
    assert world.host.received == []
    world.wait(days=300)
    await world.book()
    assert await world.deliver() == 1


async def test_fifty_subscriptions_are_the_most_of_a_grant_and_refreshes_go_on(world: World) -> None:
    for number in range(50):
        await world.subscribe(arguments={"event_type": str(number)})
    await world.subscribe(arguments={"event_type": "0"})

    with pytest.raises(EventsRefusal) as refused:
        await world.subscribe(arguments={"event_type": "50"})
    assert (refused.value.meaning, refused.value.data["max"]) == (Meaning.RESOURCE_EXHAUSTED, 50)

    world.wait(hours=24)
    await world.subscribe(arguments={"event_type": "50"})


@pytest.mark.requirement("mcp-events-resumed")
async def test_events_after_the_cursor_are_queued_up_to_a_hundred(world: World) -> None:
    first = await world.subscribe(url=f"https://{HOST}/other")
    events = await world.book(3)

    resumed = await world.subscribe(cursor=first.cursor)
    assert (resumed.is_truncated, resumed.cursor) == (False, first.cursor)
    await world.deliver()
    assert sorted(world.arrived) == sorted(events * 2)
    caught_up = await world.subscribe(cursor=first.cursor)
    assert caught_up.cursor.endswith("-3")
    await world.deliver()
    assert len(world.arrived) == 6

    await world.book(101)
    world.host.received.clear()
    more = await world.subscribe(cursor=first.cursor, url=f"https://{HOST}/third")
    assert more.is_truncated


@pytest.mark.parametrize("cursor", ["", "nonsense", "c1-00000000-0", "c1-00000000-1"])
async def test_a_cursor_that_is_not_of_this_feed_goes_on_from_the_oldest(world: World, cursor: str) -> None:
    events = await world.book(2)

    resumed = await world.subscribe(cursor=cursor)
    await world.deliver()

    assert resumed.is_truncated
    assert sorted(world.arrived) == sorted(events)


async def test_what_was_booked_long_before_a_subscription_is_not_sent_to_it(world: World) -> None:
    await world.subscribe()
    old = await world.book(ago=301)
    fresh = await world.book(ago=299)
    await world.deliver()

    assert world.arrived == fresh
    await world.subscribe()
    await world.deliver()
    assert old[0] not in world.arrived


@pytest.mark.requirement("mcp-events-resumed")
async def test_who_goes_on_from_a_cursor_also_gets_what_is_found_later_to_have_happened_since(world: World) -> None:
    first = await world.subscribe(url=f"https://{HOST}/other", ttlMs=300_000)
    [known] = await world.book()
    world.wait(hours=2)
    for cursor in (first.cursor, first.cursor[:-1] + "1"):
        await world.subscribe(cursor=cursor, arguments={"event_type": cursor})
    late, older = await world.book(ago=7000), await world.book(ago=8000)

    await world.deliver()

    assert sorted(world.arrived) == sorted([known, *late * 2])
    assert older[0] not in world.arrived


async def test_a_subscription_gets_the_events_that_it_is_narrowed_to(world: World) -> None:
    await world.subscribe(narrowed_to="intro")
    await world.book(of="other")
    wanted = await world.book(of="intro")

    await world.deliver()

    assert world.arrived == wanted


async def test_an_expired_subscription_gets_nothing_until_a_late_refresh(world: World) -> None:
    await world.subscribe(ttlMs=300_000)
    queued = await world.book()
    world.wait(minutes=5)
    missed = await world.book()
    await world.deliver()
    assert world.arrived == []
    assert world.notes.told[-1] == (
        "Gave up posting the event 'meeting.booked' about {person} to {agent} at connectors.example: the subscription "
        "is over"
    )

    refreshed = await world.subscribe()
    await world.deliver()
    assert sorted(world.arrived) == sorted(queued + missed)
    assert refreshed.cursor.endswith("-0")


@pytest.mark.requirement("mcp-events-rotated")
async def test_while_a_secret_is_replaced_both_sign_for_fifteen_minutes(world: World) -> None:
    await world.subscribe()
    await world.subscribe(secret=OTHER_SECRET)
    counts: list[int] = []
    for minutes in (0, 14, 2):
        world.wait(minutes=minutes)
        await world.book()
        await world.deliver()
        counts.append(len(world.events[-1].headers["webhook-signature"].split(" ")))

    assert counts == [2, 2, 1]


@pytest.mark.requirement("mcp-events-secret")
async def test_nothing_secret_stands_in_plain_columns_or_entries(world: World) -> None:
    await world.subscribe()
    await world.subscribe(secret=OTHER_SECRET)
    await world.book()
    await world.deliver()

    async with world.database.read() as connection:
        [row] = (await connection.execute(select(event_subscription))).mappings()
    plain = repr({name: value for name, value in row.items() if "ciphertext" not in name}) + repr(world.notes.notes)
    for secret in (SECRET, OTHER_SECRET, "secret-path", "pat@example.com"):
        assert secret not in plain
    assert SECRET.encode() not in row["secret_ciphertext"]
    assert GRANT in plain
    assert PERSON in plain


async def test_a_subscription_that_its_person_ends_is_told_so_once(world: World) -> None:
    subscribed = await world.subscribe()
    await world.book(5)

    assert not await world.endings.end_by_id(subscribed.id, grant="another")
    assert await world.endings.end_by_id(subscribed.id, grant=GRANT)
    assert not await world.endings.end_by_id(subscribed.id)
    await world.deliver()

    assert world.arrived == []
    assert world.posts("terminated") == [
        {"type": "terminated", "error": {"code": -32012, "message": "The person ended this subscription."}}
    ]
    assert await rows(world) == []


async def test_the_sweep_ends_what_may_not_be_told_and_forgets_what_is_past_its_time(world: World) -> None:
    sweep = SubscriptionSweep(world.endings, world.grants)
    await world.subscribe()
    kept = await world.subscribe("grant-2", secret=OTHER_SECRET)
    await world.subscribe("grant-2", secret=SECRET)
    await world.book()
    await world.deliver()
    world.allow(refusal="scope")
    await sweep()
    assert await rows(world) == [kept.id]
    assert [post["error"]["code"] for post in world.posts("terminated")] == [-32012]

    world.wait(minutes=15)
    await sweep()
    async with world.database.read() as connection:
        [row] = (await connection.execute(select(event_subscription))).mappings()
    assert row["former_secret_ciphertext"] is None

    world.wait(hours=48)
    await sweep()
    async with world.database.read() as connection:
        for table in (event_subscription, event_delivery, verified_callback):
            assert (await connection.execute(select(table))).all() == []


async def lose_key(world: World, subscription: str) -> None:
    """Have what a subscription signs with be sealed under a key that is lost."""
    column = event_subscription.c.secret_ciphertext
    lost = KeyRing([Key.generate("lost")]).seal(SECRET.encode(), **sealed_for(column, subscription))
    async with world.database.begin() as connection:
        change = update(event_subscription).where(event_subscription.c.id == subscription)
        await connection.execute(change.values(secret_ciphertext=lost))


async def test_a_subscription_that_cannot_be_opened_keeps_nobody_else_from_anything_and_can_be_made_anew(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    lost = await world.subscribe("grant-2")
    await world.subscribe()
    [event] = await world.book()
    await lose_key(world, lost.id)
    world.revoke()

    await SubscriptionSweep(world.endings, world.grants)()
    assert await rows(world) == [lost.id]
    assert f"the subscription {lost.id} is left out: " in caplog.text
    assert await world.deliver() == 1
    assert world.arrived == []

    again = await world.subscribe("grant-2", url=URL)
    assert (again.id, len(world.posts("verification"))) == (lost.id, 2)
    world.wait(minutes=15)
    await world.deliver()
    assert world.arrived == [event]


async def test_a_grant_that_cannot_be_read_keeps_no_other_subscription_from_being_ended(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    kept = await world.subscribe("grant-2")
    await world.subscribe()
    world.revoke()

    class Unread:
        """Cannot read one grant."""

        async def of(self, grant: str, kind: str) -> EventStanding | None:
            """Return what a grant may see."""
            if grant == "grant-2":
                raise UnreadableSecret("no key")
            return await world.grants.of(grant, kind)

    await SubscriptionSweep(world.endings, Unread())()
    assert await rows(world) == [kept.id]
    assert f"{kept.id} may go on cannot be read: no key" in caplog.text


async def test_the_sweep_tells_callbacks_side_by_side(world: World) -> None:
    for number in range(6):
        await world.subscribe(arguments={"event_type": f"T{number}"})
    world.revoke()
    four, begun, endings = asyncio.Event(), list[int](), world.endings

    class Slow(Notes):
        """Waits until four are told at once."""

        @override
        async def note(self, note: EventNote) -> None:
            """Wait for the others."""
            begun.append(16 - endings.in_flight.room.left)
            if len(begun) == 4:
                four.set()
            await four.wait()

    await SubscriptionSweep(replace(endings, noted=Slow()), world.grants)()
    assert (max(begun), len(begun)) == (4, 6)
    assert len(world.posts("terminated")) == 6
    assert await rows(world) == []


async def test_the_sweep_ends_what_a_revoked_grant_has_left(world: World) -> None:
    await world.subscribe()
    world.revoke()
    await SubscriptionSweep(world.endings, world.grants)()
    assert await rows(world) == []
    assert world.notes.notes[-1].agent == "Agent"


@pytest.mark.requirement("mcp-events-suspended")
async def test_a_suspended_subscription_waits_for_a_refresh_that_is_challenged(world: World) -> None:
    await world.subscribe(ttlMs=86_400_000)
    first = await world.book(20)
    world.host.answers = lambda _: answer(status="500 Oops")
    await world.deliver()
    world.wait(minutes=61)
    await world.deliver()
    suspended = "as nothing gets through: 20 on their way are given up"
    assert [told.partition("connectors.example, ")[2] for told in world.notes.told[1:]] == [suspended]
    missed = await world.book()
    assert await world.deliver() == 0

    with pytest.raises(EventsRefusal) as refused:
        await world.subscribe()
    assert refused.value.data == {"reason": "http_5xx"}
    world.host.answers = repeating
    world.host.received.clear()
    refreshed = await world.subscribe()
    await world.deliver()

    assert refreshed.status is not None
    assert (refreshed.status.is_active, refreshed.status.last_error) == (True, "http_5xx")
    assert len(world.posts("verification")) == 1
    assert sorted(world.arrived) == sorted(first + missed)


@pytest.mark.requirement("mcp-events-resumed")
async def test_what_was_missed_too_long_ago_to_be_queued_again_is_told_as_truncated(world: World) -> None:
    world.rules = CallbackRules("listed", callback_hosts([HOST]))
    await world.subscribe(ttlMs=None)
    world.host.answers = lambda _: answer(status="500 Oops")
    await world.book(20)
    await world.deliver()
    world.wait(minutes=61)
    await world.deliver()
    missed = await world.book()
    world.host.answers = repeating
    world.host.received.clear()

    world.wait(hours=23)
    assert not (await world.subscribe(ttlMs=None)).is_truncated
    await world.deliver()
    assert missed[0] in world.arrived
    world.wait(days=10)
    assert not (await world.subscribe(ttlMs=None)).is_truncated  # they had arrived

    world.host.answers = lambda _: answer(status="500 Oops")
    await world.book(20)
    await world.deliver()
    world.wait(minutes=61)
    await world.deliver()
    world.wait(days=10)
    assert (await world.subscribe(ttlMs=None)).is_truncated


@pytest.mark.requirement("mcp-events-resumed")
async def test_the_cursor_does_not_pass_over_what_was_given_up(world: World) -> None:
    await world.subscribe()
    world.host.answers = lambda _: answer(status="500 Oops")
    lost = await world.book()
    for minutes in (0, 1, 1, 3, 8):
        world.wait(minutes=minutes)
        await world.deliver()
    world.host.answers = repeating
    await world.book()
    await world.deliver()
    cursor = world.events[-1].content["cursor"]
    world.host.received.clear()

    await world.subscribe(cursor=cursor)
    await world.deliver()

    assert world.arrived == lost
    assert world.events[-1].content["cursor"].endswith("-2")


async def test_what_is_given_up_again_and_again_is_queued_for_two_days_and_then_told_as_lost(world: World) -> None:
    await world.subscribe()
    await world.book()
    posts, losses = list[int](), list[bool]()
    for _ in range(4):
        world.host.received.clear()
        world.host.answers = lambda _: answer(status="500 Oops")
        for minutes in (0, 1, 1, 3, 8):
            world.wait(minutes=minutes)
            await world.deliver()
        posts.append(len(world.events))
        world.wait(hours=18)
        losses.append((await world.subscribe()).is_truncated)
    assert posts == [5, 5, 5, 0]
    assert losses == [False, False, True, False]


async def test_who_subscribes_anew_on_hearing_that_it_has_ended_stays_subscribed(world: World) -> None:
    first = await world.subscribe()
    await world.book()
    await world.deliver()

    class Anew(Notes):
        """Subscribes again between the end and its message."""

        @override
        async def note(self, note: EventNote) -> None:
            """Subscribe again."""
            await world.subscribe()

    world.wait(seconds=1)
    await replace(world.endings, noted=Anew()).end_by_id(first.id)
    events = await world.book()
    await world.deliver()

    assert world.arrived[1:] == events  # and nothing that had arrived before comes again


@pytest.mark.requirement("events-callbacks")
async def test_what_an_operator_arranges_is_not_challenged_has_no_end_and_is_all_or_nothing(world: World) -> None:
    standing = await world.grants.of(GRANT, BOOKED)
    assert standing
    kinds = {BOOKED: standing, CANCELED: standing}
    world.notes.is_full = True
    with pytest.raises(NotNoted):
        await world.subscriptions.arrange(URL, SECRET, kinds)
    world.notes.is_full = False
    others = [await world.subscribe(arguments={"event_type": f"T{number}"}) for number in range(49)]
    before = await rows(world)
    with pytest.raises(EventsRefusal) as refused:
        await world.subscriptions.arrange(URL, SECRET, kinds)
    assert refused.value.data == {"limit": "subscriptions", "max": 50}
    assert await rows(world) == before
    assert await world.endings.end_by_id(others[0].id)
    challenges = len(world.posts("verification"))

    made = await world.subscriptions.arrange(URL, SECRET, kinds)

    assert len(world.posts("verification")) == challenges
    assert made.secret == SECRET
    async with world.database.read() as connection:
        stored = [await world.endings.rows.find(connection, each) for each in made.subscriptions.values()]
    assert [(one.secret, one.expires_at) for one in stored if one] == [(SECRET, None)] * 2
    assert [(note.told, note.by_operator) for note in world.notes.notes[-2:]] == [
        (f"an operator has events {kind!r} about {{person}} posted to {{agent}} at {HOST}", True) for kind in kinds
    ]
    with pytest.raises(AlreadyArranged) as again:
        await world.subscriptions.arrange(URL, SECRET, {BOOKED: standing})
    assert again.value.subscriptions == {BOOKED: made.subscriptions[BOOKED]}


async def test_what_an_operator_arranged_goes_on_after_a_suspension_beside_more_with_one_secret(world: World) -> None:
    standing = await world.grants.of(GRANT, BOOKED)
    assert standing
    kinds = {BOOKED: standing, CANCELED: standing}
    before = await world.subscriptions.arrange(URL, OTHER_SECRET, kinds)
    first = await world.book(20)
    world.host.answers = lambda _: answer(status="500 Oops")
    await world.deliver()
    world.wait(minutes=61)
    await world.deliver()
    world.host.answers = repeating
    world.host.received.clear()

    again = await world.subscriptions.arrange(URL, SECRET, {**kinds, RESCHEDULED: standing})
    await world.deliver()

    assert [*again.subscriptions] == [BOOKED, RESCHEDULED]
    assert again.subscriptions[BOOKED] == before.subscriptions[BOOKED]
    assert again.secret is None
    async with world.database.read() as connection:
        stored = await world.endings.rows.of_grant(connection, GRANT)
    assert {(one.secret, one.former_secret, one.expires_at, one.state) for one in stored} == {
        (OTHER_SECRET, None, None, "active")
    }
    assert sorted(world.arrived) == sorted(first)
    assert world.posts("verification") == []


async def test_more_than_a_thousand_on_their_way_are_skipped_and_told(world: World) -> None:
    subscribed = await world.subscribe()
    await world.crowd(subscribed.id, 1000)
    await world.book(3)

    refreshed = await world.subscribe()

    assert refreshed.is_truncated
    again = await world.subscribe()
    assert again.is_truncated  # there is still no room for the three


def test_a_post_is_compact_json() -> None:
    assert compact({"name": "Zoë", "list": [1, 2]}) == '{"name":"Zoë","list":[1,2]}'.encode()


async def test_the_name_of_the_kind_is_what_is_delivered(world: World) -> None:
    subscribed = await world.subscribe()
    events = await world.book(2)
    await world.deliver()

    one: Received = world.events[0]
    assert one.headers["x-mcp-subscription-id"] == subscribed.id
    assert one.headers["webhook-id"] == one.content["eventId"] == events[0]
    assert one.content["name"] == BOOKED
    assert one.content["timestamp"] == "2026-12-01T09:00:00Z"
    assert one.content["data"]["actor"] == {"self": False, "by": "invitee"}
    # The second is on its way still when the first is posted.
    assert [post.content["cursor"][-2:] for post in world.events] == ["-1", "-2"]
    assert URL.endswith(one.target)
