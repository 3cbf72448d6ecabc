"""What is looked into just before a booking, and what an agent learns of it."""

import re
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calendly.errors import Conflict, InvalidArgument
from tests.cases import case
from tests.sandbox.api import Api, Json, iso
from tests.tools.agent import SECONDS, TOOLS, Agent, prepared
from tests.tools.conftest import AgentOf
from tools import ALL
from tools.toolset.effects import DryRun
from tools.toolset.errors import AlreadyBooked, ArgumentError, ArgumentFault, DeniedByPolicy
from tools.toolset.ledger import KeyOutcome

BOOK = "create_event_invitee"
TIMES = "/event_type_available_times"


def sent(agent: Agent) -> list[str]:
    """What went to Calendly, in its order."""
    return [str(request.endpoint) for request in agent.sent]


def local(slot: str) -> datetime:
    """An open time in the zone of the sandbox's owner."""
    return datetime.fromisoformat(slot).astimezone(ZoneInfo("Europe/Berlin"))


async def faults(agent: Agent, **arguments: Json) -> list[ArgumentFault]:
    """What is wrong with a booking, of which nothing was sent."""
    with pytest.raises(ArgumentError) as refused:
        await agent.call(BOOK, **arguments)
    assert "POST /invitees" not in sent(agent)
    return list(refused.value.faults)


def sent_body(agent: Agent) -> Json:
    """What the booking was sent with."""
    return next(request.body for request in agent.sent if request.is_booking)


async def message(agent: Agent, **arguments: Json) -> str:
    """The only thing that is wrong with a booking."""
    [fault] = await faults(agent, **arguments)
    return fault["message"]


async def fail(api: Api, path: str, method: str = "GET", **fault: Json) -> None:
    await api.fail(path, method, times=9, **fault)


async def test_a_booking_costs_two_reads_before_and_one_after_and_says_nothing_of_checks_that_were_made(
    agent: Agent, api: Api
) -> None:
    invitee = await agent.call(BOOK, **await api.booking())
    *before, booked, after = [call for call in sent(agent) if call != "GET /users/me"]
    assert sorted(before) == ["GET /event_type_available_times", "GET /event_types/{event_type}"]
    assert (booked, after) == ("POST /invitees", "GET /scheduled_events/{scheduled_event}")
    assert "unchecked" not in invitee


async def test_why_a_time_is_not_open_is_said_alike_by_booking_dry_run_moving_and_the_search(
    agent: Agent, api: Api
) -> None:
    body = await api.booking()
    kind = body["event_type"]
    old = (await api.book(event_type=kind))["event"]
    first = datetime.fromisoformat((await api.slots(kind))[0])
    too_far = "2027-03-03T09:00:00Z"
    for start, why in {
        "2026-11-28T09:00:00Z": r"Its host has no working hours then \(by the hours of the event type, in Europe/B",
        "2026-12-01T16:45:00Z": r"of 30 minutes from then does not fit into the working hours of its host \(by",
        too_far: "The last open time before it is .* the event type may not be bookable further ahead",
        iso(first + timedelta(days=1, minutes=7)): "begin 30 minutes apart, and not then",
    }.items():
        with case(start):
            for dry_run in (False, True):
                agent.deadline = agent.clock() + SECONDS
                call, values = await prepared(
                    TOOLS[BOOK], agent, TOOLS[BOOK].parse({**body, "start_time": start}, ()).values(), dry_run=dry_run
                )
                with pytest.raises(ArgumentError, match=why) as refused:
                    await TOOLS[BOOK].run(call, values)
                assert "filled" not in str(refused.value.faults)
            with pytest.raises(ArgumentError, match=why):
                await agent.call("reschedule_scheduled_event", scheduled_event=old, start_time=start)
    span = {"start_time": too_far, "end_time": "2027-03-03T10:00:00Z"}
    found = await agent.call("find_meeting_times", event_types=[kind], **span)
    assert "may not be bookable further ahead" in found["empty_because"]


