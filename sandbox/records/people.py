"""Organizations, their users, memberships, teams, groups and invitations, and the users' working hours."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar, Final, Literal

from typing_extensions import override

from sandbox.records.identifiers import StoredResource, uri
from sandbox.records.slots import TimeSpan, WorkingHours

Plan = Literal["free", "paid", "enterprise"]
Role = Literal["owner", "admin", "user"]

_LONG_AGO: Final = datetime(2024, 1, 15, 9, tzinfo=UTC)


@dataclass
class StoredOrganization(StoredResource):
    """An organization.

    Attributes:
        name: Its name.
        plan: What it pays for.
        seats: The most members and pending invitations together.
    """

    collection: ClassVar[str] = "organizations"

    name: str
    plan: Plan
    seats: int
    created_at: datetime = _LONG_AGO


@dataclass
class StoredBusyTime:
    """A time when a user cannot be booked.

    Attributes:
        type: From a connected calendar (`external`), or held by Calendly (`reserved`).
        interval: When.
    """

    type: Literal["external", "reserved"]
    interval: TimeSpan


@dataclass(frozen=True)
class MostMeetings:
    """How many meetings a user hosts at most, None for any number."""

    day: int | None = None
    week: int | None = None
    month: int | None = None


@dataclass
class StoredUser(StoredResource):
    """A user.

    Attributes:
        calendar: Whether a calendar is connected.
        busy_times: When they cannot be booked, apart from their meetings.
        most: How many meetings they host at most.
    """

    collection: ClassVar[str] = "users"

    name: str
    slug: str
    email: str
    timezone: str
    organization: str
    created_at: datetime
    updated_at: datetime
    calendar: bool = True
    time_notation: Literal["12h", "24h"] = "12h"
    busy_times: list[StoredBusyTime] = field(default_factory=list[StoredBusyTime])
    most: MostMeetings = MostMeetings()


@dataclass
class StoredMembership(StoredResource):
    """A user's membership in an organization."""

    collection: ClassVar[str] = "organization_memberships"

    user: str
    organization: str
    role: Role
    created_at: datetime
    updated_at: datetime


@dataclass
class StoredTeam(StoredResource):
    """A team of an organization's users.

    Attributes:
        members: Ids of its users.
    """

    collection: ClassVar[str] = "teams"

    organization: str
    name: str
    slug: str
    members: frozenset[str]


@dataclass
class StoredGroup(StoredResource):
    """A group of an organization's users.

    Attributes:
        members: Ids of its users.
        admins: Ids of those who administer it.
        invited: Ids of the invitations with which others will become members.
    """

    collection: ClassVar[str] = "groups"

    organization: str
    name: str
    members: frozenset[str]
    admins: frozenset[str]
    created_at: datetime
    invited: frozenset[str] = frozenset()


@dataclass
class StoredInvitation(StoredResource):
    """An invitation to join an organization.

    Attributes:
        user: Id of the user, once accepted.
        mailed: Whether it is known when it was mailed.
    """

    collection: ClassVar[str] = "invitations"

    organization: str
    email: str
    status: Literal["pending", "accepted", "declined"]
    created_at: datetime
    updated_at: datetime
    user: str | None = None
    mailed: bool = True

    @property
    @override
    def uri(self) -> str:
        return uri("organizations", self.organization, self.collection, self.id)


@dataclass
class StoredSchedule(StoredResource):
    """An availability schedule of a user."""

    collection: ClassVar[str] = "user_availability_schedules"

    user: str
    name: str
    default: bool
    hours: WorkingHours
