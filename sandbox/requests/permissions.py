"""Who sends a request and what their role lets them see, with Calendly's own refusals."""

from dataclasses import dataclass
from typing import Final

from sandbox.errors import not_found, permission_denied, unauthenticated
from sandbox.records.credentials import StoredAccessToken
from sandbox.records.event_types import StoredEventType
from sandbox.records.people import StoredMembership, StoredOrganization, StoredUser
from sandbox.records.records import Records
from sandbox.records.scheduled_events import StoredScheduledEvent
from sandbox.state.sandbox import Sandbox

NO_ACCESS: Final = "You do not have permission to access this resource."
NO_PERMISSION: Final = "You do not have permission"
NO_ACTION: Final = "You do not have permission to perform this action"
FOREIGN_USER: Final = "This user is not in your organization"
ADMINS: Final = frozenset({"owner", "admin"})


@dataclass(frozen=True)
class TokenHolder:
    """The user a token acts for.

    Attributes:
        token: The token.
        user: Its user.
        membership: The user's membership.
        organization: The user's organization.
    """

    token: StoredAccessToken
    user: StoredUser
    membership: StoredMembership
    organization: StoredOrganization

    @property
    def is_admin(self) -> bool:
        """Whether the user is admin or owner."""
        return self.membership.role in ADMINS

    def administers(self, organization: str) -> bool:
        """Return whether the user is admin or owner of an organization."""
        return self.is_admin and self.organization.id == organization

    def may_act_for(self, person: StoredUser) -> bool:
        """Return whether a person is the user, or a member whom the user administers."""
        return person.id == self.user.id or self.administers(person.organization)

    def may_manage(self, kind: StoredEventType) -> bool:
        """Return whether the user owns, hosts or administers an event type."""
        return self.user.id in {kind.owner, *kind.hosts} or self.administers(kind.organization)

    def may_see(self, event: StoredScheduledEvent) -> bool:
        """Return whether the user hosts a meeting or administers its organization."""
        return self.user.id in event.hosts or self.administers(event.organization)


def identify(sandbox: Sandbox, authorization: str) -> TokenHolder:
    """Return whose token an Authorization header has.

    Raises:
        ApiError: 401.
    """
    token = token_of(sandbox, authorization)
    if token is None:
        raise unauthenticated("The access token is invalid")
    if token.revoked:
        raise unauthenticated("The access token was revoked")
    if token.expires_at is not None and token.expires_at <= sandbox.clock.now():
        raise unauthenticated("The access token expired")
    user = sandbox.records.users[token.user]
    return TokenHolder(
        token, user, sandbox.records.membership_of(user.id), sandbox.records.organizations[user.organization]
    )


def token_of(sandbox: Sandbox, authorization: str) -> StoredAccessToken | None:
    """Return the token in an Authorization header, valid or not; None where it is unknown."""
    kind, _, value = authorization.partition(" ")
    return sandbox.access_token(value.strip()) if kind.lower() == "bearer" else None


def known_user(records: Records, identifier: str) -> StoredUser:
    """Return a user.

    Raises:
        ApiError: 404.
    """
    if identifier not in records.users:
        raise not_found()
    return records.users[identifier]


def managed_event_type(caller: TokenHolder, records: Records, identifier: str) -> StoredEventType:
    """Return an event type that the user owns, hosts or administers, deleted or not.

    Raises:
        ApiError: 404 for an unknown one, 403 for anyone else.
    """
    kind = records.event_types.get(identifier)
    if kind is None:
        raise not_found()
    if not caller.may_manage(kind):
        raise permission_denied(NO_ACCESS)
    return kind


def require_organization(
    caller: TokenHolder, records: Records, identifier: str, *, refusal: str = NO_PERMISSION
) -> None:
    """Require the owner or an admin of an organization.

    Raises:
        ApiError: 404 for an unknown organization, 403 for anyone else.
    """
    if identifier not in records.organizations:
        raise not_found()
    if not caller.administers(identifier):
        raise permission_denied(refusal)


def require_user(caller: TokenHolder, person: StoredUser, *, refusal: str = NO_PERMISSION) -> None:
    """Require the person or someone who administers them.

    Raises:
        ApiError: 403, with a message of its own for a person of another organization.
    """
    if person.organization != caller.organization.id:
        raise permission_denied(FOREIGN_USER)
    if not caller.may_act_for(person):
        raise permission_denied(refusal)


def require_group(caller: TokenHolder, records: Records, identifier: str) -> frozenset[str]:
    """Require an admin of a group or of its organization.

    Returns:
        The ids of the group's members.

    Raises:
        ApiError: 404 for an unknown group, 403 for anyone else.
    """
    group = records.groups.get(identifier)
    if group is None:
        raise not_found()
    if caller.user.id not in group.admins and not caller.administers(group.organization):
        raise permission_denied(NO_PERMISSION)
    return group.members