async def test_hosts_who_meet_together_have_to_work_all_at_once(agent_of: AgentOf) -> None:
    agent = agent_of("untidy")
    why = "Its hosts have no working hours in common then (by the hours of the event type, in "
    body = {"event_type": "Panel interview", "invitee": {"name": "Lee", "email": "lee@x.example", "timezone": "UTC"}}
    told = await message(agent, **body, start_time="2026-12-03T10:00")
    assert why in told
    assert "America/New_York" in told
    span = {"start_time": "2026-12-03T09:00", "end_time": "2026-12-03T13:00"}
    found = await agent.call("list_event_type_available_times", event_type="Panel interview", **span)
    assert found["empty_because"].startswith(why)


async def test_a_time_before_the_first_open_one_may_be_too_near(agent: Agent, api: Api) -> None:
    body = await api.booking()
    later: Json = {"collection": [{"status": "available", "start_time": "2026-11-24T09:00:00Z"}]}
    await api.fail("/event_type_available_times", status=200, times=9, body=later)
    assert "None is open from now until 2026-11-24T09:00:00Z: the event type may ask for more notice" in await message(
        agent, **{**body, "start_time": "2026-11-23T14:00:00Z"}
    )


async def test_a_taken_time_is_told_with_the_open_ones_around_it_in_the_persons_zone(agent: Agent, api: Api) -> None:
    body = await api.booking()
    slots = await api.slots(body["event_type"])
    body["start_time"] = slots[5]
    await api.post("/invitees", {**body, "invitee": {**body["invitee"], "email": "first@acme.example"}})
    [fault] = await faults(agent, **body)
    assert (fault.get("parameter"), fault.get("code")) == ("start_time", "not_open")
    assert f"{slots[5]} is not open." in fault["message"]
    assert fault["message"].endswith("It is taken, or kept free around another meeting.")
    left = await api.slots(body["event_type"])
    near = [slot for slot in left if slot < slots[5]][-2:] + [slot for slot in left if slot > slots[5]][:4]
    assert re.findall(r"(\w{3} \d{4}-\d\d-\d\d \d\d:\d\d) = (\S+Z)", fault["message"]) == [
        (f"{local(slot):%a %Y-%m-%d %H:%M}", slot) for slot in near
    ]
    assert "(local: Europe/Berlin)" in fault["message"]


@pytest.mark.requirement("parameters-timezone")
async def test_open_times_are_told_in_the_zone_that_was_asked_for(agent: Agent, api: Api) -> None:
    body = await api.booking(start_time="2026-11-23T08:07:00Z")
    told = await message(agent, **body, timezone="America/New_York")
    assert "Mon 2026-11-23 03:30 = 2026-11-23T08:30:00Z" in told
    assert "(local: America/New_York)" in told


async def test_a_time_far_from_any_open_one_says_so(agent: Agent, api: Api) -> None:
    told = await message(agent, **await api.booking(start_time="2027-06-01T08:00:00Z"))
    assert "None is open from 2027-05-31T08:00:00Z to 2027-06-04T08:00:00Z." in told


