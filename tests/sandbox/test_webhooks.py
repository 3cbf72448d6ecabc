"""Webhook subscriptions and their deliveries."""

from datetime import timedelta

import pytest

from sandbox.endpoints.webhooks import EVENTS
from sandbox.records.identifiers import fixed_id
from sandbox.state.deliveries import pause_after
from tests.sandbox.api import (
    CALENDLY,
    MONDAY,
    Api,
    Json,
    iso,
    path_of,
    registered,
    sign_in,
    subscribe,
    subscribed,
)
from tests.sandbox.receiver import Receiver, is_signed, receiving

GROUP = f"{CALENDLY}/groups/{fixed_id('group support')}"
KEY = "k7Yp0-example-signing-key"


@pytest.mark.requirement("sandbox-loopback-addresses", "sandbox-webhooks")
async def test_a_booking_and_its_cancellation_are_delivered_signed(api: Api, receiver: Receiver) -> None:
    await subscribed(api, receiver.url, signing_key=KEY)
    invitee = await api.book(event_guests=["guest@acme.example"])
    created = await receiver.next()
    assert is_signed(created, KEY)
    assert f"t={int(MONDAY.timestamp())}," in created.headers["calendly-webhook-signature"]
    assert created.headers["content-type"] == "application/json"
    message = created.message
    assert message["event"] == "invitee.created"
    assert message["created_by"] == (await api.me())["uri"]
    told = message["payload"].pop("scheduled_event")
    assert message["payload"] == invitee
    event = await api.read(invitee["event"])
    del event["calendar_event"]
    for host in event["event_memberships"]:
        del host["buffered_start_time"], host["buffered_end_time"]
    assert told == event
    await api.post(f"{path_of(invitee['event'])}/cancellation", {"reason": "Ill"})
    canceled = (await receiver.next()).message
    assert canceled["event"] == "invitee.canceled"
    assert canceled["payload"]["cancellation"]["canceler_type"] == "host"
    assert canceled["payload"]["scheduled_event"]["status"] == "canceled"


async def test_canceling_a_group_delivers_one_message_for_each_active_invitee(api: Api, receiver: Receiver) -> None:
    first = await api.book("Product workshop")
    for name in ("sam", "kim"):
        invitee = {"name": name, "email": f"{name}@acme.example", "timezone": "UTC"}
        await api.book("Product workshop", invitee=invitee)
    await api.http.post("/_sandbox/cancellations", json={"cancel_url": first["cancel_url"]})
    await subscribed(api, receiver.url)
    await api.post(f"{path_of(first['event'])}/cancellation")
    told = {(await receiver.next()).message["payload"]["email"] for _ in range(2)}
    assert told == {"sam@acme.example", "kim@acme.example"}
    assert receiver.deliveries.empty()


async def test_rescheduling_is_delivered_as_a_pair(api: Api, receiver: Receiver) -> None:
    old = await api.book()
    start = (await api.slots((await api.event_type("Intro call"))["uri"]))[3]
    await subscribed(api, receiver.url)
    moved = await api.http.post(
        "/_sandbox/reschedulings", json={"reschedule_url": old["reschedule_url"], "start_time": start}
    )
    new = moved.json()["resource"]
    messages = {message["event"]: message["payload"] for message in [(await receiver.next()).message for _ in range(2)]}
    assert messages["invitee.canceled"]["uri"] == old["uri"]
    assert messages["invitee.canceled"]["rescheduled"] is True
    assert messages["invitee.canceled"]["new_invitee"] == new["uri"]
    assert messages["invitee.created"]["old_invitee"] == old["uri"]


async def test_without_a_key_nothing_is_signed(api: Api, receiver: Receiver) -> None:
    hook = await subscribed(api, receiver.url)
    await api.book()
    assert "calendly-webhook-signature" not in (await receiver.next()).headers
    assert "signing_key" not in hook


