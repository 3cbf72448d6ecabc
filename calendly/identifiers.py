"""Identifiers of Calendly resources, parsed from a uuid or a resource URI.

Calendly names resources by URI and takes the last segment in paths. An agent's text becomes part of a
URL, so it must be exactly one of the two forms: nothing is trimmed, decoded or normalised.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import ClassVar, Final, Self

from typing_extensions import override

CALENDLY_ORIGIN: Final = "https://api.calendly.com"

# Known ids are UUIDs in newer accounts and 16 upper-case characters in older ones.
_ID: Final = "[A-Za-z0-9_-]{1,64}"
_LONGEST_URI: Final = 512
_LONGEST_ECHO: Final = 80


@cache
def _form(place: str, origins: tuple[str, ...]) -> re.Pattern[str]:
    """Return the form of an identifier: an id, after the place of the resource at one of the origins or alone."""
    places = "|".join(map(re.escape, (CALENDLY_ORIGIN, *origins)))
    return re.compile(f"(?:(?:{places})/{place}/)?({_ID})")


class InvalidIdentifier(ValueError):
    """The text names no resource of the expected kind. The message says what was expected."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier.

    Attributes:
        resource: What it identifies, with an article.
        collection: The collection in the URI.
        uuid: The resource's own id, the last segment of its URI.
        called: What it goes by among people, None where that was not looked up.
    """

    resource: ClassVar[str]
    collection: ClassVar[str]

    uuid: str
    called: str | None = field(default=None, compare=False, kw_only=True)

    @classmethod
    def parse(cls, text: str, *, origins: Iterable[str] = ()) -> Self:
        """Read a bare uuid, or a full resource URI at Calendly or at one of `origins`.

        Args:
            text: From an agent or from Calendly.
            origins: Further origins, such as the `http://127.0.0.1:9000` of a sandbox.

        Raises:
            InvalidIdentifier: It is neither.
        """
        if len(text) <= _LONGEST_URI:
            found = _form(cls._place(), tuple(origins)).fullmatch(text)
            if found is not None:
                return cls(found[found.re.groups], *found.groups()[:-1])
        raise InvalidIdentifier(f"Expected {cls.resource}: its uuid, or its URI {cls._example()}; got {_echo(text)}.")

    @property
    def uri(self) -> str:
        """The resource URI. It has Calendly's own origin wherever requests are sent."""
        return f"{CALENDLY_ORIGIN}/{self.collection}/{self.uuid}"

    @property
    def told(self) -> str:
        """What people and agents know it by: its name if that is known, else its URI."""
        return self.called or self.uri

    @classmethod
    def _place(cls) -> str:
        """Return the path before the uuid as a regular expression.

        Its groups are the fields besides `uuid`.
        """
        return cls.collection

    @classmethod
    def _example(cls) -> str:
        return f"{CALENDLY_ORIGIN}/{cls.collection}/UUID"

    @override
    def __str__(self) -> str:
        return self.uuid


class UserId(Identifier):
    """A user; `me` is the user of the token."""

    __slots__ = ()
    resource = "a user"
    collection = "users"
    ME: ClassVar["UserId"]

    @property
    def is_me(self) -> bool:
        """Whether this is the user of the token, whose uuid only Calendly knows."""
        return self.uuid == "me"


UserId.ME = UserId("me")


class OrganizationId(Identifier):
    """An organization."""

    __slots__ = ()
    resource = "an organization"
    collection = "organizations"


class EventTypeId(Identifier):
    """An event type."""

    __slots__ = ()
    resource = "an event type"
    collection = "event_types"


class ScheduledEventId(Identifier):
    """A scheduled event."""

    __slots__ = ()
    resource = "a scheduled event"
    collection = "scheduled_events"


class ScheduleId(Identifier):
    """A user's availability schedule."""

    __slots__ = ()
    resource = "an availability schedule"
    collection = "user_availability_schedules"

    @override
    @classmethod
    def _place(cls) -> str:
        return "user_availability_schedules?"  # Calendly's own examples have the singular as well


class MembershipId(Identifier):
    """A person's membership in an organization."""

    __slots__ = ()
    resource = "an organization membership"
    collection = "organization_memberships"


class ShareId(Identifier):
    """A share: a single-use link with settings of its own."""

    __slots__ = ()
    resource = "a share"
    collection = "shares"


class NoShowId(Identifier):
    """A no-show mark of an invitee."""

    __slots__ = ()
    resource = "a no-show mark"
    collection = "invitee_no_shows"


