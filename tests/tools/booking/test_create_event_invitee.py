"""Booking once, whatever becomes of the connection."""

from typing import Any

import anyio
import pytest

from calendly.errors import CalendlyError, InvalidArgument, OutcomeUnknown, PermissionDenied
from tests.sandbox.api import Api, Json
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import AlreadyBooked, ArgumentError, KeyTaken

BOOKING = "/invitees"


async def booked(api: Api, email: str = "lee@acme.example") -> int:
    """How many meetings an address has been booked for."""
    me = await api.me()
    rows = await api.read(
        "/scheduled_events", organization=me["current_organization"], invitee_email=email, status="active", count=100
    )
    return len(rows)


def times_sent(agent: Agent) -> int:
    return sum(request.is_booking for request in agent.sent)


def body_sent(agent: Agent) -> Json:
    """What the booking was sent with."""
    return next(request.body for request in agent.sent if request.is_booking)


@pytest.mark.requirement("booking-links-kept")
async def test_a_meeting_is_booked_as_asked(agent: Agent, api: Api) -> None:
    body = await api.booking(
        "Design review",
        location={"kind": "outbound_call", "location": "+1 415 555 1234"},
        event_guests=["sam@acme.example"],
        tracking={"utm_source": "newsletter"},
    )
    invitee = await agent.call("create_event_invitee", **body)
    assert (invitee["email"], invitee["status"]) == ("lee@acme.example", "active")
    assert invitee["tracking"]["utm_source"] == "newsletter"
    assert invitee["cancel_url"]
    assert invitee["reschedule_url"]
    event = await agent.call("get_scheduled_event", scheduled_event=invitee["event"])
    assert event["location"]["location"] == "+1 415 555 1234"
    assert [guest["email"] for guest in event["event_guests"]] == ["sam@acme.example"]


async def test_the_answer_states_the_meeting_for_everybody_concerned(agent: Agent, api: Api) -> None:
    body = await api.booking("Intro call")
    told = (await agent.call("create_event_invitee", **body))["scheduled_event"]
    assert told.pop("location").keys() == {"type", "status", "join_url"}
    assert told == {
        "name": "Intro call",
        "start_time": "2026-11-23T08:00:00.000000Z",
        "end_time": "2026-11-23T08:30:00.000000Z",
        "hosts": ["Maya Lindqvist"],
        "local_times": [
            {"of": "host", "timezone": "Europe/Berlin", "start": "Mon 2026-11-23 09:00", "end": "Mon 2026-11-23 09:30"},
            {
                "of": "invitee",
                "timezone": "America/New_York",
                "start": "Mon 2026-11-23 03:00",
                "end": "Mon 2026-11-23 03:30",
            },
        ],
    }


@pytest.mark.parametrize(
    ("token", "first"), [("admin", ("host", "Europe/Berlin")), ("member", ("you", "Asia/Kolkata"))]
)
async def test_the_host_need_not_be_whoever_books_and_is_told_where_that_may_be_read(
    agent_of: AgentOf, api: Api, token: str, first: tuple[str, str]
) -> None:
    body = await api.booking("Intro call")
    told = (await agent_of(token).call("create_event_invitee", **body))["scheduled_event"]
    assert [(time["of"], time["timezone"]) for time in told["local_times"]] == [first, ("invitee", "America/New_York")]


async def test_a_meeting_that_cannot_be_read_yet_is_told_from_what_was_sent_and_what_was_dropped_is_named(
    agent: Agent, api: Api
) -> None:
    body = await api.booking(tracking={"utm_source": "newsletter"})
    body["invitee"]["text_reminder_number"] = "+14155551234"
    sparse: Json = {
        "uri": "https://api.calendly.com/scheduled_events/E1/invitees/I1",
        "event": "https://api.calendly.com/scheduled_events/E1",
        "questions_and_answers": [],
        "text_reminder_number": None,
        "tracking": {"utm_source": None},
    }
    await api.fail(BOOKING, "POST", status=201, body={"resource": sparse})
    booked = await agent.call("create_event_invitee", **body)
    assert booked["not_kept"] == [
        'the answer to "What would you like to talk about?"',
        "invitee.text_reminder_number",
        "tracking.utm_source",
    ]
    told = booked["scheduled_event"]
    assert (told["name"], told["start_time"], told["end_time"]) == (
        "Intro call",
        "2026-11-23T08:00:00Z",
        "2026-11-23T08:30:00Z",
    )
    assert told["location"]["type"] == "zoom_conference"
    assert [time["start"] for time in told["local_times"]] == ["Mon 2026-11-23 09:00", "Mon 2026-11-23 03:00"]


