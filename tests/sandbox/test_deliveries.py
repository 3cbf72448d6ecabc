"""Webhook deliveries under control: what was sent, sent again, spoiled on the way, and told of other resources."""

from datetime import timedelta

import pytest

from sandbox.records.identifiers import fixed_id
from tests.cases import each
from tests.sandbox.api import CALENDLY, MONDAY, Api, Json, iso, subscribed
from tests.sandbox.receiver import Receiver, is_signed

KEY = "k7Yp0-example-signing-key"


async def deliveries(api: Api, hook: Json, attempts: int = 1) -> Json:
    """Return the deliveries of one subscription once the first has had so many attempts."""
    while True:
        listed = (await api.http.get("/_sandbox/deliveries")).json()
        mine = [one for one in listed if one["subscription"] == hook["uri"]]
        if mine and len(mine[0]["attempts"]) >= attempts:
            return mine


@pytest.mark.requirement("control-deliveries")
async def test_deliveries_are_listed_with_their_attempts_and_neither_key_nor_address(
    api: Api, receiver: Receiver
) -> None:
    hook = await subscribed(api, receiver.url, signing_key=KEY)
    receiver.status = 503
    await api.book()
    await receiver.next()
    await deliveries(api, hook)
    receiver.status = 204
    later = MONDAY + timedelta(minutes=1)
    await api.control("clock", {"now": iso(later)})
    await receiver.next()
    (told,) = await deliveries(api, hook, attempts=2)
    times = [f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}" for moment in (MONDAY, later)]
    assert told == {
        "id": told["id"],
        "event": "invitee.created",
        "subscription": hook["uri"],
        "attempts": [{"time": times[0], "status": 503}, {"time": times[1], "status": 204}],
    }
    text = (await api.http.get("/_sandbox/deliveries")).text
    assert KEY not in text
    assert receiver.url not in text
    await api.control("reset", {})
    assert (await api.http.get("/_sandbox/deliveries")).json() == []


@pytest.mark.requirement("control-replays")
async def test_a_delivery_is_sent_again_even_after_its_subscription_is_gone(api: Api, receiver: Receiver) -> None:
    hook = await subscribed(api, receiver.url, signing_key=KEY)
    await api.book()
    first = await receiver.next()
    (told,) = await deliveries(api, hook)
    await api.delete(hook["uri"])
    await api.control("replays", {"delivery": told["id"], "times": 2})
    for _ in range(2):
        again = await receiver.next()
        assert again.body == first.body
        assert is_signed(again, KEY)
    (told,) = await deliveries(api, hook, attempts=3)
    assert [one["status"] for one in told["attempts"]] == [200, 200, 200]


@pytest.mark.requirement("control-delivery-faults")
@each("corrupt", ["body", "signature", "time"])
async def test_a_corrupt_attempt_does_not_verify_and_the_next_one_does(
    api: Api, receiver: Receiver, corrupt: str
) -> None:
    await api.control("reset", {})
    hook = await subscribed(api, receiver.url, signing_key=KEY)
    receiver.status = 401
    await api.control("delivery_faults", {"corrupt": corrupt})
    await api.book()
    spoiled = await receiver.next()
    signed_at = int(spoiled.headers["calendly-webhook-signature"][2:].partition(",")[0])
    assert is_signed(spoiled, KEY) == (corrupt == "time")
    assert (int(MONDAY.timestamp()) - signed_at) == (3600 if corrupt == "time" else 0)
    await deliveries(api, hook)
    receiver.status = 200
    await api.control("clock", {"now": iso(MONDAY + timedelta(minutes=1))})
    assert is_signed(await receiver.next(), KEY)


@pytest.mark.requirement("control-delivery-faults")
async def test_attempts_are_dropped_doubled_and_delayed(api: Api, receiver: Receiver) -> None:
    hook = await subscribed(api, receiver.url)
    await api.control("delivery_faults", {"drop": True})
    await api.control("delivery_faults", {"duplicate": True, "delay": 30})
    await api.book()
    (told,) = await deliveries(api, hook)
    assert [one["status"] for one in told["attempts"]] == [None]
    await api.control("clock", {"now": iso(MONDAY + timedelta(seconds=60))})
    await api.get("/users/me")
    assert receiver.deliveries.empty()
    await api.control("clock", {"now": iso(MONDAY + timedelta(seconds=90))})
    first, copy = await receiver.next(), await receiver.next()
    assert first.body == copy.body
    (told,) = await deliveries(api, hook, attempts=3)
    assert [one["status"] for one in told["attempts"]] == [None, 200, 200]


