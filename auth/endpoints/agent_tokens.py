"""Long-lived tokens for agents without a browser, such as CI jobs: an operator makes, lists and revokes them.

Each is a client of its own kind with a grant of its own: whatever hangs on person, client and grant holds for it too.
It acts as one person who connected Calendly before, and ends with that person's connection or its own time.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from auth.access.levels import LOCAL, Access
from auth.audit.log import AuditNote
from auth.endpoints.ending import end_grant
from auth.endpoints.site import Realm
from auth.grants import agent_token_rows, client_rows, grant_rows
from auth.grants.agent_token_rows import AgentToken
from auth.grants.clients import Client
from auth.grants.grant_rows import Grant
from auth.protocol.scopes import Scopes
from auth.protocol.secrets import AGENT_TOKEN, digest, mint, nonce
from calendly.scopes import includes
from calendly.third_party_text import shown

LIFE: Final = timedelta(days=365)


class AgentTokenError(Exception):
    """The token cannot be made or found; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class NewAgentToken:
    """A token that was just made. `secret` is shown once; only its digest is kept."""

    id: str
    secret: str = field(repr=False)
    expires_at: datetime


async def create(  # noqa: PLR0913 - each is named by who calls
    realm: Realm,
    *,
    name: str,
    person: str | None,
    scopes: Iterable[str],
    access: Access = LOCAL,
    life: timedelta = LIFE,
) -> NewAgentToken:
    """Make a token.

    Args:
        realm: Where it is good.
        name: What the agent is called on pages and in records.
        person: The URI, uuid or e-mail address of a connected user; None when there is only one.
        scopes: What its token carries.
        access: What it may do with them, which its person may change later; capabilities that are not named are off.
        life: For how long.

    Raises:
        AgentTokenError: A scope is none that this server has to give, or it is not clear who is meant.
    """
    given = _check(scopes, realm.offered)
    if not shown(name):
        raise AgentTokenError("An agent token needs a name.")
    secret, token_id, now = mint(AGENT_TOKEN, realm.random), nonce(realm.random), realm.now()
    async with realm.database.begin() as connection:
        if not await agent_token_rows.find_connected(connection, None):
            raise AgentTokenError(
                "Nobody has connected Calendly here yet. Whoever the agent acts for signs in once, with an MCP client: "
                f"{realm.issuer} shows how."
            )
        owner = _only(await agent_token_rows.find_connected(connection, person), person)
        client = Client(f"agent-{token_id}", "agent", shown(name), (), "none", None, refreshes=False, approved=False)
        await client_rows.add(connection, client, now)
        await client_rows.mark_approved(connection, client.id, now)
        await grant_rows.allow(connection, Grant(token_id, owner, client.id, realm.resource, given, access), now)
        await agent_token_rows.add(connection, digest(secret), token_id, now + life)
    await realm.audit_log.note(
        AuditNote(
            action="create_agent_token",
            told="an operator made a token with which {agent} acts for {person}",
            person=owner,
            agent=client.name,
            grant=token_id,
            source="operator",
            transport="command",
        )
    )
    return NewAgentToken(token_id, secret, now + life)


async def list_all(realm: Realm) -> list[AgentToken]:
    """List the tokens that are still good, the oldest first."""
    async with realm.database.read() as connection:
        return await agent_token_rows.list_live(connection, realm.now())


async def revoke(realm: Realm, token_id: str) -> None:
    """End a token at once. Raises AgentTokenError when there is none of that id."""
    token = next((token for token in await list_all(realm) if token.id == token_id), None)
    if token is None:
        raise AgentTokenError("There is no such agent token, or it ended before.")
    await end_grant(realm, token_id)
    await realm.audit_log.note(
        AuditNote(
            action="revoke_agent_token",
            told="an operator revoked the token with which {agent} acts for {person}",
            person=token.person,
            agent=token.name,
            grant=token_id,
            source="operator",
            transport="command",
        )
    )


def _check(scopes: Iterable[str], offered: Scopes) -> Scopes:
    given = frozenset(scopes)
    unknown = sorted(scope for scope in given if not includes(offered, {scope}))
    if unknown or not given:
        raise AgentTokenError(f"This server gives no scope {', '.join(unknown)}." if unknown else "No scope was named.")
    return given


def _only(connected: list[str], person: str | None) -> str:
    if not connected:
        raise AgentTokenError(
            "Nobody of that name has connected Calendly; name the person by e-mail address, uuid or user URI."
        )
    if len(connected) > 1:
        raise AgentTokenError(
            "Several people have connected Calendly; say whom the agent acts for."
            if person is None
            else "Several people go by that e-mail address; name one by their user URI."
        )
    return connected[0]
