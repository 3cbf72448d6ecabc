"""What access, questions and the audit log do to a tool that calls several endpoints, through a whole server."""

from typing import Any

import pytest
from mcp import Client

from tests.audit_log import Shelf
from tests.sandbox.api import Api
from tests.server.conftest import Connect
from tests.server.desk import Person, call
from tools import GUIDE_TOOLS, WORKFLOWS

MOVE = "reschedule_scheduled_event"
SECRETS = ("acme.example", "Lee ", "/reschedulings/", "Pricing")


async def move_of(api: Api) -> dict[str, Any]:
    """Arguments that move a meeting which was booked for it."""
    slots = await api.slots((await api.event_type("Intro call"))["uri"])
    booked = await api.book(start_time=slots[0], event_guests=["guest@acme.example"])
    return {"scheduled_event": booked["event"], "start_time": slots[-1], "reason": "Travel"}


async def writes(api: Api) -> list[tuple[str, str]]:
    received = (await api.http.get("/_sandbox/requests")).json()
    return [(one["method"], one["path"]) for one in received if one["method"] != "GET"]


async def names(client: Client) -> set[str]:
    return {tool.name for tool in (await client.list_tools()).tools}


async def test_a_person_is_asked_once_about_all_that_it_does(connect: Connect, api: Api) -> None:
    arguments, person = await move_of(api), Person()
    async with connect(person, access="booking=ask,canceling=ask") as client:
        moved = await call(client, MOVE, **arguments)
    assert moved.content["outcome"] == "rescheduled"
    (question,) = person.questions
    assert "lee@acme.example" in question
    assert "guest@acme.example" in question


async def test_before_the_answer_nothing_is_booked_even_where_booking_alone_needs_none(
    connect: Connect, api: Api
) -> None:
    arguments, before = await move_of(api), len(await writes(api))
    async with connect(Person("decline"), access="booking=full,canceling=ask") as client:
        assert (await call(client, MOVE, **arguments)).kind == "declined"
    async with connect(access="booking=full,canceling=ask") as client:
        asked = await call(client, MOVE, **arguments)
        assert asked.kind == "confirmation_required"
        assert len(await writes(api)) == before
        moved = await call(client, MOVE, **arguments, confirmation=asked.error["confirmation"])
    assert moved.content["outcome"] == "rescheduled"


async def test_a_level_that_forbids_one_part_hides_the_whole(connect: Connect, api: Api) -> None:
    arguments = await move_of(api)
    for access in ("booking=off", "canceling=off", "invitee_data=off", "scheduled_events=off"):
        async with connect(access=access) as client:
            assert MOVE not in await names(client)
            refused = await call(client, MOVE, **arguments)
        assert refused.kind == "access_denied_by_policy"
        assert f"{access.replace('=', ' is ')}" in refused.error["message"]


@pytest.mark.requirement("read-only")
async def test_read_only_leaves_those_that_read(connect: Connect) -> None:
    async with connect(read_only="true") as client:
        seen = await names(client)
    assert {"find_meeting_times", "get_agenda", "find_bookings", "summarize_bookings"} <= seen
    assert MOVE not in seen


async def test_what_calls_an_excluded_tool_is_off_too_and_says_why(connect: Connect) -> None:
    async with connect(exclude_tools="list_event_invitees") as client:
        assert not {"get_agenda", "find_bookings", MOVE} & await names(client)
        refused = await call(client, "get_agenda")
    assert "it calls list_event_invitees, which is excluded" in refused.error["message"]


@pytest.mark.requirement("toolset-workflows")
async def test_they_are_a_toolset_of_their_own_that_needs_no_other(connect: Connect) -> None:
    async with connect(toolsets="workflows") as client:
        assert await names(client) == {tool.name for tool in WORKFLOWS}
        assert (await call(client, "get_agenda")).kind == "answered"
    async with connect(toolsets="endpoints") as client:
        assert len(await names(client)) == len(GUIDE_TOOLS)


async def test_where_invitees_are_hidden_an_agenda_tells_of_none(connect: Connect, api: Api) -> None:
    await move_of(api)
    async with connect(access="invitee_data=off") as client:
        found = await call(client, "get_agenda", days=14)
        searched = await call(client, "find_bookings", domain="acme.example")
    assert found.content["collection"]
    assert found.content["without"] == ["list_event_invitees"]
    assert not [secret for secret in SECRETS if secret in str(found.content)]
    assert searched.kind == "access_denied_by_policy"


