"""What happened, as agents are told it: exactly what is new, from looks at the sandbox."""

import asyncio
import re
from datetime import datetime, timedelta

import pytest

from calendly.errors import InsufficientScope
from tests.sandbox.api import Api, Json
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf, Epoch
from tools.toolset.errors import ArgumentError


def kinds(answer: Json) -> list[str]:
    return [row["kind"] for row in answer["collection"]]


def pass_time(seconds: float) -> None:
    """Let time pass for the sandbox and for what is stored, at once."""
    Epoch.start -= seconds


async def later(agent: Agent, cursor: str, **arguments: object) -> Json:
    """What is new when the last look is old."""
    pass_time(61)
    return await agent.call("list_received_events", cursor=cursor, **arguments)


async def looks(api: Api) -> list[str]:
    """What looks have asked Calendly."""
    requests = (await api.http.get("/_sandbox/requests")).json()
    return [request["path"] for request in requests if request["path"].startswith("/scheduled_events")]


@pytest.mark.requirement("events-tool")
async def test_a_routine_gets_exactly_what_is_new_since_its_cursor(agent: Agent, api: Api) -> None:
    first = await agent.call("list_received_events")
    assert (first["has_more"], first["truncated"], first["source"]) == (False, False, "polling")
    began = r"Nothing was seen up to \S+Z; .* The first reading goes back to \S+Z, 24 hours; .* is in find_bookings\.$"
    assert re.match(began, first["empty_because"])
    invitee = await api.book()
    at_once = await agent.call("list_received_events", cursor=first["cursor"])
    next_look = (datetime.fromisoformat(at_once["checked_at"]) + timedelta(seconds=60)).isoformat()
    assert at_once["empty_because"] == (
        f"Nothing was seen up to {at_once['checked_at']}; "
        f"a call after {next_look.replace('+00:00', 'Z')} looks at Calendly again."
    )
    news = await later(agent, first["cursor"])
    assert kinds(news) == ["meeting.booked"]
    (event,) = news["collection"]
    assert event["data"]["invitee"]["uri"] == invitee["uri"]
    assert event["data"]["invitee"]["email"] == invitee["email"]
    assert event["data"]["meeting"]["timezone"]
    again = await later(agent, news["cursor"])
    assert (again["collection"], again["cursor"]) == ([], news["cursor"])
    assert again["empty_because"].startswith("Nothing was seen up to ")
    assert "empty_because" not in news
    await api.post(f"/scheduled_events/{invitee['uri'].split('/')[-3]}/cancellation", {"reason": "ill"})
    news = await later(agent, again["cursor"])
    assert kinds(news) == ["meeting.canceled"]
    assert news["collection"][0]["data"]["cancellation"] == {"by": "host", "reason": "ill"}
    both = await agent.call("list_received_events", cursor=first["cursor"])
    assert kinds(both) == ["meeting.booked", "meeting.canceled"]
    assert kinds(await agent.call("list_received_events", count=1)) == ["meeting.canceled"]


@pytest.mark.requirement("looks-on-demand", "looks-cost")
async def test_a_look_is_made_once_a_minute_and_reads_only_what_changed(agent: Agent, api: Api) -> None:
    first, booking = await agent.call("list_received_events"), await api.booking()
    before = await looks(api)
    for _ in range(5):
        await agent.call("list_received_events", cursor=first["cursor"], kinds=["meeting.booked"])
    assert await looks(api) == before
    pass_time(61)
    await asyncio.gather(
        *(agent.call("list_received_events", cursor=first["cursor"], kinds=["meeting.booked"]) for _ in range(5))
    )
    assert (await looks(api))[len(before) :] == ["/scheduled_events"]
    await api.post("/invitees", booking)
    before = await looks(api)
    await later(agent, first["cursor"])
    assert len((await looks(api))[len(before) :]) == 2


