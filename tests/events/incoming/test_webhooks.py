"""Calendly's subscriptions: made, read, repaired and removed, against the sandbox."""

from datetime import timedelta

import pytest

from calendly.errors import CalendlyError, InsufficientScope
from events.incoming import stored_receivers
from events.incoming.incoming import receiver_digest
from events.incoming.stored_receivers import AddressedReceiver
from events.incoming.webhook_states import out_of_reach
from events.incoming.webhooks import OutOfReach
from events.kinds import FAMILIES, MEETINGS, ROUTING_FORMS
from tests.cases import each
from tests.events.incoming.calendly_side import ADDRESS, Scene

MADE = "watch_events: Calendly tells of meetings of you from now on"


@pytest.mark.requirement("webhook-made")
async def test_a_subscription_is_made_once_for_each_family_with_a_receiver_of_its_own(scene: Scene) -> None:
    assert await scene.webhooks.watch(scene.person) == {}
    assert await scene.another().watch(scene.person) == {}
    (hook,) = await scene.subscriptions()
    assert hook["scope"] == "user"
    assert hook["events"] == [
        "invitee.created",
        "invitee.canceled",
        "invitee_no_show.created",
        "invitee_no_show.deleted",
    ]
    assert len(await scene.secret()) == 43
    assert scene.noted == [MADE]
    assert await scene.webhooks.watch(scene.person, FAMILIES) == {}
    own, (forms,) = await scene.subscriptions(), await scene.subscriptions("organization")
    assert len({one["callback_url"] for one in (*own, forms)}) == len(FAMILIES) == len(own) + 1
    assert forms["events"] == ["routing_form_submission.created"]
    assert set(await scene.states()) == {family.name for family in FAMILIES}


@pytest.mark.requirement("webhook-made")
async def test_what_calendly_refuses_leaves_the_rest_and_no_receiver(scene: Scene) -> None:
    scene.calendly.token = "sandbox-pat-member"
    scene.person = (await scene.api.me("member"))["uri"]
    refused = await scene.webhooks.watch(scene.person, [ROUTING_FORMS])
    assert set(refused) == {"routing_forms"}
    scene.calendly.token = "sandbox-pat-readonly"
    refused = await scene.webhooks.watch(scene.person)
    assert isinstance(refused["meetings"], InsufficientScope)
    assert await scene.states() == {}
    assert scene.noted == []


@pytest.mark.requirement("webhook-removed")
async def test_a_subscription_is_removed_and_can_be_gone_already(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person, [MEETINGS, ROUTING_FORMS])
    (hook,) = await scene.subscriptions()
    await scene.api.delete(hook["uri"])
    await scene.webhooks.unwatch(scene.person)
    assert await scene.subscriptions("organization") == []
    assert await scene.states() == {}
    assert scene.noted[2:] == [
        f"unwatch_events: Calendly tells of {name} of you no more" for name in ("meetings", "routing_forms")
    ]


async def test_a_removal_that_fails_leaves_what_there_is_unless_the_sign_in_may_not(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person)
    await scene.api.control("faults", {"method": "DELETE", "status": 500})
    with pytest.raises(CalendlyError):
        await scene.webhooks.unwatch(scene.person)
    assert await scene.states() == {"meetings": "waiting for the first event"}
    scene.calendly.token = "sandbox-pat-noscopes"
    await scene.webhooks.unwatch(scene.person)
    assert await scene.states() == {}
    assert len(await scene.subscriptions()) == 1


async def test_who_administers_the_organization_no_more_keeps_what_is_their_own(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person, [MEETINGS, ROUTING_FORMS])
    await scene.set_state("disabled")
    scene.sandbox.sandbox.records.membership_of(scene.person.rpartition("/")[2]).role = "user"
    await scene.webhooks.check(scene.person)
    assert (await scene.subscriptions())[-1]["state"] == "active"
    assert set(await scene.states()) == {"meetings", "routing_forms"}


@pytest.mark.requirement("webhook-repaired")
async def test_a_disabled_subscription_is_made_anew_with_another_address_and_the_old_one_lives_for_a_day(
    scene: Scene,
) -> None:
    await scene.webhooks.watch(scene.person)
    old = await scene.secret()
    await scene.set_state("disabled")
    await scene.webhooks.check(scene.person)
    new = await scene.secret()
    assert new != old
    for hours, lives in ((0, True), (23.9, True), (24, False)):
        scene.clock.now = scene.clock.now.replace(hour=6, minute=0) + timedelta(hours=hours)
        assert (await found(scene, old), await found(scene, new)) == (lives, True)
    assert scene.noted[1:] == ["repair_webhook: Calendly had disabled the webhook for meetings of you"]
    await scene.webhooks.check(scene.person)
    async with scene.webhooks.database.read() as connection:
        assert len(await stored_receivers.of_person(connection, scene.person)) == 1


async def found(scene: Scene, secret: str) -> bool:
    """Whether a receiver takes deliveries."""
    row = await scene.webhooks.database.find(stored_receivers.ADDRESSED, digest=receiver_digest(secret))
    return row is not None and AddressedReceiver(**row).takes(scene.clock.now)


@pytest.mark.requirement("webhook-repaired")
async def test_a_subscription_is_repaired_three_times_a_day_and_then_left_until_the_next(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person)
    for repairs in (1, 2, 3, 3, 3):
        scene.later(hours=1)
        await scene.set_state("disabled")
        await scene.webhooks.check(scene.person)
        assert len([line for line in scene.noted if line.startswith("repair")]) == repairs
    assert await scene.states() == {"meetings": "disabled again and again"}
    scene.later(hours=24)
    await scene.webhooks.check(scene.person)
    assert await scene.states() == {"meetings": "waiting for the first event"}


