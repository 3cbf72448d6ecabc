"""Moving a meeting: the new time first, then the end of the old one, and what remains when that stops half-way."""

from typing import Any

import anyio
import pytest

from calendly.errors import CalendlyError, NotFound, OutcomeUnknown
from tests.sandbox.api import Api, Json
from tests.tools.agent import Agent
from tools.toolset.errors import ArgumentError, DeniedByPolicy

TRACKED = ("utm_campaign", "utm_source", "utm_medium", "utm_content", "utm_term", "salesforce_uuid")
pytestmark = pytest.mark.anyio


async def free(api: Api, name: str = "Intro call", number: int = -1) -> str:
    return (await api.slots((await api.event_type(name))["uri"]))[number]


def writes(agent: Agent) -> list[str]:
    return [request.path for request in agent.sent if not request.is_read]


async def active(api: Api, email: str = "lee@acme.example") -> list[str]:
    me = await api.me()
    rows = await api.read(
        "/scheduled_events", organization=me["current_organization"], invitee_email=email, status="active"
    )
    return sorted(row["uri"] for row in rows)


def place(event: Json) -> dict[str, Any]:
    """Where it is, without what is new for each conference."""
    where: dict[str, Any] = event["location"] or {}
    return {name: value for name, value in where.items() if name not in {"join_url", "data"}}


async def move(agent: Agent, event: str, start: str, **arguments: str) -> Json:
    return await agent.call("reschedule_scheduled_event", scheduled_event=event, start_time=start, **arguments)


async def test_the_new_time_is_booked_first_and_the_old_meeting_canceled_then(agent: Agent, api: Api) -> None:
    old = await api.book(
        "Design review",
        location={"kind": "outbound_call", "location": "+1 415 555 1234"},
        event_guests=["sam@acme.example"],
        tracking={**dict.fromkeys(TRACKED), "utm_source": "newsletter"},
    )
    start = await free(api, "Design review")
    moved = await move(agent, old["event"], start, reason="I am ill.")
    assert moved["outcome"] == "rescheduled"
    assert writes(agent) == ["/invitees", f"{old['event'].removeprefix('https://api.calendly.com')}/cancellation"]
    new = await api.read(moved["new_invitee"]["event"])
    assert new["start_time"][:19] == start[:19]
    assert new["location"]["location"] == "+1 415 555 1234"
    assert [guest["email"] for guest in new["event_guests"]] == ["sam@acme.example"]
    for field in ("email", "name", "timezone", "questions_and_answers", "tracking"):
        assert moved["new_invitee"][field] == old[field]
    canceled = await api.read(old["event"])
    assert (canceled["status"], canceled["cancellation"]["reason"]) == ("canceled", "I am ill.")
    assert await active(api) == [moved["new_invitee"]["event"]]


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("Deep dive", {}),
        ("Board briefing", {"location": {"kind": "physical", "location": "Room 4"}}),
        ("Design review", {"location": {"kind": "inbound_call"}}),
        ("Support triage", {}),
        ("Hiring panel", {"location": {"kind": "zoom_conference"}}),
        ("Morning coffee", {}),
    ],
)
async def test_whatever_the_kind_of_meeting_its_place_and_answers_go_along(
    agent: Agent, api: Api, name: str, changes: dict[str, Any]
) -> None:
    old = await api.book(name, **changes)
    moved = await move(agent, old["event"], await free(api, name))
    assert moved["outcome"] == "rescheduled"
    before, after = await api.read(old["event"]), await api.read(moved["new_invitee"]["event"])
    assert place(before) == place(after)
    assert moved["new_invitee"]["questions_and_answers"] == old["questions_and_answers"]


async def test_a_time_without_offset_is_in_the_zone_asked_for(agent: Agent, api: Api) -> None:
    old, start = await api.book(), await free(api)
    local = f"{start[:11]}{int(start[11:13]) + 1:02}{start[13:16]}"
    moved = await move(agent, old["event"], local, timezone="Europe/Berlin")
    assert (await api.read(moved["new_invitee"]["event"]))["start_time"][:16] == start[:16]


async def test_a_meeting_of_several_people_is_not_moved(agent: Agent, api: Api) -> None:
    old = await api.book("Product workshop")
    with pytest.raises(ArgumentError, match="Others have booked or can book it"):
        await move(agent, old["event"], await free(api, "Product workshop"))
    assert writes(agent) == []


async def test_what_is_canceled_past_or_unknown_is_not_moved(agent: Agent, api: Api) -> None:
    me, start = await api.me(), await free(api)
    rows = {
        status: await api.read("/scheduled_events", user=me["uri"], status=status, sort="start_time:asc", count=1)
        for status in ("active", "canceled")
    }
    with pytest.raises(ArgumentError, match="It has begun already or is over"):
        await move(agent, rows["active"][0]["uri"], start)
    with pytest.raises(ArgumentError, match="It is canceled"):
        await move(agent, rows["canceled"][0]["uri"], start)
    with pytest.raises(NotFound):
        await move(agent, "00000000-0000-4000-8000-000000000000", start)
    assert writes(agent) == []


async def test_times_that_are_past_or_the_same_are_refused(agent: Agent, api: Api) -> None:
    old = await api.book()
    event = await api.read(old["event"])
    with pytest.raises(ArgumentError, match="start_time: The meeting is at that time already"):
        await move(agent, old["event"], event["start_time"])
    with pytest.raises(ArgumentError, match="start_time: Must be in the future"):
        await move(agent, old["event"], "2026-11-20T10:00Z")
    assert writes(agent) == []


