"""Organizations, users, tokens and applications of the seeded account.

URIs are the same at every start; times lie around the current time.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sandbox.records.credentials import StoredAccessToken, StoredOAuthClient
from sandbox.records.identifiers import fixed_id
from sandbox.records.people import (
    Role,
    StoredBusyTime,
    StoredGroup,
    StoredInvitation,
    StoredMembership,
    StoredOrganization,
    StoredSchedule,
    StoredTeam,
    StoredUser,
)
from sandbox.records.records import Records
from sandbox.records.scopes import ALL_SCOPES, READ_SCOPES
from sandbox.records.slots import DayHours, TimeSpan, WorkingHours
from sandbox.records.webhooks import StoredWebhookSubscription
from sandbox.seed.activity import add_activity
from sandbox.seed.contacts import add_contacts
from sandbox.seed.event_types import add_event_types
from sandbox.seed.events import add_events
from sandbox.seed.meeting_recaps import add_meeting_recaps
from sandbox.seed.routing_forms import add_routing_forms

# An id of the form that accounts from before UUIDs have.
LEGACY_USER_ID: Final = "GBJHDKVLQZWTXSNM"

_PERSONAL_TOKENS: Final[Mapping[str, tuple[str, frozenset[str] | None]]] = {
    "sandbox-pat-owner": ("maya-lindqvist", ALL_SCOPES),
    "sandbox-pat-admin": ("tomas-herrera", ALL_SCOPES),
    "sandbox-pat-member": ("priya-raman", ALL_SCOPES),
    "sandbox-pat-readonly": ("maya-lindqvist", READ_SCOPES),
    "sandbox-pat-noscopes": ("maya-lindqvist", frozenset()),
    "sandbox-pat-free": ("sam-okoro", ALL_SCOPES),
    "sandbox-pat-enterprise": ("ingrid-solberg", ALL_SCOPES),
    "sandbox-pat-legacy": ("maya-lindqvist", None),
}
"""The person and the scopes of each token; None where no scopes are recorded."""

UNTIDY_TOKEN: Final = "sandbox-pat-untidy"  # noqa: S105 - a made-up token
TOKENS: Final = (*_PERSONAL_TOKENS, UNTIDY_TOKEN)
"""The personal access tokens of the sandbox. The last is that of an organization which `sandbox.seed.untidy` adds."""

_DAY: Final[DayHours] = ((time(9), time(17)),)
_DAY_WITH_LUNCH: Final[DayHours] = ((time(9), time(12)), (time(13), time(18)))


def seeded_records(now: datetime) -> Records:
    """Return the records of the account at `now`."""
    records = Records()
    _add_northlight(records, now)
    _add_free_and_enterprise(records, now)
    add_event_types(records, now)
    add_events(records, now)
    _add_invitations(records, now)
    add_routing_forms(records, now)
    add_activity(records, now)
    add_contacts(records, now)
    add_meeting_recaps(records, now)
    _add_webhook(records, now)
    _add_tokens(records)
    return records


def user_id(slug: str) -> str:
    """Return the id of a seeded user."""
    return LEGACY_USER_ID if slug == "jonas-weber" else fixed_id(f"user {slug}")


def _add_northlight(records: Records, now: datetime) -> None:
    northlight = StoredOrganization(fixed_id("organization northlight"), "Northlight Studio", "paid", seats=12)
    records.organizations[northlight.id] = northlight
    next_week = now.date() + timedelta(days=7 - now.weekday())
    add_person(records, now, northlight, "owner", "Maya Lindqvist", "Europe/Berlin", _DAY_WITH_LUNCH)
    add_person(records, now, northlight, "admin", "Tomás Herrera", "America/New_York", _DAY)
    add_person(records, now, northlight, "user", "Priya Raman", "Asia/Kolkata", ((time(10), time(19)),))
    add_person(records, now, northlight, "user", "Jonas Weber", "Europe/London", _DAY)
    maya, tomas, priya = (records.users[user_id(slug)] for slug in ("maya-lindqvist", "tomas-herrera", "priya-raman"))
    maya.time_notation = "24h"
    priya.calendar = False
    maya.busy_times += [
        StoredBusyTime("external", _local(next_week + timedelta(days=1), time(13), time(14), maya)),
        StoredBusyTime("reserved", _local(next_week + timedelta(days=2), time(9), time(9, 30), maya)),
    ]
    tomas.busy_times.append(StoredBusyTime("external", _local(next_week, time(15), time(16), tomas)))
    _add_teams(records, now, northlight.id, priya.id)
    half_day = next_week + timedelta(days=4)
    records.schedules[fixed_id("schedule maya mornings")] = StoredSchedule(
        fixed_id("schedule maya mornings"),
        maya.id,
        "Mornings",
        default=False,
        hours=WorkingHours(maya.timezone, _weekdays(((time(8), time(11)),)), {half_day: ((time(8), time(9)),)}),
    )


def _add_teams(records: Records, now: datetime, organization: str, priya: str) -> None:
    everybody = frozenset(user.id for user in records.users.values())
    helpers = frozenset({priya, LEGACY_USER_ID})
    begun = now - timedelta(days=400)
    for team in (
        StoredTeam(fixed_id("team solutions"), organization, "Solutions", "northlight-solutions", helpers),
        StoredTeam(fixed_id("team hiring"), organization, "Hiring", "northlight-hiring", everybody - helpers),
    ):
        records.teams[team.id] = team
    for group in (
        StoredGroup(
            fixed_id("group support"),
            organization,
            "Support",
            helpers,
            admins=frozenset({priya}),
            created_at=begun,
            invited=frozenset({fixed_id("invitation pending")}),
        ),
        StoredGroup(
            fixed_id("group leads"), organization, "Leads", everybody - helpers, everybody - helpers, created_at=begun
        ),
    ):
        records.groups[group.id] = group


def _add_free_and_enterprise(records: Records, now: datetime) -> None:
    free = StoredOrganization(fixed_id("organization free"), "Sam Okoro", "free", seats=1)
    enterprise = StoredOrganization(fixed_id("organization enterprise"), "Harborline Group", "enterprise", seats=500)
    records.organizations.update({free.id: free, enterprise.id: enterprise})
    add_person(records, now, free, "owner", "Sam Okoro", "Europe/London", _DAY)
    add_person(records, now, enterprise, "owner", "Ingrid Solberg", "Europe/Oslo", _DAY)
    add_person(records, now, enterprise, "user", "Erik Dahl", "Europe/Oslo", _DAY)


def add_person(  # noqa: PLR0913, PLR0917 - the facts of a person
    records: Records,
    now: datetime,
    organization: StoredOrganization,
    role: Role,
    name: str,
    timezone: str,
    hours: DayHours,
) -> StoredUser:
    """Add a person with a membership and working hours on weekdays. The slug follows from the name."""
    slug = re.sub(r"\W+", "-", name.lower().replace("á", "a"))
    joined = now - timedelta(days=600)
    identifier = user_id(slug)
    domain = organization.name.lower().split()[0]
    person = StoredUser(
        identifier, name, slug, f"{slug.split('-')[0]}@{domain}.example", timezone, organization.id, joined, joined
    )
    records.users[identifier] = person
    place = StoredMembership(fixed_id(f"membership {slug}"), identifier, organization.id, role, joined, joined)
    records.memberships[place.id] = place
    plan = StoredSchedule(
        fixed_id(f"schedule {slug}"),
        identifier,
        "Working hours",
        default=True,
        hours=WorkingHours(timezone, _weekdays(hours), {_day_off(now): ()}),
    )
    records.schedules[plan.id] = plan
    return person


def _weekdays(hours: DayHours) -> dict[int, DayHours]:
    return dict.fromkeys(range(5), hours)


def _day_off(now: datetime) -> date:
    return now.date() + timedelta(days=24)


def _local(day: date, opens: time, closes: time, person: StoredUser) -> TimeSpan:
    zone = ZoneInfo(person.timezone)
    return TimeSpan(
        datetime.combine(day, opens, zone).astimezone(UTC), datetime.combine(day, closes, zone).astimezone(UTC)
    )


def _add_invitations(records: Records, now: datetime) -> None:
    organization = fixed_id("organization northlight")
    sent = now - timedelta(days=9)
    for invitation in (
        StoredInvitation(
            fixed_id("invitation pending"), organization, "new.hire@northlight.example", "pending", sent, sent
        ),
        StoredInvitation(
            fixed_id("invitation second"), organization, "intern@northlight.example", "pending", sent, sent
        ),
        StoredInvitation(
            fixed_id("invitation declined"), organization, "advisor@elsewhere.example", "declined", sent, sent
        ),
        StoredInvitation(
            fixed_id("invitation accepted"),
            organization,
            "jonas@northlight.example",
            "accepted",
            now - timedelta(days=610),
            now - timedelta(days=600),
            user=LEGACY_USER_ID,
        ),
    ):
        records.invitations[invitation.id] = invitation


def _add_webhook(records: Records, now: datetime) -> None:
    made = now - timedelta(days=90)
    hook = StoredWebhookSubscription(
        id=fixed_id("webhook northlight"),
        callback_url="https://hooks.northlight.example/calendly",
        events=("invitee.created", "invitee.canceled"),
        scope="organization",
        organization=fixed_id("organization northlight"),
        subject=None,
        creator=user_id("maya-lindqvist"),
        signing_key=None,
        created_at=made,
        updated_at=made,
    )
    records.webhooks[hook.id] = hook


def _add_tokens(records: Records) -> None:
    personal = {
        value: StoredAccessToken(value, user_id(person), scopes) for value, (person, scopes) in _PERSONAL_TOKENS.items()
    }
    records.access_tokens.update(personal)
    for client in (
        StoredOAuthClient("sandbox-client", "Sandbox application", "sandbox-secret", None, "sandbox-signing-key"),
        StoredOAuthClient("sandbox-native", "Sandbox native application", None, None, "sandbox-native-signing-key"),
    ):
        records.clients[client.id] = client
