"""Listing and reading event types, and creating one-off ones."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sandbox.records.identifiers import fixed_id
from tests.sandbox.api import CALENDLY, MONDAY, OWNER, Api, Json, iso

DAY = timedelta(days=1)
NEVER = f"{CALENDLY}/users/00000000-0000-4000-8000-000000000000"


async def test_a_list_needs_a_person_or_an_organization(api: Api) -> None:
    answer = await api.get("/event_types")
    assert {detail["parameter"] for detail in answer.json()["details"]} == {"organization", "user"}


async def test_types_are_narrowed_by_state_and_by_who_manages_them(api: Api) -> None:
    organization = (await api.me())["current_organization"]
    everything = await api.read("/event_types", organization=organization, count=100)
    assert len(everything) == 12
    assert [row["name"] for row in everything] == sorted(row["name"] for row in everything)
    inactive = await api.read("/event_types", organization=organization, active="false")
    assert [row["name"] for row in inactive] == ["Consultation (old)"]
    active = await api.read("/event_types", organization=organization, active="true", count=100)
    assert len(active) == 11
    managed = await api.read("/event_types", organization=organization, admin_managed="true")
    assert [row["name"] for row in managed] == ["Hiring panel", "Support triage"]
    assert len(await api.read("/event_types", organization=organization, admin_managed="false")) == 10


async def test_who_may_list_whose_types(api: Api) -> None:
    owner, member = [await api.me(token) for token in ("owner", "member")]
    organization = {"organization": owner["current_organization"]}
    for token, query, status, message in (
        ("member", {"user": member["uri"]}, 200, None),
        ("member", {"user": member["uri"], **organization}, 200, None),
        ("admin", {"user": member["uri"]}, 200, None),
        ("member", {"user": owner["uri"]}, 403, "You do not have permission"),
        ("member", organization, 403, "You do not have permission to access this resource."),
        ("free", {"user": owner["uri"]}, 403, "This user is not in your organization"),
        ("free", organization, 403, "You do not have permission to access this resource."),
        ("owner", {"user": NEVER}, 404, "The server could not find the requested resource."),
    ):
        answer = await api.get("/event_types", token, **query)
        assert (answer.status_code, answer.json().get("message")) == (status, message)


async def test_a_schedule_narrows_only_together_with_its_person(api: Api) -> None:
    me = await api.me()
    plan = (await api.read("/user_availability_schedules", user=me["uri"]))[0]["uri"]
    answer = await api.get("/event_types", organization=me["current_organization"], user_availability_schedule=plan)
    assert [detail["parameter"] for detail in answer.json()["details"]] == ["user_availability_schedule"]


async def test_a_type_is_read_by_its_hosts_and_administrators_even_when_deleted(api: Api) -> None:
    triage = (await api.event_type("Support triage"))["uri"]
    intro = (await api.event_type("Intro call"))["uri"]
    for address, token, status in ((triage, "member", 200), (intro, "admin", 200), (intro, "member", 403)):
        assert (await api.get(address, token)).status_code == status
    deleted = await api.read(f"/event_types/{fixed_id('event type maya-lindqvist summer-special')}")
    assert deleted["deleted_at"] is not None
    assert deleted["name"] == "Summer special"


async def test_questions_carry_what_a_booking_form_needs(api: Api) -> None:
    questions = (await api.event_type("Intro call"))["custom_questions"]
    assert [question["type"] for question in questions] == [
        "text",
        "single_select",
        "multi_select",
        "phone_number",
        "string",
    ]
    assert [question["required"] for question in questions] == [True, False, False, False, False]
    assert [question["position"] for question in questions] == [0, 1, 2, 3, 4]
    assert questions[1]["answer_choices"] == ["A friend", "Search", "An event"]
    assert questions[1]["include_other"] is True


async def one_off(api: Api, token: str = OWNER, **changes: Json) -> Json:
    body = {
        "name": "Contract review",
        "host": (await api.me(token))["uri"],
        "duration": 45,
        "date_setting": {"type": "days_in_future", "days": 3, "only_weekdays": True},
        **changes,
    }
    return await api.post("/one_off_event_types", body, token)


async def test_a_one_off_type_can_be_booked_at_its_own_address(api: Api) -> None:
    place = {"kind": "physical", "location": "Room 4", "additional_info": "Second floor"}
    answer = await one_off(api, location=place)
    assert answer.status_code == 201
    kind = answer.json()["resource"]
    assert (kind["type"], kind["slug"], kind["secret"]) == ("AdhocEventType", None, True)
    assert (kind["duration"], kind["duration_options"], kind["start_time_increment"]) == (45, None, None)
    assert kind["locations"] == [place]
    assert kind["scheduling_url"].startswith("https://calendly.com/d/")
    assert kind["scheduling_url"].endswith("/contract-review")
    assert await api.read(kind["uri"]) == kind
    booking = await api.booking(
        event_type=kind["uri"],
        start_time=(await api.slots(kind["uri"]))[0],
        location={"kind": "physical", "location": "Room 4"},
        questions_and_answers=None,
    )
    assert (await api.post("/invitees", booking)).status_code == 201


@pytest.mark.parametrize(
    ("setting", "days"),
    [
        ({"type": "days_in_future", "days": 5, "only_weekdays": True}, [23, 24, 25, 26, 27]),
        ({"type": "days_in_future", "days": 0, "only_weekdays": False}, [23]),
        ({"type": "date_range", "start_date": "2026-11-25", "end_date": "2026-11-26"}, [25, 26]),
        (
            {
                "type": "spots",
                "spots": [{"start_time": "2026-11-26T12:00:00Z", "end_time": "2026-11-26T14:00:00Z"}],
            },
            [26],
        ),
    ],
    ids=["weekdays", "today", "range", "spots"],
)
async def test_a_one_off_type_opens_on_its_days_only(api: Api, setting: Json, days: list[int]) -> None:
    kind = (await one_off(api, date_setting=setting)).json()["resource"]
    starts = [datetime.fromisoformat(start) for start in await api.slots(kind["uri"], days=20)]
    assert sorted({start.astimezone(ZoneInfo("Europe/Berlin")).day for start in starts}) == days
    if setting["type"] == "spots":
        assert [iso(start)[11:16] for start in starts] == ["12:00", "12:30", "13:00"]


async def test_co_hosts_meet_together(api: Api) -> None:
    tomas = (await api.me("admin"))["uri"]
    kind = (await one_off(api, co_hosts=[tomas])).json()["resource"]
    assert kind["pooling_type"] == "collective"
    assert {datetime.fromisoformat(start).hour for start in await api.slots(kind["uri"])} <= {14, 15, 16}


@pytest.mark.parametrize(
    ("changes", "parameter"),
    [
        ({"name": "x" * 56}, "name"),
        ({"duration": 721}, "duration"),
        ({"duration": 0}, "duration"),
        ({"duration": True}, "duration"),
        ({"timezone": "Nowhere"}, "timezone"),
        ({"co_hosts": ["nonsense"]}, "co_hosts"),
        ({"co_hosts": [NEVER] * 10}, "co_hosts"),
        ({"co_hosts": 7}, "co_hosts"),
        ({"location": {"kind": "moon"}}, "location.kind"),
        ({"location": {"kind": "inbound_call"}}, "location.phone_number"),
        ({"location": "here"}, "location"),
        ({"date_setting": {}}, "date_setting.type"),
        ({"date_setting": {"type": "whenever"}}, "date_setting.type"),
        ({"date_setting": {"type": "days_in_future"}}, "date_setting.days"),
        ({"date_setting": {"type": "days_in_future", "days": 366, "only_weekdays": True}}, "date_setting.days"),
        ({"date_setting": {"type": "days_in_future", "days": 1.5, "only_weekdays": True}}, "date_setting.days"),
        ({"date_setting": {"type": "days_in_future", "days": 1, "only_weekdays": "no"}}, "date_setting.only_weekdays"),
        ({"date_setting": {"type": "spots", "spots": []}}, "date_setting.spots"),
        ({"date_setting": {"type": "spots", "spots": [{"start_time": "x"}]}}, "date_setting.spots"),
        ({"date_setting": {"type": "date_range", "start_date": "tomorrow"}}, "date_setting.start_date"),
        (
            {"date_setting": {"type": "date_range", "start_date": "2026-12-02", "end_date": "2026-12-01"}},
            "date_setting.start_date",
        ),
        (
            {"date_setting": {"type": "date_range", "start_date": "2026-11-01", "end_date": "2026-11-02"}},
            "date_setting.end_date",
        ),
        (
            {"date_setting": {"type": "date_range", "start_date": "2026-12-01", "end_date": "2027-12-01"}},
            "date_setting.end_date",
        ),
    ],
)
async def test_what_is_wrong_with_a_one_off_type_is_named(api: Api, changes: Json, parameter: str) -> None:
    answer = await one_off(api, **changes)
    assert answer.status_code == 400, answer.text
    assert parameter in {detail["parameter"] for detail in answer.json()["details"]}


async def test_who_may_host_a_one_off_type(api: Api) -> None:
    owner, member, free = [(await api.me(token))["uri"] for token in ("owner", "member", "free")]
    for token, changes, status, message in (
        ("admin", {"host": member}, 201, None),
        ("member", {"host": owner}, 403, "You do not have permission"),
        ("owner", {"host": free}, 403, "This user is not in your organization"),
        ("owner", {"co_hosts": [free]}, 403, "This user is not in your organization"),
        ("owner", {"co_hosts": [NEVER]}, 404, "The server could not find the requested resource."),
    ):
        answer = await one_off(api, token, **changes)
        assert (answer.status_code, answer.json().get("message")) == (status, message)


async def test_a_one_off_type_reaches_as_far_ahead_as_its_days(api: Api) -> None:
    kind = (await one_off(api, date_setting={"type": "days_in_future", "days": 200, "only_weekdays": True})).json()[
        "resource"
    ]
    assert await api.slots(kind["uri"], after=MONDAY + 150 * DAY)
    intro = await api.event_type("Intro call")
    assert await api.slots(intro["uri"], after=MONDAY + 150 * DAY) == []


@pytest.mark.requirement("sandbox-validation")
async def test_settings_are_changed_by_who_manages_a_one_on_one_type(api: Api) -> None:
    kinds = {kind["name"]: kind for kind in await api.read("/event_types", user=(await api.me())["uri"], count=100)}
    intro = kinds["Intro call"]
    for name, value in (
        ("locations", 7),
        ("locations", [{"location": "Room 4"}]),
        ("color", "blue"),
        ("before_buffer", 7),
        ("duration_options", [30, 30]),
    ):
        answer = await api.patch(intro["uri"], {name: value})
        assert (answer.status_code, answer.json()["details"][0]["parameter"]) == (400, name)
    place = {"kind": "physical", "location": "Room 4"}
    answer = await api.patch(intro["uri"], {"locations": [place], "color": "#00aa11", "before_buffer": 15})
    assert answer.json()["resource"]["locations"] == [place]
    assert (await api.patch(intro["uri"], {"name": "Mine"}, "member")).status_code == 403
    assert (await api.patch(f"{CALENDLY}/event_types/AAAAAAAAAAAAAAAA", {"name": "x"})).status_code == 404
    organization = (await api.me())["current_organization"]
    shared = await api.read("/event_types", organization=organization, admin_managed="true")
    assert {(await api.patch(kind["uri"], {"name": "x"})).status_code for kind in shared} == {403}
