"""Meetings with who booked them: the agenda of days, and bookings found by what their invitees are and answered."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from calendly.errors import PermissionDenied, RateLimited
from tests.sandbox.api import MONDAY, Api, Json
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.matching import holds, near
from tools.times import parse_time
from tools.toolset.errors import ArgumentError, DeniedByPolicy
from tools.workflows.continuing import Position

TUESDAY = "2026-11-24"


def uris(found: Json) -> list[str]:
    return [row["uri"] for row in found["collection"]]


def emails(found: Json) -> list[str]:
    return [invitee["email"] for row in found["collection"] for invitee in row["invitees"]]


def sent(agent: Agent) -> list[str]:
    return [request.path for request in agent.sent if request.path != "/users/me"]


async def listed(api: Api, **query: str) -> list[Json]:
    me = await api.me()
    return list(await api.read("/scheduled_events", user=me["uri"], sort="start_time:asc", count=100, **query))


async def test_the_agenda_of_a_day_tells_who_comes_and_what_they_answered(agent: Agent, api: Api) -> None:
    found = await agent.call("get_agenda", date=TUESDAY)
    expected = await listed(
        api, status="active", min_start_time="2026-11-23T23:00:00Z", max_start_time="2026-11-24T23:00:00Z"
    )
    assert uris(found) == [event["uri"] for event in expected]
    for row in found["collection"]:
        (invitee,) = await api.read(f"{row['uri']}/invitees")
        assert row["invitees"] == [invitee]
        assert row["invitees"][0]["questions_and_answers"]
    assert "continue_from" not in found


async def test_by_default_it_is_the_persons_own_today(agent: Agent) -> None:
    assert await agent.call("get_agenda") == await agent.call("get_agenda", date=MONDAY.date().isoformat())


async def test_where_a_day_is_empty_the_next_meeting_is_named(agent: Agent) -> None:
    (later, *_) = (await agent.call("get_agenda", date="2026-11-30"))["collection"]
    agent.sent.clear()
    empty = await agent.call("get_agenda", date="2026-11-28", days=2)
    start = datetime.fromisoformat(later["start_time"]).astimezone(ZoneInfo("Europe/Berlin"))
    assert empty["empty_because"].startswith(
        "No active meeting begins in that range; only status=canceled looks for canceled ones."
    )
    assert empty["empty_because"].endswith(f" Next: {start:%a %Y-%m-%d %H:%M} (Europe/Berlin): {later['name']}.")
    assert sent(agent) == ["/scheduled_events", "/scheduled_events"]
    assert (await agent.call("get_agenda", date="Tomorrow")) == (await agent.call("get_agenda", date="2026-11-24"))
    assert (await agent.call("get_agenda", date="2031-01-01"))["empty_because"].endswith(" Next: none so far.")


async def test_several_days_are_read_in_one_call_and_in_order(agent: Agent) -> None:
    found = await agent.call("get_agenda", date=TUESDAY, days=7)
    starts = [row["start_time"] for row in found["collection"]]
    assert starts == sorted(starts)
    assert len({start[:10] for start in starts}) == 5
    assert sent(agent).count("/scheduled_events") == 1
    assert len(sent(agent)) == 1 + len(starts)


@pytest.mark.requirement("parameters-timezone")
async def test_days_are_those_of_the_zone_asked_for(agent: Agent, api: Api) -> None:
    await agent.call("get_agenda", date=TUESDAY, timezone="Pacific/Auckland")
    first = next(request for request in agent.sent if request.path == "/scheduled_events")
    assert parse_time(str(first.query["max_start_time"])) == datetime(2026, 11, 24, 11, 0, 1, tzinfo=UTC)
    body = await api.booking()
    start = parse_time(body["start_time"])
    await api.book(**body)
    local = start + timedelta(hours=13)
    day = await agent.call("get_agenda", date=local.date().isoformat(), timezone="Pacific/Auckland")
    assert body["start_time"].removesuffix("Z") in {row["start_time"][:19] for row in day["collection"]}


async def test_a_canceled_meeting_is_there_when_it_is_asked_for_with_those_who_would_have_come(agent: Agent) -> None:
    found = await agent.call("get_agenda", date=TUESDAY, days=7, status="canceled")
    (row,) = found["collection"]
    assert row["status"] == "canceled"
    assert row["invitees"]


async def test_a_meeting_of_several_people_tells_them_all(agent: Agent) -> None:
    found = await agent.call("get_agenda", date=TUESDAY, days=14)
    assert max(len(row["invitees"]) for row in found["collection"]) == 3


async def test_the_agenda_of_a_colleague_and_of_the_organization(agent: Agent, api: Api, agent_of: AgentOf) -> None:
    me = await api.me()
    colleague = await agent.call("get_agenda", date=TUESDAY, user="tomas@northlight.example")
    everybody = await agent.call("get_agenda", date=TUESDAY, organization=me["current_organization"])
    assert set(uris(colleague)) < set(uris(everybody))
    with pytest.raises(PermissionDenied):
        await agent_of("member").call("get_agenda", date=TUESDAY, organization=me["current_organization"])


async def test_who_may_not_see_invitees_gets_the_meetings_and_is_told_what_is_missing(agent: Agent) -> None:
    agent.off.add("invitee_data")
    found = await agent.call("get_agenda", date=TUESDAY)
    assert found["without"] == ["list_event_invitees"]
    assert found["collection"]
    assert not any("invitees" in row for row in found["collection"])
    assert not any("invitees" in path for path in sent(agent))


async def test_meetings_that_begin_at_once_are_neither_lost_nor_repeated_where_it_goes_on(
    agent: Agent, api: Api
) -> None:
    organization = (await api.me())["current_organization"]
    kinds = [await api.event_type("Intro call"), await api.event_type("Partner sync", "admin")]
    shared = set(await api.slots(kinds[0]["uri"])) & set(await api.slots(kinds[1]["uri"], "admin"))
    for name, token in (("Intro call", "owner"), ("Partner sync", "admin")):
        await api.book(name, token, start_time=max(shared))
    whole = await agent.call("get_agenda", date=TUESDAY, days=14, organization=organization)
    starts = [row["start_time"] for row in whole["collection"]]
    assert len(starts) > len(set(starts))
    for cut in range(1, len(starts)):
        last = parse_time(starts[cut - 1])
        given = {
            uri.rpartition("/")[2]
            for uri, start in zip(uris(whole)[:cut], starts, strict=False)
            if parse_time(start) == last
        }
        token = Position(last, frozenset(given)).token()
        rest = await agent.call("get_agenda", date=TUESDAY, days=14, organization=organization, continue_from=token)
        assert uris(whole)[:cut] + uris(rest) == uris(whole)


@pytest.mark.requirement("workflow-in-parts", "parameters-continue", "parameters-continue-from")
async def test_when_time_runs_short_it_answers_with_what_it_has_and_goes_on(agent: Agent, api: Api) -> None:
    whole = await agent.call("get_agenda", date="2026-11-01", days=40)
    await api.fail("/scheduled_events/*/invitees", delay=20, times=25)
    rows: list[str] = []
    again: dict[str, Any] = {}
    for _ in range(9):
        found = await agent.call("get_agenda", date="2026-11-01", days=40, **again)
        rows += uris(found)
        if "continue_from" not in found:
            break
        again = {"continue_from": found["continue_from"]}
    assert again
    assert rows == uris(whole)
    assert any("meetings looked at" in report for report in agent.reports)


async def test_under_a_tight_pace_it_answers_with_what_it_has(agent: Agent, api: Api) -> None:
    await api.control("limits", {"per_minute": 20})
    found = await agent.call("get_agenda", date="2026-11-01", days=40)
    assert 0 < len(found["collection"]) < 38
    assert Position.parse(found["continue_from"]).start == parse_time(found["collection"][-1]["start_time"])


async def test_where_nothing_at_all_can_be_read_it_says_when_to_come_back(agent: Agent, api: Api) -> None:
    await api.fail("/scheduled_events", status=429, times=99)
    with pytest.raises(RateLimited):
        await agent.call("get_agenda", date=TUESDAY)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"date": "24.11.2026"}, "date: Expected a date. Days are written as 2026-12-01, today"),
        ({"date": "0001-01-01"}, "date: Expected a date from 1970"),
        ({"days": 0}, "days"),
        ({"days": 63}, "days"),
        ({"continue_from": "~"}, "continue_from: Expected what an earlier answer gave"),
        ({"continue_from": "2026-11-24T09:00:00"}, "continue_from: Expected what an earlier answer gave"),
    ],
)
async def test_days_that_cannot_be_told_are_refused(agent: Agent, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        await agent.call("get_agenda", **arguments)
    assert agent.sent == []


async def test_bookings_are_found_by_domain(agent: Agent) -> None:
    found = await agent.call("find_bookings", domain="ELSEWHERE.example")
    assert emails(found) == ["ada@elsewhere.example"]
    assert found["looked_at"] > 20
    for written in (
        "@elsewhere.example",
        "lee@elsewhere.example",
        "www.elsewhere.example",
        "https://Elsewhere.example/x",
        '["elsewhere.example"]',
        ["elsewhere.example"],
    ):
        assert (await agent.call("find_bookings", domain=written))["collection"] == found["collection"], written
    assert (await agent.call("find_bookings", domain="where.example"))["collection"] == []


async def test_bookings_are_found_by_part_of_a_name(agent: Agent) -> None:
    found = await agent.call("find_bookings", invitee_name="lovelace")
    assert emails(found) == ["ada@elsewhere.example"]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("zoe", "Zo\u00eb \U0001f98a"),
        ("ZO\u00cb", "Zoe"),
        ("soren lodz", "S\u00f8ren \u0141\u00f3d\u017a"),
        ("Nguyen", "Nguy\u1ec5n"),
        ("\u304c", "\u304c\u304e"),
    ],
)
def test_a_name_is_found_and_offered_without_its_accents(typed: str, name: str) -> None:
    assert holds(name, typed)
    assert near(typed, [name, "Hans"]) == [name]
    assert not holds("\u304b", "\u304c")  # another letter, and no accent


async def test_bookings_are_found_by_what_was_answered(agent: Agent) -> None:
    found = await agent.call("find_bookings", answer="MAINTENANCE mode")
    assert emails(found) == ["ada@elsewhere.example"]
    everything = await agent.call("find_bookings", answer="the new release", start_time="2026-10-01", count=100)
    assert len(everything["collection"]) > 20


async def test_bookings_of_an_event_type_cost_no_look_at_others(agent: Agent, api: Api) -> None:
    kind = await api.event_type("Deep dive")
    found = await agent.call("find_bookings", event_type="Deep dive")
    events = [await api.read(uri) for uri in uris(found)]
    assert {event["event_type"] for event in events} == {kind["uri"]}
    looked_into = [path for path in sent(agent) if path.endswith("/invitees")]
    assert len(looked_into) == len(events) < found["looked_at"]


async def test_bookings_of_one_person_are_asked_for_by_address(agent: Agent) -> None:
    found = await agent.call("find_bookings", invitee_email="ADA@elsewhere.example")
    assert emails(found) == ["ada@elsewhere.example"]
    first = next(request for request in agent.sent if request.path == "/scheduled_events")
    assert first.query["invitee_email"] == "ADA@elsewhere.example"


async def test_of_a_meeting_of_several_only_those_who_were_looked_for_are_answered(agent: Agent) -> None:
    found = await agent.call("find_bookings", event_type="Product workshop", invitee_name="greta")
    (row,) = found["collection"]
    assert [invitee["name"].split()[0] for invitee in row["invitees"]] == ["Greta"]


async def test_everything_asked_for_has_to_fit(agent: Agent) -> None:
    found = await agent.call("find_bookings", domain="elsewhere.example", answer="the new release")
    assert found["collection"] == []


@pytest.mark.requirement("answer-searched")
async def test_by_default_it_looks_three_months_ahead_and_then_one_back_and_says_so(agent: Agent) -> None:
    found = await agent.call("find_bookings", invitee_email="nobody@elsewhere.example")
    bounds = [
        [parse_time(str(request.query[name])) for name in ("min_start_time", "max_start_time")]
        for request in agent.sent
        if request.path == "/scheduled_events"
    ]
    tick = timedelta(seconds=1)
    assert bounds == [
        [MONDAY - tick, MONDAY + timedelta(days=90) + tick],
        [MONDAY - timedelta(days=30) - tick, MONDAY + tick],
    ]
    searched = found["searched"]
    assert (searched["whose"], searched["status"]) == ("you", "any")
    assert datetime.fromisoformat(searched["start_time"]) == MONDAY - timedelta(days=30)
    assert datetime.fromisoformat(searched["end_time"]) == MONDAY + timedelta(days=90)
    assert "default range" in searched["note"]
    assert found["empty_because"].endswith(" that begins in that range.")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start_time": "2026-12-01T00:00Z", "end_time": "2026-11-01T00:00Z"}, "end_time: Must be after start_time"),
        ({"start_time": "2020-12-01T00:00Z"}, "end_time: Must be within 732 days"),
        ({"domain": " "}, "domain: Must not be empty"),
        ({"domain": "acme"}, "domain: Expected the part of an e-mail address after the @"),
        ({"domain": "*.acme.example"}, "domain: Expected the part of an e-mail address after the @"),
        ({"domain": "acme.example,elsewhere.example"}, "domain: Expected the part of an e-mail address"),
        ({"domain": "example.acme/.."}, "domain: Expected the part of an e-mail address after the @"),
        ({"answer": '["a", "b"]'}, "answer: Must be one text: call once for each"),
        ({"invitee_name": "null"}, "invitee_name: This is no text to search for; leave the parameter out"),
        ({"invitee_email": "lee"}, "invitee_email: Expected an e-mail"),
    ],
)
async def test_searches_that_cannot_be_are_refused(agent: Agent, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        await agent.call("find_bookings", **arguments)
    assert agent.sent == []


async def test_who_may_not_see_invitees_may_not_search_them(agent: Agent) -> None:
    agent.off.add("invitee_data")
    with pytest.raises(DeniedByPolicy):
        await agent.call("find_bookings", domain="elsewhere.example")
