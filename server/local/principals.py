"""Finds the person of a local server: by the token that is set, else by the sign-in of `calendly-mcp login`."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Final

from auth.access.levels import Limits
from calendly.request import Account, PersonalToken
from server.calls.next_steps import PERSONAL_TOKEN, on_the_way
from server.calls.principal import Principal
from server.configuration.settings import TOKEN, TOKEN_FILE, Settings
from server.configuration.surroundings import proxy_told
from server.configuration.terminal import UsageError

_NO_TOKEN: Final = f"""no access token is set and nobody signed in, so there is no Calendly to talk to. Either sign in
by browser with `calendly-mcp login`, or make a token:

1. In Calendly, open Integrations & apps > API and webhooks > Personal access tokens,
   and generate a new token.
2. Give it scopes. A new token can do nothing until it has some, and a :write scope
   includes its :read.
     to read                  users:read event_types:read availability:read
                              scheduled_events:read
     also to book and cancel  scheduled_events:write scheduling_links:write
     to change your hours     availability:write
     for every tool           those, and event_types:write organizations:write
                              webhooks:write data_compliance:write
3. Set {TOKEN} to the token, or {TOKEN_FILE} to a file
   that holds it, where the server is started: in your shell, or in the `env` of your
   client's configuration, which `calendly-mcp install CLIENT --token-file FILE` writes.

To try it without an account or a token: `calendly-mcp --sandbox`"""


async def local_principal(settings: Settings, stack: AsyncExitStack) -> Principal:
    """Return the person, with an agent that has no name yet.

    Args:
        settings: Theirs.
        stack: Ends with the server.

    Raises:
        UsageError: There is neither a token nor a sign-in; the message says how to come by one.
        CommandError: The sign-in that is stored cannot be read.
    """
    if settings.access_token is not None:
        return _with_token(settings, settings.access_token)
    from server.local.login import login_store, signed_in_principal  # noqa: PLC0415 - not needed where a token is set

    principal = await signed_in_principal(settings, login_store(settings), stack)
    if principal is None:
        raise UsageError(_NO_TOKEN)
    return principal


async def local_person(settings: Settings, stack: AsyncExitStack) -> Callable[[], Principal]:
    """Return what gives the person. A keyring that does not answer holds nobody up: the person is known later.

    Raises:
        UsageError: There is neither a token nor a sign-in; the message says how to come by one.
        CommandError: The sign-in that is stored cannot be read.
    """
    if settings.access_token is not None:
        principal = _with_token(settings, settings.access_token)
        return lambda: principal
    from server.local.login import LateSignIn, login_store  # noqa: PLC0415 - not needed where a token is set

    late = LateSignIn(settings, login_store(settings), stack)
    if not await late.look():
        raise UsageError(_NO_TOKEN)
    return late.principal


def _with_token(settings: Settings, text: str) -> Principal:
    token = PersonalToken(text)
    return Principal(
        account=Account(token.person, "", token),
        limits=Limits(ceiling=settings.local_ceiling),
        advice={**PERSONAL_TOKEN, **on_the_way(proxy_told(settings.api_url))},
    )
