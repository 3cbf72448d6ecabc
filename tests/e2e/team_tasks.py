"""What sales and support people ask of the untidy organization: counts, lists, and who comes. See `tests.e2e.tasks`."""

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tests.e2e.tasks import Agent, Content, Rows, Task, everybody, invitees_of, meetings_of

LONDON: Final = ZoneInfo("Europe/London")
TEAM: Final = {"organization": "mine"}
WEBINAR: Final = "Webinar: what\u2019s new"
WORKSHOP: Final = "Onboarding workshop"
MISSED: Final = "/no_show"
BO: Final = "bo.eze@acme.example"

SEPTEMBER: Final = (date(2026, 9, 1), 30)
SINCE_AUGUST: Final = (date(2026, 8, 3), 77)
SUMMER: Final = (date(2026, 8, 1), 61)
COMING: Final = (date(2026, 10, 20), 16)

Days = tuple[date, int]


def whole_days(days: Days) -> dict[str, str]:
    """Some days as the arguments of a workflow: the last one is the whole day."""
    first, number = days
    return {"start_time": first.isoformat(), "end_time": (first + timedelta(days=number - 1)).isoformat()}


async def team(agent: Agent, days: Days, **which: object) -> Rows:
    """All meetings of the team in some days, by the endpoints."""
    return await meetings_of(agent, **TEAM, **agent.span(*days), **which)


async def counted(agent: Agent, days: Days, *groups: str, **which: object) -> Content:
    """Count meetings with all tools."""
    return await agent("summarize_bookings", group_by=groups, **whole_days(days), **which)


def meetings_by(found: Content, column: str = "meetings") -> dict[str, int]:
    """One number of each group, by its labels with strokes between."""
    labels, at = len(found["columns"]) - 3, found["columns"].index(column)
    return {"/".join(row[:labels]): row[at] for row in found["rows"]}


def local(meeting: Content) -> datetime:
    """When a meeting begins in London."""
    return datetime.fromisoformat(meeting["start_time"]).astimezone(LONDON)


async def of_each_host(agent: Agent) -> object:
    return meetings_by(await counted(agent, SEPTEMBER, "host", **TEAM))


async def of_each_host_plainly(agent: Agent) -> object:
    return dict(Counter(host for row in await team(agent, SEPTEMBER) for host in row["hosts"]))


async def of_each_week(agent: Agent) -> object:
    return meetings_by(await counted(agent, SINCE_AUGUST, "week", **TEAM))


async def of_each_week_plainly(agent: Agent) -> object:
    days = [local(row).date() for row in await team(agent, SINCE_AUGUST)]
    return dict(Counter((day - timedelta(days=day.weekday())).isoformat() for day in days))


async def who_cancels(agent: Agent) -> object:
    found = meetings_by(await counted(agent, SUMMER, "canceled_by", status="canceled", **TEAM))
    return sorted(found.items())


async def who_cancels_plainly(agent: Agent) -> object:
    rows = await team(agent, SUMMER, status="canceled")
    return sorted(Counter(row["cancellation"]["canceler_type"] for row in rows).items())


async def missed_by_host(agent: Agent) -> object:
    found = meetings_by(await counted(agent, SEPTEMBER, "host", "no_show", status="active", **TEAM), "invitees")
    return {labels.removesuffix(MISSED): number for labels, number in found.items() if labels.endswith(MISSED)}


async def missed_by_host_plainly(agent: Agent) -> object:
    found = await everybody(agent, **TEAM, **agent.span(*SEPTEMBER), status="active")
    return dict(
        Counter(
            host for meeting, people in found for person in people if person.get("no_show") for host in meeting["hosts"]
        )
    )


async def most_booked(agent: Agent) -> object:
    found = meetings_by(await counted(agent, SUMMER, "event_type", **TEAM))
    return sorted(found.values())[-3:]