async def test_guests_and_places_that_the_meeting_lacks_are_named(agent: Agent, api: Api) -> None:
    body = await api.booking(event_guests=["sam@acme.example", "kim@acme.example"])
    lacking = {
        "uri": "https://api.calendly.com/scheduled_events/E1",
        "start_time": body["start_time"],
        "location": {"type": "google_conference", "status": "pushed"},
        "event_guests": [{"email": "Sam@acme.example"}],
    }
    read = {"method": "GET", "path": "/scheduled_events/*", "status": 200, "body": {"resource": lacking}}
    await api.control("faults", read)
    assert (await agent.call("create_event_invitee", **body))["not_kept"] == [
        "1 of 2 guests",
        "the location zoom_conference",
    ]


async def test_a_place_may_be_named_as_a_meeting_names_it(agent: Agent, api: Api) -> None:
    await agent.call("create_event_invitee", **await api.booking(location={"kind": "zoom"}))
    assert body_sent(agent)["location"] == {"kind": "zoom_conference"}


@pytest.mark.parametrize("name", ["choices", "answer"])
async def test_several_choices_go_as_a_list(agent: Agent, api: Api, name: str) -> None:
    body = await api.booking()
    body["questions_and_answers"].append(
        {"question": "which products do you use?", name: ["mail", "Studio"], "position": 9}
    )
    booked = await agent.call("create_event_invitee", **body)
    assert booked["questions_and_answers"][1] == {
        "question": "Which products do you use?",
        "answer": "Mail\nStudio",
        "position": 2,
    }
    assert "not_kept" not in booked


async def test_all_six_keys_of_tracking_are_sent_when_one_is_given(agent: Agent, api: Api) -> None:
    await agent.call("create_event_invitee", **await api.booking(tracking={"utm_term": "x", "utm_source": None}))
    assert body_sent(agent)["tracking"] == {
        "utm_campaign": None,
        "utm_source": None,
        "utm_medium": None,
        "utm_content": None,
        "utm_term": "x",
        "salesforce_uuid": None,
    }


@pytest.mark.parametrize("written", ["{}Z", "{}.000000Z", "{}+00:00"])
async def test_a_slot_is_booked_however_its_time_is_written(agent: Agent, api: Api, written: str) -> None:
    body = await api.booking()
    slot = body["start_time"]
    await agent.call("create_event_invitee", **{**body, "start_time": written.format(slot.removesuffix("Z"))})
    assert body_sent(agent)["start_time"] == slot


@pytest.mark.parametrize("theirs", ["Europe/Berlin", "Europe/Stockholm"])
async def test_a_time_without_offset_is_in_the_persons_own_zone(agent: Agent, api: Api, theirs: str) -> None:
    body = await api.booking()
    invitee = {**body["invitee"], "timezone": theirs}
    assert body["start_time"].endswith("08:00:00Z")
    local = body["start_time"].replace("08:00:00Z", "09:00")
    await agent.call("create_event_invitee", **{**body, "start_time": local, "invitee": invitee})
    assert body_sent(agent)["start_time"] == body["start_time"]


