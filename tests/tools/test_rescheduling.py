"""Moving a meeting: the new time first, then the end of the old one, and what remains when that stops half-way."""

import contextlib
import re
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import anyio
import pytest

from calendly.errors import CalendlyError, Detail, InvalidArgument, NotFound, OutcomeUnknown
from server.calls.results import failure
from tests.cases import each
from tests.sandbox.api import Api, Json, iso
from tests.tools.agent import TOOLS, Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError, DeniedByPolicy, ToolError

TRACKED = ("utm_campaign", "utm_source", "utm_medium", "utm_content", "utm_term", "salesforce_uuid")
INVITEE = {"name": "Lee Park", "email": "lee@acme.example", "timezone": "America/New_York"}
ZOOM, MEET = {"kind": "zoom_conference"}, {"kind": "google_conference"}
STUDIO = {"kind": "physical", "location": "Northlight Studio, Torstrasse 1, Berlin"}
ROOM, PHONE = {"kind": "physical", "location": "Room 5"}, {"kind": "outbound_call", "location": "+14155551234"}


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


def where(event: Json) -> dict[str, Any]:
    """Where it is, without what is new for each conference."""
    place: dict[str, Any] = event["location"] or {}
    return {name: value for name, value in place.items() if name not in {"join_url", "data"}}


async def move(agent: Agent, event: str, start: str, **arguments: str) -> Json:
    return await agent.call("reschedule_scheduled_event", scheduled_event=event, start_time=start, **arguments)


async def test_a_start_that_means_two_times_is_refused_with_both(agent: Agent, api: Api) -> None:
    old = await api.book("Intro call")
    with pytest.raises(ArgumentError) as refused:
        await move(agent, old["event"], "2026-11-30T10:00")
    told = refused.value.faults[0]["message"]
    assert "In yours (Europe/Berlin) it is 2026-11-30T09:00:00Z, Mon 2026-11-30 04:00 for the invitee" in told
    assert "in the invitee's (America/New_York) it is 2026-11-30T15:00:00Z, Mon 2026-11-30 16:00 for you" in told
    assert not writes(agent)
    moved = await move(agent, old["event"], "2026-11-30T10:00", timezone="Europe/Berlin")
    assert moved["new_invitee"]["scheduled_event"]["start_time"].startswith("2026-11-30T09:00:00")


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
        ("Board briefing", {"location": {"kind": "physical", "location": "Northlight Studio, Torstrasse 1, Berlin"}}),
        ("Intro call", {}),
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
    assert where(before) == where(after)
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


async def overlapping(api: Api) -> tuple[Json, str]:
    """Book an hour, and return it with a start half an hour into it, which was open before."""
    deep = await api.event_type("Deep dive")
    slots = await api.slots(deep["uri"])
    start = next(one for one in slots if one[14:16] == "00" and f"{one[:14]}30:00Z" in slots)
    return await api.book("Deep dive", start_time=start), f"{start[:14]}30:00Z"


async def test_a_meeting_moves_to_a_time_that_overlaps_it_although_calendly_offers_that_only_afterwards(
    agent: Agent, api: Api
) -> None:
    old, start = await overlapping(api)
    moved = await move(agent, old["event"], start)
    assert moved["outcome"] == "rescheduled"
    assert moved["new_invitee"]["scheduled_event"]["start_time"][:19] == start[:19]
    assert writes(agent) == [f"{old['event'].removeprefix('https://api.calendly.com')}/cancellation", "/invitees"]
    assert await active(api) == [moved["new_invitee"]["event"]]
    assert await move(agent, old["event"], start) == moved
    assert len(writes(agent)) == 2


async def test_if_the_overlapping_time_cannot_be_booked_after_all_the_old_time_is_booked_again(
    agent: Agent, api: Api
) -> None:
    old, start = await overlapping(api)
    event = await api.read(old["event"])
    refusal = {"title": "Permission Denied", "message": "You do not have permission"}
    await api.fail("/invitees", "POST", status=403, body=refusal)
    back = await move(agent, old["event"], start)
    assert back["outcome"] == "old_time_booked_again"
    assert "You do not have permission" in back["message"]
    (standing,) = await active(api)
    assert back["new_invitee"]["event"] == standing != old["event"]
    assert (await api.read(standing))["start_time"] == event["start_time"]
    assert await move(agent, old["event"], start) == back


