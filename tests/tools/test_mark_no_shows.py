"""No-shows: marked by name, address or URI, taken back, and asked about."""

from datetime import timedelta

import pytest

from calendly.errors import NotFound, OutcomeUnknown
from tests.cases import each
from tests.sandbox.api import Api, Json
from tests.tools.agent import TOOLS, Agent, prepared
from tools.toolset.effects import DryRun
from tools.toolset.errors import ArgumentError

BO = {"name": "Bo Berg", "email": "bo.berg@acme.example"}
ELIF = "elif.eze@acme.example"
"""She was marked before."""


async def marks(api: Api, row: Json) -> Json:
    """Return the mark that Calendly has of an invitee in a row of an answer."""
    event, _, identifier = row["invitee"].partition("/invitees/")
    path = event.removeprefix("https://api.calendly.com")
    return (await api.get(f"{path}/invitees/{identifier}")).json()["resource"]["no_show"]


@pytest.mark.requirement("workflow-no-shows")
@each("name", [BO["name"], "bo  berg", "Berg, Bo", BO["email"], "BO.BERG@acme.example"])
async def test_whoever_did_not_come_is_marked_by_name_or_address(agent: Agent, api: Api, name: str) -> None:
    answer = await agent.call("mark_no_shows", invitees=[name])
    [row] = answer["collection"]
    assert (row["outcome"], row["name"], row["meeting"]) == ("marked", BO["name"], "Intro call")
    assert row["local_start"] == "2026-11-19T10:00+01:00"
    assert answer["timezone"] == "Europe/Berlin"
    assert await marks(api, row)
    await agent.call("mark_no_shows", invitees=[name], unmark=True)


async def test_a_mark_is_taken_back_and_a_second_time_changes_nothing(agent: Agent, api: Api) -> None:
    for _ in range(2):
        [row] = (await agent.call("mark_no_shows", invitees=[ELIF]))["collection"]
        assert row["outcome"] == "already"
    [row] = (await agent.call("mark_no_shows", invitees=[ELIF], unmark=True))["collection"]
    assert row["outcome"] == "unmarked"
    assert await marks(api, row) is None
    agent.sent.clear()
    [row] = (await agent.call("mark_no_shows", invitees=[row["invitee"]], unmark=True))["collection"]
    assert row["outcome"] == "already"
    assert all(request.is_read for request in agent.sent)


async def test_a_list_is_marked_at_once_and_each_invitee_has_a_row(agent: Agent) -> None:
    answer = await agent.call("mark_no_shows", invitees=[BO["email"], "Ada Abara", ELIF, "ada.abara@acme.example"])
    assert [(row["name"], row["outcome"]) for row in answer["collection"]] == [
        ("Bo Berg", "marked"),
        ("Ada Abara", "marked"),
        ("Elif Eze", "already"),
    ]


async def test_everyone_of_a_meeting_is_everyone_who_did_not_cancel(agent: Agent) -> None:
    workshop = await group_meeting(agent)
    agent.began -= timedelta(days=60).total_seconds()
    answer = await agent.call("mark_no_shows", invitees=["All"], scheduled_event=workshop)
    assert [row["outcome"] for row in answer["collection"]] == ["marked"] * 3
    one = answer["collection"][0]["invitee"].rpartition("/")[2]
    (again,) = (await agent.call("mark_no_shows", invitees=[one], scheduled_event=workshop))["collection"]
    assert (again["outcome"], again["name"]) == ("already", answer["collection"][0]["name"])
    with pytest.raises(ArgumentError, match="scheduled_event: This parameter is required for everyone"):
        await agent.call("mark_no_shows", invitees=["everyone"])


async def group_meeting(agent: Agent) -> str:
    """Return the coming meeting with three invitees."""
    found = await agent.call("list_scheduled_events", count=100, min_start_time="2026-11-30T00:00:00Z")
    return next(str(row["uri"]) for row in found["collection"] if row["name"] == "Product workshop")


@each(
    "invitees, sentence",
    [
        (["Bo Bergg"], 'Nobody goes by "Bo Bergg" among .*. Names that come near: Bo Berg'),
        (["Daria Dietrich"], '"Daria Dietrich" canceled, or the meeting was canceled: that is no no-show'),
        (
            ["Nobody At All"],
            'Nobody goes by "Nobody At All" among the invitees of your meetings from 2026-10-24 08:00 to',
        ),
    ],
)
async def test_nobody_is_marked_while_one_is_not_certain(agent: Agent, invitees: list[str], sentence: str) -> None:
    with pytest.raises(ArgumentError, match=sentence):
        await agent.call("mark_no_shows", invitees=[BO["email"], *invitees])
    assert all(request.is_read for request in agent.sent)


