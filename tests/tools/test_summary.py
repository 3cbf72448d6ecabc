"""Counts of bookings, held against what is true in the untidy account."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calendly.errors import PermissionDenied, RateLimited
from tests.cases import each
from tests.sandbox.api import Api, Json
from tests.tools.agent import TOOLS, Agent
from tests.tools.conftest import AgentOf
from tests.tools.test_token_budget import tokens
from tools.answers.shown import shown
from tools.times import parse_time
from tools.toolset.errors import ArgumentError
from tools.workflows.counting import CountedMeeting, GroupBy, invitees_of, rows_of

LONDON = ZoneInfo("Europe/London")
OCTOBER = {"start_time": "2026-10-01T00:00", "end_time": "2026-11-01T00:00"}
QUARTER = {"start_time": "2026-09-01T00:00", "end_time": "2026-12-31T00:00"}


@pytest.fixture
def untidy(agent_of: AgentOf) -> Agent:
    return agent_of("untidy")


@pytest.fixture
async def organization(api: Api) -> str:
    return str((await api.me("untidy"))["current_organization"])


async def meetings(api: Api, span: dict[str, str], **query: str) -> list[Json]:
    """Return all meetings of the organization in a range of London's days."""
    bounds = {name: datetime.fromisoformat(text).replace(tzinfo=LONDON).isoformat() for name, text in span.items()}
    me, rows, token = await api.me("untidy"), list[Json](), ""
    while True:
        page = await api.get(
            "/scheduled_events",
            "untidy",
            organization=me["current_organization"],
            min_start_time=bounds["start_time"],
            max_start_time=bounds["end_time"],
            count=100,
            **query,
            **({"page_token": token} if token else {}),
        )
        rows += page.json()["collection"]
        token = page.json()["pagination"]["next_page_token"]
        if not token:
            return rows


def counted(found: Json, column: str = "meetings") -> dict[Any, int]:
    """Return one number of each group by its labels."""
    labels = len(found["columns"]) - 3
    at = found["columns"].index(column)
    return {row[0] if labels == 1 else tuple(row[:labels]): row[at] for row in found["rows"]}


def listed(agent: Agent) -> list[str]:
    return [request.path for request in agent.sent if request.path != "/users/me"]


@pytest.mark.requirement("workflow-counting")
async def test_the_meetings_of_each_host_in_a_month_are_one_request_and_few_tokens(
    untidy: Agent, api: Api, organization: str
) -> None:
    arguments = {"group_by": ["host"], "organization": organization, **OCTOBER}
    found = await untidy.call("summarize_bookings", **arguments)
    truth = await meetings(api, OCTOBER)
    hosts = Counter(host["user_name"] for row in truth for host in row["event_memberships"])
    assert counted(found) == hosts
    assert found["meetings"] == len(truth)
    assert listed(untidy) == ["/scheduled_events"]
    answer = shown(TOOLS["summarize_bookings"].shape, found, LONDON)
    assert tokens({"name": "summarize_bookings", "arguments": arguments}, answer) < 300


def told_apart(row: Json) -> str:
    """Return the name of a meeting's event type: two that people in this account have go by the same."""
    name = str(row["name"] or "")
    return f"{name} ({row['event_type'].rpartition('/')[2]})" if name == "Product demo" else name


Label = Callable[[Json, datetime], str]
LABELS: dict[str, Label] = {
    "event_type": lambda row, _: told_apart(row) or "(no name)",
    "status": lambda row, _: row["status"],
    "day": lambda _, start: start.strftime("%Y-%m-%d %a"),
    "week": lambda _, start: (start - timedelta(days=start.weekday())).strftime("%Y-%m-%d"),
    "month": lambda _, start: start.strftime("%Y-%m"),
}


@each("group, label", LABELS.items())
async def test_it_counts_by_what_is_asked_for_over_any_range(
    untidy: Agent, api: Api, organization: str, group: str, label: Label
) -> None:
    untidy.sent.clear()
    found = await untidy.call("summarize_bookings", group_by=[group], organization=organization, **QUARTER)
    truth = await meetings(api, QUARTER)
    assert counted(found) == Counter(label(row, parse_time(row["start_time"]).astimezone(LONDON)) for row in truth)
    assert len(truth) > 100  # more than a page
    assert listed(untidy) == ["/scheduled_events"] * 2