@pytest.mark.requirement("webhook-repaired")
async def test_a_subscription_that_is_gone_at_calendly_is_off_unless_its_person_signed_in_since(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person)
    await scene.api.delete((await scene.subscriptions())[0]["uri"])
    await scene.webhooks.check(scene.person)
    assert await scene.states() == {}
    assert scene.noted[1:] == ["lose_webhook: Calendly's webhook for meetings of you is gone there"]
    await scene.webhooks.watch(scene.person)
    await scene.api.delete((await scene.subscriptions())[0]["uri"])
    scene.later(minutes=2)
    scene.calendly.signed_in = scene.clock.now
    scene.later(minutes=1)
    await scene.webhooks.check_due()
    assert await scene.states() == {"meetings": "waiting for the first event"}


@pytest.mark.requirement("webhook-checked")
async def test_one_replica_reads_the_subscriptions_once_an_hour_by_one_request(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person)
    replicas = (scene.webhooks, scene.another())
    for minutes, requests in ((59, 0), (1, 1), (59, 0), (1, 1)):
        scene.calendly.sent.clear()
        scene.later(minutes=minutes)
        for replica in replicas:
            await replica.check_due()
        assert scene.calendly.sent == ["GET /webhook_subscriptions"] * requests
    scene.calendly.token = "sandbox-pat-unknown"
    scene.later(hours=1)
    await scene.webhooks.check_due()
    assert await scene.states() == {"meetings": "waiting for the first event"}


@pytest.mark.requirement("webhook-leftovers")
async def test_what_broke_off_while_it_was_made_is_removed_by_the_next_check(scene: Scene) -> None:
    await scene.api.control("faults", {"method": "POST", "path": "/webhook_subscriptions", "drop": "after"})
    refused = await scene.webhooks.watch(scene.person)
    assert isinstance(refused["meetings"], CalendlyError)
    assert await scene.states() == {"meetings": "being made"}
    theirs = await scene.api.post(
        "/webhook_subscriptions",
        {
            "url": f"{ADDRESS}/webhooks/else",
            "events": ["invitee.created"],
            "organization": (await scene.api.me())["current_organization"],
            "scope": "user",
            "user": scene.person,
        },
    )
    await scene.webhooks.check(scene.person)
    assert len(await scene.subscriptions()) == 1
    scene.later(minutes=10)
    await scene.webhooks.check(scene.person)
    assert await scene.subscriptions() == []
    assert await scene.states() == {}
    assert (await scene.api.get(theirs.json()["resource"]["uri"])).status_code == 200


@pytest.mark.requirement("webhook-removed")
async def test_with_the_last_agent_everything_at_calendly_goes_by_the_token_that_is_left(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person, [MEETINGS, ROUTING_FORMS])
    async with scene.webhooks.database.begin() as connection:
        left = await scene.webhooks.detach(connection, scene.person)
    scene.calendly.token = "sandbox-pat-unknown"
    await scene.webhooks.leave(
        scene.person, ["https://api.calendly.com/webhook_subscriptions/X", *left], "sandbox-pat-owner"
    )
    assert await scene.subscriptions() == await scene.subscriptions("organization") == []
    await scene.webhooks.leave(scene.person, left, "sandbox-pat-unknown")  # it raises nothing
    assert await scene.states() == {}


async def test_a_rotation_replaces_every_subscription(scene: Scene) -> None:
    await scene.webhooks.watch(scene.person)
    old = await scene.secret()
    await scene.webhooks.rotate(scene.person)
    assert await scene.secret() != old
    assert await found(scene, old)
    assert scene.noted[1:] == ["rotate_webhook: the webhook for meetings of you got another key"]


@each(
    "ours, calendlys, reaches",
    [
        ("https://mcp.acme.com", "https://api.calendly.com", True),
        ("https://mcp.acme.com:8443", "https://api.calendly.com", True),
        ("https://8.8.8.8", "https://api.calendly.com", True),
        ("http://mcp.acme.com", "https://api.calendly.com", False),
        ("https://mcp", "https://api.calendly.com", False),
        ("https://mcp.internal", "https://api.calendly.com", False),
        ("https://nas.local", "https://api.calendly.com", False),
        ("https://192.168.1.7", "https://api.calendly.com", False),
        ("https://100.64.0.1", "https://api.calendly.com", False),
        ("https://[fd00::1]", "https://api.calendly.com", False),
        ("http://127.0.0.1:8000", "https://api.calendly.com", False),
        ("https://localhost", "https://api.calendly.com", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9000", True),
        ("http://localhost:8000", "http://[::1]:9000", True),
        ("http://host.docker.internal:8000", "http://127.0.0.1:9000", False),
    ],
)
def test_calendly_has_to_reach_this_server(ours: str, calendlys: str, *, reaches: bool) -> None:
    assert (out_of_reach(ours, calendlys) is None) == reaches


@pytest.mark.requirement("webhook-reach")
async def test_where_calendly_does_not_reach_this_server_nothing_is_asked_of_it(scene: Scene) -> None:
    hidden = scene.another(calendly_url="https://api.calendly.com")
    with pytest.raises(OutOfReach, match="an address of this machine only"):
        await hidden.watch(scene.person)
    assert scene.calendly.sent == []