async def test_where_nothing_can_be_booked_any_more_the_same_call_tries_again(agent: Agent, api: Api) -> None:
    old, start = await overlapping(api)
    refused = {"method": "POST", "path": "/invitees", "status": 403, "times": 2}
    await api.control("faults", refused)
    with pytest.raises(ArgumentError, match="The old meeting is canceled, the new time cannot be booked"):
        await move(agent, old["event"], start)
    assert await active(api) == []
    moved = await move(agent, old["event"], start)
    assert moved["outcome"] == "rescheduled"
    assert await active(api) == [moved["new_invitee"]["event"]]


@pytest.mark.parametrize(
    ("minutes", "reason"),
    [
        (7, "No meeting of this event type begins at .*: its times are 30 minutes apart"),
        (-30, "is outside the working hours of one of the host's schedules"),
        (30, "Something else is in the host's calendar at .*, besides the meeting itself"),
    ],
)
async def test_a_time_that_calendly_will_not_offer_either_way_is_refused_for_its_true_reason(
    agent: Agent, api: Api, minutes: int, reason: str
) -> None:
    deep = await api.event_type("Deep dive")
    first = next(one for one in await api.slots(deep["uri"]) if one[14:16] == "00")
    if minutes < 0:
        first = next(one for one in await api.slots(deep["uri"]) if one[11:16] == "08:00")  # 09:00 in Berlin
    old = await api.book("Deep dive", start_time=first)
    begins = datetime.fromisoformat(first)
    if minutes == 30:
        intro = await api.event_type("Intro call")
        later = next(one for one in await api.slots(intro["uri"]) if one >= iso(begins + timedelta(minutes=60)))
        assert datetime.fromisoformat(later) < begins + timedelta(minutes=120)
        await api.book("Intro call", start_time=later, invitee={**INVITEE, "email": "b@c.example"})
    kept = await move(agent, old["event"], iso(begins + timedelta(minutes=minutes)))
    assert kept["outcome"] == "unchanged"
    assert kept["reschedule_url"] == old["reschedule_url"]
    assert re.search(reason, kept["message"])
    assert "Nearest open times: " in kept["message"]
    assert writes(agent) == []
    assert await active(api) == [old["event"]]


async def test_what_may_stand_in_the_way_and_cannot_be_read_is_not_risked(agent: Agent, api: Api) -> None:
    old, start = await overlapping(api)
    await api.fail("/user_busy_times", status=403)
    kept = await move(agent, old["event"], start)
    assert kept["outcome"] == "unchanged"
    assert "nothing was risked" in kept["message"]


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
    await api.fail("/invitees", "POST", drop="after")
    await api.control("faults", {"read_lag": 60})
    with pytest.raises(OutcomeUnknown, match="The old meeting was not canceled"):
        await move(agent, old["event"], start)
    assert (await api.read(old["event"]))["status"] == "active"
    await anyio.sleep(60)
    moved = await move(agent, old["event"], start)
    assert moved["outcome"] == "rescheduled"
    assert await active(api) == [moved["new_invitee"]["event"]]
    assert writes(agent).count("/invitees") == 1


async def test_a_booking_that_was_never_made_is_made_by_the_same_call_again(agent: Agent, api: Api) -> None:
    old, start = await api.book(), await free(api)
    await api.fail("/invitees", "POST", status=500)
    with pytest.raises(OutcomeUnknown, match="Repeat this call with the same arguments") as unknown:
        await move(agent, old["event"], start)
    assert unknown.value.goes_on
    moved = await move(agent, old["event"], start)
    assert moved["outcome"] == "rescheduled"
    assert await active(api) == [moved["new_invitee"]["event"]]