async def most_booked_plainly(agent: Agent) -> object:
    rows = await team(agent, SUMMER)
    ends = [datetime.fromisoformat(row["end_time"]) for row in rows]
    types = Counter((row["name"], end - local(row)) for row, end in zip(rows, ends, strict=True))
    return sorted(types.values())[-3:]


async def people_to_meet(agent: Agent) -> object:
    return (await counted(agent, COMING))["invitees"]


async def people_to_meet_plainly(agent: Agent) -> object:
    rows = await meetings_of(agent, **agent.span(*COMING), detail="full")
    return sum(row["invitees_counter"]["active"] for row in rows)


async def busiest_day(agent: Agent) -> object:
    found = meetings_by(await counted(agent, COMING, "day", status="active", **TEAM))
    return max(found, key=lambda day: found[day])[:10]


async def busiest_day_plainly(agent: Agent) -> object:
    rows = await team(agent, COMING, status="active")
    return Counter(local(row).date().isoformat() for row in rows).most_common(1)[0][0]


async def of_diego(agent: Agent) -> object:
    return meetings_by(await counted(agent, SUMMER, "status", user="Diego Salas"))


async def of_diego_plainly(agent: Agent) -> object:
    rows = await meetings_of(agent, user="Diego Salas", **agent.span(*SUMMER))
    return dict(Counter(row["status"] for row in rows))


async def listed(agent: Agent, *columns: str, **which: object) -> Rows:
    """Rows of bookings with all tools."""
    found = await agent("find_bookings", columns=columns, **{**whole_days(COMING), **which})
    return [dict(zip(columns, row, strict=True)) for row in found["rows"]]


async def meeting_named(agent: Agent, name: str) -> Content:
    """One coming meeting of a name, by the endpoints."""
    return next(row for row in await meetings_of(agent, **agent.span(*COMING)) if row.get("name") == name)


def hope_of(person: Content) -> str:
    """What an invitee of the webinar answered."""
    return str(person["questions_and_answers"][0]["answer"])


async def audience(agent: Agent) -> object:
    rows = await listed(agent, "name", "email", "answer:1", event_type=WEBINAR)
    return sorted(tuple(row.values()) for row in rows)


async def audience_plainly(agent: Agent) -> object:
    people = await invitees_of(agent, await meeting_named(agent, WEBINAR))
    return sorted((person["name"], person["email"], hope_of(person)) for person in people)


async def of_elsewhere(agent: Agent) -> object:
    rows = await listed(agent, "email", event_type=WEBINAR, domain="elsewhere.example")
    return sorted(row["email"] for row in rows)


async def of_elsewhere_plainly(agent: Agent) -> object:
    people = await invitees_of(agent, await meeting_named(agent, WEBINAR))
    return sorted(person["email"] for person in people if person["email"].endswith("@elsewhere.example"))


async def hoping_for_security(agent: Agent) -> object:
    return sorted(row["name"] for row in await listed(agent, "name", event_type=WEBINAR, answer="security"))


async def hoping_for_security_plainly(agent: Agent) -> object:
    people = await invitees_of(agent, await meeting_named(agent, WEBINAR))
    return sorted(person["name"] for person in people if "security" in hope_of(person).lower())


async def did_they_sign_up(agent: Agent) -> object:
    rows = await listed(agent, "event_type", "status", invitee_email="guest.217@acme.example")
    return [(row["event_type"], row["status"]) for row in rows]


async def did_they_sign_up_plainly(agent: Agent) -> object:
    address = "guest.217@acme.example"
    (meeting,) = await meetings_of(agent, invitee_email=address, **agent.span(*COMING))
    return [(meeting["name"], person["status"]) for person in await invitees_of(agent, meeting, email=address)]


async def at_the_workshop(agent: Agent) -> object:
    return [(row["name"], row["status"]) for row in await listed(agent, "name", "status", event_type=WORKSHOP)]