@pytest.mark.requirement("control-delivery-faults")
@each("times, order", [(1, [1, 0, 2]), (2, [1, 0, 2]), (3, [2, 1, 0])])
async def test_attempts_are_sent_in_reverse_order(api: Api, receiver: Receiver, times: int, order: list[int]) -> None:
    await api.control("reset", {})
    await subscribed(api, receiver.url)
    await api.control("delivery_faults", {"reorder": True, "times": times})
    booked = [(await api.book())["uri"] for _ in order]
    assert [booked.index((await receiver.next()).message["payload"]["uri"]) for _ in order] == order


async def test_a_delivery_does_not_wait_for_ever_for_one_to_overtake_it(api: Api, receiver: Receiver) -> None:
    await subscribed(api, receiver.url)
    await api.control("delivery_faults", {"reorder": True})
    await api.book()
    await api.control("clock", {"now": iso(MONDAY + timedelta(minutes=1))})
    assert (await receiver.next()).message["event"] == "invitee.created"


@pytest.mark.requirement("control-webhook-states")
async def test_a_subscription_is_disabled_and_active_again(api: Api, receiver: Receiver) -> None:
    hook = await subscribed(api, receiver.url)
    shown = await api.control("webhook_states", {"webhook": hook["uri"], "state": "disabled"})
    assert shown["resource"]["state"] == (await api.read(hook["uri"]))["state"] == "disabled"
    await api.book()
    await api.control("webhook_states", {"webhook": hook["uri"], "state": "active"})
    missed = await api.book()
    assert (await receiver.next()).message["payload"]["uri"] == missed["uri"]
    assert receiver.deliveries.empty()


@pytest.mark.requirement("control-no-shows")
async def test_a_host_marks_a_no_show_and_takes_it_back(api: Api, receiver: Receiver) -> None:
    await subscribed(api, receiver.url, events=["invitee_no_show.created", "invitee_no_show.deleted"])
    invitee = await api.book()
    marked = (await api.control("no_shows", {"invitee": invitee["uri"], "marked": True}))["resource"]
    assert (await receiver.next()).message["payload"]["no_show"] == marked["no_show"]
    await api.control("no_shows", {"invitee": invitee["uri"]})
    await api.control("no_shows", {"invitee": invitee["uri"], "marked": False})
    message = (await receiver.next()).message
    assert (message["event"], message["payload"]["no_show"]) == ("invitee_no_show.deleted", None)
    assert (await api.read(invitee["uri"]))["no_show"] is None


@pytest.mark.requirement("control-submissions")
async def test_a_routing_form_is_answered_and_announced_to_the_organization(api: Api, receiver: Receiver) -> None:
    await subscribed(api, receiver.url, events=["routing_form_submission.created"])
    answered = await api.control("submissions", {"answers": {"Name": "Ola Nord", "Company size": "51+"}})
    sent = answered["resource"]
    assert (await receiver.next()).message["payload"] == sent == await api.read(sent["uri"])
    assert sent["routing_form"] == f"{CALENDLY}/routing_forms/{fixed_id('routing form sales')}"
    assert [one["answer"] for one in sent["questions_and_answers"]] == ["Ola Nord", None, "51+", None]
    chosen = {"routing_form": sent["routing_form"], "result": {"type": "external_url", "value": "https://x.example"}}
    assert (await api.control("submissions", chosen))["resource"]["result"] == chosen["result"]


async def test_event_types_are_announced_when_they_are_made_and_changed(api: Api, receiver: Receiver) -> None:
    me = (await api.me())["uri"]
    await subscribed(api, receiver.url, events=["event_type.created", "event_type.updated"], scope="user", user=me)
    made = (await api.post("/event_types", {"owner": me, "name": "Walk"})).json()["resource"]
    del made["description_html"]
    created = (await receiver.next()).message
    assert (created["event"], created["payload"]) == ("event_type.created", made)
    await api.patch(made["uri"], {"name": "Long walk"})
    updated = (await receiver.next()).message
    assert (updated["event"], updated["payload"]["name"]) == ("event_type.updated", "Long walk")


async def test_recaps_are_announced_to_whose_they_are_when_they_are_changed_and_deleted(
    api: Api, receiver: Receiver
) -> None:
    me = (await api.me())["uri"]
    events = ["meeting_recap.updated", "meeting_recap.deleted"]
    await subscribed(api, receiver.url, events=events, scope="user", user=me)
    recap = (await api.read("/meeting_recaps"))[0]
    texts = {"summary_md": "Short.", "action_items_md": None, "discussion_md": None}
    changed = await api.patch(recap["uri"], texts)
    updated = (await receiver.next()).message
    assert updated["payload"] == {"event": recap["event"], "recap": changed.json()["resource"]}
    await api.delete(recap["uri"])
    deleted = (await receiver.next()).message
    assert (deleted["event"], set(deleted["payload"]["recap"])) == ("meeting_recap.deleted", {"uri", "deleted_at"})