async def test_where_hosts_take_turns_a_booking_of_unknown_outcome_is_not_sent_again_until_the_list_tells(
    agent: Agent, api: Api
) -> None:
    start, later = await free(api, "Support triage"), await free(api, "Support triage", -5)
    old = await api.book("Support triage", start_time=later)
    await api.fail("/invitees", "POST", status=500)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match="The old meeting"):
            await move(agent, old["event"], start)
    assert writes(agent).count("/invitees") == 1
    assert await active(api) == [old["event"]]
    agent.began -= 40 * 60
    moved = await move(agent, old["event"], start)
    assert (moved["outcome"], writes(agent).count("/invitees")) == ("rescheduled", 2)
    assert await active(api) == [moved["new_invitee"]["event"]]


@pytest.mark.parametrize("is_canceled", [False, True])
async def test_where_hosts_take_turns_a_move_that_nobody_can_settle_ends_and_says_how_a_person_goes_on(
    agent: Agent, api: Api, *, is_canceled: bool
) -> None:
    start, later = await free(api, "Support triage"), await free(api, "Support triage", -5)
    old = await api.book("Support triage", start_time=later)
    await api.fail("/invitees", "POST", status=500)
    await api.fail("/scheduled_events", status=403, times=99)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown, match=r"is known after 2026-\S+Z\. Repeat this call"):
            await move(agent, old["event"], start)
    if is_canceled:
        await api.post(f"{old['event']}/cancellation")
    agent.began -= 40 * 60
    for _ in range(2):
        if is_canceled:
            with pytest.raises(ArgumentError, match=r"cannot be moved\. It is canceled\. Whether .* cannot be learned"):
                await move(agent, old["event"], start)
            continue
        kept = await move(agent, old["event"], start)
        assert (kept["outcome"], kept["reschedule_url"]) == ("unchanged", old["reschedule_url"])
        assert "cannot be learned" in kept["message"]
        assert "Nothing was changed" not in kept["message"]
    assert writes(agent).count("/invitees") == 1


@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 500, "after": True}])
async def test_a_cancellation_whose_answer_is_lost_is_looked_up_and_never_leads_to_a_second_booking(
    agent: Agent, api: Api, fault: dict[str, Any]
) -> None:
    old, start = await api.book(), await free(api)
    await api.fail("/scheduled_events/*/cancellation", "POST", **fault)
    moved = await move(agent, old["event"], start, reason="Ill")
    assert moved["outcome"] == "rescheduled"
    assert moved["cancellation"]["reason"] == "Ill"
    assert await active(api) == [moved["new_invitee"]["event"]]


async def test_after_success_the_same_call_gives_the_same_answer(agent: Agent, api: Api) -> None:
    old, start = await api.book(), await free(api)
    await api.control("faults", {"read_lag": 60})
    moved = await move(agent, old["event"], start)
    before = len(writes(agent))
    for _ in range(2):
        assert await move(agent, old["event"], start) == moved
    assert len(writes(agent)) == before


async def test_what_was_done_is_known_although_the_keys_are_lost(agent: Agent, agent_of: AgentOf, api: Api) -> None:
    old, start = await api.book(), await free(api)
    moved = await move(agent, old["event"], start)
    other = agent_of("owner")
    again = await move(other, old["event"], start)
    assert writes(other) == []
    for field in ("outcome", "message", "old_event", "cancellation"):
        assert again[field] == moved[field]
    assert again["new_invitee"]["uri"] == moved["new_invitee"]["uri"]


@each("kind", ["Intro call", "Support triage"])
async def test_another_meeting_of_the_same_person_at_the_new_time_is_named_and_none_is_canceled_for_it(
    agent: Agent, api: Api, kind: str
) -> None:
    agent.asked |= {"booking", "canceling"}
    old, start = await api.book(kind), await free(api, kind)
    other = await api.book(kind, start_time=start)
    before = await active(api)
    for _ in range(2):
        with pytest.raises(ArgumentError, match=f"another meeting .*{other['event']}.*{old['event']} stands too") as no:
            await move(agent, old["event"], start)
        assert "cancel_scheduled_event" in (no.value.next_step or "")
    assert (await active(api), writes(agent), agent.questions) == (before, [], [])
    question = await agent.ask("reschedule_scheduled_event", scheduled_event=old["event"], start_time=start)
    assert "is booked already" not in question