async def test_a_time_without_offset_that_the_invitee_reads_otherwise_is_refused_with_both_readings(
    agent: Agent, api: Api
) -> None:
    body = await api.booking(start_time="2026-12-03T10:00")
    assert body["invitee"]["timezone"] == "America/New_York"
    with pytest.raises(ArgumentError) as refused:
        await agent.call("create_event_invitee", **body)
    (fault,) = refused.value.faults
    assert fault["message"] == (
        "This time has no offset, and the invitee's zone is not yours. In yours (Europe/Berlin) it is "
        "2026-12-03T09:00:00Z, Thu 2026-12-03 04:00 for the invitee; in the invitee's (America/New_York) it is "
        "2026-12-03T15:00:00Z, Thu 2026-12-03 16:00 for you. Ask which is meant, then add the offset or pass timezone."
    )
    for timezone, sent in (("Europe/Berlin", "09:00:00Z"), ("America/New_York", "15:00:00Z")):
        agent.sent.clear()
        other = {**body["invitee"], "email": f"{timezone[:4]}@acme.example"}
        await agent.call("create_event_invitee", **{**body, "invitee": other}, timezone=timezone)
        assert body_sent(agent)["start_time"] == f"2026-12-03T{sent}"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"invitee": {"email": "lee@acme.example", "timezone": "Europe/Berlin"}}, "invitee: Needs name or first_name"),
        (
            {"invitee": {"email": "lee", "name": "Lee", "timezone": "Europe/Berlin"}},
            "invitee.email: Expected an e-mail",
        ),
        (
            {"invitee": {"email": "l@a.example", "name": "Lee", "timezone": "Mars/Base"}},
            "invitee.timezone: Expected an IANA",
        ),
        ({"invitee": {"name": "Lee"}}, "invitee.email: This parameter is required"),
        ({"invitee": "Lee"}, "invitee"),
        ({"location": {"kind": "physical"}}, "location: location is required when kind is physical"),
        (
            {"location": {"kind": "zoom_conference", "location": "x"}},
            "location does not belong to kind zoom_conference",
        ),
        ({"location": {"location": "x"}}, "location.kind: This parameter is required"),
        ({"event_guests": ["a@b.example"] * 11}, "event_guests"),
        ({"questions_and_answers": [{"question": "Q", "answer": "A"}]}, "questions_and_answers.0.position"),
        ({"questions_and_answers": [{"question": "Q", "position": 0}]}, "Needs either answer or choices"),
        ({"questions_and_answers": [{"question": "Q", "answer": [7], "position": 0}]}, "answers.0.answer"),
        ({"questions_and_answers": [{"question": "Q", "answer": "A", "position": -1}]}, "questions_and_answers.0.posi"),
        ({"questions_and_answers": [{"question": "Q", "answer": "A", "position": 0}] * 101}, "at most 100 items"),
        ({"tracking": {"utm_everything": "x"}}, "tracking.utm_everything"),
        ({"start_time": 1_764_583_200}, "start_time"),
    ],
)
async def test_a_booking_that_cannot_be_is_refused_before_it_is_sent(
    agent: Agent, change: dict[str, Any], message: str
) -> None:
    arguments = {
        "event_type": "b7e2c4d1",
        "start_time": "2026-12-01T10:00:00Z",
        "invitee": {"name": "Lee", "email": "lee@acme.example", "timezone": "Europe/Berlin"},
        **change,
    }
    with pytest.raises(ArgumentError, match=message):
        await agent.call("create_event_invitee", **arguments)
    assert agent.sent == []


@pytest.mark.requirement("error-outcome-unknown")
@pytest.mark.parametrize("fault", [{"drop": "after"}, {"status": 500, "after": True}, {"status": 502, "after": True}])
async def test_a_booking_whose_answer_is_lost_is_found_and_not_made_twice(
    agent: Agent, api: Api, fault: dict[str, Any]
) -> None:
    body = await api.booking()
    await api.fail(BOOKING, "POST", **fault)
    invitee = await agent.call("create_event_invitee", **body)
    assert invitee["email"] == "lee@acme.example"
    assert (times_sent(agent), await booked(api)) == (1, 1)
    assert agent.pauses == []


async def test_a_booking_that_lists_do_not_show_yet_is_looked_for_again(agent: Agent, api: Api) -> None:
    await api.control("faults", {"read_lag": 5})
    body = await api.booking()
    await api.fail(BOOKING, "POST", drop="after")
    assert (await agent.call("create_event_invitee", **body))["status"] == "active"
    assert times_sent(agent) == 1
    assert agent.pauses == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("lag", [0, 5])
