"""Long-lived tokens for agents without a browser, such as CI jobs. An operator creates, lists and revokes them.

Each token has a client and a grant of its own, so all rules for person, client and grant apply to it. It acts for one
person who is connected to Calendly, and ends with that person's connection or when it expires.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from auth.access.levels import LOCAL, Access
from auth.audit.log import AuditNote, Decided
from auth.endpoints.ending import end_grant
from auth.endpoints.site import Site
from auth.grants import agent_token_rows, client_rows, grant_rows
from auth.grants.agent_token_rows import AgentToken
from auth.grants.clients import Client
from auth.grants.grant_rows import Grant
from auth.protocol.scopes import Scopes, spell
from auth.protocol.secrets import AGENT_TOKEN, digest, mint, nonce
from calendly.scopes import includes
from calendly.third_party_text import shown
from storage.connection import DatabaseConnection

LIFE: Final = timedelta(days=365)
"""How long a token is valid by default."""


class AgentTokenError(Exception):
    """The token cannot be created or found; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class NewAgentToken:
    """A token that was just created.

    Attributes:
        id: The id of its grant.
        secret: The token itself, shown once; only its digest is stored.
        expires_at: When it expires.
    """

    id: str
    secret: str = field(repr=False)
    expires_at: datetime


async def create(  # noqa: PLR0913 - keyword arguments, named by the caller
    site: Site,
    *,
    name: str,
    person: str | None,
    scopes: Iterable[str],
    access: Access = LOCAL,
    life: timedelta = LIFE,
) -> NewAgentToken:
    """Create a token.

    Args:
        site: The server on which it is valid.
        name: The name of the agent on pages and in the audit log.
        person: The URI, uuid or e-mail address of a connected user; None if there is only one.
        scopes: The scopes of the token.
        access: What the agent may do with them. The person may change it later. Capabilities not named are off.
        life: How long the token is valid.

    Raises:
        AgentTokenError: This server cannot give a scope, or no single person matches.
    """
    given = _check(scopes, site.offered)
    if not shown(name):
        raise AgentTokenError("An agent token needs a name.")
    secret, token_id, now = mint(AGENT_TOKEN, site.random), nonce(site.random), site.now()
    async with site.database.begin() as connection:
        owner = await find_person(site, connection, person)
        client = Client(f"agent-{token_id}", "agent", shown(name), (), "none", None, refreshes=False, approved=False)
        await client_rows.add(connection, client, now)
        await client_rows.mark_approved(connection, client.id, now)
        await grant_rows.allow(connection, Grant(token_id, owner, client.id, site.resource, given, access), now)
        await agent_token_rows.add(connection, digest(secret), token_id, now + life)
    told = "an operator made a token with which {agent} acts for {person}"
    await site.audit_log.note(_note("create_agent_token", told, owner, client.name, token_id))
    return NewAgentToken(token_id, secret, now + life)


async def find_person(site: Site, connection: DatabaseConnection, person: str | None) -> str:
    """Find the person whom an operator means.

    Args:
        site: The server.
        connection: A transaction.
        person: The URI, uuid or e-mail address of a connected user; None if there is only one.

    Raises:
        AgentTokenError: No single person matches, or people use this server under another address.
    """
    if not await agent_token_rows.find_connected(connection, None):
        raise AgentTokenError(
            "Nobody has connected Calendly here yet. Whoever the agent acts for signs in once, with an MCP client: "
            f"{site.issuer} shows how."
        )
    used_at = await agent_token_rows.find_resources(connection)
    if used_at and site.resource not in used_at:
        raise AgentTokenError(
            f"People let agents in at {', '.join(sorted(used_at))} with this database, not at "
            f"{site.resource}: set CALENDLY_MCP_PUBLIC_URL to the server's own address."
        )
    return _only(await agent_token_rows.find_connected(connection, person), person)


async def list_all(site: Site) -> list[AgentToken]:
    """List the valid tokens, the oldest first."""
    async with site.database.read() as connection:
        return await agent_token_rows.list_live(connection, site.now())


async def revoke(site: Site, token_id: str) -> None:
    """End a token at once. Raises AgentTokenError if there is no valid one with that id."""
    token = next((token for token in await list_all(site) if token.id == token_id), None)
    if token is None:
        raise AgentTokenError("There is no such agent token, or it ended before.")
    await end_grant(site, token_id)
    told = "an operator revoked the token with which {agent} acts for {person}"
    await site.audit_log.note(_note("revoke_agent_token", told, token.person, token.name, token_id))


def _note(action: Decided, told: str, person: str, agent: str | None, grant: str) -> AuditNote:
    return AuditNote(
        action=action, told=told, person=person, agent=agent, grant=grant, source="operator", transport="command"
    )


def _check(scopes: Iterable[str], offered: Scopes) -> Scopes:
    given = frozenset(scopes)
    unknown = sorted(scope for scope in given if not includes(offered, {scope}))
    if unknown or not given:
        told = f"This server gives no scope {', '.join(unknown)}; it gives {spell(offered)}."
        raise AgentTokenError(told if unknown else "No scope was named.")
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
