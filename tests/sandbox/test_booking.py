"""Booking through the API."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox.api import MONDAY, Api, Json, iso, path_of

LOWER_CASE = "what would you like to talk about?"
TAKEN = [{"parameter": "event.start_time", "message": "That start time has been filled", "code": "already_filled"}]


@pytest.mark.requirement("sandbox-state", "control-outbox")
async def test_a_booking_makes_an_event_an_invitee_and_mails_everyone(api: Api) -> None:
    tracking = dict.fromkeys(("utm_campaign", "utm_medium", "utm_content", "utm_term", "salesforce_uuid"))
    body = await api.booking(
        invitee={
            "first_name": "Lee",
            "last_name": "Park",
            "email": "lee@acme.example",
            "timezone": "America/New_York",
            "text_reminder_number": "+14155551234",
        },
        tracking={**tracking, "utm_source": "agent"},
        event_guests=["sam@acme.example"],
    )
    answer = await api.post("/invitees", body)
    assert answer.status_code == 201
    invitee = answer.json()["resource"]
    assert (invitee["name"], invitee["first_name"], invitee["last_name"]) == ("Lee Park", "Lee", "Park")
    assert (invitee["scheduling_method"], invitee["invitee_scheduled_by"]) == ("api", (await api.me())["uri"])
    assert (invitee["tracking"]["utm_source"], invitee["text_reminder_number"]) == ("agent", "+14155551234")
    assert invitee["questions_and_answers"] == body["questions_and_answers"]
    assert "cancellation" not in invitee
    assert await api.read(invitee["uri"]) == invitee
    event = await api.read(invitee["event"])
    assert iso(datetime.fromisoformat(event["start_time"])) == body["start_time"]
    assert (event["location"]["type"], event["location"]["status"]) == ("zoom", "pushed")
    assert [guest["email"] for guest in event["event_guests"]] == ["sam@acme.example"]
    assert event["event_memberships"][0]["user_name"] == "Maya Lindqvist"
    mails = (await api.http.get("/_sandbox/outbox")).json()
    assert [mail["to"] for mail in mails] == ["lee@acme.example", "sam@acme.example", "maya@northlight.example"]
    assert [invitee["cancel_url"] in mail["text"] for mail in mails] == [True, False, False]


@pytest.mark.requirement("sandbox-state")
async def test_a_slot_is_gone_once_booked(api: Api) -> None:
    body = await api.booking()
    assert (await api.post("/invitees", body)).status_code == 201
    assert body["start_time"] not in await api.slots(body["event_type"])
    answer = await api.post("/invitees", body)
    assert (answer.status_code, answer.json()["details"]) == (400, TAKEN)


@pytest.mark.parametrize(
    "start",
    [
        MONDAY - timedelta(days=7),
        MONDAY + timedelta(hours=3, minutes=7),
        MONDAY + timedelta(days=5, hours=6),
        MONDAY + timedelta(days=70, hours=6),
        datetime(8999, 12, 31, 23, 59, tzinfo=UTC),
    ],
    ids=["past", "between slots", "weekend", "beyond the horizon", "beyond all horizons"],
)
async def test_only_an_open_slot_can_be_booked(api: Api, start: datetime) -> None:
    answer = await api.post("/invitees", await api.booking(start_time=iso(start)))
    assert (answer.status_code, answer.json()["details"]) == (400, TAKEN)


async def test_the_start_may_be_written_in_any_zone(api: Api) -> None:
    body = await api.booking()
    start = datetime.fromisoformat(body["start_time"])
    body["start_time"] = f"{start + timedelta(hours=5, minutes=30):%Y-%m-%dT%H:%M:%S.000000}+05:30"
    assert (await api.post("/invitees", body)).status_code == 201


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"start_time": "tomorrow"}, "start_time"),
        ({"start_time": "9999-12-31T23:59:59Z"}, "start_time"),
        ({"start_time": "0001-01-01T00:00:00+14:00"}, "start_time"),
        ({"start_time": "2026-11-24T09:00:00"}, "start_time"),
        ({"event_type": "https://evil.example/event_types/8aa542cd-1848-4a4c-a5ec-59469138b92a"}, "event_type"),
        ({"event_type": 7}, "event_type"),
        ({"invitee": "lee"}, "invitee"),
        ({"invitee": {"email": "lee@acme.example", "timezone": "UTC"}}, "invitee.name"),
        ({"invitee": {"name": "Lee", "timezone": "UTC"}}, "invitee.email"),
        ({"invitee": {"name": "Lee", "email": "lee", "timezone": "UTC"}}, "invitee.email"),
        ({"invitee": {"name": "Lee", "email": "lee@acme.example"}}, "invitee.timezone"),
        ({"invitee": {"name": "Lee", "email": "l@a.co", "timezone": "Mars/Olympus"}}, "invitee.timezone"),
        ({"invitee": {"name": "Lee", "email": "l@a.co", "timezone": "Europe"}}, "invitee.timezone"),
        (
            {"invitee": {"name": "L", "email": "l@a.co", "timezone": "UTC", "text_reminder_number": "0171"}},
            "invitee.text_reminder_number",
        ),
        ({"location": None}, "location"),
        ({"location": {}}, "location.kind"),
        ({"location": {"kind": "physical", "location": "Room 4"}}, "location.kind"),
        ({"questions_and_answers": None}, "questions_and_answers"),
        ({"questions_and_answers": "Pricing"}, "questions_and_answers"),
        ({"questions_and_answers": [{"question": "What?"}]}, "questions_and_answers"),
        (
            {
                "questions_and_answers": [
                    {"question": "what would you like to talk about?", "answer": "x", "position": 0}
                ]
            },
            "questions_and_answers",
        ),
        (
            {"questions_and_answers": [{"question": "Fax number", "answer": "x", "position": 4}]},
            "questions_and_answers",
        ),
        ({"tracking": {"utm_source": "agent"}}, "tracking.salesforce_uuid"),
        ({"tracking": dict.fromkeys(("utm_source", "utm_term"), 7)}, "tracking.utm_source"),
        ({"event_guests": [f"guest{number}@acme.example" for number in range(11)]}, "event_guests"),
        ({"event_guests": ["nobody"]}, "event_guests"),
    ],
)
async def test_what_is_wrong_with_a_booking_is_named(api: Api, changes: Json, parameter: str) -> None:
    answer = await api.post("/invitees", await api.booking(**changes))
    assert (answer.status_code, answer.json()["title"]) == (400, "Invalid Argument")
    assert parameter in {detail["parameter"] for detail in answer.json()["details"]}


async def test_everything_that_is_wrong_is_named_at_once(api: Api) -> None:
    answer = await api.post("/invitees", await api.booking(event_guests=["x"], location={}, invitee={"email": "x"}))
    assert {detail["parameter"] for detail in answer.json()["details"]} == {
        "event_guests",
        "location.kind",
        "invitee.email",
        "invitee.name",
        "invitee.timezone",
    }


async def test_a_type_must_exist_be_active_and_belong_to_the_organization(api: Api) -> None:
    body = await api.booking()
    foreign = (await api.event_type("30 Minute Meeting", "free"))["uri"]
    inactive = (await api.event_type("Consultation (old)"))["uri"]
    for event_type, status, message in (
        (foreign, 403, "You do not have permission to access this resource."),
        (f"{foreign[:-12]}000000000000", 404, "The server could not find the requested resource."),
        (inactive, 400, "The supplied parameters are invalid."),
    ):
        answer = await api.post("/invitees", {**body, "event_type": event_type})
        assert (answer.status_code, answer.json()["message"]) == (status, message)


async def test_a_member_can_book_the_type_of_a_colleague(api: Api) -> None:
    body = await api.booking()
    answer = await api.post("/invitees", body, "member")
    assert answer.json()["resource"]["invitee_scheduled_by"] == (await api.me("member"))["uri"]


@pytest.mark.parametrize("token", ["free", "enterprise"])
async def test_every_plan_may_book(api: Api, token: str) -> None:
    name = {"free": "30 Minute Meeting", "enterprise": "Security review"}[token]
    assert (await api.book(name, token))["status"] == "active"


async def test_a_group_shares_one_meeting_until_it_is_full(api: Api) -> None:
    body = await api.booking("Product workshop")
    remaining: list[Json] = []
    events: set[str] = set()
    for number in range(4):
        rows = await api.read(
            "/event_type_available_times",
            event_type=body["event_type"],
            start_time=body["start_time"],
            end_time=iso(MONDAY + timedelta(days=6)),
        )
        remaining.append(rows[0]["invitees_remaining"])
        invitee = {"name": f"Guest {number}", "email": f"g{number}@acme.example", "timezone": "UTC"}
        answer = await api.post("/invitees", {**body, "invitee": invitee})
        events.add(answer.json()["resource"]["event"])
    assert remaining == [4, 3, 2, 1]
    assert len(events) == 1
    assert (await api.post("/invitees", body)).json()["details"] == TAKEN
    assert (await api.read(events.pop()))["invitees_counter"] == {"total": 4, "active": 4, "limit": 4}


async def test_a_collective_meeting_takes_all_its_hosts_at_once(api: Api) -> None:
    invitee = await api.book("Hiring panel", location={"kind": "zoom_conference"})
    event = await api.read(invitee["event"])
    assert {host["user_name"] for host in event["event_memberships"]} == {"Maya Lindqvist", "Tomás Herrera"}
    start = iso(datetime.fromisoformat(event["start_time"]))
    for name, token in (("Intro call", "owner"), ("Partner sync", "admin")):
        kind = await api.event_type(name, token)
        assert start not in await api.slots(kind["uri"], token)


async def test_a_round_robin_takes_no_location_and_picks_the_host_with_the_fewest_meetings(api: Api) -> None:
    body = await api.booking("Support triage")
    refused = await api.post("/invitees", {**body, "location": {"kind": "zoom_conference"}})
    assert "location" in {detail["parameter"] for detail in refused.json()["details"]}
    kind = await api.event_type("Support triage")
    hosts: list[str] = []
    for _ in range(4):
        invitee = await api.book("Support triage")
        hosts += [host["user_name"] for host in (await api.read(invitee["event"]))["event_memberships"]]
    assert len(hosts) == 4
    assert kind["pooling_type"] == "round_robin"
    assert kind["profile"] is None


@pytest.mark.parametrize(
    ("location", "read"),
    [
        (
            {"kind": "physical", "location": "Room 4"},
            {"type": "physical", "location": "Room 4", "additional_info": "Ring twice"},
        ),
        ({"kind": "outbound_call", "location": "+14155551234"}, {"type": "outbound_call", "location": "+14155551234"}),
        (
            {"kind": "inbound_call"},
            {"type": "inbound_call", "location": "+49 30 5550123", "additional_info": "Ask for Maya"},
        ),
        ({"kind": "ask_invitee", "location": "My office"}, {"type": "ask_invitee", "location": "My office"}),
        ({"kind": "custom", "location": "The park"}, {"type": "custom", "location": "The park"}),
    ],
    ids=lambda value: value.get("kind", ""),
)
async def test_each_kind_of_location_is_read_back_under_its_type(api: Api, location: Json, read: Json) -> None:
    invitee = await api.book("Design review", location=location)
    assert (await api.read(invitee["event"]))["location"] == read


@pytest.mark.parametrize(
    ("name", "token", "read_type"),
    [
        ("Office hours", "owner", "gotomeeting"),
        ("Deep dive", "owner", "google_conference"),
        ("Product workshop", "owner", "webex_conference"),
        ("Security review", "enterprise", "microsoft_teams_conference"),
    ],
)
async def test_each_conference_is_read_back_with_its_details(api: Api, name: str, token: str, read_type: str) -> None:
    if name == "Office hours":
        organization = (await api.me())["current_organization"]
        kinds = await api.read("/event_types", organization=organization, count=100)
        kind = next(row for row in kinds if row["name"] == name)
        body = await api.booking(
            "Intro call",
            event_type=kind["uri"],
            start_time=(await api.slots(kind["uri"]))[0],
            location={"kind": "gotomeeting_conference"},
            questions_and_answers=[],
        )
        invitee = (await api.post("/invitees", body)).json()["resource"]
    else:
        invitee = await api.book(name, token)
    location = (await api.read(invitee["event"], token))["location"]
    assert (location["type"], location["status"]) == (read_type, "pushed")
    assert location["join_url"].startswith("https://")


@pytest.mark.parametrize("kind", ["physical", "outbound_call", "ask_invitee", "custom"])
async def test_a_location_that_the_invitee_chooses_must_be_given(api: Api, kind: str) -> None:
    answer = await api.post("/invitees", await api.booking("Design review", location={"kind": kind}))
    assert answer.json()["details"] == [{"parameter": "location.location", "message": "must be filled"}]


async def test_buffers_of_a_booking_keep_the_neighbouring_slots_free(api: Api) -> None:
    kind = await api.event_type("Deep dive")
    slots = await api.slots(kind["uri"])
    invitee = await api.book("Deep dive", start_time=slots[2])
    event = await api.read(invitee["event"])
    host = event["event_memberships"][0]
    assert host["buffered_start_time"] < event["start_time"] < event["end_time"] < host["buffered_end_time"]
    intro = await api.event_type("Intro call")
    after = iso(datetime.fromisoformat(event["end_time"]))
    assert after not in await api.slots(intro["uri"])


async def test_the_invitee_of_another_event_is_not_found_under_this_one(api: Api) -> None:
    first, second = await api.book(), await api.book()
    mixed = f"{path_of(first['event'])}/invitees/{second['uri'].rpartition('/')[2]}"
    assert (await api.get(mixed)).status_code == 404