async def test_a_subscription_receives_only_events_of_its_own_subject(api: Api, receiver: Receiver) -> None:
    member = (await api.me("member"))["uri"]
    await subscribed(api, receiver.url, "member", scope="user", user=member)
    await api.book()
    await api.book("Coaching session", "member")
    assert (await receiver.next()).message["payload"]["scheduled_event"]["name"] == "Coaching session"
    assert receiver.deliveries.empty()


async def test_a_group_subscription_receives_events_of_the_groups_members(api: Api, receiver: Receiver) -> None:
    await subscribed(api, receiver.url, scope="group", group=GROUP)
    await api.book()
    await api.book("Coaching session", "member")
    assert (await receiver.next()).message["payload"]["scheduled_event"]["name"] == "Coaching session"
    assert receiver.deliveries.empty()


async def test_events_of_other_organizations_and_other_kinds_are_not_sent(api: Api, receiver: Receiver) -> None:
    await subscribed(api, receiver.url, events=["invitee.canceled"])
    await api.book()
    invitee = await api.book("30 Minute Meeting", "free")
    await api.post(f"{path_of(invitee['event'])}/cancellation", {}, "free")
    mine = await api.book()
    await api.post(f"{path_of(mine['event'])}/cancellation")
    assert (await receiver.next()).message["payload"]["uri"] == mine["uri"]
    assert receiver.deliveries.empty()


async def test_a_failed_delivery_is_sent_again_after_growing_pauses_until_it_succeeds(
    api: Api, receiver: Receiver
) -> None:
    hook = await subscribed(api, receiver.url, signing_key=KEY)
    receiver.status = 500
    await api.book()
    first = await receiver.next()
    now, again = MONDAY, first
    for failures in (1, 2, 3):
        receiver.status = 200 if failures == 3 else 302
        assert (await state_of(api, hook))["retry_started_at"] == f"{MONDAY:%Y-%m-%dT%H:%M:%S.%fZ}"
        now += pause_after(failures)
        await api.control("clock", {"now": iso(now)})
        again = await receiver.next()
        assert again.body == first.body
        assert is_signed(again, KEY)
    assert (
        f"t={int(MONDAY.timestamp())}," in again.headers["calendly-webhook-signature"]
    )  # what a receiver's clock says
    assert [pause_after(failures) for failures in (1, 2, 3)] == [timedelta(minutes=n) for n in (1, 2, 4)]


async def state_of(api: Api, hook: Json, *, state: str = "active") -> Json:
    """Read a subscription once it has noted that the last delivery failed."""
    await api.control("limits", {"per_minute": 1_000_000})
    while True:
        read = await api.read(hook["uri"])
        if read["retry_started_at"] is not None and read["state"] == state:
            return read


async def test_a_subscription_that_fails_for_a_day_is_disabled(api: Api, receiver: Receiver) -> None:
    hook = await subscribed(api, receiver.url)
    receiver.status = 500
    await api.book()
    await receiver.next()
    await state_of(api, hook)
    await api.control("clock", {"now": iso(MONDAY + timedelta(hours=24))})
    await receiver.next()
    assert (await state_of(api, hook, state="disabled"))["updated_at"] > hook["updated_at"]
    kind = await api.event_type("Intro call")
    start = (await api.slots(kind["uri"], after=MONDAY + timedelta(days=1)))[0]
    await api.book(start_time=start)
    await api.control("clock", {"now": iso(MONDAY + timedelta(hours=48))})
    assert receiver.deliveries.empty()


async def test_an_unreachable_receiver_is_a_failure_too(api: Api) -> None:
    async with receiving() as gone:
        url = gone.url
    hook = await subscribed(api, url)
    await api.book()
    assert (await state_of(api, hook))["state"] == "active"