async def test_somebody_with_several_meetings_is_not_guessed(agent: Agent) -> None:
    with pytest.raises(ArgumentError, match="can be several: pass the URI of one: ") as refused:
        await agent.call("mark_no_shows", invitees=[BO["email"]], start_time="2026-06-01")
    uri = str(refused.value).split(": ")[-1].rstrip(".")
    [row] = (await agent.call("mark_no_shows", invitees=[uri]))["collection"]
    assert (row["name"], row["outcome"]) == (BO["name"], "marked")


async def test_a_meeting_that_has_not_begun_has_no_no_show(agent: Agent) -> None:
    with pytest.raises(ArgumentError, match="start_time: Must be in the past"):
        await agent.call("mark_no_shows", invitees=["Bo Berg"], start_time="2026-12-01", end_time="2026-12-05")
    with pytest.raises(ArgumentError, match="start_time: Must be in the past"):
        await agent.call("mark_no_shows", invitees=["Bo Berg"], start_time="2026-12-02")
    with pytest.raises(ArgumentError, match="from 2026-09-16 00:00 to 2026-10-16 00:00 "):
        await agent.call("mark_no_shows", invitees=["Nobody At All"], end_time="2026-10-15")
    workshop = await group_meeting(agent)
    with pytest.raises(ArgumentError, match="has not begun"):
        await agent.call("mark_no_shows", invitees=["everyone"], scheduled_event=workshop)


async def test_the_question_names_meeting_time_and_invitee(agent: Agent) -> None:
    agent.asked.add("no_shows")
    await agent.call("mark_no_shows", invitees=[BO["name"]])
    [question] = agent.questions
    assert question.splitlines() == [
        "Mark as a no-show.",
        "Meeting: “Intro call”",
        "When: Thu 19 Nov 2026, 10:00 (Europe/Berlin)",
        "Invitee: “Bo Berg”",
    ]


async def test_nobody_is_asked_where_nothing_is_left_to_do(agent: Agent) -> None:
    agent.asked.add("no_shows")
    await agent.call("mark_no_shows", invitees=[ELIF])
    assert agent.questions == []


async def test_a_dry_run_names_every_request_and_sends_none(agent: Agent) -> None:
    tool = TOOLS["mark_no_shows"]
    agent.deadline = agent.clock() + 50
    values = tool.parse({"invitees": [BO["name"], "Ada Abara"]}, ()).values()
    call, parsed = await prepared(tool, agent, values, dry_run=True)
    with pytest.raises(DryRun) as stopped:
        await tool.run(call, parsed)
    assert all(request.is_read for request in agent.sent)
    assert [request.endpoint.path for request in stopped.value.requests] == ["/invitee_no_shows"] * 2


async def test_a_lost_answer_is_settled_by_reading(agent: Agent, api: Api) -> None:
    lost = {"method": "POST", "path": "/invitee_no_shows", "times": 1}
    await api.control("faults", {**lost, "drop": "before"})
    with pytest.raises(OutcomeUnknown):
        await agent.call("mark_no_shows", invitees=[BO["name"]])
    await api.control("faults", {**lost, "drop": "after"})
    [row] = (await agent.call("mark_no_shows", invitees=[BO["name"]]))["collection"]
    assert row["outcome"] == "marked"


async def test_one_that_fails_does_not_lose_the_rest(agent: Agent, api: Api) -> None:
    await api.fail("/invitee_no_shows", "POST", status=404, times=1)
    answer = await agent.call("mark_no_shows", invitees=[BO["name"], "Ada Abara"])
    assert sorted(row["outcome"] for row in answer["collection"]) == ["failed", "marked"]
    assert [row["why"] for row in answer["collection"] if row["outcome"] == "failed"]
    await api.fail("/invitee_no_shows", "POST", status=404, times=1)
    with pytest.raises(NotFound):
        await agent.call("mark_no_shows", invitees=["Chidi Castillo"])


async def test_the_marks_by_themselves_are_made_read_and_deleted(agent: Agent) -> None:
    [row] = (await agent.call("mark_no_shows", invitees=[BO["name"]]))["collection"]
    mark = await agent.call("create_invitee_no_show", invitee=row["invitee"])  # Calendly keeps the first
    assert (await agent.call("get_invitee_no_show", no_show=mark["uri"]))["invitee"] == row["invitee"]
    assert (await agent.call("delete_invitee_no_show", no_show=mark["uri"]))["status"] == "deleted"
    with pytest.raises(NotFound):
        await agent.call("get_invitee_no_show", no_show=mark["uri"])
    with pytest.raises(ArgumentError, match="not enough"):
        await agent.call("create_invitee_no_show", invitee=row["invitee"].rpartition("/")[2])