async def test_a_time_that_is_taken_at_the_last_moment_is_calendlys_refusal_with_the_open_ones(
    agent: Agent, api: Api
) -> None:
    body = await api.booking()
    detail = {"parameter": "event.start_time", "message": "That start time has been filled", "code": "already_filled"}
    said = {"title": "Invalid Argument", "message": "The supplied parameters are invalid.", "details": [detail]}
    await fail(api, "/invitees", "POST", status=400, body=said)
    with pytest.raises(InvalidArgument, match="Nearest open times: Mon 2026-11-23 09:30 = ") as refused:
        await agent.call(BOOK, **body)
    assert f"{body['start_time']} was taken between the look" in str(refused.value)
    assert (refused.value.status, refused.value.details, refused.value.title) == (400, [detail], "Invalid Argument")
    assert len(agent.sent) - sent(agent).count("GET /users/me") == 4


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, {"title": "Internal Server Error", "message": "The server encountered an unexpected condition."}),
        (400, {"title": "Invalid Argument", "message": "The supplied parameters are invalid."}),
        (409, {"title": "Already Exists", "message": "The resource already exists"}),
        (422, {}),
    ],
)
async def test_a_time_that_went_between_look_and_booking_is_told_however_calendly_words_it(
    agent: Agent, api: Api, status: int, said: Json
) -> None:
    body = await api.booking()
    others = [row for row in await api.slots(body["event_type"]) if row != body["start_time"]]
    first = {"collection": [{"status": "available", "start_time": row} for row in [body["start_time"], *others]]}
    then = {"collection": first["collection"][1:]}
    for listed in (first, then):
        await api.fail(TIMES, status=200, body=listed)
    await fail(api, "/invitees", "POST", status=status, body=said)
    with pytest.raises((InvalidArgument, Conflict), match=r"was taken between the look .* Nearest open times: ") as no:
        await agent.call(BOOK, **body)
    assert no.value.details[-1].get("code") == "already_filled"
    assert (no.value.status, no.value.title) == (status, said.get("title"))


async def test_a_refusal_of_a_time_that_is_still_open_is_left_as_it_is(agent: Agent, api: Api) -> None:
    await fail(api, "/invitees", "POST", status=400, body={"title": "Invalid Argument", "message": "No."})
    with pytest.raises(InvalidArgument) as refused:
        await agent.call(BOOK, **await api.booking())
    assert str(refused.value) == "Calendly answered 400 Invalid Argument: No."


async def test_a_time_that_the_same_invitee_has_booked_is_told_as_that(agent: Agent, api: Api) -> None:
    body = await api.booking()
    own = await api.book(**body)
    with pytest.raises(AlreadyBooked) as refused:
        await agent.call(BOOK, **body)
    assert str(refused.value) == (
        f"{body['start_time']} is taken by this invitee's own booking, {own['uri']}. Nothing more needs to be booked."
    )
    agent.off = {"invitee_data"}
    assert "is not open. Nearest" in await message(agent, **body)


async def test_so_is_one_that_another_booking_of_theirs_overlaps(agent: Agent, api: Api) -> None:
    own = await api.book("Design review", **(await api.booking("Design review")))
    (event,) = await api.read("/scheduled_events", user=(await api.me())["uri"], invitee_email="lee@acme.example")
    body = await api.booking("Intro call", start_time=event["start_time"].replace(".000000", ""))
    with pytest.raises(ArgumentError) as refused:
        await agent.call(BOOK, **body)
    assert "Ask the user whether to move that booking" in (refused.value.next_step or "")
    told = str(refused.value)
    assert f"is taken by this invitee's own booking of Design review, {body['start_time']} to " in told
    assert f"{own['event']}: ask whether to move that. Nearest open times: " in told
    others = {**body, "invitee": {**body["invitee"], "email": "somebody.else@acme.example"}}
    assert "is not open. Nearest" in await message(agent, **others)


async def test_the_slots_own_text_is_what_is_booked(agent: Agent, api: Api) -> None:
    body = await api.booking()
    written = body["start_time"].replace("Z", ".000000Z")
    listed = {"collection": [{"status": "available", "start_time": written}]}
    await fail(api, TIMES, status=200, body=listed)
    await agent.call(BOOK, **body)
    assert sent_body(agent)["start_time"] == written


