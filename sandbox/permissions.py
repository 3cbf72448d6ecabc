"""Who is calling and whose things they may see: roles, as Calendly words its refusals."""

from dataclasses import dataclass

from sandbox.credentials import AccessToken
from sandbox.errors import not_found, permission_denied, unauthenticated
from sandbox.records import EventType, Membership, Organization, Records, ScheduledEvent, User
from sandbox.state import Sandbox

NO_ACCESS = "You do not have permission to access this resource."
NO_PERMISSION = "You do not have permission"
NO_ACTION = "You do not have permission to perform this action"
FOREIGN_USER = "This user is not in your organization"
ADMINS = frozenset({"owner", "admin"})


@dataclass(frozen=True)
class Caller:
    """The person behind a token, and their place in their organization."""

    token: AccessToken
    user: User
    membership: Membership
    organization: Organization

    @property
    def is_admin(self) -> bool:
        """Say whether the caller is admin or owner."""
        return self.membership.role in ADMINS

    def administers(self, organization: str) -> bool:
        """Say whether the caller is admin or owner there."""
        return self.is_admin and self.organization.id == organization

    def may_act_for(self, person: User) -> bool:
        """Say whether this is the caller, or a member the caller administers."""
        return person.id == self.user.id or self.administers(person.organization)

    def may_manage(self, kind: EventType) -> bool:
        """Say whether the caller owns, hosts or administers an event type."""
        return self.user.id in {kind.owner, *kind.hosts} or self.administers(kind.organization)

    def may_see(self, event: ScheduledEvent) -> bool:
        """Say whether the caller hosts a meeting or administers its organization."""
        return self.user.id in event.hosts or self.administers(event.organization)


def identify(sandbox: Sandbox, authorization: str) -> Caller:
    """Find who an Authorization header belongs to.

    Raises:
        CalendlyError: 401 with the message that fits.
    """
    token = token_of(sandbox.records, authorization)
    if token is None:
        raise unauthenticated("The access token is invalid")
    if token.revoked:
        raise unauthenticated("The access token was revoked")
    if token.expires_at is not None and token.expires_at <= sandbox.clock.now():
        raise unauthenticated("The access token expired")
    user = sandbox.records.users[token.user]
    return Caller(token, user, sandbox.records.membership_of(user.id), sandbox.records.organizations[user.organization])


def token_of(records: Records, authorization: str) -> AccessToken | None:
    """Find the token an Authorization header names, live or not."""
    kind, _, value = authorization.partition(" ")
    return records.access_tokens.get(value.strip()) if kind.lower() == "bearer" else None


def known_user(records: Records, identifier: str) -> User:
    """Return a person.

    Raises:
        CalendlyError: 404.
    """
    if identifier not in records.users:
        raise not_found()
    return records.users[identifier]


def require_organization(caller: Caller, records: Records, identifier: str, *, refusal: str = NO_PERMISSION) -> None:
    """Let only admins and the owner of an organization pass.

    Raises:
        CalendlyError: 404 for an unknown organization, 403 for another's and for plain members.
    """
    if identifier not in records.organizations:
        raise not_found()
    if not caller.administers(identifier):
        raise permission_denied(refusal)


def require_user(caller: Caller, person: User, *, refusal: str = NO_PERMISSION) -> None:
    """Let only the person and those who administer them pass.

    Raises:
        CalendlyError: 403; a person of another organization has a message of their own.
    """
    if person.organization != caller.organization.id:
        raise permission_denied(FOREIGN_USER)
    if not caller.may_act_for(person):
        raise permission_denied(refusal)


def require_group(caller: Caller, records: Records, identifier: str) -> frozenset[str]:
    """Let only the admins of a group and of its organization pass.

    Returns:
        The ids of the group's members.

    Raises:
        CalendlyError: 404 for an unknown group, 403.
    """
    group = records.groups.get(identifier)
    if group is None:
        raise not_found()
    if caller.user.id not in group.admins and not caller.administers(group.organization):
        raise permission_denied(NO_PERMISSION)
    return group.members
