"""Who a token belongs to, as Calendly says."""

from typing import Final, cast

from calendly import models
from calendly.errors import unreadable
from calendly.identifiers import InvalidIdentifier, OrganizationId, UserId
from calendly.request import JSON, Request
from tools.endpoints.users import get_current_user
from tools.toolset.identity import Identity
from tools.toolset.tool import endpoint_of

ME: Final = Request(endpoint_of(get_current_user).endpoint)


def user_in(answer: JSON) -> models.User:
    """The user in an answer to `ME`. Raises UpstreamError when there is none."""
    resource = answer.get("resource")
    if not isinstance(resource, dict):
        raise unreadable(ME)
    return models.read(models.User, cast("JSON", resource))


def identity_of(user: models.User) -> Identity:
    """Return who a user is. Calendly can leave out the organization. Raises UpstreamError."""
    try:
        person = UserId.parse(user.get("uri") or "")
    except InvalidIdentifier:
        raise unreadable(ME) from None
    try:
        organization = OrganizationId.parse(user.get("current_organization") or "")
    except InvalidIdentifier:
        organization = None
    return Identity(user=person, organization=organization, timezone=user.get("timezone"))
