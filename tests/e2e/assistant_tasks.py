"""What assistants and recruiters ask of the untidy organization: agendas, times in three zones, bookings. As above."""

from datetime import date, datetime, timedelta
from typing import Final

from tests.e2e.task_list import WHOLE
from tests.e2e.tasks import (
    LEE,
    Agent,
    Content,
    Task,
    by_name,
    everybody,
    free_alike,
    instants,
    invitees_of,
    meetings_of,
)
from tests.e2e.team_tasks import COMING, LONDON, TEAM, whole_days

DIEGO: Final = "Diego Salas"
RAVI: Final = "ravi@driftwood.example"
AIKO: Final = "Aiko Tanaka"
TOMORROW: Final = date(2026, 10, 20)
CHANGE: Final = date(2026, 10, 25)
"""The Sunday on which London's clocks go back. New York's follow a week later."""


def ahead(first: date, days: int) -> dict[str, str]:
    """Some days as arguments."""
    return {"start_time": f"{first}T00:00", "end_time": f"{first + timedelta(days=days)}T00:00"}


async def week_of_everybody(agent: Agent) -> object:
    """One of the meetings may not be read, one has no name, and one a very long answer."""
    found = await agent("get_agenda", date=TOMORROW.isoformat(), days=7, **TEAM)
    known = [(row["start_time"], by_name(row["invitees"])) for row in found["collection"] if row.get("invitees")]
    return known, len(found["missing"])


async def week_of_everybody_plainly(agent: Agent) -> object:
    found = await everybody(agent, status="active", **TEAM, **agent.span(TOMORROW, 7))
    known = [(meeting["start_time"], by_name(people)) for meeting, people in found if people]
    return known, len(found) - len(known)


async def week_of_aiko(agent: Agent) -> object:
    rows = await agent.rows("get_agenda", user=AIKO, date=TOMORROW.isoformat(), days=7, timezone="Asia/Tokyo")
    return [(row["local_start"], by_name(row["invitees"])) for row in rows]


async def week_of_aiko_plainly(agent: Agent) -> object:
    span = agent.span(TOMORROW, 7)
    found = await everybody(agent, user=AIKO, status="active", timezone="Asia/Tokyo", **span)
    return [(meeting["local_start"], by_name(people)) for meeting, people in found]


async def end_of_the_night(agent: Agent) -> object:
    (row,) = await agent.rows("get_agenda", date=CHANGE.isoformat())
    return row["local_end"][-5:]


async def end_of_the_night_plainly(agent: Agent) -> object:
    (row,) = await meetings_of(agent, status="active", **agent.span(CHANGE, 1))
    (person,) = await invitees_of(agent, row)
    assert person["status"] == "active"
    return f"{datetime.fromisoformat(row['end_time']).astimezone(LONDON):%H:%M}"


async def when_is_zoe(agent: Agent) -> object:
    rows = await agent.rows("find_bookings", invitee_name="Zo\u00eb", count=1, **whole_days(COMING))
    return rows[0]["local_start"]


async def when_is_zoe_plainly(agent: Agent) -> object:
    return (await meeting_with(agent, "Zo\u00eb"))["local_start"]


async def meeting_with(agent: Agent, name: str) -> Content:
    """The coming meeting with somebody, by the endpoints."""
    for meeting in await meetings_of(agent, status="active", **agent.span(*COMING)):
        if any(name in person["name"] for person in await invitees_of(agent, meeting)):
            return meeting
    raise LookupError(name)


async def common_times(agent: Agent, people: list[str], days: dict[str, str], minutes: int) -> list[datetime]:
    """When some people are free, with all tools."""
    rows = await agent.rows("find_meeting_times", users=people, duration=minutes, **days, **WHOLE)
    return sorted(instants(rows, LONDON))


async def across_the_change(agent: Agent) -> object:
    return await common_times(agent, ["me", DIEGO], ahead(TOMORROW, 13), 60)


async def across_the_change_plainly(agent: Agent) -> object:
    return sorted(await free_alike(agent, ["me", DIEGO], ahead(TOMORROW, 13), 60, LONDON))


async def with_india(agent: Agent) -> object:
    return await common_times(agent, ["me", RAVI], ahead(TOMORROW, 7), 60)


async def with_india_plainly(agent: Agent) -> object:
    return sorted(await free_alike(agent, ["me", RAVI], ahead(TOMORROW, 7), 60, LONDON))


async def an_afternoon_of_diego(agent: Agent) -> object:
    return await common_times(agent, [DIEGO], ahead(CHANGE + timedelta(days=5), 1), 60)


