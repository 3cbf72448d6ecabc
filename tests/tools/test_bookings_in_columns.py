"""Bookings in columns: a row an invitee, from whichever meeting."""

import pytest

from tests.sandbox.api import Api, Json
from tests.tools.agent import TOOLS, Agent
from tests.tools.conftest import AgentOf
from tests.tools.test_token_budget import tokens
from tools.answers.shown import shown
from tools.toolset.errors import ArgumentError
from tools.zones import zone_of

COMING = {"start_time": "2026-11-23T00:00", "end_time": "2026-12-20T00:00"}
WEEK = {**COMING, "end_time": "2026-12-01"}


@pytest.fixture
def untidy(agent_of: AgentOf) -> Agent:
    return agent_of("untidy")


async def truth(api: Api, name: str) -> list[Json]:
    """Return the invitees of the one coming meeting of a name."""
    organization = (await api.me("untidy"))["current_organization"]
    rows = await api.read(
        "/scheduled_events", "untidy", organization=organization, count=100, min_start_time="2026-11-23T06:00:00Z"
    )
    (meeting,) = [row for row in rows if row["name"] == name]
    people, token = list[Json](), ""
    while True:
        more = {"page_token": token} if token else {}
        page = (await api.get(f"{meeting['uri']}/invitees", "untidy", count=100, **more)).json()
        people += page["collection"]
        token = page["pagination"]["next_page_token"]
        if not token:
            return people


@pytest.mark.requirement("parameters-columns")
async def test_230_invitees_with_an_answer_each_are_one_call_of_few_tokens(untidy: Agent, api: Api) -> None:
    columns = ["name", "email", "status", "answer:1"]
    found = await untidy.call("find_bookings", event_type="webinar", columns=columns, **COMING)
    assert found["rows"] == [
        [person["name"], person["email"], person["status"], person["questions_and_answers"][0]["answer"]]
        for person in await truth(api, "Webinar: what\u2019s new")
    ]
    assert found["questions"] == {"answer:1": ["What do you hope to learn?"]}
    assert "collection" not in found
    answer = shown(TOOLS["find_bookings"].shape, found, zone_of("Europe/London"))
    assert tokens(answer) <= 8_000


async def test_rows_of_several_meetings_name_their_hosts_and_their_times(untidy: Agent) -> None:
    asked = {"columns": ["local_start", "event_type", "host", "email"], "timezone": "Asia/Tokyo", "count": 100}
    found = await untidy.call("find_bookings", organization="mine", **asked, **COMING)
    assert {row[2] for row in found["rows"]} > {"Diego Salas", "Aiko Tanaka", "Nora Quint, Diego Salas"}
    found = await untidy.call("find_bookings", organization="mine", **asked, **WEEK)
    assert found["timezone"] == "Asia/Tokyo"
    plain = await untidy.call("find_bookings", organization="mine", timezone="Asia/Tokyo", count=100, **WEEK)
    starts = [row["start_time"] for row in plain["collection"]]
    assert len({(row[0], row[1], row[2]) for row in found["rows"]}) == len(starts)
    assert found["missing"] == plain["missing"]
    assert found["searched"] == plain["searched"]


async def test_only_the_invitees_that_match_have_a_row(untidy: Agent) -> None:
    found = await untidy.call("find_bookings", answer="security", columns=["answer:1"], **COMING)
    assert len(found["rows"]) == 38
    assert {answer for (answer,) in found["rows"]} == {"Security"}
    canceled = await untidy.call(
        "find_bookings", event_type="workshop", status="canceled", columns=["status", "reason"], **COMING
    )
    assert canceled["rows"] == [["canceled", "Ill"]]


@pytest.mark.requirement("parameters-continue-from")
async def test_with_columns_the_count_is_that_of_the_rows_and_they_go_on_inside_a_meeting(untidy: Agent) -> None:
    async def rows(**asked: Json) -> list[Json]:
        found, again = list[Json](), dict[str, str]()
        while True:
            part = await untidy.call(
                "find_bookings", columns=["email", "start"], organization="mine", **COMING, **asked, **again
            )
            found += part["rows"]
            assert len(part["rows"]) <= asked.get("count", len(part["rows"]))
            if "continue_from" not in part:
                return found
            again = {"continue_from": part["continue_from"]}

    assert await rows() == await rows(count=100)
    few = await untidy.call("find_bookings", event_type="webinar", columns=["email"], count=7, **COMING)
    more = await untidy.call(
        "find_bookings",
        event_type="webinar",
        columns=["email"],
        count=7,
        continue_from=few["continue_from"],
        **COMING,
    )
    both = await untidy.call("find_bookings", event_type="webinar", columns=["email"], count=14, **COMING)
    assert len(few["rows"]) == 7
    assert few["rows"] + more["rows"] == both["rows"]


async def test_where_nothing_matches_the_columns_are_empty_and_it_says_why(untidy: Agent) -> None:
    found = await untidy.call("find_bookings", domain="nowhere.example", columns=["email"], **COMING)
    assert found["rows"] == []
    assert "matches" in found["empty_because"]
    with pytest.raises(ArgumentError, match="The columns are"):
        await untidy.call("find_bookings", columns=["colour"])
    assert (await untidy.call("find_bookings", columns=["Name", "ANSWER:1"], count=1))["columns"] == [
        "name",
        "answer:1",
    ]
