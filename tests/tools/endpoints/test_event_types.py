from typing import Any

import pytest

from calendly.errors import PermissionDenied
from tests.sandbox.api import Api, Json
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError

RANGE = {"type": "date_range", "start_date": "2026-12-01", "end_date": "2026-12-05"}


def names(answer: Json) -> list[str]:
    return [row["name"] for row in answer["collection"]]


@pytest.mark.requirement("defaults-lists")
async def test_event_types_are_the_persons_own_unless_said_otherwise(agent: Agent, api: Api) -> None:
    me = await api.me()
    assert "Intro call" in names(await agent.call("list_event_types"))
    assert agent.sent[-1].query["user"] == me["uri"]
    assert agent.sent[-1].query["organization"] is None


@pytest.mark.requirement("defaults-organization")
async def test_the_event_types_of_the_whole_organization_come_only_when_asked_for(agent: Agent, api: Api) -> None:
    everybodys = await agent.call("list_event_types", organization=(await api.me())["current_organization"], count=100)
    assert {"Intro call", "Partner sync"} <= set(names(everybodys))
    assert [request.endpoint.path for request in agent.sent] == ["/event_types"]


async def test_event_types_are_filtered_and_sorted(agent: Agent) -> None:
    active = await agent.call("list_event_types", active=True, admin_managed=False, sort="name:desc,created_at:asc")
    assert names(active) == sorted(names(active), reverse=True)
    assert all(row["active"] and not row["admin_managed"] for row in active["collection"])


async def test_event_types_of_one_schedule_belong_to_a_user(agent: Agent, api: Api) -> None:
    schedules = await api.read("/user_availability_schedules", user=(await api.me())["uri"])
    mornings = next(row["uri"] for row in schedules if row["name"] == "Mornings")
    assert names(await agent.call("list_event_types", user_availability_schedule=mornings)) == ["Morning coffee"]
    with pytest.raises(ArgumentError, match="user_availability_schedule: Works only together with user"):
        await agent.call(
            "list_event_types",
            user_availability_schedule=mornings,
            organization=(await api.me())["current_organization"],
        )


@pytest.mark.requirement("parameters-lists")
async def test_pages_are_followed_as_far_as_asked(agent: Agent) -> None:
    first = await agent.call("list_event_types", count=3)
    both = await agent.call("list_event_types", count=3, max_pages=2)
    rest = await agent.call("list_event_types", count=3, page_token=first["pagination"]["next_page_token"])
    assert names(both) == names(first) + names(rest)
    assert len(names(await agent.call("list_event_types", count=3, max_pages=50))) > 6
    with pytest.raises(ArgumentError, match="max_pages"):
        await agent.call("list_event_types", max_pages=51)


async def test_an_event_type_shows_what_has_to_be_answered(agent: Agent, api: Api) -> None:
    uri = (await api.event_type("Intro call"))["uri"]
    kind = await agent.call("get_event_type", event_type=uri)
    assert [question["name"] for question in kind["custom_questions"] if question["required"]] == [
        "What would you like to talk about?"
    ]


async def test_a_one_off_event_type_is_the_persons_own_by_default(agent: Agent, api: Api) -> None:
    made = await agent.call("create_one_off_event_type", name="Contract review", duration=45, date_setting=RANGE)
    assert (made["name"], made["duration"], made["type"]) == ("Contract review", 45, "AdhocEventType")
    assert made["profile"]["owner"] == (await api.me())["uri"]
    body: Any = agent.sent[-1].body
    assert str(body["duration"]) == "45"


