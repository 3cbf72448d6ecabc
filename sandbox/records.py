"""What the sandbox remembers: Calendly's resources as plain records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import ClassVar, Literal

from typing_extensions import override

from sandbox.credentials import AccessToken, AuthorizationCode, OAuthClient, RefreshToken
from sandbox.identifiers import PAGES, uri
from sandbox.rate_limits import Plan
from sandbox.slots import Interval, WorkingHours

Role = Literal["owner", "admin", "user"]
Pooling = Literal["round_robin", "collective"]


@dataclass
class Resource:
    """What has an id and is named by a URI."""

    collection: ClassVar[str]

    id: str

    @property
    def uri(self) -> str:
        """Name it."""
        return uri(self.collection, self.id)


@dataclass
class Organization(Resource):
    """A customer of Calendly's; `seats` bounds members and pending invitations together."""

    collection: ClassVar[str] = "organizations"

    name: str
    plan: Plan
    seats: int


@dataclass
class BusyTime:
    """Time a person has no room in, known from a connected calendar (`external`) or held by Calendly (`reserved`)."""

    type: Literal["external", "reserved"]
    interval: Interval


@dataclass
class User(Resource):
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
    busy_times: list[BusyTime] = field(default_factory=list[BusyTime])


@dataclass
class Membership(Resource):
    """A person's place in an organization."""

    collection: ClassVar[str] = "organization_memberships"

    user: str
    organization: str
    role: Role
    created_at: datetime
    updated_at: datetime


@dataclass
class Group(Resource):
    """Some members of an organization, and who of them administers the group."""

    collection: ClassVar[str] = "groups"

    organization: str
    members: frozenset[str]
    admins: frozenset[str]


@dataclass
class Invitation(Resource):
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
class Schedule(Resource):
    """Hours a person works."""

    collection: ClassVar[str] = "user_availability_schedules"

    user: str
    name: str
    default: bool
    hours: WorkingHours


@dataclass(frozen=True)
class Question:
    """A question of a booking form; `name` is its text."""

    name: str
    type: Literal["string", "text", "phone_number", "single_select", "multi_select"]
    required: bool = False
    answer_choices: tuple[str, ...] = ()
    include_other: bool = False
    enabled: bool = True


@dataclass(frozen=True)
class DateLimits:
    """The days, or the spots, in which a one-off type can be booked. `spots` empty means by days."""

    timezone: str
    first: date
    last: date
    only_weekdays: bool = False
    spots: tuple[Interval, ...] = ()


@dataclass
class EventType(Resource):
    """A kind of meeting. Lengths are minutes; `schedule` None means the default schedule of each host."""

    collection: ClassVar[str] = "event_types"

    owner: str
    hosts: tuple[str, ...]
    organization: str
    name: str
    slug: str | None
    scheduling_url: str
    duration: float
    created_at: datetime
    updated_at: datetime
    position: int = 0
    kind: Literal["solo", "group"] = "solo"
    invitee_limit: int = 1
    pooling_type: Pooling | None = None
    locations: tuple[Mapping[str, str], ...] = ()
    questions: tuple[Question, ...] = ()
    active: bool = True
    admin_managed: bool = False
    secret: bool = False
    description: str | None = None
    internal_note: str | None = None
    color: str = "#8247f5"
    schedule: str | None = None
    increment: int | None = 30
    before_buffer: int = 0
    after_buffer: int = 0
    date_limits: DateLimits | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True)
class Cancellation:
    """Who called a meeting off, and why."""

    canceled_by: str
    reason: str | None
    canceler_type: Literal["host", "invitee"]
    created_at: datetime


@dataclass(frozen=True)
class Guest:
    """Someone an invitee brings along."""

    email: str
    created_at: datetime


