"""Who is in an organization: its members, groups and invitations, and the hours people work."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from typing_extensions import override

from sandbox.records.identifiers import StoredResource, uri
from sandbox.records.slots import TimeSpan, WorkingHours

Plan = Literal["free", "paid", "enterprise"]
Role = Literal["owner", "admin", "user"]


@dataclass
class StoredOrganization(StoredResource):
    """A customer of Calendly's; `seats` bounds members and pending invitations together."""

    collection: ClassVar[str] = "organizations"

    name: str
    plan: Plan
    seats: int


@dataclass
class StoredBusyTime:
    """Time a person has no room in, known from a connected calendar (`external`) or held by Calendly (`reserved`)."""

    type: Literal["external", "reserved"]
    interval: TimeSpan


@dataclass
class StoredUser(StoredResource):
    """A person; `calendar` says whether a calendar is connected."""

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


@dataclass
class StoredMembership(StoredResource):
    """A person's place in an organization."""

    collection: ClassVar[str] = "organization_memberships"

    user: str
    organization: str
    role: Role
    created_at: datetime
    updated_at: datetime


@dataclass
class StoredGroup(StoredResource):
    """Some members of an organization, and who of them administers the group."""

    collection: ClassVar[str] = "groups"

    organization: str
    members: frozenset[str]
    admins: frozenset[str]


@dataclass
class StoredInvitation(StoredResource):
    """An invitation into an organization; `user` once accepted."""

    collection: ClassVar[str] = "invitations"

    organization: str
    email: str
    status: Literal["pending", "accepted", "declined"]
    created_at: datetime
    updated_at: datetime
    user: str | None = None

    @property
    @override
    def uri(self) -> str:
        return uri("organizations", self.organization, self.collection, self.id)


@dataclass
class StoredSchedule(StoredResource):
    """Hours a person works."""

    collection: ClassVar[str] = "user_availability_schedules"

    user: str
    name: str
    default: bool
    hours: WorkingHours