@pytest.mark.parametrize("written", ["{}:00.000000Z", "{}:00+00:00", "{}:00.5Z"])
async def test_open_times_are_compared_as_instants(agent: Agent, api: Api, written: str) -> None:
    body = await api.booking()
    slot = body["start_time"].removesuffix(":00Z")
    rows = {"collection": [{"status": "available", "start_time": written.format(slot)}]}
    await fail(api, TIMES, status=200, body=rows)
    if written.endswith(".5Z"):
        assert "is not open" in await message(agent, **body)
    else:
        assert (await agent.call(BOOK, **body))["status"] == "active"


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 403, "body": {"title": "Permission Denied"}},
        {"status": 404, "body": {}},
        {"status": 503, "body": {}},
        {"delay": 30},
        {"drop": True},
        {"status": 200, "body": {"collection": [{"start_time": "soon"}]}},
        {"status": 200, "body": {"collection": [{"start_time": "2026-11-23T08:00:00"}, {"start_time": None}]}},
        {"status": 200, "body": {"rows": []}},
        {"status": 200, "body": "<html>"},
    ],
    ids=str,
)
async def test_open_times_that_cannot_be_read_stand_in_no_bookings_way(
    agent: Agent, api: Api, answer: dict[str, Any]
) -> None:
    body = await api.booking()
    await fail(api, TIMES, **answer)
    invitee = await agent.call(BOOK, **body)
    assert (invitee["status"], invitee["unchecked"]) == ("active", ["open times"])


@pytest.mark.parametrize("answer", [{"status": 403, "body": {}}, {"status": 500, "body": {}}, {"delay": 30}], ids=str)
async def test_an_event_type_that_cannot_be_read_stands_in_no_bookings_way(
    agent: Agent, api: Api, answer: dict[str, Any]
) -> None:
    body = await api.booking()
    await fail(api, "/event_types/*", **answer)
    invitee = await agent.call(BOOK, **body)
    assert (invitee["status"], invitee["unchecked"]) == ("active", ["location", "questions"])


async def test_what_the_token_may_not_read_is_left_out_and_said(agent: Agent, api: Api) -> None:
    body = await api.booking()
    lacking = {"title": "Insufficient scope", "message": "No.", "required_scopes": ["event_types:read"]}
    for path in (TIMES, "/event_types/*"):
        await fail(api, path, status=403, body=lacking)
    invitee = await agent.call(BOOK, **body, idempotency_key="k")
    assert invitee["unchecked"] == ["location", "questions", "open times"]
    assert await agent.call(BOOK, **body, idempotency_key="k") == invitee
    assert sent(agent).count("POST /invitees") == 1


@pytest.mark.parametrize("start", ["2026-11-23T05:59:59Z", "2026-11-03T09:00:00Z"])
async def test_a_booking_in_the_past_is_refused_as_that_and_not_sent(agent: Agent, api: Api, start: str) -> None:
    with pytest.raises(ArgumentError, match=r"^start_time: Must be in the future\.$"):
        await agent.call(BOOK, **await api.booking(start_time=start))
    assert "POST /invitees" not in sent(agent)


async def test_a_booking_that_is_about_to_begin_is_left_to_calendly(agent: Agent, api: Api) -> None:
    body = await api.booking(start_time="2026-11-23T06:02:00Z")
    with pytest.raises(InvalidArgument, match="Nearest open times") as refused:
        await agent.call(BOOK, **body)
    assert refused.value.details[0].get("code") == "already_filled"


async def test_a_cap_below_the_usual_range_costs_no_more_reads(agent: Agent, api: Api) -> None:
    agent.available_times_cap.days = 1
    assert "unchecked" not in await agent.call(BOOK, **await api.booking())
    assert len(agent.sent) - sent(agent).count("GET /users/me") == 4


@pytest.mark.parametrize("name", ["Board briefing", "Product workshop", "Hiring panel", "Support triage"])
async def test_secret_group_and_shared_event_types_are_booked_like_others(agent: Agent, api: Api, name: str) -> None:
    body = await api.booking(name)
    if name == "Board briefing":
        body["location"] = {"kind": "physical", "location": "Northlight Studio"}
    assert "unchecked" not in await agent.call(BOOK, **body)


async def test_a_group_meeting_that_has_begun_to_fill_is_open(agent: Agent, api: Api) -> None:
    body = await api.booking("Product workshop")
    await api.post("/invitees", {**body, "invitee": {**body["invitee"], "email": "first@acme.example"}})
    assert (await agent.call(BOOK, **body))["status"] == "active"


