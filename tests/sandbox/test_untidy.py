"""The untidy organization: what its token reaches, and that all of it is there."""

from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from sandbox.seed.untidy import DISCOVERY, ODD_EVENT_TYPES
from sandbox.seed.untidy_meetings import LONG_ANSWER, ODD_INVITEES, WEBINAR_INVITEES, next_clock_change
from tests.dates import DATES
from tests.sandbox.api import MONDAY, Api, Json, iso
from tests.tools.facts import FACTS

UNTIDY = "untidy"


async def everything(api: Api, path: str, **query: str) -> list[Json]:
    """Return all rows of a list of the organization."""
    organization = (await api.me(UNTIDY))["current_organization"]
    rows: list[Json] = []
    token = ""
    while True:
        more = {"page_token": token} if token else {}
        page = (await api.get(path, UNTIDY, organization=organization, count=100, **query, **more)).json()
        rows += page["collection"]
        token = page["pagination"]["next_page_token"]
        if not token:
            return rows


async def meetings(api: Api, name: str | None, **query: str) -> list[Json]:
    """Return the coming meetings of a name."""
    rows = await everything(api, "/scheduled_events", min_start_time=iso(MONDAY), **query)
    return [row for row in rows if row["name"] == name]


@pytest.mark.requirement("sandbox-untidy")
async def test_it_is_there_only_once_its_token_was_used(api: Api) -> None:
    asked = {"client_id": "sandbox-client", "redirect_uri": "http://localhost:1/", "response_type": "code"}
    assert "Nora Quint" not in (await api.http.get("/oauth/authorize", params=asked)).text
    assert (await api.me(UNTIDY))["name"] == "Nora Quint"
    assert "Nora Quint" in (await api.http.get("/oauth/authorize", params=asked)).text
    await api.control("reset", {})
    await api.control("clock", {"now": iso(MONDAY + timedelta(days=30))})
    late = await meetings(api, "Webinar: what\u2019s new")
    assert late[0]["created_at"] < iso(MONDAY)  # as old as the rest of the account


async def test_nobody_else_sees_it(api: Api) -> None:
    organization = (await api.me(UNTIDY))["current_organization"]
    for token in ("owner", "enterprise"):
        assert (await api.get("/scheduled_events", token, organization=organization)).status_code == 403


async def test_hosts_are_in_three_zones_and_one_works_by_another_clock(api: Api) -> None:
    people = [row["user"] for row in await everything(api, "/organization_memberships")]
    assert {person["timezone"] for person in people} == {"Europe/London", "America/New_York", "Asia/Tokyo"}
    assert sum(person["name"].startswith("Nora ") for person in people) == 2
    ravi = next(person for person in people if "Ravi" in person["name"])
    (schedule,) = await api.read("/user_availability_schedules", UNTIDY, user=ravi["uri"])
    assert (ravi["timezone"], schedule["timezone"]) == ("Europe/London", "Asia/Kolkata")


async def test_event_types_have_twins_odd_names_and_every_pooling(api: Api) -> None:
    kinds = await everything(api, "/event_types")
    assert sorted(kind["active"] for kind in kinds if kind["name"] == DISCOVERY) == [False, True]
    assert sorted(kind["active"] for kind in kinds if kind["name"] == "Product demo") == [False, True, True]
    assert {None, DISCOVERY, *ODD_EVENT_TYPES} <= {kind["name"] for kind in kinds}
    assert {kind["pooling_type"] for kind in kinds} == {None, "round_robin", "collective"}


async def test_listed_meetings_may_be_refused_by_themselves(api: Api) -> None:
    statuses: dict[int, Any] = {}
    for row in await everything(api, "/scheduled_events", min_start_time=iso(MONDAY)):
        answer = await api.get(f"{row['uri']}/invitees", UNTIDY)
        statuses[answer.status_code] = answer.json()
    assert set(statuses) == {200, 403, 404}
    assert statuses[403]["message"] == "You do not have permission to view this event"


async def test_a_group_meeting_goes_on_without_the_invitee_who_canceled(api: Api) -> None:
    (workshop,) = await meetings(api, "Onboarding workshop")
    people = await api.read(f"{workshop['uri']}/invitees", UNTIDY)
    assert (workshop["status"], workshop["invitees_counter"]["active"]) == ("active", 3)
    assert [person["status"] for person in people] == ["active", "canceled", "active", "active"]
    assert people[1]["cancellation"]["canceled_by"] == people[1]["name"]


