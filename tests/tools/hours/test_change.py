"""Changing working hours, through the real client, in the sandbox."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from typing_extensions import override

from calendly.errors import OutcomeUnknown, PermissionDenied
from calendly.request import JSON, Request
from tests.sandbox.api import MONDAY, Api, Json, bearer, iso
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.effects import Effects
from tools.toolset.errors import ArgumentError, DeniedByPolicy
from tools.toolset.tool import Tool

TUESDAY_OFF = [{"days": "2026-11-24", "hours": "none"}]
PATCH = "/user_availability_schedules/*"


async def schedules(api: Api, who: str = "owner") -> Json:
    return await api.read("/user_availability_schedules", who, user=(await api.me(who))["uri"])


async def rules(api: Api, name: str = "Working hours") -> Json:
    return next(one["rules"] for one in await schedules(api) if one["name"] == name)


async def days_open(api: Api, name: str = "Intro call") -> set[str]:
    """The days of the coming week with open times of an event type."""
    return {start[:10] for start in await api.slots((await api.event_type(name))["uri"])}


async def pass_by(agent: Agent, api: Api, **time: float) -> None:
    """Let time pass for the agent and for Calendly."""
    agent.began -= timedelta(**time).total_seconds()
    await api.control("clock", {"now": iso(agent.now())})


def written(agent: Agent) -> list[str]:
    return [request.path for request in agent.sent if not request.is_read]


@pytest.mark.requirement("workflow-hours")
async def test_a_blocked_day_has_no_open_times_until_it_is_undone(agent: Agent, api: Api) -> None:
    before, open_days = await rules(api), await days_open(api)
    blocked = await agent.call("change_working_hours", changes=[{"days": "tomorrow", "hours": "none"}])
    assert (blocked["outcome"], blocked["name"], blocked["timezone"]) == ("changed", "Working hours", "Europe/Berlin")
    assert blocked["difference"] == [
        {"days": "Tue 24 Nov 2026", "before": "09:00-12:00, 13:00-18:00", "after": "no hours"}
    ]
    assert "Intro call" in blocked["following"]
    assert [(one["name"], one["schedule"]) for one in blocked["apart"]] == [("Morning coffee", "Mornings")]
    (meeting,) = blocked["meetings"]
    assert (meeting["name"], meeting["when"]) == ("Intro call", "Tue 24 Nov 2026, 09:00-09:30")
    assert meeting["invitees"] == ["Ada Abara (ada.abara@acme.example)"]
    assert (await api.read(meeting["scheduled_event"]))["status"] == "active"
    assert any("cancel_scheduled_event" in step for step in blocked["next_steps"])
    assert await days_open(api) == open_days - {"2026-11-24"}
    undone = await agent.call("change_working_hours", **blocked["undo"])
    assert (undone["outcome"], "meetings" in undone) == ("changed", False)
    assert await rules(api) == before
    assert await days_open(api) == open_days


async def test_the_difference_is_the_question_and_says_who_follows_and_what_is_booked(agent: Agent, api: Api) -> None:
    kind = (await api.event_type("Deep dive"))["uri"]
    own: Json = {"availability_rule": {"timezone": "Europe/Berlin"}}
    address = "/event_type_availability_schedules"
    await api.http.patch(address, params={"event_type": kind}, json=own, headers=bearer("owner"))
    agent.asked = {"availability"}
    await agent.call("change_working_hours", changes=[*TUESDAY_OFF, {"days": "friday", "hours": "13:00-16:00, 10-12"}])
    (asked,) = agent.questions
    day_off = str((MONDAY + timedelta(days=24)).date())
    assert asked == (
        "Change working hours.\n"
        "Schedule: “Working hours”\n"
        "Time zone: Europe/Berlin\n"
        "Every Friday: 09:00-12:00, 13:00-18:00 before, 10:00-12:00, 13:00-16:00 after\n"
        "Tue 24 Nov 2026: 09:00-12:00, 13:00-18:00 before, no hours after\n"
        "Event types that follow: “Board briefing”, “Design review”, “Hiring panel”, “Intro call”, "
        "“Product workshop” and “Support triage”\n"
        "Event types with hours of their own, which stay: “Deep dive”\n"
        "Event types of other schedules, which stay: “Morning coffee”\n"
        "Booked in the closed time, not canceled: Tue 24 Nov 2026, 09:00-09:30: “Intro call: Ada Abara "
        "(ada.abara@acme.example)”\n"
        "Booked in the closed time, not canceled: Fri 27 Nov 2026, 09:00-09:30: “Intro call: Daria Dietrich "
        "(daria.dietrich@acme.example)”\n"
        "Booked in the closed time, not canceled: Fri 4 Dec 2026, 09:00-09:30: “Intro call: Ivo Berg "
        "(ivo.berg@acme.example)”"
    )
    thursday = await agent.ask("change_working_hours", changes=[{"days": "weekdays", "hours": "none"}])
    assert day_off == "2026-12-17"
    assert "Dates that keep hours of their own: Tue 24 Nov 2026 and Thu 17 Dec 2026\n" in thursday


async def test_a_schedule_goes_by_its_name_and_an_event_type_can_be_changed_alone(agent: Agent, api: Api) -> None:
    named = await agent.call("change_working_hours", changes=TUESDAY_OFF, schedule="mornings")
    assert (named["name"], named["following"]) == ("Mornings", ["Morning coffee"])
    assert await days_open(api, "Morning coffee") == await days_open(api, "Morning coffee") - {"2026-11-24"}
    assert (await agent.call("change_working_hours", changes=TUESDAY_OFF, schedule="default"))[
        "name"
    ] == "Working hours"
    await agent.call("change_working_hours", changes=[{"days": "2026-11-24", "hours": "weekly"}])
    with pytest.raises(ArgumentError, match=r"No availability schedule goes by that name; .* Working hours, Mornings"):
        await agent.call("change_working_hours", changes=TUESDAY_OFF, schedule="Evenings")
    with pytest.raises(ArgumentError, match="not both"):
        await agent.call("change_working_hours", changes=TUESDAY_OFF, schedule="Mornings", event_type="Intro call")
    before, days = await schedules(api), await days_open(api)
    question = await agent.ask("change_working_hours", changes=TUESDAY_OFF, event_type="Intro call")
    assert "Event type: “Intro call”\nFollows the schedule: “Working hours”\n" in question
    assert "An undo gives the hours back, not that link: a person makes it at calendly.com" in question
    alone = await agent.call("change_working_hours", changes=TUESDAY_OFF, event_type="Intro call")
    assert (alone["following"], [one["name"] for one in alone["meetings"]]) == (["Intro call"], ["Intro call"])
    assert await days_open(api) == days - {"2026-11-24"}
    assert await schedules(api) == before
    assert "followed the schedule Working hours, and follows it no more. undo gives the hours back" in alone["message"]
    undone = await agent.call("change_working_hours", **alone["undo"])
    assert undone["name"] == alone["name"] == "Intro call"
    assert await days_open(api) == days
    assert "had hours of its own before" in undone["message"]
    assert "Follows" not in await agent.ask("change_working_hours", changes=TUESDAY_OFF, event_type="Intro call")


async def test_hours_that_are_so_already_are_neither_asked_about_nor_written(agent: Agent) -> None:
    agent.asked = {"availability"}
    for hours in ("13:00-18:00, 09:00-12:00", "9-12; 13-18"):
        same = await agent.call("change_working_hours", changes=[{"days": "friday", "hours": hours}])
        assert same["outcome"] == "unchanged"
    assert (agent.questions, written(agent)) == ([], [])


async def test_today_is_that_of_the_schedules_zone(agent: Agent, api: Api) -> None:
    await pass_by(agent, api, hours=17, minutes=30)  # it is Tuesday in Berlin, and Monday in UTC
    with pytest.raises(ArgumentError, match="2026-11-23 is past: in the schedule's zone today is 2026-11-24"):
        await agent.call("change_working_hours", changes=[{"days": "2026-11-23", "hours": "none"}])
    assert (await agent.call("change_working_hours", changes=TUESDAY_OFF))["outcome"] == "changed"
    assert {"type": "date", "date": "2026-11-24", "intervals": []} in await rules(api)


async def test_a_rule_that_calendly_keeps_otherwise_but_means_the_same_is_the_change(agent: Agent, api: Api) -> None:
    saturday = [{"days": "2026-11-28", "hours": "none"}]
    changed = await Forgetful(**vars(agent)).call("change_working_hours", changes=saturday)
    assert (changed["outcome"], agent.pauses) == ("changed", [])
    assert {"type": "date", "date": "2026-11-28", "intervals": []} in await rules(api)


async def test_past_dates_that_calendly_no_longer_takes_are_not_sent_back(agent: Agent, api: Api) -> None:
    await agent.call("change_working_hours", changes=[{"days": "2026-11-23/2026-11-26", "hours": "10:00-11:00"}])
    await pass_by(agent, api, days=2)
    await agent.call("change_working_hours", changes=[{"days": "2026-11-27", "hours": "none"}])
    dates = [rule["date"] for rule in await rules(api) if rule["type"] == "date"]
    assert dates == ["2026-11-24", "2026-11-25", "2026-11-26", "2026-11-27", "2026-12-17"]


async def test_a_day_on_which_clocks_change_keeps_the_hours_as_typed(agent: Agent, api: Api) -> None:
    await pass_by(agent, api, days=119)
    await agent.call("change_working_hours", changes=[{"days": "2027-03-28", "hours": "01:30-04:00"}])
    assert {"from": "01:30", "to": "04:00"} in next(
        rule["intervals"] for rule in await rules(api) if rule.get("date") == "2027-03-28"
    )


@dataclass(kw_only=True)
class Interrupted(Agent):
    """An agent during whose question somebody else acts."""

    act: Callable[[], Awaitable[object]]

    @override
    async def authorize(self, tool: Tool, effects: Effects) -> None:
        await super().authorize(tool, effects)
        if tool.name == "change_working_hours":
            await self.act()


async def test_what_changed_since_it_was_read_is_not_overwritten_and_is_shown(agent: Agent, api: Api) -> None:
    async def other() -> None:
        await agent.call("change_working_hours", changes=[{"days": "tuesday", "hours": "10:00-11:00"}])

    asked = Interrupted(**vars(agent), act=other)
    refused = await asked.call("change_working_hours", changes=TUESDAY_OFF)
    assert refused["outcome"] == "unchanged"
    assert "in the meantime" in refused["message"]
    assert refused["difference"] == [{"days": "Tue 24 Nov 2026", "before": "10:00-11:00", "after": "no hours"}]
    assert not [rule for rule in await rules(api) if rule.get("date") == "2026-11-24"]


async def test_of_two_writers_at_once_each_is_told_the_truth(agent_of: AgentOf, api: Api) -> None:
    wishes = {"2026-11-24": "none", "2026-11-25": "10:00-11:00"}
    answers = await asyncio.gather(
        *(
            agent_of("owner").call("change_working_hours", changes=[{"days": day, "hours": hours}])
            for day, hours in wishes.items()
        )
    )
    stands = {rule.get("date") for rule in await rules(api)} & set(wishes)
    done = [day for day, answer in zip(wishes, answers, strict=True) if answer["outcome"] == "changed"]
    assert stands
    assert set(done) <= stands


@pytest.mark.parametrize("fault", [{"status": 500, "after": True}, {"drop": "after"}, {"status": 502}, {"drop": True}])
async def test_where_the_answer_is_lost_reading_tells_what_became_of_it(
    agent: Agent, api: Api, fault: dict[str, Any]
) -> None:
    await api.fail(PATCH, "PATCH", **fault)
    if "after" in str(fault):
        assert (await agent.call("change_working_hours", changes=TUESDAY_OFF))["outcome"] == "changed"
        return
    with pytest.raises(OutcomeUnknown, match="not changed as far as it shows") as lost:
        await agent.call("change_working_hours", changes=TUESDAY_OFF)
    assert lost.value.goes_on
    assert (lost.value.title, lost.value.status) == _TOLD.get(fault.get("status", 0), (None, None))
    assert agent.pauses == [1.0, 2.0, 4.0]
    assert (await agent.call("change_working_hours", changes=TUESDAY_OFF))["outcome"] == "changed"


_TOLD = {500: ("Internal Server Error", 500), 502: ("Bad Gateway", 502)}


@dataclass(kw_only=True)
class Forgetful(Agent):
    """An agent to which Calendly shows no date that is as its weekday."""

    @override
    async def send(self, request: Request) -> JSON:
        answer = await super().send(request)
        schedules: list[Json] = answer.get("collection", []) if "schedules" in request.path else []
        for schedule in schedules:
            every: list[Json] = schedule["rules"]
            schedule["rules"] = [rule for rule in every if rule.get("date") != "2026-11-28"]
        return answer


@dataclass(kw_only=True)
class Unread(Agent):
    """An agent that can read no schedule once it wrote."""

    api: Api

    @override
    async def send(self, request: Request) -> JSON:
        answer = await super().send(request)
        if not request.is_read:
            fault = {"method": "GET", "path": "/user_availability_schedules", "status": 400, "times": 9}
            await self.api.control("faults", fault)
        return answer


async def test_a_change_that_cannot_be_read_again_is_told_as_calendly_answered_it(agent: Agent, api: Api) -> None:
    changed = await Unread(**vars(agent), api=api).call("change_working_hours", changes=TUESDAY_OFF)
    assert changed["outcome"] == "changed"
    assert changed["message"].endswith("does not show it yet.")


async def test_another_persons_schedule_is_refused_with_who_can_change_it(agent_of: AgentOf, api: Api) -> None:
    (priyas,) = await schedules(api, "member")
    for who in ("admin", "free"):  # an admin may read it
        with pytest.raises(PermissionDenied, match="another person's, who alone can change them"):
            await agent_of(who).call("change_working_hours", changes=TUESDAY_OFF, schedule=priyas["uri"])
    question = await agent_of("admin").ask("change_working_hours", changes=TUESDAY_OFF, schedule=priyas["uri"])
    assert "Whose: “Priya Raman”\n" in question


async def test_what_may_not_be_read_is_named_and_what_may_not_be_written_is_refused(agent: Agent) -> None:
    agent.off = {"event_types", "scheduled_events"}
    changed = await agent.call("change_working_hours", changes=TUESDAY_OFF)
    assert changed["without"] == ["which event types follow", "the meetings in the closed time"]
    agent.off = {"invitee_data"}
    back = await agent.call("change_working_hours", **changed["undo"])
    off = await agent.call("change_working_hours", changes=TUESDAY_OFF)
    assert ("without" in back, off["without"]) == (False, ["who comes to 1 of the meetings"])
    assert "invitees" not in off["meetings"][0]
    agent.off = {"availability"}
    with pytest.raises(DeniedByPolicy):
        await agent.call("change_working_hours", changes=TUESDAY_OFF)


async def test_a_meeting_of_a_day_off_is_named_though_it_is_outside_the_hours(agent: Agent, api: Api) -> None:
    await agent.call("change_working_hours", changes=[{"days": "2026-11-28", "hours": "10:00-11:00"}])
    booked = await api.book(start_time=iso(MONDAY + timedelta(days=5, hours=3)))  # Saturday, 10:00 in Berlin
    weekly = await agent.call("change_working_hours", changes=[{"days": "2026-11-28", "hours": "weekly"}])
    assert [one["scheduled_event"] for one in weekly["meetings"]] == [booked["event"]]
    off = await agent.call("change_working_hours", changes=[{"days": "2026-11-28", "hours": "none"}])
    assert [one["when"] for one in off["meetings"]] == ["Sat 28 Nov 2026, 10:00-10:30"]
