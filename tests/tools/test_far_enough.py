"""How far answers look, and what they say is missing: single invitees, further pages, what cannot be read."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from calendly.errors import InsufficientScope, PermissionDenied
from sandbox.serving import RunningSandbox
from tests.cases import each
from tests.sandbox.api import MONDAY, Api, Json
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.workflows.continuing import Position

WORKSHOP = {"date": "2026-11-24", "days": 14}
FULL = {"start_time": "2026-10-01", "end_time": "2027-02-01"}
SECONDS = timedelta(seconds=1)


async def without_one(agent: Agent, api: Api) -> Json:
    """Cancel one of the three invitees of the workshop, as that person; the meeting goes on."""
    (workshop,) = (
        await agent.call("find_bookings", event_type="Product workshop", start_time="2026-11-23", end_time="2026-12-31")
    )["collection"]
    (gone, *_) = await api.read(f"{workshop['uri']}/invitees")
    await api.control("cancellations", {"cancel_url": gone["cancel_url"], "reason": "Ill"})
    assert (await api.read(workshop["uri"]))["status"] == "active"
    return gone


def statuses(found: Json) -> dict[str, str]:
    return {invitee["email"]: invitee["status"] for row in found["collection"] for invitee in row["invitees"]}


async def test_who_alone_canceled_a_meeting_that_goes_on_is_shown_as_canceled(agent: Agent, api: Api) -> None:
    gone = await without_one(agent, api)
    canceled = {gone["email"]: "canceled"}
    for status in ({}, {"status": "canceled"}):
        assert (
            statuses(
                await agent.call("find_bookings", invitee_email=gone["email"], event_type="Product workshop", **status)
            )
            == canceled
        )
    assert (
        await agent.call("find_bookings", invitee_email=gone["email"], event_type="Product workshop", status="active")
    )["collection"] == []
    whole = await agent.call("get_agenda", **WORKSHOP)
    (row,) = [row for row in whole["collection"] if row["name"] == "Product workshop"]
    assert {invitee["status"] for invitee in row["invitees"]} == {"active", "canceled"}
    alone = await agent.call("get_agenda", **WORKSHOP, status="canceled")
    (row,) = [row for row in alone["collection"] if row["name"] == "Product workshop"]
    assert (row["status"], [invitee["email"] for invitee in row["invitees"]]) == ("active", [gone["email"]])


async def test_meetings_of_which_nobody_canceled_are_not_looked_into_for_who_did(agent: Agent) -> None:
    await agent.call("find_bookings", status="canceled", **FULL)
    looked_into = [request for request in agent.sent if request.path.endswith("/invitees")]
    assert 0 < len(looked_into) < 10


async def test_an_invitee_on_a_later_page_is_found_by_address_in_one_call(agent_of: AgentOf) -> None:
    agent = agent_of("untidy")
    webinar = await biggest(agent)
    last = (await agent.call("list_event_invitees", scheduled_event=webinar["uri"], count=1, sort="created_at:desc"))[
        "collection"
    ][0]
    agent.sent.clear()
    found = await agent.call("find_bookings", invitee_email=last["email"].upper(), **FULL)
    assert last["uri"] in {invitee["uri"] for row in found["collection"] for invitee in row["invitees"]}
    asked = [request for request in agent.sent if request.path.endswith("/invitees")]
    assert {request.query["email"] for request in asked} == {last["email"].upper()}
    assert all(request.query["page_token"] is None for request in asked)


async def test_of_many_invitees_ten_are_shown_and_all_are_counted(agent_of: AgentOf) -> None:
    agent = agent_of("untidy")
    webinar = await biggest(agent)
    assert len(webinar["invitees"]) == webinar["invitees_shown"] == 10
    assert webinar["invitees_total"] == webinar["invitees_counter"]["total"] > 200
    found = await agent.call("find_bookings", event_type=webinar["event_type"], **FULL)
    (row,) = [row for row in found["collection"] if row["uri"] == webinar["uri"]]
    assert (row["invitees_shown"], row["invitees_total"]) == (10, webinar["invitees_total"])


async def biggest(agent: Agent) -> Json:
    """The meeting with the most invitees, as the agenda has it."""
    rows = (await agent.call("get_agenda", date="2026-11-24", days=30))["collection"]
    return max(rows, key=lambda row: int(row["invitees_counter"]["total"]))


@pytest.mark.requirement("answer-missing")
@pytest.mark.parametrize("name", ["get_agenda", "find_bookings"])
async def test_what_cannot_be_read_is_named_with_the_reason_and_loses_nothing_else(
    agent: Agent, api: Api, name: str
) -> None:
    when: dict[str, Any] = (
        {"date": "2026-11-24", "days": 3}
        if name == "get_agenda"
        else {"start_time": "2026-11-24", "end_time": "2026-11-26"}
    )
    whole = await agent.call(name, organization="mine", **when)
    for status, title in ((403, "Permission Denied"), (404, "Resource Not Found"), (502, "Bad Gateway")):
        lost = whole["collection"][1]
        path = f"/scheduled_events/{lost['uri'].rpartition('/')[2]}/invitees"
        body = {"title": title, "message": f"{title} it is"}
        await api.fail(path, status=status, body=body, times=4)
        found = await agent.call(name, organization="mine", **when)
        (missing,) = found["missing"]
        assert (missing["uri"], missing["name"]) == (lost["uri"], lost["name"])
        assert f"{status} {title} it is" in missing["why"]
        others = [row for row in whole["collection"] if row != lost]
        assert [row for row in found["collection"] if row["uri"] != lost["uri"]] == others
        await api.control("reset", {})


async def test_a_scope_that_is_missing_is_no_part_that_is_missing(agent: Agent, api: Api) -> None:
    body = {"title": "Insufficient scope", "message": "No.", "required_scopes": ["scheduled_events:read"]}
    await api.fail("/scheduled_events/*/invitees", status=403, body=body, times=99)
    with pytest.raises(InsufficientScope):
        await agent.call("get_agenda", date="2026-11-24")


@each(
    "count, searched",
    [
        (1, {}),
        (3, {}),
        (7, {"start_time": "2026-10-01", "end_time": "2026-12-15"}),
        (20, {}),
    ],
)
async def test_as_many_bookings_are_answered_as_asked_for_and_going_on_repeats_and_loses_none(
    agent: Agent, api: Api, count: int, searched: dict[str, str]
) -> None:
    await api.control("limits", {"per_minute": 100_000})
    whole = await agent.call("find_bookings", domain="acme.example", count=100, columns=["start"], **searched)
    assert "continue_from" not in whole
    rows: list[Json] = []
    again: dict[str, str] = {}
    while True:
        found = await agent.call("find_bookings", domain="acme.example", count=count, **searched, **again)
        rows += found["collection"]
        if "continue_from" not in found:
            break
        assert len(found["collection"]) == count
        again = {"continue_from": found["continue_from"]}
    assert len({row["uri"] for row in rows}) == len(rows)
    starts = [row["start_time"].replace(".000000", "") for row in rows for _ in row["invitees"]]
    assert starts == [start for (start,) in whole["rows"]]


async def test_a_meeting_is_not_read_that_will_not_fit_into_the_answer(agent: Agent) -> None:
    first = await agent.call("get_agenda", date="2026-10-01", days=62)
    assert len(agent.sent) < len(first["collection"]) + 5
    rest = await agent.call("get_agenda", date="2026-10-01", days=62, continue_from=first["continue_from"])
    starts = [row["start_time"] for row in [*first["collection"], *rest["collection"]]]
    assert starts == sorted(set(starts))


async def test_without_a_range_what_comes_is_first_and_then_what_is_past_the_latest_first(agent: Agent) -> None:
    found = await agent.call("find_bookings", domain="acme.example", count=100)
    starts = [datetime.fromisoformat(row["start_time"]) for row in found["collection"]]
    coming, past = [start for start in starts if start >= MONDAY], [start for start in starts if start < MONDAY]
    assert starts == [*sorted(coming), *sorted(past, reverse=True)]
    assert coming
    assert past


async def test_an_end_that_is_given_alone_moves_the_other(agent: Agent) -> None:
    before = await agent.call("find_bookings", invitee_email="a@b.example", end_time="2026-01-31")
    assert before["searched"]["start_time"].startswith("2026-01-01")
    after = await agent.call("find_bookings", invitee_email="a@b.example", start_time="2028-01-01")
    assert after["searched"]["end_time"].startswith("2028-03-")


async def test_a_name_that_nobody_has_is_answered_with_the_ones_that_come_near(agent: Agent) -> None:
    for name in ("Lovelase", "Ada Lovelase"):
        found = await agent.call("find_bookings", invitee_name=name)
        assert "Names that come near: Ada Lovelace" in found["empty_because"]
        assert f"None of the {found['looked_at']}" in found["empty_because"] or "invitees" in found["empty_because"]


async def test_rows_of_the_agenda_say_where_to_join_what_it_is_and_when_it_ends(agent: Agent) -> None:
    found = await agent.call("get_agenda", date="2026-11-24", days=7)
    assert any(row.get("join_url") for row in found["collection"])
    assert all(row["join_url"] == row["location"]["join_url"] for row in found["collection"] if "join_url" in row)
    assert all(row["event_type"] for row in found["collection"])


async def test_rows_of_a_team_name_their_hosts_and_ones_own_do_not(agent: Agent) -> None:
    for name in ("list_scheduled_events", "find_bookings"):
        team = await agent.call(name, organization="mine", count=100)
        assert all(row["hosts"] for row in team["collection"])
        assert not any("hosts" in row for row in (await agent.call(name))["collection"])


async def test_times_of_a_day_are_as_many_as_asked_for_across_answers_and_the_others_are_counted(agent: Agent) -> None:
    span = {"start_time": "2026-11-30", "end_time": "2026-12-11"}
    rows: list[str] = []
    again: dict[str, str] = {}
    for _ in range(40):
        found = await agent.call("find_meeting_times", event_types=["Intro call"], per_day=3, count=2, **span, **again)
        rows += [row["start_time"][:10] for row in found["collection"]]
        if "continue_from" not in found:
            break
        again = {"continue_from": found["continue_from"]}
    whole = await agent.call("find_meeting_times", event_types=["Intro call"], per_day=3, count=100, **span)
    assert rows == [row["start_time"][:10] for row in whole["collection"]]
    assert max(map(rows.count, rows)) == 3
    assert whole["left_out"]["rows"] == whole["found"] - len(whole["collection"]) > 0
    assert "per_day=3" in whole["left_out"]["how_to_go_on"]
    preferred = await agent.call("find_meeting_times", event_types=["Intro call"], prefer="14:00", count=2, **span)
    assert preferred["left_out"]["rows"] == preferred["found"] - 2
    assert "raise count" in preferred["left_out"]["how_to_go_on"]


@pytest.mark.requirement("answer-empty")
async def test_why_there_is_no_time_is_said_as_far_as_it_is_known(agent: Agent, sandbox: RunningSandbox) -> None:
    async def why(**arguments: object) -> str:
        found = await agent.call("find_meeting_times", **arguments)
        assert found["collection"] == []
        return str(found["empty_because"])

    week = {"start_time": "2026-11-30", "end_time": "2026-12-04"}
    assert "times are open, but none on the weekdays and at the hours asked for" in await why(
        event_types=["Intro call"], earliest="03:00", latest="04:00", **week
    )
    weekend = {"start_time": "2026-11-28", "end_time": "2026-11-29"}
    assert "has no working hours in that range (in Europe/Berlin)" in await why(users=["me"], **weekend)
    at_the_weekend = await why(event_types=["Intro call"], **weekend)
    assert "Its host has no working hours then (by the hours of the event type, in Europe/Berlin)" in at_the_weekend
    assert "next open time after it is 2026-11-30" in at_the_weekend
    assert "bookable further ahead" in await why(
        event_types=["Intro call"], start_time="2027-03-01", end_time="2027-03-05"
    )
    assert "is never free for 720 minutes" in await why(users=["me"], duration=720, **week)
    assert "none is common to all" in await why(
        event_types=["Morning coffee"], users=["tomas@northlight.example"], **week
    )
    for kind in sandbox.sandbox.records.event_types.values():
        kind.active = kind.active and kind.name != "Deep dive"
    assert "It is switched off" in await why(event_types=["deep-dive"], **week)


async def test_where_any_will_do_who_cannot_be_asked_is_named_and_the_others_are_answered(
    agent_of: AgentOf, api: Api
) -> None:
    member, maya = agent_of("member"), (await api.me())["uri"]
    week = {"start_time": "2026-11-30", "end_time": "2026-12-04"}
    own = await member.call("find_meeting_times", users=["me"], match="any", **week)
    found = await member.call("find_meeting_times", users=[maya, "me"], match="any", **week)
    assert found["collection"] == own["collection"] != []
    (missing,) = found["missing"]
    assert missing.keys() == {"uri", "why"}
    assert missing["uri"] == maya
    assert "Calendly answered 403" in missing["why"]
    for match in ("all", "any"):
        with pytest.raises(PermissionDenied):
            await member.call(
                "find_meeting_times", users=[maya] if match == "any" else [maya, "me"], match=match, **week
            )


async def test_a_page_that_fails_later_loses_nothing_that_was_read(agent: Agent, api: Api) -> None:
    whole = await agent.call("get_agenda", date="2026-11-01", days=40)
    first = whole["collection"][15]["uri"].rpartition("/")[2]
    await api.fail(f"/scheduled_events/{first}/invitees", drop=True, times=9)
    found = await agent.call("get_agenda", date="2026-11-01", days=40)
    assert found["collection"] == whole["collection"][:10]
    await api.control("reset", {})
    rest = await agent.call("get_agenda", date="2026-11-01", days=40, continue_from=found["continue_from"])
    assert found["collection"] + rest["collection"] == whole["collection"]


@pytest.mark.parametrize(
    "position",
    [
        Position(MONDAY),
        Position(MONDAY, frozenset({"E1", "E2"}), pivot=MONDAY - SECONDS),
        Position(MONDAY, frozenset({"back", "n3"}), pivot=MONDAY, goes_back=True),
        Position(MONDAY, shown=12),
    ],
)
async def test_a_token_says_where_to_go_on(position: Position) -> None:
    assert Position.parse(position.token()) == position