async def test_a_one_off_event_type_is_booked_like_others(agent: Agent, api: Api) -> None:
    setting = {"type": "date_range", "start_date": "2026-11-24", "end_date": "2026-11-26"}
    kind = await agent.call("create_one_off_event_type", name="One off", duration=30, date_setting=setting)
    slots = await api.slots(kind["uri"])
    invitee = {"name": "Lee", "email": "lee@acme.example", "timezone": "Europe/Berlin"}
    booked = await agent.call(BOOK, event_type=kind["uri"], start_time=slots[0], invitee=invitee)
    assert "unchecked" not in booked


async def test_a_colleagues_event_type_is_booked_like_ones_own(agent_of: AgentOf, api: Api) -> None:
    body = await api.booking("Deep dive")
    assert (await agent_of("member").call(BOOK, **body))["status"] == "active"


async def test_an_inactive_event_type_says_so_and_no_more(agent: Agent, api: Api) -> None:
    kind = await api.event_type("Consultation (old)")
    [fault] = await faults(agent, **{**await api.booking(questions_and_answers=[]), "event_type": kind["uri"]})
    assert fault.get("parameter") == "event_type"
    assert "switched off (inactive)" in fault["message"]


@pytest.mark.parametrize(
    ("name", "location"),
    [
        ("Intro call", {"kind": "zoom_conference"}),
        ("Deep dive", {"kind": "google_conference"}),
        ("Board briefing", {"kind": "physical", "location": "Northlight Studio, Torstrasse 1, Berlin"}),
        ("Support triage", None),
        ("Morning coffee", None),
    ],
)
async def test_the_only_location_there_is_is_filled_in(
    agent: Agent, api: Api, name: str, location: dict[str, str] | None
) -> None:
    body = {name: field for name, field in (await api.booking(name)).items() if name != "location"}
    await agent.call(BOOK, **body)
    assert sent_body(agent).get("location") == location


async def test_a_location_that_is_filled_in_does_not_change_what_a_key_stands_for(agent: Agent, api: Api) -> None:
    body = {name: field for name, field in (await api.booking()).items() if name != "location"}
    first = await agent.call(BOOK, **body, idempotency_key="k")
    assert await agent.call(BOOK, **body, idempotency_key="k") == first


async def test_several_locations_are_all_told_with_what_each_needs(agent: Agent, api: Api) -> None:
    body = {name: field for name, field in (await api.booking("Design review")).items() if name != "location"}
    told = await message(agent, **body)
    assert told.startswith("This event type needs one. Its locations, by kind: zoom_conference needs no more; ")
    assert 'physical ("Northlight Studio, Torstrasse 1, Berlin") needs location: the address' in told
    assert "outbound_call needs location: the invitee's phone number" in told
    assert 'inbound_call ("+49 30 5550123") needs no more' in told
    other = await message(agent, **body, location={"kind": "webex_conference"})
    assert other.startswith("This event type does not offer that one. Its locations, by kind: zoom_conference")


async def test_a_round_robin_takes_no_location(agent: Agent, api: Api) -> None:
    body = await api.booking("Support triage", location={"kind": "zoom_conference"})
    assert "Leave it out: hosts take turns" in await message(agent, **body)


async def test_everything_that_is_wrong_is_told_at_once(agent: Agent, api: Api) -> None:
    body = await api.booking(start_time="2026-11-23T08:07:00Z", location={"kind": "webex_conference"})
    body["questions_and_answers"] = [{"question": "Topic", "answer": "x", "position": 0}]
    told = await faults(agent, **body)
    assert [fault.get("parameter") for fault in told] == [
        "location",
        "questions_and_answers",
        "questions_and_answers",
        "start_time",
    ]


async def test_a_required_question_is_told_to_the_letter(agent: Agent, api: Api) -> None:
    body = await api.booking(questions_and_answers=[])
    told = await message(agent, **body)
    assert told == (
        'This required question needs an answer: "What would you like to talk about?" (position 0, text, required).'
    )


