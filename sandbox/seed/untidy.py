"""An organization as years of use leave it, apart from the others: it is added when its token is first used.

Five hosts in three zones, two of them Noras; event types with inactive twins and odd names; null wherever Calendly
allows it. Its meetings stand in `sandbox.seed.untidy_meetings`.
"""

from dataclasses import replace
from datetime import datetime, time
from typing import Final

from sandbox.records.credentials import StoredAccessToken
from sandbox.records.event_types import Pooling, StoredEventType, StoredQuestion
from sandbox.records.identifiers import PAGES, fixed_id
from sandbox.records.people import StoredInvitation, StoredOrganization, StoredUser
from sandbox.records.records import Records
from sandbox.records.scopes import ALL_SCOPES
from sandbox.records.slots import DayHours
from sandbox.seed.account import UNTIDY_TOKEN, add_person
from sandbox.seed.event_types import ZOOM, plain_event_type
from sandbox.seed.untidy_meetings import UntidyTypes, add_untidy_meetings

DISCOVERY: Final = "Intro / Discovery Call"
ODD_EVENT_TYPES: Final = (
    "1:1 with the team",
    "Demo | Acme",
    "Q&A?",
    "#general chat",
    "50% review",
    "Sales [EMEA]",
    "Kick-off: phase 2",
    "Cafe\u0301 \u2615 \u201cwarm-up\u201d",
    "No\u00a0break\u00a0space ",
    "\u0645\u0642\u0627\u0628\u0644\u0629",
)
"""Names with what a path, a query, a pattern or a comparison can trip over: the last is Arabic, right to left."""

LEARN: Final = StoredQuestion("What do you hope to learn?", "string", required=True)
TOPIC: Final = StoredQuestion("What\u2019s this about?", "text", required=True)

_DAY: Final[DayHours] = ((time(9), time(17)),)


def add_untidy(records: Records, now: datetime) -> None:
    """Add the organization with its people, event types, meetings and token, as they are at `now`."""
    people = _add_people(records, now)
    kinds = _event_types(people, now)
    records.event_types.update({kind.id: kind for kind in kinds.values()})
    add_untidy_meetings(records, people, kinds, now)
    token = StoredAccessToken(UNTIDY_TOKEN, people["nora"].id, ALL_SCOPES)
    records.access_tokens[token.value] = token


def _add_people(records: Records, now: datetime) -> dict[str, StoredUser]:
    """Add the hosts. Ravi's working hours are in another zone than his profile; Aiko works on three days."""
    driftwood = StoredOrganization(fixed_id("organization driftwood"), "Driftwood", "paid", seats=20)
    records.organizations[driftwood.id] = driftwood
    people = {
        "nora": add_person(records, now, driftwood, "owner", "Nora Quint", "Europe/London", _DAY),
        "diego": add_person(records, now, driftwood, "admin", "Diego Salas", "America/New_York", _DAY),
        "aiko": add_person(records, now, driftwood, "user", "Aiko Tanaka", "Asia/Tokyo", _DAY),
        "ravi": add_person(records, now, driftwood, "user", "Ravi \u201cRav\u201d D\u2019Souza", "Europe/London", _DAY),
        "nora o": add_person(records, now, driftwood, "user", "Nora Okafor", "America/New_York", _DAY),
    }
    people["nora o"].email = "nora.okafor@driftwood.example"
    hours = {person.user: person for person in records.schedules.values()}
    ravis, aikos = hours[people["ravi"].id], hours[people["aiko"].id]
    ravis.hours = replace(ravis.hours, zone="Asia/Kolkata")
    aikos.hours = replace(aikos.hours, weekdays=dict.fromkeys((1, 2, 3), _DAY))
    unsent = StoredInvitation(
        fixed_id("invitation unsent"), driftwood.id, "new@driftwood.example", "pending", now, now, mailed=False
    )
    records.invitations[unsent.id] = unsent
    return people


def _event_types(people: dict[str, StoredUser], now: datetime) -> UntidyTypes:
    nora, diego, aiko, ravi = (people[name] for name in ("nora", "diego", "aiko", "ravi"))
    discovery = _kind(nora, DISCOVERY, 30, now, "discovery")
    support = _pooled(_kind(diego, "Support", 30, now, "support"), "round_robin", diego, aiko, ravi)
    kinds: UntidyTypes = {
        "discovery": replace(discovery, questions=(TOPIC,)),
        "discovery twin": _twin(discovery, 20),
        "demo": _kind(diego, "Product demo", 30, now, "demo"),
        "demo twin": _twin(_kind(diego, "Product demo", 30, now, "demo"), 45),
        "aiko's demo": _kind(aiko, "Product demo", 60, now, "aiko's demo"),
        "interview": _kind(ravi, "Interview", 45, now, "interview"),
        "check-in": _kind(people["nora o"], "Check-in", 15, now, "check-in"),
        "support": support,
        "support twin": _twin(support, 30),
        "panel": _pooled(_kind(nora, "Panel interview", 60, now, "panel"), "collective", nora, diego),
        "workshop": _group(_kind(nora, "Onboarding workshop", 60, now, "workshop"), 6),
        "webinar": replace(
            _group(_kind(nora, "Webinar: what\u2019s new", 60, now, "webinar"), 250), questions=(LEARN,)
        ),
        "release": _kind(nora, "Release night", 180, now, "release"),
        "nameless": replace(
            _kind(nora, "nameless", 30, now, "nameless"), name=None, slug=None, locations=(), increment=None
        ),
    }
    return {**kinds, **{name: _kind(nora, name, 30, now, f"odd {at}") for at, name in enumerate(ODD_EVENT_TYPES)}}


def _kind(owner: StoredUser, name: str, minutes: int, now: datetime, key: str) -> StoredEventType:
    """Return an event type whose id and slug follow from a key: the name may have no letter fit for a slug."""
    slug = key.replace("\u2019", "").replace("'", "").replace(" ", "-")
    return replace(
        plain_event_type(owner, name, minutes, now),
        id=fixed_id(f"event type untidy {key}"),
        slug=slug,
        scheduling_url=f"{PAGES}/{owner.slug}/{slug}",
        locations=(ZOOM,),
    )


def _twin(kind: StoredEventType, minutes: int) -> StoredEventType:
    """Return an inactive event type of the same name."""
    return replace(
        kind,
        id=fixed_id(f"twin {kind.id}"),
        slug=f"{kind.slug}-old",
        scheduling_url=f"{kind.scheduling_url}-old",
        duration=minutes,
        active=False,
    )


def _pooled(kind: StoredEventType, pooling: Pooling, *hosts: StoredUser) -> StoredEventType:
    return replace(kind, pooling_type=pooling, hosts=tuple(host.id for host in hosts), admin_managed=True)


def _group(kind: StoredEventType, limit: int) -> StoredEventType:
    return replace(kind, kind="group", invitee_limit=limit)
