"""Whose an access token is, from Calendly's answer to the question."""

from collections.abc import Awaitable, Callable, Collection
from typing import Final, cast

from calendly import models
from calendly.errors import InsufficientScope, unreadable
from calendly.identifiers import InvalidIdentifier, OrganizationId, UserId
from calendly.request import JSON, Request
from tools.endpoints.users import get_current_user
from tools.toolset.declaring import Identity
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


async def whose(send: Callable[[Request], Awaitable[JSON]], parameters: Collection[str]) -> Identity:
    """Ask whose the token is.

    Args:
        send: Sends a request with it.
        parameters: Those of the tool that wants to know.

    Raises:
        InsufficientScope: The token may not say; the message names the parameters to pass instead.
        CalendlyError: As `send`.
    """
    try:
        return identity_of(user_in(await send(ME)))
    except InsufficientScope as refused:
        taken = [f"`{name}`" for name in ("user", "organization") if name in parameters]
        instead = f", so pass {' and '.join(taken)} as resource URIs" if taken else ""
        raise refused.retold(f"The token may not read whose it is{instead}.") from None