async def test_every_invitee_of_the_webinar_answered(api: Api) -> None:
    (webinar,) = await meetings(api, "Webinar: what\u2019s new")
    path, token = f"{webinar['uri']}/invitees", ""
    people: list[Json] = []
    for _ in range(3):
        page = (await api.get(path, UNTIDY, count=100, **({"page_token": token} if token else {}))).json()
        people += page["collection"]
        token = page["pagination"]["next_page_token"]
    assert len({person["email"] for person in people}) == WEBINAR_INVITEES
    assert all(len(person["questions_and_answers"]) == 1 for person in people)


async def test_invitees_have_odd_names_a_huge_answer_and_no_shows(api: Api) -> None:
    found: list[Json] = []
    for row in await everything(api, "/scheduled_events"):
        answer = await api.get(f"{row['uri']}/invitees", UNTIDY)
        found += answer.json().get("collection", [])
    assert set(ODD_INVITEES) <= {person["name"] for person in found}
    assert any(pair["answer"] == LONG_ANSWER for person in found for pair in person["questions_and_answers"])
    assert len(LONG_ANSWER) == 300_000
    assert any(person["no_show"] for person in found)
    assert any(person["rescheduled"] and person["new_invitee"] for person in found)
    assert {person["cancellation"]["canceler_type"] for person in found if "cancellation" in person} == {
        "host",
        "invitee",
    }


NULLABLE_IN = {
    "/event_types",
    "/scheduled_events",
    "/scheduled_events/{uuid}/invitees",
    "/organizations/{uuid}/invitations",
}
NULLABLE_ELSEWHERE = {
    *("avatar_url", "duration_options", "audioConferencing", "conferenceId", "dialinUrl", "tollNumber"),
    *("terms", "confirmed_at", "daily_limit", "weekly_limit", "monthly_limit"),
}
"""Fields that no sandbox account fills, or that stand inside another that is null."""


async def test_whatever_may_be_null_is_null_somewhere(api: Api) -> None:
    nulls: set[str] = set()
    rows: list[Json] = []
    for path in ("/event_types", "/scheduled_events", "/organization_memberships"):
        rows += await everything(api, path)
    organization = (await api.me(UNTIDY))["current_organization"]
    rows += await api.read(f"{organization}/invitations", UNTIDY)
    for meeting in [row for row in rows if "event_memberships" in row]:
        rows += (await api.get(f"{meeting['uri']}/invitees", UNTIDY)).json().get("collection", [])
    for row in rows:
        nulls |= set(null_fields(row))
    allowed = {
        name
        for fact in FACTS
        if fact["method"] == "GET" and fact["path"] in NULLABLE_IN
        for name in nullable(fact["response"]["properties"]["collection"])
    }
    assert allowed - nulls <= NULLABLE_ELSEWHERE


def null_fields(value: object) -> list[str]:
    """Return the names of the fields that are null, at any depth."""
    if isinstance(value, list):
        return [name for item in cast("list[object]", value) for name in null_fields(item)]
    if not isinstance(value, dict):
        return []
    fields = cast("dict[str, object]", value)
    return [name for key, inner in fields.items() for name in ([key] if inner is None else null_fields(inner))]


def nullable(schema: Json) -> list[str]:
    """Return the names of the fields that may be null, at any depth."""
    inner = [one for variant in schema.get("oneOf", []) for one in nullable(variant)]
    inner += nullable(schema["items"]) if "items" in schema else []
    for name, field in schema.get("properties", {}).items():
        kinds = field.get("type", [])
        inner += [name] if "null" in kinds and not isinstance(kinds, str) else []
        inner += nullable(field)
    return inner


@pytest.mark.parametrize("now", DATES.values(), ids=DATES)
def test_one_meeting_lasts_while_the_clocks_change(now: datetime) -> None:
    zone = ZoneInfo("Europe/London")
    change = next_clock_change(now, zone)
    before, after = change - timedelta(minutes=1), change + timedelta(minutes=1)
    assert before.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset()
    assert now < change < now + timedelta(days=250)