async def test_a_deleted_subscription_is_not_tried_again(api: Api, receiver: Receiver) -> None:
    hook = await subscribed(api, receiver.url)
    receiver.status = 500
    await api.book()
    await receiver.next()
    await state_of(api, hook)
    assert (await api.delete(hook["uri"])).status_code == 204
    await api.control("clock", {"now": iso(MONDAY + timedelta(minutes=5))})
    assert (await api.get(hook["uri"])).status_code == 404
    assert receiver.deliveries.empty()


async def test_the_same_address_can_be_subscribed_once(api: Api) -> None:
    url = "https://hooks.northlight.example/again"
    await subscribed(api, url)
    answer = await subscribe(api, url, "admin", events=["invitee.created"])
    assert answer.status_code == 409
    assert answer.json() == {"title": "Already Exists", "message": "Hook with this url already exists"}


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"url": "http://hooks.northlight.example/x"}, "url"),
        ({"url": "ftp://127.0.0.1/x"}, "url"),
        ({"url": "https://"}, "url"),
        ({"url": "https://[x"}, "url"),
        ({"events": []}, "events"),
        ({"events": ["invitee.born"]}, "events"),
        ({"events": "invitee.created"}, "events"),
        ({"scope": "everyone"}, "scope"),
        ({"scope": "user"}, "user"),
        ({"scope": "group"}, "group"),
        ({"organization": "https://api.calendly.com/organizations/x"}, "organization"),
        ({"events": ["routing_form_submission.created"], "scope": "group", "group": GROUP}, "events"),
        ({"events": ["meeting_recap.created"]}, "events"),
    ],
)
async def test_what_is_wrong_with_a_subscription_is_named(api: Api, changes: Json, parameter: str) -> None:
    answer = await subscribe(api, "https://hooks.northlight.example/x", **changes)
    assert answer.status_code == 400
    assert parameter in {detail["parameter"] for detail in answer.json()["details"]}


@pytest.mark.parametrize("event", EVENTS)
async def test_every_event_of_the_facts_can_be_subscribed(api: Api, event: str) -> None:
    user = event.startswith("meeting_recap")
    subject = {"scope": "user", "user": (await api.me())["uri"]} if user else {}
    hook = await subscribed(api, "https://hooks.northlight.example/x", events=[event], **subject)
    assert hook["events"] == [event]


async def test_who_may_subscribe_to_whom(api: Api) -> None:
    url = "https://hooks.northlight.example/x"
    owner, member, free = [await api.me(token) for token in ("owner", "member", "free")]
    organization = owner["current_organization"]
    cases: list[tuple[str, Json, int, str | None]] = [
        ("admin", {}, 201, None),
        ("member", {}, 403, "You do not have permission"),
        ("member", {"scope": "user", "user": member["uri"]}, 201, None),
        ("member", {"scope": "user", "user": owner["uri"]}, 403, "You do not have permission"),
        ("member", {"scope": "group", "group": GROUP}, 201, None),
        (
            "free",
            {"scope": "user", "user": free["uri"], "organization": organization},
            403,
            "You do not have permission to access this resource.",
        ),
        ("free", {}, 201, None),
        (
            "owner",
            {"scope": "user", "user": member["uri"], "organization": f"{organization[:-12]}000000000000"},
            404,
            "The server could not find the requested resource.",
        ),
    ]
    for number, (token, changes, status, message) in enumerate(cases):
        answer = await subscribe(api, f"{url}{number}", token, **changes)
        assert (answer.status_code, answer.json().get("message")) == (status, message)


@pytest.mark.requirement("sandbox-plans")
async def test_a_free_plan_lacks_routing_forms_and_recaps(api: Api) -> None:
    user = (await api.me("free"))["uri"]
    for changes in (
        {"events": ["routing_form_submission.created"]},
        {"events": ["meeting_recap.created"], "scope": "user", "user": user},
    ):
        answer = await subscribe(api, "https://hooks.okoro.example/x", "free", **changes)
        assert (answer.status_code, answer.json()["message"]) == (403, "Please upgrade to a paid Calendly account.")