@dataclass
class ScheduledEvent(Resource):
    """A booked meeting. `listed_at` is when lists begin to show it."""

    collection: ClassVar[str] = "scheduled_events"

    event_type: str
    organization: str
    hosts: tuple[str, ...]
    name: str
    times: Interval
    location: dict[str, object] | None
    invitee_limit: int
    created_at: datetime
    updated_at: datetime
    listed_at: datetime
    before_buffer: int = 0
    after_buffer: int = 0
    calendar_event: str | None = None
    guests: list[Guest] = field(default_factory=list[Guest])
    invitees: list["Invitee"] = field(default_factory=list["Invitee"])
    cancellation: Cancellation | None = None

    @property
    def buffered_times(self) -> Interval:
        """Return the time the hosts keep free for it, buffers included."""
        return Interval(
            self.times.start - timedelta(minutes=self.before_buffer),
            self.times.end + timedelta(minutes=self.after_buffer),
        )

    @property
    def active_invitees(self) -> list["Invitee"]:
        """Return who has not canceled."""
        return [invitee for invitee in self.invitees if invitee.cancellation is None]


@dataclass(frozen=True)
class Answer:
    """What an invitee answered to a question."""

    question: str
    answer: str
    position: int


@dataclass
class Invitee(Resource):
    """Someone who booked a meeting."""

    collection: ClassVar[str] = "invitees"

    event: str
    email: str
    name: str
    timezone: str
    created_at: datetime
    updated_at: datetime
    listed_at: datetime
    first_name: str | None = None
    last_name: str | None = None
    answers: tuple[Answer, ...] = ()
    tracking: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    text_reminder_number: str | None = None
    rescheduled: bool = False
    old_invitee: str | None = None
    new_invitee: str | None = None
    no_show: tuple[str, datetime] | None = None
    scheduling_method: Literal["api"] | None = None
    scheduled_by: str | None = None
    cancellation: Cancellation | None = None

    @property
    @override
    def uri(self) -> str:
        return uri("scheduled_events", self.event, self.collection, self.id)

    @property
    def cancel_url(self) -> str:
        """Return the page on which the invitee cancels."""
        return f"{PAGES}/cancellations/{self.id}"

    @property
    def reschedule_url(self) -> str:
        """Return the page on which the invitee moves the meeting."""
        return f"{PAGES}/reschedulings/{self.id}"


@dataclass
class SchedulingLink:
    """A page that takes one booking."""

    booking_url: str
    event_type: str
    created_at: datetime
    used: bool = False


@dataclass
class WebhookSubscription(Resource):
    """Where to send which happenings of whom; `subject` is the user or group that `scope` speaks of."""

    collection: ClassVar[str] = "webhook_subscriptions"

    callback_url: str
    events: tuple[str, ...]
    scope: Literal["organization", "user", "group"]
    organization: str
    subject: str | None
    creator: str
    signing_key: str | None
    created_at: datetime
    updated_at: datetime
    retry_started_at: datetime | None = None
    state: Literal["active", "disabled"] = "active"


@dataclass
class Records:
    """Everything, by id (tokens, codes and links by their value)."""

    organizations: dict[str, Organization] = field(default_factory=dict[str, Organization])
    users: dict[str, User] = field(default_factory=dict[str, User])
    memberships: dict[str, Membership] = field(default_factory=dict[str, Membership])
    groups: dict[str, Group] = field(default_factory=dict[str, Group])
    invitations: dict[str, Invitation] = field(default_factory=dict[str, Invitation])
    schedules: dict[str, Schedule] = field(default_factory=dict[str, Schedule])
    event_types: dict[str, EventType] = field(default_factory=dict[str, EventType])
    events: dict[str, ScheduledEvent] = field(default_factory=dict[str, ScheduledEvent])
    links: dict[str, SchedulingLink] = field(default_factory=dict[str, SchedulingLink])
    webhooks: dict[str, WebhookSubscription] = field(default_factory=dict[str, WebhookSubscription])
    access_tokens: dict[str, AccessToken] = field(default_factory=dict[str, AccessToken])
    refresh_tokens: dict[str, RefreshToken] = field(default_factory=dict[str, RefreshToken])
    codes: dict[str, AuthorizationCode] = field(default_factory=dict[str, AuthorizationCode])
    clients: dict[str, OAuthClient] = field(default_factory=dict[str, OAuthClient])

    def membership_of(self, user: str) -> Membership:
        """Return the place of a person, who always has exactly one."""
        return next(membership for membership in self.memberships.values() if membership.user == user)

    def invitee(self, identifier: str) -> Invitee | None:
        """Find an invitee whose event is not known."""
        found = (one for event in self.events.values() for one in event.invitees if one.id == identifier)
        return next(found, None)