async def test_a_new_meeting_that_was_canceled_since_is_not_taken_for_the_invitees_meeting(
    agent: Agent, api: Api
) -> None:
    old, start = await api.book(), await free(api)
    await api.fail("/scheduled_events/*/cancellation", "POST", status=403)
    half = await move(agent, old["event"], start)
    assert half["outcome"] == "booked_but_not_canceled"
    await api.post(f"{half['new_invitee']['event']}/cancellation")
    moved = await move(agent, old["event"], start)
    assert await active(api) == [moved["new_invitee"]["event"]]
    await api.post(f"{moved['new_invitee']['event']}/cancellation")
    with pytest.raises(ArgumentError, match="that meeting is canceled since"):
        await move(agent, old["event"], start)


async def on_page(api: Api, invitee: str, start: str) -> str:
    """Have the invitee move a meeting on Calendly's page, and return the new one."""
    address = (await api.read(invitee))["reschedule_url"]
    moved = await api.control("reschedulings", {"reschedule_url": address, "start_time": start})
    return str(moved["resource"]["event"])


@pytest.mark.parametrize(
    "by", ["the agent", "the invitee", "the agent, then the invitee", "the invitee, then the agent"]
)
async def test_a_meeting_that_was_moved_already_is_told_with_its_new_place_and_not_booked_anew(
    agent: Agent, api: Api, by: str
) -> None:
    old = await api.book()
    event, invitee, times = old["event"], old["uri"], await api.slots((await api.event_type("Intro call"))["uri"])
    for number, who in enumerate(by.split(", then "), start=3):
        if who == "the agent":
            event = (moved := await move(agent, event, times[-number]))["new_invitee"]["event"]
            invitee = moved["new_invitee"]["uri"]
        else:
            event = await on_page(api, invitee, times[-number])
            invitee = (await api.read(f"{event}/invitees"))[0]["uri"]
    sent, start = len(writes(agent)), str((await api.read(event))["start_time"])[:19]
    with pytest.raises(ArgumentError, match=f"scheduled_event: It was moved to {start}Z. Pass .*={event}"):
        await move(agent, old["event"], times[-1])
    assert len(writes(agent)) == sent
    assert await active(api) == [event]
    await api.post(f"{event}/cancellation")
    for _ in range(2):
        with pytest.raises(ArgumentError, match=f"moved to {start}Z, and that meeting is canceled since"):
            await move(agent, old["event"], times[-1])


async def test_a_meeting_whose_move_was_cut_short_is_not_moved_to_another_time(agent: Agent, api: Api) -> None:
    old, times = await api.book(), await api.slots((await api.event_type("Intro call"))["uri"])
    await api.fail("/invitees", "POST", drop="before")
    with pytest.raises(OutcomeUnknown):
        await move(agent, old["event"], times[-2])
    await api.post(f"{old['event']}/cancellation")
    with pytest.raises(
        ArgumentError, match=f"start_time: An earlier call has begun .*Call again with .*{times[-2][:19]}"
    ):
        await move(agent, old["event"], times[-1])


async def test_a_move_that_was_begun_is_finished_before_the_meeting_is_moved_to_another_time(
    agent: Agent, api: Api
) -> None:
    old, start = await api.book(), await free(api)
    other = next(time for time in await api.slots((await api.event_type("Intro call"))["uri"]) if time < start)
    await api.fail("/scheduled_events/*/cancellation", "POST", status=403)
    half = await move(agent, old["event"], start)
    assert half["outcome"] == "booked_but_not_canceled"
    with pytest.raises(ArgumentError, match=r"An earlier call has booked .*Call again with start_time"):
        await move(agent, old["event"], other)
    assert len(await active(api)) == 2
    await move(agent, old["event"], start)
    moved = await move(agent, half["new_invitee"]["event"], other)
    assert await active(api) == [moved["new_invitee"]["event"]]