@pytest.mark.parametrize("name", ["Support triage", "Product workshop", "Intro call"])
async def test_the_same_booking_again_is_no_second_one_although_its_time_stays_open_or_lists_are_late(
    agent: Agent, api: Api, name: str, lag: int
) -> None:
    await api.control("faults", {"read_lag": lag})
    body = await api.booking(name)
    kind = (await api.event_type(name))["uri"]
    open_times: Json = {"collection": [{"start_time": body["start_time"]}]}
    path = "/event_type_available_times"
    await api.fail(path, status=200, times=9, body=open_times)
    await api.fail(BOOKING, "POST", drop="after")
    first = await agent.call("create_event_invitee", **body)
    with pytest.raises(AlreadyBooked, match=f"own booking, {first['uri']}. Nothing more"):
        await agent.call("create_event_invitee", **{**body, "event_type": kind})
    assert times_sent(agent) == 1
    await api.post(f"{first['event']}/cancellation")
    await anyio.sleep(5)
    assert (await agent.call("create_event_invitee", **body))["uri"] != first["uri"]


@pytest.mark.parametrize("name", ["Support triage", "Product workshop"])
async def test_a_booking_without_an_answer_is_not_sent_again_while_lists_may_be_late(
    agent: Agent, api: Api, name: str
) -> None:
    await api.control("faults", {"read_lag": 90})
    body = await api.booking(name)
    await api.fail(BOOKING, "POST", drop="after")
    for again in ({}, {}, {"idempotency_key": "another"}):
        with pytest.raises(
            OutcomeUnknown, match="not sent again before 2026" if times_sent(agent) else "may be booked"
        ):
            await agent.call("create_event_invitee", **body, **again)
    await anyio.sleep(90)
    with pytest.raises(AlreadyBooked):
        await agent.call("create_event_invitee", **body)
    assert (times_sent(agent), await booked(api)) == (1, 1)


async def test_a_booking_that_was_refused_or_never_shows_is_sent_again(agent: Agent, api: Api) -> None:
    body = await api.booking("Support triage")
    body["start_time"] = (await api.slots(body["event_type"]))[-1]
    await api.fail(BOOKING, "POST", status=403)
    with pytest.raises(CalendlyError):
        await agent.call("create_event_invitee", **body)
    await api.fail(BOOKING, "POST", status=500)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await agent.call("create_event_invitee", **body)
    assert times_sent(agent) == 2
    agent.began -= 31 * 60
    assert (await agent.call("create_event_invitee", **body))["status"] == "active"


async def test_a_booking_that_is_not_found_is_of_unknown_outcome_and_never_said_not_to_be(
    agent: Agent, api: Api
) -> None:
    body = await api.booking()
    await api.fail(BOOKING, "POST", status=500)
    with pytest.raises(OutcomeUnknown) as unknown:
        await agent.call("create_event_invitee", **body)
    assert "list_scheduled_events" in str(unknown.value)
    assert "may be booked" in str(unknown.value)
    assert unknown.value.status == 500
    assert (times_sent(agent), await booked(api)) == (1, 0)
    assert agent.pauses == [1.0, 2.0, 4.0, 8.0]


async def test_looking_for_a_booking_ends_with_the_time_of_the_call(agent: Agent, api: Api) -> None:
    body = await api.booking()
    await api.fail(BOOKING, "POST", status=500, delay=28)
    await api.fail("/scheduled_events", status=200, delay=9, times=9, body={"collection": []})
    with pytest.raises(OutcomeUnknown):
        await agent.call("create_event_invitee", **body)
    assert agent.clock() <= agent.deadline


@pytest.mark.parametrize("off", ["invitee_data", "scheduled_events", "event_types"])
async def test_what_the_agent_may_not_see_is_looked_up_all_the_same(agent: Agent, api: Api, off: str) -> None:
    body = await api.booking()
    agent.off = {off}
    await api.fail(BOOKING, "POST", drop="after")
    assert (await agent.call("create_event_invitee", **body))["email"] == "lee@acme.example"
    assert await booked(api) == 1