async def test_where_only_the_old_meeting_is_in_the_way_nothing_changes_and_the_link_is_offered(
    agent: Agent, api: Api
) -> None:
    deep = await api.event_type("Deep dive")
    slots = await api.slots(deep["uri"])
    # An hour that begins half an hour into the one that is booked, and that was open before.
    start = next(one for one in slots if f"{one[:14]}30:00Z" in slots and one[14:16] == "00")
    overlapping = f"{start[:14]}30:00Z"
    old = await api.book("Deep dive", start_time=start)
    kept = await move(agent, old["event"], overlapping)
    assert kept["outcome"] == "unchanged"
    assert kept["reschedule_url"] == old["reschedule_url"]
    assert writes(agent) == []
    assert await active(api) == [old["event"]]


async def test_where_another_meeting_is_in_the_way_too_calendly_refuses_it(agent: Agent, api: Api) -> None:
    deep = await api.event_type("Deep dive")
    slots = await api.slots(deep["uri"])
    start = next(
        one
        for one in slots
        if one[14:16] == "00" and {f"{one[:14]}30:00Z", f"{one[:11]}{int(one[11:13]) + 1:02}:00:00Z"} <= set(slots)
    )
    old = await api.book("Deep dive", start_time=start)
    intro = await api.event_type("Intro call")
    after = next(one for one in await api.slots(intro["uri"]) if one >= f"{start[:11]}{int(start[11:13]) + 1:02}")
    await api.book("Intro call", start_time=after, invitee={**(await api.booking())["invitee"], "email": "b@c.example"})
    with pytest.raises((CalendlyError, ArgumentError)):
        await move(agent, old["event"], f"{start[:14]}30:00Z")
    assert await active(api) == [old["event"]]


async def test_a_booking_that_fails_leaves_the_old_meeting(agent: Agent, api: Api) -> None:
    old, start = await api.book(), await free(api)
    await api.book(start_time=start, invitee={**(await api.booking())["invitee"], "email": "first@acme.example"})
    with pytest.raises((CalendlyError, ArgumentError)):
        await move(agent, old["event"], start)
    assert await active(api) == [old["event"]]


async def test_a_booking_of_unknown_outcome_leaves_the_old_meeting_and_a_repeat_goes_on_from_it(
    agent: Agent, api: Api
) -> None:
    old, start = await api.book(), await free(api)
    await api.control("faults", {"method": "POST", "path": "/invitees", "drop": "after"})
    await api.control("faults", {"read_lag": 60})
    with pytest.raises(OutcomeUnknown, match="The old meeting was not canceled"):
        await move(agent, old["event"], start)
    assert (await api.read(old["event"]))["status"] == "active"
    await anyio.sleep(60)
    moved = await move(agent, old["event"], start)
    assert moved["outcome"] == "rescheduled"
    assert await active(api) == [moved["new_invitee"]["event"]]
    assert writes(agent).count("/invitees") == 1


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}, {"status": 403}])
async def test_a_cancellation_that_fails_is_an_answer_that_names_both_and_a_repeat_finishes_it(
    agent: Agent, api: Api, fault: dict[str, Any]
) -> None:
    old, start = await api.book(), await free(api)
    path = f"{old['event'].removeprefix('https://api.calendly.com')}/cancellation"
    await api.control("faults", {"method": "POST", "path": path, **fault})
    half = await move(agent, old["event"], start)
    assert half["outcome"] == "booked_but_not_canceled"
    assert half["old_event"] == old["event"]
    assert "there are two meetings" in half["message"]
    assert len(await active(api)) == 2
    again = await move(agent, old["event"], start)
    assert again["outcome"] == "rescheduled"
    assert again["new_invitee"]["uri"] == half["new_invitee"]["uri"]
    assert await active(api) == [half["new_invitee"]["event"]]
    assert writes(agent).count("/invitees") == 1


async def test_one_question_is_asked_about_the_whole_and_it_tells_of_both_mails(agent: Agent, api: Api) -> None:
    agent.asked |= {"booking", "canceling"}
    old, start = await api.book(), await free(api)
    await move(agent, old["event"], start, reason="Travel")
    (question,) = agent.questions
    assert question.startswith("Move 'Intro call' on ")
    assert "with Lee Park to " in question
    assert "it will e-mail lee@acme.example about both" in question
    assert question.endswith("This cannot be undone. The reason they read: Travel")


@pytest.mark.parametrize("capability", ["booking", "canceling", "scheduled_events", "invitee_data"])
async def test_all_that_it_does_has_to_be_allowed(agent: Agent, api: Api, capability: str) -> None:
    old, start = await api.book(), await free(api)
    agent.off.add(capability)
    with pytest.raises(DeniedByPolicy):
        await move(agent, old["event"], start)
    assert writes(agent) == []


@pytest.mark.parametrize("capability", ["event_types", "availability"])
async def test_what_it_only_checks_with_need_not_be_allowed_to_the_agent(
    agent: Agent, api: Api, capability: str
) -> None:
    old, start = await api.book(), await free(api)
    agent.off.add(capability)
    assert (await move(agent, old["event"], start))["outcome"] == "rescheduled"
