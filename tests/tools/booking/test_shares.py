import pytest

from calendly.errors import Conflict, NotFound, PermissionDenied
from tests.cases import each
from tests.sandbox.api import Api, Json
from tests.sandbox.test_links import booking_at
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError

NEXT_WEEK = {"period_type": "fixed", "start_date": "2026-11-30", "end_date": "2026-12-04"}


async def share_of(agent: Agent, event_type: str = "Intro call") -> Json:
    return await agent.call("create_share", event_type=event_type, duration=15, **NEXT_WEEK)


async def test_a_link_for_one_lead_once_next_week_only_leaves_the_event_type_as_it_is(agent: Agent, api: Api) -> None:
    before = await api.event_type("Intro call")
    share = await share_of(agent)
    override = share["share_override"]
    assert (share["status"], override["duration"], override["start_date"]) == ("active", 15, "2026-11-30")
    assert override["name"] == "Intro call"  # what it does not set is the event type's
    assert share["scheduling_links"][0]["booking_url"].startswith("https://calendly.com/d/")
    assert await api.event_type("Intro call") == before
    listed = await agent.call("list_shares", event_type="Intro call")
    assert [row["uri"] for row in listed["collection"]] == [share["uri"]]
    today = f"{agent.now():%Y-%m-%d}"
    assert (await agent.call("list_shares", min_created_at=today, max_created_at=today))["collection"]
    with pytest.raises(ArgumentError, match="max_created_at: Must not be before min_created_at"):
        await agent.call("list_shares", min_created_at=today, max_created_at="2026-01-01")


async def test_what_is_left_out_stays_and_what_is_reset_is_the_event_types_again(agent: Agent) -> None:
    share = await share_of(agent)
    changed = await agent.call("update_share", share=share["uri"], name="For Lee", reset=["duration"])
    override = changed["share_override"]
    assert (override["name"], override["duration"], override["end_date"]) == ("For Lee", 30, "2026-12-04")
    assert agent.sent[-1].body == {"name": "For Lee", "duration": None}


async def test_a_link_that_was_booked_is_neither_changed_nor_deleted(agent: Agent, api: Api) -> None:
    share, other = await share_of(agent, "Deep dive"), await share_of(agent)
    await api.control("bookings", await booking_at(api, share["scheduling_links"][0]["booking_url"]))
    for tool, fields in (("update_share", {"name": "Late"}), ("delete_share", {})):
        with pytest.raises(Conflict):
            await agent.call(tool, share=share["uri"], **fields)
    assert (await agent.call("delete_share", share=other["uri"]))["status"] == "deleted"
    [row] = (await agent.call("list_shares", event_type="Deep dive"))["collection"]
    assert row["status"] == "booked"


@each(
    "tool, arguments, sentence",
    [
        ("create_share", {"period_type": "fixed", "start_date": "2026-12-01"}, "end_date: This parameter is required"),
        ("create_share", {"start_date": "2026-12-01", "end_date": "2026-12-04"}, "period_type: Must be fixed"),
        ("create_share", {"period_type": "moving"}, "max_booking_time: This parameter is required"),
        ("create_share", {**NEXT_WEEK, "end_date": "2026-11-01"}, "end_date: Must not be before start_date"),
        ("create_share", {**NEXT_WEEK, "period_type": "unlimited"}, "start_date: Does not belong to period_type"),
        ("create_share", {"period_type": "unlimited", "max_booking_time": 5}, "max_booking_time: Does not belong to"),
        (
            "update_share",
            {"period_type": "fixed", "max_booking_time": 5},
            "max_booking_time: Does not belong to period",
        ),
        ("create_share", {"duration": 20, "duration_options": [15, 30]}, "duration: Must be among duration_options"),
        ("update_share", {}, "share: Name something to change"),
        ("update_share", {"name": "Lee", "reset": ["name"]}, "reset: name is given too"),
    ],
)
async def test_what_does_not_go_together_is_refused_before_it_is_sent(
    agent: Agent, tool: str, arguments: Json, sentence: str
) -> None:
    which = (
        {"event_type": "Intro call"} if tool == "create_share" else {"share": "9f8e7d6c-5b4a-4392-8171-605f4e3d2c1b"}
    )
    with pytest.raises(ArgumentError, match=sentence):
        await agent.call(tool, **which, **arguments)
    assert all(request.is_read for request in agent.sent)


async def test_the_question_says_what_the_link_sets(agent: Agent) -> None:
    told = await agent.ask("create_share", event_type="Intro call", name="Lee", duration=15, **NEXT_WEEK)
    assert told.splitlines() == [
        "Create a link with which anyone can book once.",
        "Event type: “Intro call”",
        "Name (typed by the agent): “Lee”",
        "Minutes: 15",
        "Can be booked: fixed",
        "From: 2026-11-30",
        "Until: 2026-12-04",
    ]


async def test_what_a_change_is_about_is_found_in_the_list(agent: Agent, api: Api) -> None:
    share = await share_of(agent)
    told = await agent.ask("update_share", share=share["uri"], name="Lee", reset=["duration"])
    page = share["scheduling_links"][0]["booking_url"]
    assert told.splitlines() == [
        "Change a link with which anyone can book once.",
        f"Link: “{page}”",
        "Its name: “Intro call”",
        "Name (typed by the agent): “Lee”",
        "Back to the event type's: Minutes",
    ]
    assert (await agent.ask("delete_share", share=share["uri"])).startswith("Delete a link with which anyone can book")
    about = await agent.about("update_share", {"event_types"}, share=share["uri"], name="Lee")
    assert about.event_types == frozenset({(await api.event_type("Intro call"))["uri"].rpartition("/")[2]})
    with pytest.raises(NotFound, match="no such share"):
        await agent.ask("delete_share", share="9f8e7d6c-5b4a-4392-8171-605f4e3d2c1b")


async def test_a_link_to_what_nobody_can_book_is_refused(agent: Agent) -> None:
    with pytest.raises(ArgumentError, match="event_type"):
        await agent.call("create_share", event_type="Consultation (old)")
    for shared in ("Product workshop", "Hiring panel"):
        with pytest.raises(ArgumentError, match="event_type: Only one-on-one event types have such links") as refused:
            await agent.call("create_share", event_type=shared)
        assert refused.value.next_step == "Use create_single_use_scheduling_link instead."
    with pytest.raises(ArgumentError, match="end_date: Is past"):
        await agent.call(
            "create_share",
            event_type="Intro call",
            **{**NEXT_WEEK, "start_date": "2025-12-01", "end_date": "2025-12-05"},
        )


async def test_the_shares_of_others_are_not_listed(agent_of: AgentOf, api: Api) -> None:
    with pytest.raises(PermissionDenied):
        await agent_of("member").call("list_shares", user=(await api.me())["uri"])