async def test_days_come_in_their_order_and_everything_else_by_size(untidy: Agent, organization: str) -> None:
    days = await untidy.call("summarize_bookings", group_by=["day"], organization=organization, **QUARTER)
    assert list(counted(days)) == sorted(counted(days))
    kinds = await untidy.call("summarize_bookings", group_by=["event_type"], organization=organization, **QUARTER)
    assert list(counted(kinds).values()) == sorted(counted(kinds).values(), reverse=True)


async def test_days_are_those_of_the_zone_asked_for(untidy: Agent, organization: str) -> None:
    arguments = {"group_by": ["day"], "organization": organization, **QUARTER}
    found = [await untidy.call("summarize_bookings", timezone=zone, **arguments) for zone in ("Asia/Tokyo", "UTC")]
    assert counted(found[0]) != counted(found[1])
    assert [answer["searched"]["timezone"] for answer in found] == ["Asia/Tokyo", "UTC"]
    assert found[0]["searched"]["start_time"] == "2026-09-01T00:00:00+09:00"


async def test_an_invitee_who_canceled_counts_apart_though_the_meeting_goes_on(
    untidy: Agent, organization: str
) -> None:
    found = await untidy.call(
        "summarize_bookings", group_by=["event_type"], status="active", organization=organization, **QUARTER
    )
    assert counted(found)["Onboarding workshop"] == 2
    assert counted(found, "invitees")["Onboarding workshop"] == 6
    assert counted(found, "invitees_canceled")["Onboarding workshop"] == 2
    assert counted(found, "invitees")["Webinar: what\u2019s new"] == 230


async def test_who_canceled_is_counted_by_invitee_also_where_the_meeting_goes_on(
    untidy: Agent, api: Api, organization: str
) -> None:
    asked = {"organization": organization, **QUARTER}
    found = await untidy.call("summarize_bookings", group_by=["canceled_by"], **asked)
    truth, lost = await meetings(api, QUARTER), Counter[str]()
    several = [row["uri"] for row in truth if row["invitees_counter"]["total"] > 1]
    for row in truth:
        if row["uri"] in several and row["invitees_counter"]["total"] != row["invitees_counter"]["active"]:
            people = (await api.get(f"{row['uri']}/invitees", "untidy", status="canceled", count=100)).json()
            lost.update(person["cancellation"]["canceler_type"] for person in people["collection"])
        elif row["status"] == "canceled":
            lost[row["cancellation"]["canceler_type"]] += 1
    assert lost.total() == found["invitees_canceled"]
    assert counted(found, "invitees_canceled") == {"nobody": 0, **lost}
    assert counted(found, "invitees") == {"nobody": found["invitees"], **dict.fromkeys(lost, 0)}
    assert "some invitees canceled and others did not" in found["rows_add_up_to"]
    with_marks = await untidy.call("summarize_bookings", group_by=["canceled_by", "no_show"], **asked)
    for number in ("invitees", "invitees_canceled"):
        assert sum(counted(with_marks, number).values()) == found[number]
    canceled = await untidy.call("summarize_bookings", status="canceled", **asked)
    assert canceled["meetings"] == sum(row["status"] == "canceled" for row in truth)
    assert "who canceled alone in one that goes on" in canceled["searched"]["note"]
    untidy.off.add("invitee_data")
    blind = await untidy.call("summarize_bookings", group_by=["canceled_by"], **asked)
    assert counted(blind, "invitees_canceled")["unknown"] > 0
    assert blind["without"] == ["list_event_invitees"]


async def test_rows_that_count_a_meeting_more_than_once_say_so(untidy: Agent, organization: str) -> None:
    found = await untidy.call("summarize_bookings", group_by=["host"], organization=organization, **QUARTER)
    in_rows = sum(row[1] for row in found["rows"])
    assert in_rows > found["meetings"]
    assert found["rows_add_up_to"] == (
        f"{in_rows} for {found['meetings']} meetings: one with several hosts counts in each of its rows. Do not add "
        "the rows up."
    )
    by_week = await untidy.call("summarize_bookings", group_by=["week"], organization=organization, **QUARTER)
    assert "rows_add_up_to" not in by_week