async def test_subscriptions_are_listed_by_subject_and_seen_by_their_creator_and_administrators(api: Api) -> None:
    member = await api.me("member")
    organization = member["current_organization"]
    hook = await subscribed(api, "https://x.northlight.example/", "member", scope="user", user=member["uri"])
    assert hook["creator"] == hook["user"] == member["uri"]
    listed = await api.read(
        "/webhook_subscriptions", "member", organization=organization, scope="user", user=member["uri"]
    )
    assert listed == [hook]
    group = await subscribed(api, "https://y.northlight.example/", "member", scope="group", group=GROUP)
    assert await api.read(
        "/webhook_subscriptions", "member", organization=organization, scope="group", group=GROUP
    ) == [group]
    assert len(await api.read("/webhook_subscriptions", organization=organization, scope="organization")) == 1
    for token, status in (("owner", 200), ("admin", 200), ("member", 200), ("free", 403)):
        assert (await api.get(hook["uri"], token)).status_code == status
    assert (await api.delete(hook["uri"], "free")).status_code == 403
    seeded = (await api.read("/webhook_subscriptions", organization=organization, scope="organization"))[0]
    assert (await api.delete(seeded["uri"], "member")).status_code == 403


async def test_an_event_family_needs_its_read_scope_and_says_so_with_a_plain_400(api: Api) -> None:
    token = await sign_in(api, "Maya Lindqvist", "webhooks:write users:read")
    answer = await subscribe(api, "https://hooks.northlight.example/x", token)
    assert answer.status_code == 400
    assert answer.json() == {"title": "Invalid Argument", "message": "The supplied parameters are invalid."}


async def test_an_application_signs_with_its_own_key(api: Api, receiver: Receiver) -> None:
    token = await sign_in(api, "Maya Lindqvist", "webhooks:write users:read scheduled_events:read")
    await subscribed(api, receiver.url, token, signing_key=KEY)
    await api.book()
    delivery = await receiver.next()
    assert is_signed(delivery, "sandbox-signing-key")
    assert not is_signed(delivery, KEY)


async def test_an_application_that_registered_itself_has_no_key_and_the_creators_counts(
    api: Api, receiver: Receiver
) -> None:
    token = await registered(api, "Maya Lindqvist", "webhooks:write users:read scheduled_events:read")
    await subscribed(api, receiver.url, token, signing_key=KEY)
    await api.book()
    assert is_signed(await receiver.next(), KEY)


async def test_reserved_host_names_are_never_sent_to(api: Api) -> None:
    organization = (await api.me())["current_organization"]
    await api.book()
    hook = (await api.read("/webhook_subscriptions", organization=organization, scope="organization"))[0]
    assert (hook["callback_url"], hook["retry_started_at"]) == ("https://hooks.northlight.example/calendly", None)


async def test_a_contact_is_announced_to_whose_it_is_and_gone_with_no_more_than_its_uri(
    api: Api, receiver: Receiver
) -> None:
    user = (await api.me())["uri"]
    events = ["contact.created", "contact.updated", "contact.deleted"]
    await subscribed(api, receiver.url, events=events, scope="user", user=user)
    body: Json = {"name": "Ola Nord", "emails": [{"email": "ola@nord.example", "is_primary": True}]}
    await api.post("/contacts", {**body, "emails": [{"email": "ola@else.example", "is_primary": True}]}, "admin")
    made = (await api.post("/contacts", body)).json()["resource"]
    created = (await receiver.next()).message
    assert created["event"] == "contact.created"
    assert created["payload"] == {"user_uuid": user.rpartition("/")[2], "contact": made}
    changed = await api.patch(made["uri"], {"company": "Nord"})
    assert (await receiver.next()).message["payload"]["contact"] == changed.json()["resource"]
    await api.delete(made["uri"])
    deleted = (await receiver.next()).message
    assert (deleted["event"], set(deleted["payload"]["contact"])) == ("contact.deleted", {"uri", "deleted_at"})
