"""POST /register: dynamic client registration (RFC 7591), open to everybody and therefore limited in every way."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.audit.log import AuditNote
from auth.endpoints.answers import NOT_KEPT, json_route
from auth.endpoints.site import Site
from auth.grants import client_rows
from auth.grants.clients import GRANT_TYPES, Client, ClientMetadata, read_metadata
from auth.protocol.parameters import read_json_object
from auth.protocol.secrets import CLIENT_SECRET, digest, mint, nonce


def register_route(site: Site) -> Route:
    """Make the route."""

    async def answer(request: Request) -> Response:
        address = site.address(request)
        async with site.database.read() as connection:
            await site.check_rate(connection, "registrations", address)
        metadata = read_metadata(await read_json_object(request), site.redirect_schemes, site.issuer)
        secret = None if metadata.is_public else mint(CLIENT_SECRET, site.random)
        client = _client(f"client-{nonce(site.random)}", metadata, secret)
        now = site.now()
        async with site.database.begin() as connection:
            await site.take(connection, "registrations", address)
            await client_rows.drop_surplus(connection)
            await client_rows.add(connection, client, now)
        await site.audit_log.note(
            AuditNote(action="register", told="{agent} registered itself", agent=client.name or "")
        )
        body = {"client_id": client.id, "client_id_issued_at": int(now.timestamp()), **_registered(metadata, secret)}
        return JSONResponse(body, 201, NOT_KEPT)

    return json_route("/register", "POST", answer)


def _client(client_id: str, metadata: ClientMetadata, secret: str | None) -> Client:
    return Client(
        id=client_id,
        kind="registered",
        name=metadata.shown_name,
        redirect_uris=metadata.redirect_uris,
        auth_method=metadata.token_endpoint_auth_method,
        secret_digest=None if secret is None else digest(secret),
        refreshes=metadata.refreshes,
        approved=False,
    )


def _registered(metadata: ClientMetadata, secret: str | None) -> dict[str, object]:
    """Return what was registered, which may differ from what was asked for (RFC 7591, 3.2.1)."""
    members: dict[str, object] = {
        "redirect_uris": list(metadata.redirect_uris),
        "token_endpoint_auth_method": metadata.token_endpoint_auth_method,
        "grant_types": [name for name in GRANT_TYPES if name in metadata.grant_types],
        "response_types": ["code"],
    }
    if metadata.shown_name is not None:
        members["client_name"] = metadata.shown_name
    if metadata.application_type is not None:
        members["application_type"] = metadata.application_type
    if secret is not None:
        members |= {"client_secret": secret, "client_secret_expires_at": 0}
    return members