async def test_no_shows_are_counted_by_invitee_from_past_meetings_alone(
    untidy: Agent, api: Api, organization: str
) -> None:
    found = await untidy.call("summarize_bookings", group_by=["host", "no_show"], organization=organization, **QUARTER)
    missed = Counter[str]()
    for row in await meetings(api, QUARTER, status="active"):
        people = (await api.get(f"{row['uri']}/invitees", "untidy", count=100)).json().get("collection", [])
        for host in row["event_memberships"]:
            missed[host["user_name"]] += sum(bool(person["no_show"]) for person in people)
    counts = counted(found, "invitees")
    assert {host: counts[host, "no_show"] for host in missed if missed[host]} == {
        host: number for host, number in missed.items() if number
    }
    past = [path for path in listed(untidy) if path.endswith("/invitees")]
    webinar = await untidy.call("summarize_bookings", group_by=["no_show"], start_time="2026-11-24T00:00")
    assert counted(webinar, "invitees")["not_marked"] > 230
    assert [path for path in listed(untidy) if path.endswith("/invitees")] == past


async def test_a_meeting_that_may_not_be_read_is_counted_and_named(untidy: Agent, api: Api, organization: str) -> None:
    await api.control("clock", {"now": "2026-12-20T06:00:00Z"})
    untidy.began -= 27 * 86_400
    found = await untidy.call(
        "summarize_bookings",
        group_by=["no_show"],
        status="active",
        organization=organization,
        start_time="2026-11-23T00:00",
        end_time="2026-12-20T00:00",
    )
    assert counted(found)["unknown"] == 2
    assert sorted(told.partition(": ")[2] for told in found["unread"]) == [
        "Calendly answered 403 Permission Denied: You do not have permission to view this event",
        "Calendly answered 404 Resource Not Found: The server could not find the requested resource.",
    ]
    assert found["meetings"] == sum(counted(found).values())


async def test_without_the_invitees_the_marks_are_unknown_and_it_says_so(untidy: Agent) -> None:
    untidy.off.add("invitee_data")
    found = await untidy.call("summarize_bookings", group_by=["no_show"], status="active", **OCTOBER)
    assert set(counted(found)) == {"unknown"}
    assert found["without"] == ["list_event_invitees"]
    plain = await untidy.call("summarize_bookings", group_by=["status"], **OCTOBER)
    assert "without" not in plain


async def test_without_groups_it_counts_all_and_says_what_it_searched(untidy: Agent, api: Api) -> None:
    found = await untidy.call("summarize_bookings")
    me = await api.me("untidy")
    mine = await api.read(
        "/scheduled_events",
        "untidy",
        user=me["uri"],
        count=100,
        min_start_time="2026-10-24T06:00:00Z",
        max_start_time="2027-02-21T06:00:00Z",
    )
    assert found == {
        "meetings": len(mine),
        "invitees": sum(row["invitees_counter"]["active"] for row in mine),
        "invitees_canceled": sum(row["invitees_counter"]["total"] - row["invitees_counter"]["active"] for row in mine),
        "searched": {
            "whose": "you",
            "status": "any",
            "start_time": "2026-10-24T07:00:00+01:00",
            "end_time": "2027-02-21T06:00:00+00:00",
            "timezone": "Europe/London",
            "note": "This is the default range: name start_time and end_time for another.",
        },
    }


@each("named", [{"start_time": "2028-01-10"}, {"end_time": "2020-01-10"}])
async def test_the_end_that_is_not_named_follows_from_the_other_and_is_told(agent: Agent, named: Json) -> None:
    (missing,) = {"start_time", "end_time"} - named.keys()
    for tool in ("summarize_bookings", "find_bookings"):
        looked = (await agent.call(tool, **named))["searched"]
        assert looked["note"] == f"{missing} is a default one: name it to look further."
        assert looked["start_time"] < looked["end_time"]


