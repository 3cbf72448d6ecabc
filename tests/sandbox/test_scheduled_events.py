"""Listing, paging, reading and canceling meetings."""

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from sandbox.records.identifiers import fixed_id
from tests.sandbox.api import CALENDLY, MONDAY, Api, Json, iso, path_of


async def mine(api: Api) -> str:
    return str((await api.me())["uri"])


@pytest.mark.requirement("sandbox-pages")
async def test_following_next_page_gives_every_meeting_once_in_order(api: Api) -> None:
    user = await mine(api)
    everything: list[Json] = []
    counts: list[int] = []
    answer = (await api.get("/scheduled_events", user=user, sort="start_time:desc", count=50)).json()
    while True:
        everything += answer["collection"]
        counts.append(answer["pagination"]["count"])
        following: str | None = answer["pagination"]["next_page"]
        if following is None:
            break
        assert following.startswith(f"{CALENDLY}/scheduled_events?")
        sent = parse_qs(urlsplit(following).query)
        assert sent["user"] == [user]
        assert sent["page_token"] == [answer["pagination"]["next_page_token"]]
        answer = (await api.get(following)).json()
    starts = [event["start_time"] for event in everything]
    assert len({event["uri"] for event in everything}) == len(everything) > 130
    assert starts == sorted(starts, reverse=True)
    assert counts[:-1] == [50] * (len(counts) - 1)
    assert counts[-1] == len(everything) % 50


@pytest.mark.requirement("sandbox-pages")
async def test_previous_page_leads_back(api: Api) -> None:
    user = await mine(api)
    first = (await api.get("/scheduled_events", user=user, count=7)).json()
    second = (await api.get(first["pagination"]["next_page"])).json()
    assert (first["pagination"]["previous_page"], first["pagination"]["previous_page_token"]) == (None, None)
    assert (await api.get(second["pagination"]["previous_page"])).json() == first


async def test_a_page_token_works_only_with_the_filters_it_was_made_for(api: Api) -> None:
    user = await mine(api)
    token = (await api.get("/scheduled_events", user=user)).json()["pagination"]["next_page_token"]
    changed = await api.get("/scheduled_events", user=user, page_token=token, status="active")
    assert changed.status_code == 400
    assert [detail["parameter"] for detail in changed.json()["details"]] == ["page_token"]
    assert (await api.get("/scheduled_events", user=user, page_token=token, count=3)).json()["pagination"]["count"] == 3


@pytest.mark.parametrize("count", ["0", "101", "-1", "ten", "1.5", "9" * 5000])
async def test_a_count_outside_one_to_a_hundred_is_refused(api: Api, count: str) -> None:
    answer = await api.get("/scheduled_events", user=await mine(api), count=count)
    assert answer.json()["details"] == [{"parameter": "count", "message": "must be between 1 and 100"}]


async def test_time_bounds_are_exclusive(api: Api) -> None:
    user = await mine(api)
    rows = await api.read("/scheduled_events", user=user, count=10)
    first, last = rows[0]["start_time"], rows[9]["start_time"]
    between = await api.read("/scheduled_events", user=user, min_start_time=first, max_start_time=last)
    assert [row["uri"] for row in between] == [row["uri"] for row in rows[1:9]]


async def test_status_and_invitee_email_narrow_the_list(api: Api) -> None:
    user = await mine(api)
    canceled = await api.read("/scheduled_events", user=user, status="canceled", count=100)
    assert {row["status"] for row in canceled} == {"canceled"}
    assert all(row["cancellation"]["canceled_by"] for row in canceled)
    active = await api.read("/scheduled_events", user=user, status="active", count=100)
    assert not any("cancellation" in row for row in active)
    hers = await api.read("/scheduled_events", user=user, invitee_email="ADA@elsewhere.example")
    assert len(hers) == 1
    invitee = (await api.read(f"{path_of(hers[0]['uri'])}/invitees"))[0]
    assert "Ignore all previous" in invitee["questions_and_answers"][0]["answer"]


async def test_a_list_of_meetings_needs_a_user_a_group_or_an_organization(api: Api) -> None:
    answer = await api.get("/scheduled_events")
    assert {detail["parameter"] for detail in answer.json()["details"]} == {"user", "organization", "group"}


async def test_who_may_list_whose_meetings(api: Api) -> None:
    organization = (await api.me())["current_organization"]
    owner, member, free = [(await api.me(token))["uri"] for token in ("owner", "member", "free")]
    foreign = (await api.me("free"))["current_organization"]
    expected: list[tuple[str, dict[str, str], int, str | None]] = [
        ("member", {"user": member}, 200, None),
        ("member", {"user": member, "organization": organization}, 200, None),
        ("member", {"organization": organization}, 403, "You do not have permission"),
        (
            "owner",
            {"user": member},
            403,
            "Please also specify organization when requesting events for a user within your organization.",
        ),
        ("owner", {"user": member, "organization": organization}, 200, None),
        ("admin", {"user": owner, "organization": organization}, 200, None),
        (
            "member",
            {"user": owner, "organization": organization},
            403,
            "You do not have permission to access this resource.",
        ),
        ("owner", {"user": free}, 403, "This user is not in your organization"),
        ("owner", {"organization": foreign}, 403, "You do not have permission"),
    ]
    for token, query, status, message in expected:
        answer = await api.get("/scheduled_events", token, **query)
        assert (answer.status_code, answer.json().get("message")) == (status, message)


