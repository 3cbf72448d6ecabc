"""What one person asks about event types, no-shows, contacts and links for one person: see `tests.e2e.tasks`."""

from datetime import timedelta
from typing import Final

from sandbox.records.event_types import StoredEventType
from tests.e2e.tasks import Agent, Content, Script, Task, everybody

ADA, BO, ELIF = "Ada Abara", "bo.berg@acme.example", "Elif Eze"
LEE: Final = "lee@acme.example"
NOTE: Final = "Wants the two-year price."


def _kind(agent: Agent, name: str) -> StoredEventType:
    return next(kind for kind in agent.sandbox.records.event_types.values() if kind.name == name)


async def _settings(agent: Agent, kind: str, **changed: object) -> object:
    """Change an event type, which goes by its name in both ways; what is true of it then."""
    await agent("update_event_type", event_type=kind, **changed)
    now = _kind(agent, kind)
    return now.duration, now.active, now.description


async def longer(agent: Agent) -> object:
    return await _settings(agent, "Intro call", duration=45)


async def switched_off(agent: Agent) -> object:
    return await _settings(agent, "Deep dive", active=False)


async def described(agent: Agent) -> object:
    return await _settings(agent, "Morning coffee", description="Twenty minutes, by video.")


async def new_kind(agent: Agent) -> object:
    await agent("create_event_type", name="Quick question", duration=15, active=True)
    kind = _kind(agent, "Quick question")
    return kind.duration, kind.active


def _missed(agent: Agent) -> object:
    """Who is marked as a no-show of the last thirty days."""
    since = agent.today - timedelta(days=30)
    events = [event for event in agent.sandbox.records.events.values() if event.times.start.date() >= since]
    return sorted(person.email for event in events for person in event.invitees if person.no_show)


async def _marked(agent: Agent, *invitees: str, **how: object) -> object:
    await agent("mark_no_shows", invitees=invitees, **how)
    return _missed(agent)


async def _past(agent: Agent) -> list[Content]:
    """Everybody of the last thirty days, by the endpoints."""
    found = await everybody(agent, **agent.span(agent.today - timedelta(days=30), 30), status="active")
    return [person for _, people in found for person in people]


async def _marked_plainly(agent: Agent, *invitees: str) -> object:
    for person in await _past(agent):
        if {person["name"], person["email"]} & set(invitees):
            await agent("create_invitee_no_show", invitee=person["uri"])
    return _missed(agent)


async def missed(agent: Agent) -> object:
    return await _marked(agent, ADA)


async def missed_plainly(agent: Agent) -> object:
    return await _marked_plainly(agent, ADA)


async def list_missed(agent: Agent) -> object:
    return await _marked(agent, ADA, BO, "Chidi Castillo")


async def list_missed_plainly(agent: Agent) -> object:
    return await _marked_plainly(agent, ADA, BO, "Chidi Castillo")


async def came_after_all(agent: Agent) -> object:
    return await _marked(agent, ELIF, unmark=True)


async def came_after_all_plainly(agent: Agent) -> object:
    (mark,) = [person["no_show"] for person in await _past(agent) if person["name"] == ELIF]
    await agent("delete_invitee_no_show", no_show=mark["uri"])
    return _missed(agent)


async def _noted(agent: Agent, contact: str) -> object:
    await agent("create_note", contact=contact, body=NOTE)
    contacts = agent.sandbox.records.contacts
    return [contacts[note.contact].name for note in agent.sandbox.records.notes.values() if note.body == NOTE]


async def noted(agent: Agent) -> object:
    return await _noted(agent, "Lee Park")


async def noted_by_address(agent: Agent) -> object:
    return await _noted(agent, LEE)


async def _noted_plainly(agent: Agent, **which: str) -> object:
    (lee,) = await agent.rows("list_contacts", **which)
    return await _noted(agent, lee["uri"])


async def noted_plainly(agent: Agent) -> object:
    return await _noted_plainly(agent, name="Lee Park")


async def noted_by_address_plainly(agent: Agent) -> object:
    return await _noted_plainly(agent, email=LEE)


async def _shared(agent: Agent, contact: str) -> object:
    """A link of next week's dates, which is then given its contact."""
    monday = agent.today + timedelta(days=7 - agent.today.weekday())
    week = {"start_date": monday.isoformat(), "end_date": (monday + timedelta(days=4)).isoformat()}
    share = await agent("create_share", event_type="Intro call", period_type="fixed", **week)
    await agent("update_share", share=share["uri"], contact=contact)
    (made,) = agent.sandbox.records.shares.values()
    return {**made.settings, "contact": made.contact}


async def for_a_lead(agent: Agent) -> object:
    return await _shared(agent, LEE)


async def for_a_lead_plainly(agent: Agent) -> object:
    (lee,) = await agent.rows("list_contacts", email=LEE)
    return await _shared(agent, lee["uri"])


WISHES: Final[tuple[tuple[str, Script, Script], ...]] = (
    ("Make the intro call 45 minutes.", longer, longer),
    ("Nobody may book a deep dive for now.", switched_off, switched_off),
    ("Describe the morning coffee: twenty minutes, by video.", described, described),
    ("A new meeting of 15 minutes for quick questions, bookable at once.", new_kind, new_kind),
    ("Ada Abara did not come.", missed, missed_plainly),
    ("These three did not come: Ada, Bo and Chidi.", list_missed, list_missed_plainly),
    ("Elif came after all: take the no-show back.", came_after_all, came_after_all_plainly),
    ("Note for Lee Park: wants the two-year price.", noted, noted_plainly),
    ("The same for lee@acme.example.", noted_by_address, noted_by_address_plainly),
    ("A link for Lee: one intro call, next week only.", for_a_lead, for_a_lead_plainly),
)

WISH_TASKS: Final = tuple(Task(words=words, freely=freely, plainly=plainly) for words, freely, plainly in WISHES)
"""Each takes two calls at most, beside the question."""
