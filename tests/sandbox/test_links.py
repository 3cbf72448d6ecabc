"""Single-use links, and what an invitee does on Calendly's own pages."""

from datetime import datetime, timedelta

import pytest

from tests.sandbox.api import MONDAY, OWNER, Api, Json, iso

LEE = {"name": "Lee Park", "email": "lee@acme.example", "timezone": "America/New_York"}


async def link(api: Api, name: str = "Deep dive", token: str = OWNER, **changes: Json) -> Json:
    owner = (await api.event_type(name))["uri"]
    return await api.post(
        "/scheduling_links", {"max_event_count": 1, "owner": owner, "owner_type": "EventType", **changes}, token
    )


async def visit(api: Api, name: str, body: Json) -> Json:
    return await api.http.post(f"/_sandbox/{name}", json=body)


async def booking_at(api: Api, booking_url: str, *, after: datetime = MONDAY) -> Json:
    kind = await api.event_type("Deep dive")
    start = (await api.slots(kind["uri"], after=after))[0]
    location = {"kind": "google_conference"}
    return {"booking_url": booking_url, "start_time": start, "invitee": LEE, "location": location}


@pytest.mark.requirement("sandbox-links")
async def test_a_link_serves_one_booking(api: Api) -> None:
    answer = await link(api)
    assert answer.status_code == 201
    url = answer.json()["resource"]["booking_url"]
    assert url.startswith("https://calendly.com/d/")
    assert url.endswith("/deep-dive")
    booked = await visit(api, "bookings", await booking_at(api, url))
    assert booked.status_code == 200, booked.text
    invitee = booked.json()["resource"]
    assert (invitee["scheduling_method"], invitee["invitee_scheduled_by"]) == (None, None)
    assert await api.read(invitee["uri"]) == invitee
    again = await visit(api, "bookings", await booking_at(api, url))
    assert again.status_code == 410


@pytest.mark.requirement("sandbox-links")
@pytest.mark.parametrize(("days", "status"), [(89, 200), (90, 410)])
async def test_an_unused_link_expires_after_ninety_days(api: Api, days: int, status: int) -> None:
    url = (await link(api)).json()["resource"]["booking_url"]
    now = MONDAY + timedelta(days=days)
    await api.control("clock", {"now": iso(now)})
    assert (await visit(api, "bookings", await booking_at(api, url, after=now))).status_code == status


async def test_a_failed_booking_does_not_use_up_the_link(api: Api) -> None:
    url = (await link(api)).json()["resource"]["booking_url"]
    body = await booking_at(api, url)
    assert (await visit(api, "bookings", {**body, "start_time": iso(MONDAY)})).status_code == 400
    assert (await visit(api, "bookings", body)).status_code == 200


async def test_the_page_of_a_type_takes_any_number_of_bookings(api: Api) -> None:
    url = (await api.event_type("Deep dive"))["scheduling_url"]
    for _ in range(2):
        assert (await visit(api, "bookings", await booking_at(api, url))).status_code == 200
    assert (await visit(api, "bookings", await booking_at(api, f"{url}x"))).status_code == 404


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"max_event_count": 2}, "max_event_count"),
        ({"max_event_count": True}, "max_event_count"),
        ({"max_event_count": [1]}, "max_event_count"),
        ({"max_event_count": None}, "max_event_count"),
        ({"owner_type": "User"}, "owner_type"),
        ({"owner": "nonsense"}, "owner"),
    ],
)
async def test_what_is_wrong_with_a_link_is_named(api: Api, changes: Json, parameter: str) -> None:
    answer = await link(api, **changes)
    assert [detail["parameter"] for detail in answer.json()["details"]] == [parameter]


async def test_links_are_made_by_hosts_and_administrators(api: Api) -> None:
    assert (await link(api, token="admin")).status_code == 201
    nothing = "https://api.calendly.com/event_types/00000000-0000-4000-8000-000000000000"
    assert (await link(api, owner=nothing)).status_code == 404
    assert (await link(api, "Support triage", "member")).status_code == 201
    refused = await link(api, token="member")
    assert (refused.status_code, refused.json()["message"]) == (
        403,
        "You do not have permission to access this resource.",
    )


async def test_a_group_meeting_is_canceled_with_its_last_invitee(api: Api) -> None:
    first = await api.book("Product workshop")
    second = await api.book("Product workshop", invitee={**LEE, "email": "sam@acme.example"})
    left = await visit(api, "cancellations", {"cancel_url": first["cancel_url"], "reason": "Ill"})
    assert left.json()["resource"]["cancellation"]["canceler_type"] == "invitee"
    event = await api.read(first["event"])
    assert (event["status"], event["invitees_counter"]["active"]) == ("active", 1)
    await visit(api, "cancellations", {"cancel_url": second["cancel_url"]})
    assert (await api.read(first["event"]))["cancellation"]["canceler_type"] == "invitee"
    again = await visit(api, "cancellations", {"cancel_url": first["cancel_url"]})
    assert (again.status_code, again.json()["message"]) == (403, "Event is already canceled")


async def test_rescheduling_books_a_new_invitee_and_cancels_the_old_one(api: Api) -> None:
    old = await api.book()
    kind = await api.event_type("Intro call")
    start = (await api.slots(kind["uri"]))[3]
    moved = await visit(api, "reschedulings", {"reschedule_url": old["reschedule_url"], "start_time": start})
    new = moved.json()["resource"]
    after = await api.read(old["uri"])
    assert (after["status"], after["rescheduled"], after["new_invitee"]) == ("canceled", True, new["uri"])
    assert (new["status"], new["rescheduled"], new["old_invitee"]) == ("active", False, old["uri"])
    assert (await api.read(old["event"]))["status"] == "canceled"
    assert new["questions_and_answers"] == old["questions_and_answers"]


async def test_a_link_to_cancel_must_belong_to_a_coming_meeting(api: Api) -> None:
    invitee = await api.book()
    for url in ("https://calendly.com/cancellations/nobody", invitee["reschedule_url"]):
        assert (await visit(api, "cancellations", {"cancel_url": url})).status_code == 404
    await api.control("clock", {"now": iso(MONDAY + timedelta(days=30))})
    late = await visit(api, "cancellations", {"cancel_url": invitee["cancel_url"]})
    assert (late.status_code, late.json()["message"]) == (403, "Event in the past")