async def test_a_question_that_there_is_not_is_told_with_those_there_are(agent: Agent, api: Api) -> None:
    body = await api.booking()
    body["questions_and_answers"].append({"question": "Shoe size?", "answer": "43", "position": 1})
    told = await message(agent, **body)
    assert told.startswith('"Shoe size?" is no question of this event type, which asks: "What would you like to talk')
    assert '"How did you hear about us?" (position 1, single_select, choices "A friend", "Search", "An event", ' in told
    assert "Fax number" not in told


async def test_nobody_is_asked_about_what_cannot_be_booked_and_the_checks_are_made_once(agent: Agent, api: Api) -> None:
    agent.asked = {"booking"}
    body = await api.booking()
    await faults(agent, **{**body, "start_time": "2026-11-23T08:07:00Z"})
    assert agent.questions == []
    agent.sent.clear()
    await agent.call(BOOK, **body)
    assert len(agent.questions) == 1
    assert sent(agent).count("GET /event_type_available_times") == 1


async def test_whoever_may_not_book_learns_nothing_of_an_event_type(agent: Agent, api: Api) -> None:
    body = await api.booking(start_time="2026-11-23T08:07:00Z")
    agent.off = {"booking"}
    with pytest.raises(DeniedByPolicy):
        await agent.call(BOOK, **body)
    assert agent.sent == []


@pytest.mark.parametrize("off", ["event_types", "availability"])
async def test_the_checks_are_the_persons_whatever_the_agent_may_read(agent: Agent, api: Api, off: str) -> None:
    body = await api.booking()
    agent.off = {off}
    assert "unchecked" not in await agent.call(BOOK, **body)


async def dry_run(agent: Agent, **arguments: Json) -> DryRun:
    """Only try a booking."""
    [tool] = [tool for tool in ALL if tool.name == BOOK]
    agent.deadline = agent.clock() + 50
    call, values = await prepared(tool, agent, tool.parse(arguments, ()).values(), dry_run=True)
    with pytest.raises(DryRun) as tried:
        await tool.function(call, **values)
    return tried.value


async def test_a_dry_run_makes_the_checks_and_shows_what_is_filled_in(agent: Agent, api: Api) -> None:
    body = {name: field for name, field in (await api.booking()).items() if name != "location"}
    tried = await dry_run(agent, **body)
    (request,) = tried.requests
    assert (request.body or {})["location"] == {"kind": "zoom_conference"}
    assert list(tried.unchecked) == []
    await fail(api, TIMES, status=404, body={})
    assert list((await dry_run(agent, **body)).unchecked) == ["open times"]


async def test_a_dry_run_of_what_cannot_be_booked_fails_as_the_call_would(agent: Agent, api: Api) -> None:
    body = await api.booking(start_time="2026-11-23T08:07:00Z")
    [tool] = [tool for tool in ALL if tool.name == BOOK]
    agent.deadline = agent.clock() + 50
    call, values = await prepared(tool, agent, tool.parse(body, ()).values(), dry_run=True)
    with pytest.raises(ArgumentError, match="is not open"):
        await tool.function(call, **values)


async def test_a_time_that_another_call_with_the_same_key_took_is_that_calls_booking(agent: Agent, api: Api) -> None:
    body = await api.booking()
    await fail(api, TIMES, status=200, body={"collection": []})
    keys = await agent.ledger()

    class Late:
        """The keys as a call finds them that began just before another one booked."""

        def __init__(self) -> None:
            self.looks = 0

        async def recall(self, key: str, arguments: Json) -> KeyOutcome | None:
            self.looks += 1
            return None if self.looks == 1 else await keys.recall(key, arguments)

        reserve, settle, release, forget = keys.reserve, keys.settle, keys.release, keys.forget

    await keys.reserve("k", {**body, "invitee": body["invitee"]})
    await keys.settle("k", body, {"uri": "I1", "status": "active", "scheduled_event": {}})
    late = Late()

    async def ledger() -> Late:
        return late

    agent.keys = ledger
    assert await agent.call(BOOK, **body, idempotency_key="k") == {
        "uri": "I1",
        "status": "active",
        "scheduled_event": {},
    }
    assert "POST /invitees" not in sent(agent)
