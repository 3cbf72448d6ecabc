"""For whom a server on this machine acts: whose token is set, else who signed in with `calendly-mcp login`."""

from contextlib import AsyncExitStack

from auth.access.levels import Limits
from auth.local.personal_token import PersonalToken
from calendly.request import Account
from server.calls.principal import Principal
from server.configuration.settings import Settings


async def local_principal(settings: Settings, stack: AsyncExitStack) -> Principal:
    """Return the person, with an agent that has no name yet.

    Args:
        settings: Theirs.
        stack: Ends with the server.

    Raises:
        UsageError: There is neither a token nor a sign-in; the message says how to come by one.
        CommandError: The sign-in that is stored cannot be read.
    """
    if settings.access_token is None:
        from server.local.login import signed_in_principal  # noqa: PLC0415 - not needed where a token is set

        return await signed_in_principal(settings, stack)
    token = PersonalToken(settings.access_token)
    return Principal(account=Account(token.person, "", token), limits=Limits(ceiling=settings.local_ceiling))