async def test_a_one_off_event_type_has_hosts_location_zone_and_spots(agent: Agent, api: Api) -> None:
    tomas = (await api.me("admin"))["uri"]
    made = await agent.call(
        "create_one_off_event_type",
        name="Contract review",
        duration=30,
        host="me",
        co_hosts=[tomas],
        timezone="America/New_York",
        location={"kind": "inbound_call", "phone_number": "+49 30 5550123", "additional_info": "Ask for Maya"},
        date_setting={
            "type": "spots",
            "spots": [{"start_time": "2026-12-01T09:00:00", "end_time": "2026-12-01T18:00:00+01:00"}],
        },
    )
    assert made["locations"][0]["phone_number"] == "+49 30 5550123"
    body: Any = agent.sent[-1].body
    assert body["host"] == (await api.me())["uri"]
    # Without an offset a spot is in the event type's own zone.
    assert body["date_setting"]["spots"] == [{"start_time": "2026-12-01T14:00:00Z", "end_time": "2026-12-01T17:00:00Z"}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"date_setting": {"type": "date_range", "start_date": "2026-12-01"}}, "end_date is required when type is"),
        ({"date_setting": {**RANGE, "days": 3}}, "days does not belong to type date_range"),
        ({"date_setting": {**RANGE, "end_date": "2026-12-01"}}, "end_date must be after start_date"),
        ({"date_setting": {**RANGE, "end_date": "2027-12-01"}}, "less than 365 days"),
        ({"date_setting": {**RANGE, "end_date": "2026-12-32"}}, "date_setting.end_date: Expected a date"),
        ({"date_setting": {"type": "days_in_future", "days": 366, "only_weekdays": True}}, "date_setting.days"),
        ({"date_setting": {"type": "days_in_future", "days": 5}}, "only_weekdays is required"),
        ({"date_setting": {"type": "spots", "spots": []}}, "date_setting: spots is required when type is spots"),
        ({"location": {"kind": "inbound_call"}}, "location: phone_number is required when kind is inbound_call"),
        (
            {"location": {"kind": "zoom_conference", "location": "x"}},
            "location does not belong to kind zoom_conference",
        ),
        ({"location": {"kind": "carrier_pigeon"}}, "location.kind: Must be one of 'physical'"),
        ({"location": {"kind": "physical", "building": "x"}}, "location.building: .* no such parameter"),
        ({"duration": 0}, "duration"),
        ({"duration": 721}, "duration"),
        ({"name": "x" * 56}, "name: String should have at most 55 characters"),
        ({"co_hosts": ["me"] * 10}, "co_hosts"),
    ],
)
async def test_a_one_off_event_type_that_cannot_be_is_refused_before_it_is_sent(
    agent: Agent, change: dict[str, Any], message: str
) -> None:
    arguments = {"name": "Contract review", "duration": 45, "date_setting": RANGE, **change}
    with pytest.raises(ArgumentError, match=message):
        await agent.call("create_one_off_event_type", **arguments)
    assert agent.sent == []


async def test_a_spot_that_ends_before_it_starts_is_named(agent: Agent) -> None:
    spots = [{"start_time": "2026-12-01T09:00:00Z", "end_time": "2026-12-01T09:00:00Z"}]
    over = {"type": "date_range", "start_date": "2026-11-02", "end_date": "2026-11-20"}
    with pytest.raises(ArgumentError, match=r"date_setting\.end_date: Is past: nobody could book"):
        await agent.call("create_one_off_event_type", name="Late", duration=15, date_setting=over)
    past = [{"start_time": "2026-11-01T09:00:00Z", "end_time": "2026-11-01T10:00:00Z"}]
    with pytest.raises(ArgumentError, match=r"date_setting\.spots\.0\.end_time: Is past: nobody could book"):
        await agent.call(
            "create_one_off_event_type", name="Late", duration=15, date_setting={"type": "spots", "spots": past}
        )
    with pytest.raises(ArgumentError, match=r"date_setting\.spots\.0\.end_time: Must be after start_time"):
        await agent.call(
            "create_one_off_event_type", name="X", duration=45, date_setting={"type": "spots", "spots": spots}
        )


async def test_a_member_may_not_offer_somebody_elses_time(agent_of: AgentOf, api: Api) -> None:
    with pytest.raises(PermissionDenied):
        await agent_of("member").call(
            "create_one_off_event_type",
            name="Not mine",
            duration=45,
            host=(await api.me())["uri"],
            date_setting={"type": "days_in_future", "days": 5, "only_weekdays": True},
        )