async def at_the_workshop_plainly(agent: Agent) -> object:
    people = await invitees_of(agent, await meeting_named(agent, WORKSHOP))
    return [(person["name"], person["status"]) for person in people]


async def dropped_out(agent: Agent) -> object:
    """Everybody who canceled, though the meeting may go on."""
    rows = await listed(agent, "event_type", "name", status="canceled", **TEAM)
    return sorted((row["event_type"], row["name"]) for row in rows)


async def dropped_out_plainly(agent: Agent) -> object:
    found = await everybody(agent, **TEAM, **agent.span(*COMING))
    return sorted(
        (meeting["name"], person["name"])
        for meeting, people in found
        for person in people
        if "canceled" in {meeting["status"], person["status"]}
    )


async def support_calls(agent: Agent) -> object:
    rows = await listed(agent, "start", "host", "name", event_type="Support", **TEAM)
    return [tuple(row.values()) for row in rows]


async def support_calls_plainly(agent: Agent) -> object:
    calls = [row for row in await team(agent, COMING) if row.get("name") == "Support"]
    return [
        (row["start_time"][:19] + "Z", row["hosts"][0], (await invitees_of(agent, row))[0]["name"]) for row in calls
    ]


async def moved_bookings(agent: Agent) -> object:
    rows = await listed(agent, "start", "status", "rescheduled", invitee_email=BO, **TEAM)
    return [(row["start"], row["status"]) for row in rows]


async def moved_bookings_plainly(agent: Agent) -> object:
    found = await team(agent, COMING, invitee_email=BO)
    return [
        (meeting["start_time"][:19] + "Z", person["status"])
        for meeting in found
        for person in await invitees_of(agent, meeting, email=BO)
    ]


async def long_answer(agent: Agent) -> object:
    rows = await agent.rows("find_bookings", invitee_name="Lena Long", **whole_days(COMING))
    return [hope_of(person)[:60] for row in rows for person in row["invitees"]]


async def long_answer_plainly(agent: Agent) -> object:
    for meeting in await meetings_of(agent, **agent.span(*COMING)):
        for person in await invitees_of(agent, meeting):
            if person["name"] == "Lena Long":
                return [hope_of(person)[:60]]
    return None


TEAM_TASKS: Final = tuple(
    Task(words=words, freely=freely, plainly=plainly, who="untidy")
    for words, freely, plainly in (
        ("How many meetings did each of us have in September?", of_each_host, of_each_host_plainly),
        ("How many meetings a week did we have since August?", of_each_week, of_each_week_plainly),
        ("Who cancels more often, we or our customers?", who_cancels, who_cancels_plainly),
        ("How many no-shows did each of us have in September?", missed_by_host, missed_by_host_plainly),
        ("How often were our three most popular meetings booked?", most_booked, most_booked_plainly),
        ("How many people will I meet in the next two weeks?", people_to_meet, people_to_meet_plainly),
        ("Which of the next days is our busiest?", busiest_day, busiest_day_plainly),
        ("How many of Diego's meetings fell through in summer?", of_diego, of_diego_plainly),
        ("List everybody at the webinar with what they hope to learn.", audience, audience_plainly),
        ("Who at the webinar is from elsewhere.example?", of_elsewhere, of_elsewhere_plainly),
        ("Who at the webinar hopes to hear about security?", hoping_for_security, hoping_for_security_plainly),
        ("Did guest 217 of Acme sign up for anything?", did_they_sign_up, did_they_sign_up_plainly),
        ("Who comes to the workshop, and who dropped out?", at_the_workshop, at_the_workshop_plainly),
        ("Who of all our customers canceled what is to come?", dropped_out, dropped_out_plainly),
        ("Who takes which support call?", support_calls, support_calls_plainly),
        ("Bo Eze moved a meeting: from when to when?", moved_bookings, moved_bookings_plainly),
        ("What does Lena write, in a sentence?", long_answer, long_answer_plainly),
    )
)
