"""The receiver: whose a delivery is, what is stored of it, and how many are dealt with at a time."""

import asyncio
import json
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import anyio
import pytest

from events.incoming.incoming import Refused
from events.incoming.receiver import IN_HAND, WAITING, Room
from events.kinds import EVENT_TYPES
from sandbox.state.deliveries import signature
from tests.events.feeds import kinds_in
from tests.events.incoming.calendly_side import Scene

INVITEE = "https://api.calendly.com/scheduled_events/E/invitees/I"


def message(scene: Scene, event: str = "invitee.created", **payload: Any) -> bytes:  # noqa: ANN401 - whatever JSON holds
    """Write what Calendly posts."""
    invitee = {"uri": INVITEE, "status": "active", "created_at": "2026-11-23T06:00:00.000000Z", **payload}
    envelope = {"event": event, "created_at": "2026-11-23T06:00:01.000000Z", "created_by": scene.person}
    return json.dumps({**envelope, "payload": invitee}).encode()


def signed(scene: Scene, body: bytes, key: str | None = None) -> list[str]:
    """Sign as Calendly does, with the key of the newest subscription."""
    newest = list(scene.sandbox.sandbox.records.webhooks.values())[-1]
    return [signature(key or newest.signing_key or "", scene.clock.now, body)]


async def is_proved(scene: Scene) -> bool:
    """Say whether the webhook of meetings is proved."""
    feed = await scene.webhooks.feeds.find(scene.person)
    assert feed is not None
    return feed.proved_at is not None


@pytest.mark.requirement("webhook-stored")
async def test_a_delivery_is_published_once_and_proves_the_webhook(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person)
    secret, body = await scene.secret(), message(scene)
    first = await scene.receiver.receive(secret, signed(scene, body), body)
    assert (first.person, first.event, first.is_new) == (scene.person, "invitee.created", True)
    scene.later(minutes=1)
    again = await scene.receiver.receive(secret, signed(scene, body), body)
    assert not again.is_new
    assert await kinds_in(scene.webhooks.feeds, scene.person) == ["meeting.booked"]
    (webhook,) = await scene.webhooks.of(scene.person)
    assert (webhook.state.value, webhook.last_at) == ("working", scene.clock.now)
    scene.later(seconds=59)
    await scene.receiver.receive(secret, signed(scene, body), body)
    (noted,) = await scene.webhooks.of(scene.person)
    assert noted == webhook  # it is noted once a minute
    assert await is_proved(scene)
    await scene.webhooks.unwatch(scene.person)
    assert not await is_proved(scene)


async def test_another_familys_delivery_proves_nothing_of_meetings(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person, [EVENT_TYPES])
    kind = {"uri": "https://api.calendly.com/event_types/T", "updated_at": "2026-11-23T06:00:00.000000Z"}
    body = message(scene, "event_type.updated", **kind)
    assert (await scene.receiver.receive(await scene.secret(), signed(scene, body), body)).is_new
    assert not await is_proved(scene)


@pytest.mark.requirement("webhook-stored")
async def test_what_is_unknown_or_lacks_what_its_identity_needs_is_stored_too(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person)
    for body in (message(scene, "invitee.born"), message(scene, uri=None), message(scene, created_at=7)):
        assert (await scene.receiver.receive(await scene.secret(), signed(scene, body), body)).is_new
    assert await kinds_in(scene.webhooks.feeds, scene.person) == ["other"] * 3


@pytest.mark.requirement("webhook-foreign-key")
async def test_three_refused_signatures_in_a_row_say_that_calendly_signs_with_another_key(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person)
    secret, body = await scene.secret(), message(scene)
    for refusals in (1, 2, 3):
        with pytest.raises(Refused) as refused:
            await scene.receiver.receive(secret, signed(scene, body, "application-key"), body)
        assert (refused.value.status, refused.value.person) == (401, scene.person)
        told = "signed with another key" if refusals == 3 else "waiting for the first event"
        assert await scene.states() == {"meetings": told}
    ours = replace(scene.receiver, keys=("application-key",))
    assert (await ours.receive(secret, signed(scene, body, "application-key"), body)).is_new
    assert await scene.states() == {"meetings": "working"}
    for refusals in (1, 2, 3):
        assert await is_proved(scene)
        with pytest.raises(Refused):
            await ours.receive(secret, signed(scene, body, f"another-{refusals}"), body)
    assert not await is_proved(scene)  # so that looks find what cannot be told


async def test_the_old_address_takes_deliveries_for_a_day_after_a_repair(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person)
    secret, body = await scene.secret(), message(scene)
    old_key = signed(scene, body)
    await scene.webhooks.rotate(scene.person)
    assert (await scene.receiver.receive(secret, old_key, body)).is_new
    assert not await is_proved(scene)  # which says nothing of the new address and its key
    body = message(scene, uri=f"{INVITEE}2")
    with pytest.raises(Refused):
        await scene.receiver.receive(secret, signed(scene, body), body)  # each address has a key of its own
    scene.later(hours=24)
    with pytest.raises(Refused) as refused:
        await scene.receiver.receive(secret, signed(scene, body), body)
    assert (refused.value.status, refused.value.person) == (404, None)


async def test_a_receiver_whose_subscription_is_still_being_made_takes_nothing(scene: Scene) -> None:
    await scene.api.control("faults", {"method": "POST", "path": "/webhook_subscriptions", "drop": "after"})
    await scene.webhooks.watch(scene.person)
    body = message(scene)
    with pytest.raises(Refused) as refused:
        await scene.receiver.receive(await scene.secret(), signed(scene, body), body)
    assert refused.value.status == 404


@pytest.mark.requirement("webhook-stored")
async def test_a_delivery_that_cannot_be_stored_is_asked_for_again(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person)
    secret, body = await scene.secret(), message(scene)
    database = scene.webhooks.database
    never = replace(database.engines.writers, turns=asyncio.Semaphore(0))
    gone = replace(database, engines=replace(database.engines, readers=never, writers=never), patience=0.01)
    for receiver in (
        replace(scene.receiver, database=gone),
        replace(scene.receiver, feeds=replace(scene.receiver.feeds, database=gone)),
    ):
        with pytest.raises(Refused) as refused:
            await receiver.receive(secret, signed(scene, body), body)
        assert refused.value.status == 503
    assert await scene.receiver.receive(secret, signed(scene, body), body)
    assert await kinds_in(scene.webhooks.feeds, scene.person) == ["meeting.booked"]


@pytest.mark.requirement("webhook-room")
async def test_so_many_are_in_hand_and_so_many_wait() -> None:
    room, done = Room(), list[int]()
    async with AsyncExitStack() as taken, anyio.create_task_group() as others:
        for _ in range(IN_HAND):
            await taken.enter_async_context(room.place())

        async def wait(number: int) -> None:
            async with room.place():
                done.append(number)

        for number in range(WAITING):
            others.start_soon(wait, number)
        await anyio.wait_all_tasks_blocked()
        with pytest.raises(Refused) as refused:
            async with room.place():
                pass
        assert (refused.value.status, done) == (503, [])
        await taken.aclose()
    assert len(done) == WAITING