async def test_where_calendly_lets_nobody_look_the_outcome_stays_unknown(agent: Agent, api: Api) -> None:
    body = await api.booking()
    refused = {"method": "GET", "path": "/scheduled_events", "status": 403, "times": 9, "body": {"title": "No"}}
    await api.control("faults", refused)
    await api.fail(BOOKING, "POST", drop="after")
    with pytest.raises(OutcomeUnknown):
        await agent.call("create_event_invitee", **body)


async def test_without_the_event_type_the_persons_own_events_are_looked_through(agent: Agent, api: Api) -> None:
    body = await api.booking()
    kind = {"method": "GET", "path": f"/event_types/{body['event_type'].rpartition('/')[2]}", "status": 403, "times": 9}
    await api.control("faults", kind)
    await api.fail(BOOKING, "POST", drop="after")
    assert (await agent.call("create_event_invitee", **body))["email"] == "lee@acme.example"


async def test_a_meeting_of_another_kind_at_that_time_is_not_mistaken_for_it(agent: Agent, api: Api) -> None:
    body = await api.booking("Product workshop")
    event = (await api.book("Product workshop", **body))["event"]
    other = {**await api.read(event), "event_type": "https://api.calendly.com/event_types/other"}
    listed = {"collection": [other]}
    await api.fail("/scheduled_events", status=200, times=9, body=listed)
    await api.fail(BOOKING, "POST", status=500)
    with pytest.raises(OutcomeUnknown):
        await agent.call("create_event_invitee", **body)


async def test_a_meeting_with_hosts_in_turn_is_found_in_the_organization(agent: Agent, api: Api) -> None:
    body = await api.booking("Support triage")
    await api.fail(BOOKING, "POST", drop="after")
    invitee = await agent.call("create_event_invitee", **body)
    assert invitee["email"] == "lee@acme.example"
    assert await booked(api) == 1


async def test_an_admin_finds_the_booking_of_a_colleagues_event_type(agent_of: AgentOf, api: Api) -> None:
    agent = agent_of("admin")
    body = await api.booking("Intro call")
    await api.fail(BOOKING, "POST", drop="after")
    assert (await agent.call("create_event_invitee", **body))["email"] == "lee@acme.example"


async def test_another_invitees_meeting_at_that_time_is_not_mistaken_for_it(agent: Agent, api: Api) -> None:
    body = await api.booking("Product workshop")
    other = {**body["invitee"], "email": "other@acme.example"}
    await api.book("Product workshop", invitee=other)
    await api.fail(BOOKING, "POST", status=500)
    with pytest.raises(OutcomeUnknown):
        await agent.call("create_event_invitee", **body)


async def test_a_refused_booking_is_not_looked_for(agent_of: AgentOf, api: Api) -> None:
    agent = agent_of("free")
    with pytest.raises(PermissionDenied):
        await agent.call("create_event_invitee", **await api.booking())
    assert [request.is_read for request in agent.sent] == [True, True, False]


@pytest.mark.requirement("parameters-idempotency")
async def test_the_same_key_and_arguments_give_the_same_booking(agent: Agent, api: Api) -> None:
    body = await api.booking()
    first = await agent.call("create_event_invitee", **body, idempotency_key="k1")
    reordered = dict(reversed(body.items()))
    again = await agent.call("create_event_invitee", **reordered, idempotency_key="k1")
    assert again == first
    assert (times_sent(agent), await booked(api)) == (1, 1)


@pytest.mark.requirement("parameters-idempotency")
async def test_the_same_key_with_other_arguments_is_a_conflict(agent: Agent, api: Api) -> None:
    body = await api.booking()
    await agent.call("create_event_invitee", **body, idempotency_key="k1")
    with pytest.raises(KeyTaken, match="idempotency_key"):
        await agent.call("create_event_invitee", **{**body, "event_guests": ["a@b.example"]}, idempotency_key="k1")
    assert times_sent(agent) == 1