async def test_the_question_of_a_move_that_goes_on_tells_only_what_is_left(agent: Agent, api: Api) -> None:
    agent.asked |= {"booking", "canceling"}
    old, start = await api.book(), await free(api)
    for fault in ({"path": "/invitees", "drop": "after"}, {"path": "/scheduled_events/*/cancellation", "status": 403}):
        await api.control("faults", {"method": "POST", **fault})
    assert (await move(agent, old["event"], start))["outcome"] == "booked_but_not_canceled"
    await move(agent, old["event"], start)
    first, second = agent.questions
    assert ("the new time is booked first" in first, "e-mail about both" in first) == (True, True)
    left = "Move a meeting. The new time is booked already, and only the old meeting is left to cancel. "
    assert (second.startswith(left), "about both" in second) == (True, False)
    agent.questions.clear()
    old, start = await overlapping(api)
    await api.fail("/invitees", "POST", status=403, times=2)
    with pytest.raises(ArgumentError, match="The old meeting is canceled"):
        await move(agent, old["event"], start)
    await move(agent, old["event"], start)
    assert "canceled first" in agent.questions[0]
    assert agent.questions[1].startswith("Move a meeting. The old meeting is canceled already; the new time is booked")


@pytest.mark.parametrize("fault", [{"status": 500}, {"drop": True}, {"status": 403}])
async def test_a_cancellation_that_fails_is_an_answer_that_names_both_and_a_repeat_finishes_it(
    agent: Agent, api: Api, fault: dict[str, Any]
) -> None:
    old, start = await api.book(), await free(api)
    path = f"{old['event'].removeprefix('https://api.calendly.com')}/cancellation"
    await api.fail(path, "POST", **fault)
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
    ours, *facts = question.splitlines()
    assert ours.startswith("Move a meeting. Calendly cannot reschedule, so the new time is booked first, ")
    assert ours.endswith(" This cannot be undone.")
    assert [fact.partition(": ")[::2] for fact in facts if not fact.startswith(("From", "To"))] == [
        ("Meeting", "“Intro call”"),
        ("Invitees", "“Lee Park”"),
        ("Calendly will e-mail about both", "“lee@acme.example”"),
        ("Reason that they read (typed by the agent)", "“Travel”"),
    ]


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


async def changed(api: Api, kind_name: str = "Intro call", **fields: Json) -> None:
    """Have Calendly say that an event type is otherwise than when it was booked."""
    kind = {**await api.event_type(kind_name), **fields}
    path = kind["uri"].removeprefix("https://api.calendly.com")
    await api.fail(path, status=200, times=99, body={"resource": kind})


async def test_an_event_type_without_a_name_is_asked_about_by_its_address(agent: Agent, api: Api) -> None:
    body = await api.booking()
    await changed(api, name=None)
    assert f"Event type: {body['event_type'].rpartition('/')[2]}\n" in await agent.ask("create_event_invitee", **body)


def sent_body(agent: Agent) -> Json:
    """What the new meeting was booked with."""
    return next(request.body for request in agent.sent if request.is_booking)


async def test_a_question_that_was_added_as_required_is_told_and_the_link_offered(agent: Agent, api: Api) -> None:
    old, start = await api.book(), await free(api)
    question = {"name": "Budget?", "type": "string", "position": 4, "enabled": True, "required": True}
    await changed(api, custom_questions=[*(await api.event_type("Intro call"))["custom_questions"], question])
    kept = await move(agent, old["event"], start)
    assert kept["outcome"] == "unchanged"
    assert 'This required question needs an answer: "Budget?"' in kept["message"]
    assert kept["reschedule_url"] == old["reschedule_url"]
    assert writes(agent) == []


async def test_an_event_type_that_was_switched_off_is_told(agent: Agent, api: Api) -> None:
    old, start = await api.book(), await free(api)
    await changed(api, active=False)
    kept = await move(agent, old["event"], start)
    assert (kept["outcome"], writes(agent)) == ("unchanged", [])
    assert "switched off" in kept["message"]