async def an_afternoon_of_diego_plainly(agent: Agent) -> object:
    return sorted(await free_alike(agent, [DIEGO], ahead(CHANGE + timedelta(days=5), 1), 60, LONDON))


async def first_panel(agent: Agent) -> list[datetime]:
    days = ahead(CHANGE + timedelta(days=1), 14)
    return instants(await agent.rows("find_meeting_times", event_types=["Panel interview"], count=1, **days), LONDON)


async def first_panel_plainly(agent: Agent) -> list[datetime]:
    days = ahead(CHANGE + timedelta(days=1), 14)
    rows = await agent.rows("list_event_type_available_times", event_type="Panel interview", **days)
    return instants(rows, LONDON)[:1]


async def book_discovery(agent: Agent) -> object:
    """The event type has a twin that is switched off, and its question another apostrophe."""
    days = ahead(TOMORROW, 1)
    rows = await agent.rows("list_event_type_available_times", event_type="Intro / Discovery Call", **days)
    booked = await agent(
        "create_event_invitee",
        event_type="Intro / Discovery Call",
        start_time=instants(rows, LONDON)[0].isoformat(),
        invitee=LEE,
        questions_and_answers=[{"question": "What's this about?", "answer": "Prices", "position": 0}],
    )
    return booked["name"], booked["questions_and_answers"][0]["answer"]


async def book_a_panel(agent: Agent) -> object:
    return await _book_panel(agent, await first_panel(agent))


async def book_a_panel_plainly(agent: Agent) -> object:
    return await _book_panel(agent, await first_panel_plainly(agent))


async def _book_panel(agent: Agent, slots: list[datetime]) -> object:
    booked = await agent(
        "create_event_invitee", event_type="Panel interview", start_time=slots[0].isoformat(), invitee=LEE
    )
    return booked["name"], booked["status"]


async def cancel_picard(agent: Agent) -> object:
    rows = await agent.rows("find_bookings", invitee_name="Picard", status="active", count=1, **whole_days(COMING))
    canceled = await agent("cancel_scheduled_event", scheduled_event=rows[0]["uri"], reason="Travel")
    return rows[0]["start_time"], canceled["canceler_type"]


async def cancel_picard_plainly(agent: Agent) -> object:
    meeting = await meeting_with(agent, "Picard")
    canceled = await agent("cancel_scheduled_event", scheduled_event=meeting["uri"], reason="Travel")
    return meeting["start_time"], canceled["canceler_type"]


async def hours_of_ravi(agent: Agent) -> object:
    (schedule,) = await agent.rows("list_user_availability_schedules", user=RAVI)
    return schedule["timezone"]


async def zones_of_the_team(agent: Agent) -> object:
    people = await agent.rows("list_organization_memberships", count=100, **TEAM)
    return sorted((row["user"]["name"], row["user"]["timezone"]) for row in people)


async def switched_off(agent: Agent) -> object:
    return [kind["name"] for kind in await agent.rows("list_event_types", active=False, count=100)]


ASSISTANT_TASKS: Final = tuple(
    Task(words=words, freely=freely, plainly=plainly, who="untidy")
    for words, freely, plainly in (
        ("Brief me on everybody's week.", week_of_everybody, week_of_everybody_plainly),
        ("What is on Aiko's week, in her own time?", week_of_aiko, week_of_aiko_plainly),
        ("When by the clock is the release night over?", end_of_the_night, end_of_the_night_plainly),
        ("When do I talk to Zo\u00eb?", when_is_zoe, when_is_zoe_plainly),
        ("When do Diego and I both have an hour until Friday week?", across_the_change, across_the_change_plainly),
        ("Ravi works by India's clock: an hour for the two of us?", with_india, with_india_plainly),
        (
            "Diego's Friday between the two clock changes, in my time?",
            an_afternoon_of_diego,
            an_afternoon_of_diego_plainly,
        ),
        ("The first panel interview after the clocks went back?", first_panel, first_panel_plainly),
        ("Book Lee for an intro / discovery call tomorrow.", book_discovery, book_discovery),
        ("Book Lee for the first panel interview then.", book_a_panel, book_a_panel_plainly),
        ("Cancel my call with Picard, I travel.", cancel_picard, cancel_picard_plainly),
        ("By which clock does Ravi work?", hours_of_ravi, hours_of_ravi),
        ("In which zones is the team?", zones_of_the_team, zones_of_the_team),
    )
)
