"""The event types of the seeded account, one of every kind."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from sandbox.records.event_types import StoredEventType, StoredQuestion
from sandbox.records.identifiers import PAGES, fixed_id
from sandbox.records.people import StoredUser
from sandbox.records.records import Records

ZOOM: Final[Mapping[str, str]] = {"kind": "zoom_conference"}
STUDIO: Final[Mapping[str, str]] = {
    "kind": "physical",
    "location": "Northlight Studio, Torstrasse 1, Berlin",
    "additional_info": "Ring twice",
}

INTRO_QUESTIONS: Final = (
    StoredQuestion("What would you like to talk about?", "text", required=True),
    StoredQuestion(
        "How did you hear about us?",
        "single_select",
        answer_choices=("A friend", "Search", "An event"),
        include_other=True,
    ),
    StoredQuestion("Which products do you use?", "multi_select", answer_choices=("Studio", "Pages", "Mail")),
    StoredQuestion("Phone number", "phone_number"),
    StoredQuestion("Fax number", "string", enabled=False),
)


def add_event_types(records: Records, now: datetime) -> None:
    """Add the event types of every seeded user."""
    people = {person.slug: person for person in records.users.values()}
    maya, tomas, priya, jonas = (
        people[slug] for slug in ("maya-lindqvist", "tomas-herrera", "priya-raman", "jonas-weber")
    )
    kinds = [
        *_of_maya(maya, now),
        *_shared(maya, tomas, priya, jonas, now),
        replace(plain_event_type(tomas, "Partner sync", 30, now), locations=(ZOOM,)),
        replace(plain_event_type(priya, "Coaching session", 45, now), locations=({"kind": "google_conference"},)),
        replace(
            plain_event_type(jonas, "Office hours", 15, now),
            increment=15,
            locations=({"kind": "gotomeeting_conference"},),
        ),
        replace(plain_event_type(people["sam-okoro"], "30 Minute Meeting", 30, now), locations=(ZOOM,)),
        replace(
            plain_event_type(people["ingrid-solberg"], "Security review", 60, now),
            locations=({"kind": "microsoft_teams_conference"},),
        ),
    ]
    records.event_types.update({kind.id: kind for kind in kinds})


def _of_maya(maya: StoredUser, now: datetime) -> list[StoredEventType]:
    kinds = [
        replace(
            plain_event_type(maya, "Intro call", 30, now),
            description="A first conversation.",
            locations=(ZOOM,),
            questions=INTRO_QUESTIONS,
        ),
        replace(
            plain_event_type(maya, "Deep dive", 60, now),
            description="An hour on one subject.",
            internal_note="Read the notes of the intro call first.",
            locations=({"kind": "google_conference"},),
            before_buffer=10,
            after_buffer=15,
        ),
        replace(
            plain_event_type(maya, "Product workshop", 90, now),
            kind="group",
            invitee_limit=4,
            locations=({"kind": "webex_conference"},),
        ),
        replace(
            plain_event_type(maya, "Design review", 45, now),
            increment=15,
            locations=(
                ZOOM,
                STUDIO,
                {"kind": "outbound_call"},
                {"kind": "inbound_call", "phone_number": "+49 30 5550123", "additional_info": "Ask for Maya"},
                {"kind": "ask_invitee"},
                {"kind": "custom", "location": "A walk around the block"},
            ),
        ),
        replace(
            plain_event_type(maya, "Morning coffee", 20, now), increment=20, schedule=fixed_id("schedule maya mornings")
        ),
        replace(plain_event_type(maya, "Board briefing", 30, now), secret=True, locations=(STUDIO,)),
        replace(plain_event_type(maya, "Consultation (old)", 30, now), active=False, locations=(ZOOM,)),
        replace(
            plain_event_type(maya, "Summer special", 30, now),
            active=False,
            deleted_at=now - timedelta(days=60),
            locations=(ZOOM,),
        ),
    ]
    return [replace(kind, position=position) for position, kind in enumerate(kinds)]


def _shared(
    maya: StoredUser, tomas: StoredUser, priya: StoredUser, jonas: StoredUser, now: datetime
) -> list[StoredEventType]:
    return [
        replace(
            plain_event_type(maya, "Hiring panel", 60, now),
            pooling_type="collective",
            hosts=(maya.id, tomas.id),
            admin_managed=True,
            locations=(ZOOM,),
            position=8,
        ),
        replace(
            plain_event_type(maya, "Support triage", 30, now),
            pooling_type="round_robin",
            hosts=(priya.id, jonas.id),
            admin_managed=True,
            locations=(ZOOM,),
            position=9,
        ),
    ]


def plain_event_type(owner: StoredUser, name: str, minutes: int, now: datetime) -> StoredEventType:
    """Return an event type of one person. Its slug and its id follow from the name."""
    slug = "".join(letter for letter in name.lower() if letter.isalnum() or letter == " ").replace(" ", "-")
    made = now - timedelta(days=400)
    return StoredEventType(
        id=fixed_id(f"event type {owner.slug} {slug}"),
        owner=owner.id,
        hosts=(owner.id,),
        organization=owner.organization,
        name=name,
        slug=slug,
        scheduling_url=f"{PAGES}/{owner.slug}/{slug}",
        duration=minutes,
        created_at=made,
        updated_at=made,
    )