async def test_a_key_is_free_again_after_a_refusal(agent: Agent, api: Api) -> None:
    body = await api.booking()
    await api.fail(BOOKING, "POST", status=400, body={"title": "Invalid Argument", "message": "No."})
    with pytest.raises(InvalidArgument):
        await agent.call("create_event_invitee", **body, idempotency_key="k1")
    assert (await agent.call("create_event_invitee", **body, idempotency_key="k1"))["status"] == "active"


async def test_a_key_whose_outcome_is_unknown_only_looks_from_then_on(agent: Agent, api: Api) -> None:
    body = await api.booking()
    await api.fail(BOOKING, "POST", status=500)
    for _ in range(2):
        with pytest.raises(OutcomeUnknown):
            await agent.call("create_event_invitee", **body, idempotency_key="k1")
    assert (times_sent(agent), await booked(api)) == (1, 0)


async def test_a_key_whose_booking_shows_up_later_gives_that_booking(agent: Agent, api: Api) -> None:
    await api.control("faults", {"read_lag": 60})
    body = await api.booking()
    await api.fail(BOOKING, "POST", drop="after")
    with pytest.raises(OutcomeUnknown):
        await agent.call("create_event_invitee", **body, idempotency_key="k1")
    await anyio.sleep(60)
    found = await agent.call("create_event_invitee", **body, idempotency_key="k1")
    again = await agent.call("create_event_invitee", **body, idempotency_key="k1")
    assert found == again
    assert (times_sent(agent), await booked(api)) == (1, 1)


async def test_two_calls_at_once_with_one_key_book_once(agent: Agent, api: Api) -> None:
    body = await api.booking()
    answers: list[Any] = []

    async def book() -> None:
        answers.append(await agent.call("create_event_invitee", **body, idempotency_key="k1"))

    async with anyio.create_task_group() as group:
        group.start_soon(book)
        group.start_soon(book)
    assert answers[0]["uri"] == answers[1]["uri"]
    assert (times_sent(agent), await booked(api)) == (1, 1)


async def test_a_call_given_up_while_it_is_sent_is_not_sent_again_with_its_key(agent: Agent, api: Api) -> None:
    body = await api.booking()
    await api.fail(BOOKING, "POST", status=500, delay=10)
    with anyio.move_on_after(5):
        await agent.call("create_event_invitee", **body, idempotency_key="k1")
    with pytest.raises(OutcomeUnknown):
        await agent.call("create_event_invitee", **body, idempotency_key="k1")
    assert times_sent(agent) == 1


async def test_a_call_given_up_while_it_looks_is_found_by_the_next_with_its_key(agent: Agent, api: Api) -> None:
    await api.control("faults", {"read_lag": 10})
    body = await api.booking()
    await api.fail(BOOKING, "POST", drop="after")
    with anyio.move_on_after(5):
        await agent.call("create_event_invitee", **body, idempotency_key="k1")
    await anyio.sleep(10)
    assert (await agent.call("create_event_invitee", **body, idempotency_key="k1"))["email"] == "lee@acme.example"
    assert (times_sent(agent), await booked(api)) == (1, 1)


async def test_a_call_given_up_while_the_person_is_asked_leaves_its_key_free(agent: Agent, api: Api) -> None:
    body = await api.booking()
    agent.asked = {"booking"}
    await api.fail("/event_types/*", status=200, delay=20)
    with anyio.move_on_after(5):
        await agent.call("create_event_invitee", **body, idempotency_key="k1")
    assert times_sent(agent) == 0
    assert (await agent.call("create_event_invitee", **body, idempotency_key="k1"))["status"] == "active"
    assert len(agent.questions) == 1


async def test_a_settled_key_asks_nobody_again(agent: Agent, api: Api) -> None:
    body = await api.booking()
    agent.asked = {"booking"}
    for _ in range(2):
        await agent.call("create_event_invitee", **body, idempotency_key="k1")
    assert len(agent.questions) == 1