@pytest.mark.parametrize(
    ("access", "rule"),
    [
        ("booking=full:domains=example.org", "booking is limited to invitees and guests at example.org"),
        ("canceling=full:domains=example.org", "canceling is limited to invitees and guests at example.org"),
        ("booking=full:event_types=E1", "booking is limited to the event types E1"),
        ("canceling=full:hosts=U1", "canceling is limited to meetings hosted by U1"),
    ],
)
async def test_conditions_of_each_part_hold_for_the_whole_before_anybody_is_asked(
    connect: Connect, api: Api, access: str, rule: str
) -> None:
    arguments, before, person = await move_of(api), len(await writes(api)), Person()
    async with connect(person, access=access) as client:
        refused = await call(client, MOVE, **arguments)
        tried = await call(client, MOVE, **arguments, dry_run=True)
    assert refused.kind == tried.kind == "access_denied_by_policy"
    assert rule in refused.error["message"]
    assert person.questions == []
    assert len(await writes(api)) == before


async def test_what_is_within_the_conditions_of_each_part_is_done(connect: Connect, api: Api) -> None:
    arguments = await move_of(api)
    event = await api.read(arguments["scheduled_event"])
    kind, host = (uri.rpartition("/")[2] for uri in (event["event_type"], event["event_memberships"][0]["user"]))
    within = f"full:event_types={kind}:hosts={host}:domains=acme.example"
    async with connect(access=f"booking={within}:per_day=1,canceling={within}") as client:
        assert (await call(client, MOVE, **arguments)).content["outcome"] == "rescheduled"
        second = await move_of(api)
        refused = await call(client, MOVE, **second)
    assert "booking is limited to 1 within 24 hours" in refused.error["message"]


async def test_a_dry_run_shows_both_requests_and_sends_neither(connect: Connect, api: Api) -> None:
    arguments, before = await move_of(api), len(await writes(api))
    async with connect(Person()) as client:
        tried = (await call(client, MOVE, **arguments, dry_run=True)).content["dry_run"]
        assert len(await writes(api)) == before
        await call(client, MOVE, **arguments)
    shown = [(tried["method"], tried["path"]), *((one["method"], one["path"]) for one in tried["then"])]
    assert shown == (await writes(api))[before:]
    assert tried["must_be_confirmed"] is True
    assert "canceled" in tried["effects"]


async def test_each_write_of_it_has_a_record_of_its_own_and_the_whole_has_one(
    connect: Connect, api: Api, shelf: Shelf
) -> None:
    arguments = await move_of(api)
    async with connect(Person(hesitates=0.6), agent_name="Claude") as client:
        await call(client, MOVE, **arguments)
    told = [(entry.kind, entry.tool, entry.endpoint, entry.confirmed) for entry in shelf.entries]
    booking = ("create_event_invitee", "POST /invitees")
    canceling = ("cancel_scheduled_event", "POST /scheduled_events/{scheduled_event}/cancellation")
    assert told == [
        ("begun", *booking, None),
        ("ended", *booking, None),
        ("begun", *canceling, "by a person"),
        ("ended", *canceling, "by a person"),
        ("ended", MOVE, None, "by a person"),
    ]
    sentence = shelf.entries[-1].sentence
    assert sentence.startswith("Claude rescheduled the scheduled event ")
    assert sentence.endswith("allowed, confirmed by a person")


async def test_a_scope_that_one_part_lacks_is_told_with_all_that_it_needs(connect: Connect, api: Api) -> None:
    arguments = await move_of(api)
    async with connect(Person(), who="readonly") as client:
        refused = await call(client, MOVE, **arguments)
    assert refused.kind == "insufficient_scope"
    assert "scheduled_events:write" in str(refused.error["required_scopes"])


@pytest.mark.requirement("progress")
async def test_progress_is_told_while_it_goes_on(connect: Connect) -> None:
    told: list[tuple[float, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        told.append((progress, message))

    async with connect() as client:
        await client.call_tool("get_agenda", {"date": "2026-11-24", "days": 20}, progress_callback=note)
    assert [message for _, message in told if message and "meetings looked at" in message]
    assert [moment for moment, _ in told] == sorted(moment for moment, _ in told)