async def test_a_question_that_was_renamed_or_removed_loses_its_answer_which_is_told(agent: Agent, api: Api) -> None:
    answers = [
        {"question": "What would you like to talk about?", "answer": "Pricing", "position": 0},
        {"question": "Phone number", "answer": "+14155551234", "position": 3},
    ]
    old, start = await api.book(questions_and_answers=answers), await free(api)
    questions = (await api.event_type("Intro call"))["custom_questions"]
    await changed(api, custom_questions=[{**questions[3], "name": "Your number"}, *questions[:3]])
    moved = await move(agent, old["event"], start)
    assert moved["outcome"] == "rescheduled"
    assert moved["changes"] == ['the answer to "Phone number" is left out, as it no longer fits']
    assert [answer["question"] for answer in sent_body(agent)["questions_and_answers"]] == [answers[0]["question"]]


class Place(NamedTuple):
    """A meeting booked at a place, the places that its type offers since, and where it goes."""

    name: str
    booked: Json
    offered: Json
    sent: Json
    told: str
    asked: str = ""


PLACES = [
    Place("Intro call", ZOOM, [MEET], MEET, "the location zoom_conference becomes google_conference"),
    Place("Board briefing", STUDIO, [ROOM], ROOM, 'the place is now "Room 5"', "New place: “Room 5”"),
    Place("Design review", PHONE, [{"kind": "outbound_call"}, ZOOM], PHONE, ""),
    Place("Intro call", ZOOM, [], None, "the location zoom_conference is left out, as the event type has none now"),
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
async def test_what_fits_of_the_place_goes_along_and_the_only_one_is_taken(
    agent: Agent, api: Api, place: Place
) -> None:
    old, start = await api.book(place.name, location=place.booked), await free(api, place.name)
    await changed(api, place.name, locations=place.offered)
    await api.fail("/invitees", "POST", status=400)
    assert (await move(agent, old["event"], start))["outcome"] == "unchanged"
    assert sent_body(agent).get("location") == place.sent
    question = await agent.ask("reschedule_scheduled_event", scheduled_event=old["event"], start_time=start)
    assert (place.asked or place.told) in question
    assert ("It will not be all the same" in question) == bool(place.told and not place.asked)


@pytest.mark.parametrize(
    ("location", "offered", "told"),
    [
        (None, [ZOOM], "the location is now zoom_conference"),
        ({"type": "physical", "location": None}, [ZOOM], "the location physical becomes zoom_conference"),
        ({"type": "physical", "location": None}, [ROOM], "New place: “Room 5”"),
        ({"type": "custom", "location": None}, [], "the location custom is left out"),
        ({"type": "zoom"}, [ROOM], "New place: “Room 5”"),
    ],
)
async def test_a_place_that_calendly_does_not_tell_does_not_change_silently(
    agent: Agent, api: Api, location: Json, offered: list[Json], told: str
) -> None:
    old, start = await api.book(), await free(api)
    await changed(api, locations=offered)
    event = {**await api.read(old["event"]), "location": location}
    path = old["event"].removeprefix("https://api.calendly.com")
    fault = {"method": "GET", "path": path, "status": 200, "times": 9, "body": {"resource": event}}
    await api.control("faults", fault)
    assert told in await agent.ask("reschedule_scheduled_event", scheduled_event=old["event"], start_time=start)


async def test_of_several_places_none_of_which_is_the_old_one_a_person_chooses(agent: Agent, api: Api) -> None:
    old, start = await api.book(), await free(api)
    await changed(api, locations=[{"kind": "google_conference"}, {"kind": "webex_conference"}])
    kept = await move(agent, old["event"], start)
    assert (kept["outcome"], writes(agent)) == ("unchanged", [])
    assert "google_conference needs no more; webex_conference needs no more" in kept["message"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"duration": 15, "duration_options": [15, 30]}, "it lasts 15 minutes instead of 30"),
        ({"is_paid": True}, "a payment stays with the old booking, and the new one is unpaid"),
        ({"pooling_type": "round_robin"}, "the hosts take turns, so another one may host it"),
    ],
)
async def test_what_will_not_be_the_same_is_told_before_anybody_agrees_and_in_the_answer(
    agent: Agent, api: Api, fields: dict[str, Any], told: str
) -> None:
    agent.asked |= {"booking", "canceling"}
    old, start = await api.book(location={"kind": "zoom_conference"}), await free(api)
    await changed(api, **fields)
    location = {"location": None} if "pooling_type" in fields else {}
    if location:
        await api.fail("/invitees", "POST", status=403)
        with pytest.raises(CalendlyError):
            await move(agent, old["event"], start)
    else:
        assert told in (await move(agent, old["event"], start))["changes"]
    (question,) = agent.questions
    assert f"It will not be all the same: {told}" in question