async def test_events_are_narrowed_to_kinds_and_to_an_event_type(agent: Agent, api: Api) -> None:
    first = await agent.call("list_received_events")
    await api.book()
    news = await later(agent, first["cursor"], event_type="Intro call")
    assert kinds(news) == ["meeting.booked"]
    other = await agent.call("list_received_events", cursor=first["cursor"], kinds=["meeting.canceled"])
    assert (other["collection"], other["cursor"]) == ([], news["cursor"])
    assert other["searched"] == {"whose": "you", "filters": {"kinds": "meeting.canceled"}}
    assert other["empty_because"].endswith("at Calendly again. Other kinds and event types were not looked for.")
    told = await agent.call("list_received_events", cursor=first["cursor"], kinds=["contact.created"])
    assert told["empty_because"].startswith("Only Calendly's webhook tells of these, and it has told nothing yet.")
    others = await agent.call("list_event_types")
    another = next(row["uri"] for row in others["collection"] if row["name"] != "Intro call")
    none = await agent.call(
        "list_received_events", cursor=first["cursor"], event_type=another, kinds=["meeting.booked"]
    )
    assert none["collection"] == []
    with pytest.raises(ArgumentError, match=r"kinds: There is no kind 'meeting\.eaten'; there are meeting\.booked, "):
        await agent.call("list_received_events", kinds=["meeting.eaten"])


async def test_a_cursor_that_leads_nowhere_is_told_and_goes_on_from_the_oldest(agent: Agent, api: Api) -> None:
    first = await agent.call("list_received_events")
    await api.book()
    await later(agent, first["cursor"])
    for lost in ("c1-00000000-7", "gibberish"):
        answer = await agent.call("list_received_events", cursor=lost)
        assert (answer["truncated"], kinds(answer)) == (True, ["meeting.booked"])
        answer = await agent.call("list_received_events", cursor=lost, kinds=["meeting.canceled"])
        assert answer["empty_because"].startswith("This cursor is not of this feed; go on with the cursor of this")


async def test_no_shows_are_told_though_nothing_in_the_list_changes(agent: Agent, api: Api) -> None:
    first = await agent.call("list_received_events")
    user = (await api.me())["uri"]
    rows = await api.read("/scheduled_events", user=user, max_start_time=first["checked_at"], sort="start_time:desc")
    meeting = next(row for row in rows if row["status"] == "active")
    (invitee, *_) = await api.read(f"/scheduled_events/{meeting['uri'].rpartition('/')[2]}/invitees")
    mark = (await api.post("/invitee_no_shows", {"invitee": invitee["uri"]})).json()["resource"]
    pass_time(31 * 60)
    news = await agent.call("list_received_events", cursor=first["cursor"])
    assert kinds(news) == ["no_show.marked"]
    await api.delete(f"/invitee_no_shows/{mark['uri'].rpartition('/')[2]}")
    pass_time(31 * 60)
    news = await agent.call("list_received_events", cursor=news["cursor"])
    assert kinds(news) == ["no_show.unmarked"]


async def test_a_long_answer_ends_early_and_its_cursor_goes_on(agent: Agent, api: Api) -> None:
    first = await agent.call("list_received_events")
    for number in range(4):
        await api.book(invitee={"name": "N" * 150, "email": f"guest{number}@acme.example", "timezone": "Europe/Berlin"})
    await later(agent, first["cursor"])
    one = await agent.call("list_received_events", cursor=first["cursor"], count=3)
    rest = await agent.call("list_received_events", cursor=one["cursor"])
    assert (one["has_more"], rest["has_more"]) == (True, False)
    assert len(one["collection"]) == 3
    assert len(rest["collection"]) == 1


async def test_the_newest_that_are_too_many_for_an_answer_are_told_in_several(agent: Agent, api: Api) -> None:
    first = await agent.call("list_received_events")
    starts = await api.slots((await api.event_type("Intro call"))["uri"])
    for number, start in enumerate(starts[-1:-26:-1]):
        if number % 9 == 8:
            pass_time(61)  # Calendly lets ten be booked a minute
        invitee = {"name": "日" * 200, "email": f"guest{number}@acme.example", "timezone": "Europe/Berlin"}
        await api.book(start_time=start, invitee=invitee)
    await later(agent, first["cursor"])
    found = [await agent.call("list_received_events", count=100)]
    while found[-1]["has_more"]:
        found.append(await agent.call("list_received_events", cursor=found[-1]["cursor"], count=100))
    ids = [event["event_id"] for part in found for event in part["collection"]]
    assert len(found) > 1
    assert len(ids) == len(set(ids)) >= 25


async def test_who_has_no_scope_is_told_as_by_other_tools(agent_of: AgentOf) -> None:
    with pytest.raises(InsufficientScope):
        await agent_of("noscopes").call("list_received_events")
