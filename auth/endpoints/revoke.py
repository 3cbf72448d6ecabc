"""POST /revoke: revokes access tokens and refresh tokens (RFC 7009), for public clients too.

Revoking a refresh token ends its whole family at once, access tokens included, and the grant if it has no other valid
token. The answer is 200 only after that is stored.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.audit.log import AuditNote
from auth.endpoints.answers import NOT_KEPT, json_route
from auth.endpoints.ending import ending
from auth.endpoints.site import Site
from auth.grants import client_rows, grant_rows, token_rows
from auth.grants.clients import Client, authenticate, read_credentials
from auth.protocol.errors import InvalidGrant
from auth.protocol.parameters import read_form, required, single
from auth.protocol.secrets import ACCESS_TOKEN, REFRESH_TOKEN, digest, is_well_formed


def revoke_route(site: Site) -> Route:
    """Make the route."""

    async def answer(request: Request) -> Response:
        form = single(await read_form(request))
        credentials = read_credentials(form, request.headers.get("authorization"))
        async with site.database.read() as connection:
            client = authenticate(await client_rows.find(connection, credentials.client_id), credentials)
        request.state.agent = client.name  # for the log
        token = required(form, "token")
        # The prefix names the kind, so token_type_hint is ignored (RFC 7009, 2.1).
        if is_well_formed(token, ACCESS_TOKEN):
            await _revoke_access_token(site, client, digest(token))
            await site.audit_log.note(_note(client, "{agent} revoked an access token"))
        elif is_well_formed(token, REFRESH_TOKEN):
            person = await _revoke_refresh_token(site, client, digest(token))
            await site.audit_log.note(_note(client, "{agent} gave back what {person} had allowed it", person))
        return Response(status_code=200, headers=NOT_KEPT)  # for an unknown token too (RFC 7009, 2.2)

    return json_route("/revoke", "POST", answer)


async def _revoke_access_token(site: Site, client: Client, token_digest: str) -> None:
    async with site.database.begin() as connection:
        owner = await token_rows.client_of_access_token(connection, token_digest)
        _check_owner(client, owner)
        await token_rows.delete_access_token(connection, token_digest)


def _note(client: Client, told: str, person: str | None = None) -> AuditNote:
    return AuditNote(action="revoke", told=told, person=person, agent=client.name or "", source="agent")


async def _revoke_refresh_token(site: Site, client: Client, token_digest: str) -> str | None:
    """Revoke a refresh token. Returns the person who gave the grant."""
    async with site.database.read() as connection:
        token = await token_rows.find_refresh_token(connection, token_digest)
    if token is None:
        return None
    _check_owner(client, token.client)
    async with ending(site, token.grant) as (connection, person):
        await token_rows.end_family(connection, token.family, site.now())
        await grant_rows.end_lifeless(connection, token.grant, site.now())
    return person


def _check_owner(client: Client, owner: str | None) -> None:
    if owner not in {None, client.id}:
        raise InvalidGrant("The token was given to another client.")