class WebhookSubscriptionId(Identifier):
    """A webhook subscription."""

    __slots__ = ()
    resource = "a webhook subscription"
    collection = "webhook_subscriptions"


class GroupId(Identifier):
    """A group of an organization's users."""

    __slots__ = ()
    resource = "a group"
    collection = "groups"


class GroupRelationshipId(Identifier):
    """What makes somebody a member or an admin of a group."""

    __slots__ = ()
    resource = "a group relationship"
    collection = "group_relationships"


class TeamId(Identifier):
    """A team, which has a booking page of its own."""

    __slots__ = ()
    resource = "a team"
    collection = "teams"


class MeetingRecapId(Identifier):
    """What Calendly's Notetaker noted of a meeting."""

    __slots__ = ()
    resource = "a meeting recap"
    collection = "meeting_recaps"


class RoutingFormId(Identifier):
    """A routing form."""

    __slots__ = ()
    resource = "a routing form"
    collection = "routing_forms"


class RoutingFormSubmissionId(Identifier):
    """What somebody answered in a routing form."""

    __slots__ = ()
    resource = "a routing form submission"
    collection = "routing_form_submissions"


class ContactId(Identifier):
    """A contact."""

    __slots__ = ()
    resource = "a contact"
    collection = "contacts"


class CustomFieldDefinitionId(Identifier):
    """A custom field that contacts have."""

    __slots__ = ()
    resource = "a custom field definition"
    collection = "contacts/custom_field_definitions"


class ContactListId(Identifier):
    """A list or a view of contacts."""

    __slots__ = ()
    resource = "a contact list"
    collection = "contact_lists"


class NoteId(Identifier):
    """A note about a contact."""

    __slots__ = ()
    resource = "a note"
    collection = "notes"


@dataclass(frozen=True, slots=True)
class NestedIdentifier(Identifier):
    """An identifier whose URI is nested under another resource, so that the uuid alone is not enough.

    Attributes:
        parent_type: The identifier of that resource.
        parameter: The tool parameter that names it.
        parent: The uuid of that resource, None while only the bare uuid is known.
    """

    parent_type: ClassVar[type[Identifier]]
    parameter: ClassVar[str]

    parent: str | None = None

    @property
    @override
    def uri(self) -> str:
        """The resource URI. Raises InvalidIdentifier while the parent is not known."""
        return f"{self.parent_type(self._known_parent()).uri}/{self.collection}/{self.uuid}"

    def within(self, parent: Identifier | None) -> Self:
        """Return the identifier with its parent, from its own URI or from `parent`.

        Raises:
            InvalidIdentifier: The parent is missing, or the two disagree.
        """
        if parent is None:
            return replace(self, parent=self._known_parent())
        if self.parent not in {None, parent.uuid}:
            raise InvalidIdentifier(f"The URI of {self.resource} and `{self.parameter}` disagree; pass one of them.")
        return replace(self, parent=parent.uuid)

    def _known_parent(self) -> str:
        if self.parent is None:
            raise InvalidIdentifier(
                f"The uuid of {self.resource} is not enough: pass `{self.parameter}` as well, or {self._example()}."
            )
        return self.parent

    @override
    @classmethod
    def _place(cls) -> str:
        return f"{cls.parent_type.collection}/({_ID})/{cls.collection}"

    @override
    @classmethod
    def _example(cls) -> str:
        return f"{CALENDLY_ORIGIN}/{cls.parent_type.collection}/UUID/{cls.collection}/UUID"


class InviteeId(NestedIdentifier):
    """An invitee of a scheduled event."""

    __slots__ = ()
    resource = "an invitee"
    collection = "invitees"
    parent_type = ScheduledEventId
    parameter = "scheduled_event"

    @property
    def scheduled_event(self) -> str | None:
        """The uuid of the scheduled event, None while it is not known."""
        return self.parent


class InvitationId(NestedIdentifier):
    """An invitation to join an organization."""

    __slots__ = ()
    resource = "an invitation"
    collection = "invitations"
    parent_type = OrganizationId
    parameter = "organization"

    @property
    def organization(self) -> str | None:
        """The uuid of the organization, None while it is not known."""
        return self.parent


def _echo(text: str) -> str:
    """Quote the start of an untrusted text in printable ASCII."""
    shown = ascii(text[:_LONGEST_ECHO])
    return shown if len(shown) <= _LONGEST_ECHO else f"{shown[: _LONGEST_ECHO - 4]}'..."