def test_hosts_of_the_same_name_are_told_apart_and_odd_values_count_as_unknown() -> None:
    def meeting(**fields: object) -> CountedMeeting:
        event: Any = {"invitees_counter": None, **fields}
        booked, canceled = invitees_of(event)
        return CountedMeeting(event, {"not_marked": booked}, {"unknown": canceled})

    kims = [{"user": f"https://api.calendly.com/users/{n}", "user_name": "Kim", "user_email": n} for n in "ab"]
    meetings = [meeting(event_memberships=[kim], start_time="2026-10-05T10:00:00Z") for kim in kims]
    assert rows_of(meetings, ["host"], LONDON) == [["Kim (a)", 1, 0, 0], ["Kim (b)", 1, 0, 0]]
    odd = [meeting(event_memberships=None, start_time="yesterday", status=None, name=None, cancellation=None)]
    groups: list[GroupBy] = ["host", "day", "week", "status", "canceled_by", "event_type"]
    assert rows_of(odd, groups, LONDON) == [["unknown"] * 5 + ["(no name)", 1, 0, 0]]


async def test_only_one_event_type_or_one_person_is_counted_where_that_is_asked_for(
    untidy: Agent, organization: str
) -> None:
    kind = await untidy.call("summarize_bookings", group_by=["event_type"], event_type="webinar", **QUARTER)
    assert counted(kind) == {"Webinar: what\u2019s new": 1}
    diego = await untidy.call("summarize_bookings", group_by=["host"], user="diego@driftwood.example", **QUARTER)
    everybody = await untidy.call("summarize_bookings", group_by=["host"], organization=organization, **QUARTER)
    assert counted(diego)["Diego Salas"] == counted(everybody)["Diego Salas"]


async def test_a_whole_organization_is_for_its_administrators(agent_of: AgentOf, api: Api) -> None:
    organization = (await api.me("owner"))["current_organization"]
    with pytest.raises(PermissionDenied):
        await agent_of("member").call("summarize_bookings", organization=organization)


@pytest.mark.requirement("workflow-in-parts", "parameters-continue-from")
async def test_when_time_ends_it_the_parts_add_up(untidy: Agent, api: Api, organization: str) -> None:
    arguments = {"group_by": ["no_show"], "organization": organization, **QUARTER}
    whole = await untidy.call("summarize_bookings", **arguments)
    assert "continue_from" not in whole
    await api.fail("/scheduled_events/*/invitees", delay=20, times=40)
    parts, again = list[Json](), dict[str, str]()
    for _ in range(9):
        parts.append(await untidy.call("summarize_bookings", **arguments, **again))
        if "continue_from" not in parts[-1]:
            break
        again = {"continue_from": parts[-1]["continue_from"]}
    assert len(parts) > 1
    for number in ("meetings", "invitees", "invitees_canceled"):
        assert sum(part[number] for part in parts) == whole[number]
    assert sum((Counter(counted(part)) for part in parts), Counter[str]()) == counted(whole)
    assert [part["searched"]["start_time"] for part in parts[1:]] == [
        part["searched"]["end_time"] for part in parts[:-1]
    ]


async def test_under_a_tight_pace_it_counts_what_it_has_and_goes_on(
    untidy: Agent, agent_of: AgentOf, api: Api, organization: str
) -> None:
    arguments = {"group_by": ["no_show"], "organization": organization, **OCTOBER}
    await api.control("limits", {"per_minute": 20})
    part = await untidy.call("summarize_bookings", **arguments)
    await api.control("limits", {"per_minute": 500})
    later = agent_of("untidy")  # with a pace of its own
    rest = await later.call("summarize_bookings", **arguments, continue_from=part["continue_from"])
    whole = await later.call("summarize_bookings", **arguments)
    assert 0 < part["meetings"] < whole["meetings"]
    assert part["meetings"] + rest["meetings"] == whole["meetings"]


async def test_where_nothing_at_all_can_be_read_it_says_when_to_come_back(untidy: Agent, api: Api) -> None:
    for path in ("/scheduled_events", "/scheduled_events/*/invitees"):
        await api.control("reset", {})
        await api.fail(path, status=429, times=99)
        with pytest.raises(RateLimited):
            await untidy.call("summarize_bookings", group_by=["no_show"], **OCTOBER)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"group_by": ["colour"]}, "group_by"),
        ({"group_by": ["host", "day", "week", "month"]}, "group_by: Must have at most 3"),
        ({"start_time": "2026-12-01T00:00Z", "end_time": "2026-11-01T00:00Z"}, "end_time: Must be after"),
    ],
)
async def test_what_cannot_be_counted_is_refused(untidy: Agent, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        await untidy.call("summarize_bookings", **arguments)