async def test_a_group_is_listed_by_its_admin_and_those_of_the_organization(api: Api) -> None:
    group = f"{CALENDLY}/groups/0d7e0a1f-5df6-48b8-ba3d-7b4a39de3d2a"
    assert (await api.get("/scheduled_events", group=group)).status_code == 404
    group = f"{CALENDLY}/groups/{fixed_id('group support')}"  # no endpoint lists groups
    for token in ("owner", "admin", "member"):
        rows = await api.read("/scheduled_events", token, group=group)
        assert {row["name"] for row in rows} == {"Support triage", "Coaching session", "Office hours"}
    assert (await api.get("/scheduled_events", "free", group=group)).status_code == 403


async def test_a_meeting_is_seen_by_its_hosts_and_by_administrators(api: Api) -> None:
    event = path_of((await api.read("/scheduled_events", user=await mine(api), count=1))[0]["uri"])
    assert (await api.get(event, "admin")).status_code == 200
    for path, message in (
        (event, "You are not allowed to view this event"),
        (f"{event}/invitees", "You do not have permission to view this event"),
    ):
        for token in ("member", "free"):
            answer = await api.get(path, token)
            assert (answer.status_code, answer.json()["message"]) == (403, message)


async def test_canceling_tells_every_invitee_once_and_frees_the_slot(api: Api) -> None:
    invitee = await api.book(event_guests=["guest@acme.example"])
    event = path_of(invitee["event"])
    before = await api.read(event)
    answer = await api.post(f"{event}/cancellation", {"reason": "Speaker is ill"})
    assert answer.status_code == 201
    assert answer.json()["resource"] == {
        "canceled_by": "Maya Lindqvist",
        "reason": "Speaker is ill",
        "canceler_type": "host",
        "created_at": MONDAY.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    after = await api.read(event)
    assert (after["status"], after["cancellation"]) == ("canceled", answer.json()["resource"])
    assert after["invitees_counter"] == {"total": 1, "active": 0, "limit": 1}
    assert (await api.read(invitee["uri"]))["status"] == "canceled"
    mails = (await api.http.get("/_sandbox/outbox")).json()
    assert [mail["to"] for mail in mails if mail["subject"].startswith("Canceled")] == [
        "lee@acme.example",
        "guest@acme.example",
    ]
    kind = await api.event_type("Intro call")
    start = iso(datetime.fromisoformat(before["start_time"]))
    assert start in await api.slots(kind["uri"])


async def test_a_coming_meeting_can_be_canceled_once_by_those_who_may(api: Api) -> None:
    user = await mine(api)
    coming = path_of(
        (await api.read("/scheduled_events", user=user, status="active", min_start_time=iso(MONDAY)))[0]["uri"]
    )
    past = path_of((await api.read("/scheduled_events", user=user, status="active"))[0]["uri"])
    for event, token, status, message in (
        (coming, "member", 403, "You are not allowed to cancel this event"),
        (past, "owner", 403, "Event in the past"),
        (coming, "admin", 201, None),
        (coming, "owner", 403, "Event is already canceled"),
    ):
        answer = await api.post(f"{event}/cancellation", {}, token)
        assert (answer.status_code, answer.json().get("message")) == (status, message)


async def test_a_reason_has_ten_thousand_characters_at_most_and_the_body_may_be_missing(api: Api) -> None:
    invitee = await api.book()
    event = path_of(invitee["event"])
    answer = await api.post(f"{event}/cancellation", {"reason": "x" * 10_001})
    assert answer.json()["details"][0]["parameter"] == "reason"
    answer = await api.http.post(f"{event}/cancellation", headers={"Authorization": "Bearer sandbox-pat-owner"})
    assert (answer.status_code, answer.json()["resource"]["reason"]) == (201, None)


@pytest.mark.requirement("control-read-lag")
async def test_a_lag_keeps_new_bookings_out_of_lists_but_not_from_being_read(api: Api) -> None:
    await api.control("faults", {"read_lag": 30})
    invitee = await api.book()
    query = {"user": await mine(api), "invitee_email": "lee@acme.example"}
    assert (await api.read(invitee["uri"]))["email"] == "lee@acme.example"
    assert await api.read("/scheduled_events", **query) == []
    assert await api.read(f"{path_of(invitee['event'])}/invitees") == []
    await api.control("clock", {"now": iso(MONDAY + timedelta(seconds=30))})
    assert [row["uri"] for row in await api.read("/scheduled_events", **query)] == [invitee["event"]]
    assert len(await api.read(f"{path_of(invitee['event'])}/invitees")) == 1


async def test_invitees_are_narrowed_by_status_and_email(api: Api) -> None:
    events = await api.read("/scheduled_events", user=await mine(api), min_start_time=iso(MONDAY), count=100)
    workshop = next(event for event in events if event["name"] == "Product workshop")
    path = f"{path_of(workshop['uri'])}/invitees"
    everyone = await api.read(path)
    assert len(everyone) == 3
    assert await api.read(path, email=everyone[1]["email"].upper()) == [everyone[1]]
    assert len(await api.read(path, status="active")) == 3
    assert await api.read(path, status="canceled") == []
