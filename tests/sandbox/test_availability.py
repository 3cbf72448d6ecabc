"""Available times, busy times and working hours."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.sandbox.api import MONDAY, OWNER, Api, Json, iso

HOUR = timedelta(hours=1)


async def window(api: Api, path: str, start: datetime, end: datetime, token: str = OWNER) -> Json:
    kind = {"event_type": (await api.event_type("Intro call"))["uri"]}
    who = kind if path == "/event_type_available_times" else {"user": (await api.me())["uri"]}
    return await api.get(path, token, start_time=iso(start), end_time=iso(end), **who)


@pytest.mark.requirement("sandbox-windows")
@pytest.mark.parametrize(("path", "days"), [("/event_type_available_times", 31), ("/user_busy_times", 7)])
async def test_a_window_has_a_longest_length(api: Api, path: str, days: int) -> None:
    start = MONDAY + HOUR
    assert (await window(api, path, start, start + timedelta(days=days))).status_code == 200
    answer = await window(api, path, start, start + timedelta(days=days, seconds=1))
    assert answer.json()["details"] == [
        {"parameter": "end_time", "message": f"date range can be no greater than {days} days"}
    ]


@pytest.mark.requirement("sandbox-older-limits", "control-limits")
async def test_a_control_sets_the_older_limit_of_seven_days(api: Api) -> None:
    await api.control("limits", {"available_times_days": 7})
    start = MONDAY + HOUR
    answer = await window(api, "/event_type_available_times", start, start + timedelta(days=8))
    assert answer.json()["details"][0]["message"] == "date range can be no greater than 7 days"
    assert (await window(api, "/event_type_available_times", start, start + timedelta(days=7))).status_code == 200


@pytest.mark.parametrize("path", ["/event_type_available_times", "/user_busy_times"])
async def test_a_window_lies_in_the_future_and_in_order(api: Api, path: str) -> None:
    past = await window(api, path, MONDAY - HOUR, MONDAY + HOUR)
    assert past.json()["details"] == [{"parameter": "start_time", "message": "start_time must be in the future"}]
    empty = await window(api, path, MONDAY + HOUR, MONDAY + HOUR)
    assert empty.json()["details"] == [{"parameter": "start_time", "message": "start_time must be before end_time"}]


async def test_a_slot_has_the_four_fields_and_its_page(api: Api) -> None:
    rows = (await window(api, "/event_type_available_times", MONDAY + HOUR, MONDAY + timedelta(days=2))).json()
    assert set(rows) == {"collection"}
    slot = rows["collection"][0]
    assert slot["status"] == "available"
    assert slot["invitees_remaining"] == 1
    day = slot["start_time"][:10]
    assert slot["scheduling_url"] == (
        f"https://calendly.com/maya-lindqvist/intro-call/{slot['start_time']}?month={day[:7]}&date={day}"
    )


@pytest.mark.parametrize("moment", [datetime(2026, 3, 26, tzinfo=UTC), datetime(2026, 10, 22, tzinfo=UTC)])
async def test_slots_keep_the_owners_wall_clock_across_a_clock_change(api: Api, moment: datetime) -> None:
    await api.control("clock", {"now": iso(moment)})
    kind = await api.event_type("Intro call")
    starts = [datetime.fromisoformat(start) for start in await api.slots(kind["uri"], after=moment, days=12)]
    local = [start.astimezone(ZoneInfo("Europe/Berlin")) for start in starts]
    assert {start.utcoffset() for start in local} == {HOUR, 2 * HOUR}
    assert {start.hour for start in local} <= {9, 10, 11, 13, 14, 15, 16, 17}
    assert all(start.weekday() < 5 for start in local)


async def test_neighbouring_windows_give_each_slot_once(api: Api) -> None:
    kind = (await api.event_type("Intro call"))["uri"]
    whole = await api.slots(kind, days=14)
    halves = await api.slots(kind, days=7) + await api.slots(kind, after=MONDAY + timedelta(days=7), days=7)
    assert halves == whole


async def test_a_type_may_follow_a_schedule_of_its_own(api: Api) -> None:
    kind = await api.event_type("Morning coffee")
    local = [
        datetime.fromisoformat(start).astimezone(ZoneInfo("Europe/Berlin"))
        for start in await api.slots(kind["uri"], days=20)
    ]
    assert {start.hour for start in local} == {8, 9, 10}
    me = (await api.me())["uri"]
    schedules = {plan["name"]: plan["uri"] for plan in await api.read("/user_availability_schedules", user=me)}
    users = await api.read("/event_types", user=me, user_availability_schedule=schedules["Mornings"])
    assert [row["name"] for row in users] == ["Morning coffee"]


async def test_an_inactive_type_has_no_slots_and_a_secret_one_has(api: Api) -> None:
    assert await api.slots((await api.event_type("Consultation (old)"))["uri"]) == []
    assert await api.slots((await api.event_type("Board briefing"))["uri"])


async def test_slots_are_shown_to_the_organization_and_to_nobody_else(api: Api) -> None:
    for token, status in (("member", 200), ("free", 403)):
        answer = await window(api, "/event_type_available_times", MONDAY + HOUR, MONDAY + 5 * HOUR, token)
        assert answer.status_code == status


async def test_busy_times_come_in_order_with_what_each_kind_has(api: Api) -> None:
    start = MONDAY + timedelta(days=7)
    rows = (await window(api, "/user_busy_times", start, start + timedelta(days=4))).json()["collection"]
    assert [row["start_time"] for row in rows] == sorted(row["start_time"] for row in rows)
    assert {row["type"] for row in rows} == {"calendly", "external", "reserved"}
    for row in rows:
        assert ("event" in row) == ("buffered_start_time" in row) == (row["type"] == "calendly")


async def test_nothing_can_be_booked_where_a_calendar_is_busy(api: Api) -> None:
    start = MONDAY + timedelta(days=7)
    rows = (await window(api, "/user_busy_times", start, start + timedelta(days=4))).json()["collection"]
    kind = (await api.event_type("Intro call"))["uri"]
    slots = await api.slots(kind, after=start, days=4)
    for row in rows:
        assert not [slot for slot in slots if row["start_time"][:19] <= slot[:19] < row["end_time"][:19]]


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/user_busy_times", "You do not have permission"),
        ("/user_availability_schedules", "This user is not in your organization"),
    ],
)
async def test_who_may_read_whose_availability(api: Api, path: str, refusal: str) -> None:
    times = {"start_time": iso(MONDAY + HOUR), "end_time": iso(MONDAY + 2 * HOUR)}
    query = times if path == "/user_busy_times" else {}
    owner, member = [(await api.me(token))["uri"] for token in ("owner", "member")]
    for token, user, status, message in (
        ("member", member, 200, None),
        ("admin", member, 200, None),
        ("member", owner, 403, refusal),
        ("free", owner, 403, "This user is not in your organization"),
    ):
        answer = await api.get(path, token, user=user, **query)
        assert (answer.status_code, answer.json().get("message")) == (status, message)


async def test_a_schedule_is_read_by_its_person_and_by_administrators(api: Api) -> None:
    plan = (await api.read("/user_availability_schedules", user=(await api.me("admin"))["uri"]))[0]
    assert plan["timezone"] == "America/New_York"
    assert (plan["rules"][0]["wday"], plan["rules"][0]["intervals"]) == ("sunday", [])
    assert plan["rules"][1]["intervals"] == [{"from": "09:00", "to": "17:00"}]
    assert await api.read(plan["uri"]) == plan
    answer = await api.get(plan["uri"], "member")
    assert (answer.status_code, answer.json()["message"]) == (403, "This user is not in your organization")


async def test_a_fault_answers_424_for_a_failing_calendar(api: Api) -> None:
    await api.control("faults", {"method": "GET", "path": "/user_busy_times", "status": 424})
    answer = await window(api, "/user_busy_times", MONDAY + HOUR, MONDAY + 2 * HOUR)
    assert answer.status_code == 424
    assert answer.json() == {
        "title": "External Calendar Error",
        "message": "There is a problem accessing your calendar.",
    }