@pytest.mark.parametrize(
    ("parameter", "message", "told"),
    [
        ("event.location_configuration.location", "invalid location choice", "location: invalid location choice."),
        ("questions_and_answers[0].answer", "is invalid", "questions and answers 0 answer: is invalid."),
        ("invitee.email", "lee@acme.example is invalid", "invitee email: (an address that is withheld) is invalid."),
        (None, "No.", "Calendly answered 400 Invalid Argument: No."),
    ],
)
async def test_what_calendly_refuses_of_what_goes_along_leaves_all_and_offers_the_link(
    agent: Agent, api: Api, parameter: str | None, message: str, told: str
) -> None:
    old, start = await api.book(), await free(api)
    detail = {"parameter": parameter, "message": message, "code": "invalid_choice"}
    said = {"title": "Invalid Argument", "message": "No.", "details": [detail] if parameter else []}
    await api.fail("/invitees", "POST", status=400, body=said)
    kept = await move(agent, old["event"], start)
    assert (kept["outcome"], kept["reschedule_url"]) == ("unchanged", old["reschedule_url"])
    assert kept["message"].endswith(f"{told} Nothing was changed. At reschedule_url a person can move it.")
    assert await active(api) == [old["event"]]
    assert (await move(agent, old["event"], start))["outcome"] == "rescheduled"


async def test_no_refusal_names_what_the_tool_does_not_take(agent: Agent, api: Api) -> None:
    old, taken = await api.book(), await free(api, number=3)
    await api.book(start_time=taken, invitee={**INVITEE, "email": "first@acme.example"})
    with pytest.raises(ArgumentError) as not_open:
        await move(agent, old["event"], taken)
    assert {fault.get("parameter") for fault in not_open.value.faults} <= {"start_time", None}
    detail: Detail = {"parameter": "event.location_configuration.location", "message": "invalid"}
    refused = InvalidArgument("No.", status=400, details=[detail])
    assert "location" not in str(failure(refused, TOOLS["reschedule_scheduled_event"]).content)


async def test_both_times_are_told_on_the_clocks_of_all_concerned(agent: Agent, api: Api) -> None:
    old = await api.book()
    question = await agent.ask(
        "reschedule_scheduled_event", scheduled_event=old["event"], start_time="2026-11-25T09:00:00Z"
    )
    assert "From: Mon 23 Nov 2026, 09:00 (Europe/Berlin; 03:00 America/New_York for the invitee)\n" in question
    assert "To: Wed 25 Nov 2026, 10:00 (Europe/Berlin; 04:00 America/New_York for the invitee)\n" in question


@pytest.mark.parametrize("patience", [0.5, 1, 2, 4])
async def test_two_calls_at_once_that_overlap_leave_one_meeting_wherever_both_are_given_up(
    agent: Agent, api: Api, patience: float
) -> None:
    old, start = await overlapping(api)
    await api.fail("/invitees", "POST", delay=1, status=302, after=True)
    await api.fail("/scheduled_events/*/cancellation", "POST", delay=1)

    async def once() -> None:
        with anyio.move_on_after(patience), contextlib.suppress(CalendlyError, ToolError):
            await move(agent, old["event"], start)

    async with anyio.create_task_group() as group:
        group.start_soon(once)
        await anyio.sleep(patience / 2)
        group.start_soon(once)
    await anyio.sleep(30)
    moved = await move(agent, old["event"], start)
    assert moved["outcome"] == "rescheduled"
    assert await active(api) == [moved["new_invitee"]["event"]]
