"""The metadata of the authorization server (RFC 8414) and of the resource it protects (RFC 9728).

Both come from the settings alone: nothing of a request, such as its Host, is echoed.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from auth.endpoints.answers import json_route
from auth.endpoints.site import MCP_PATH, Site
from auth.grants.clients import GRANT_TYPES
from auth.protocol.challenges import RESOURCE_METADATA_PATH
from auth.protocol.scopes import published

AUTHORIZATION_SERVER_METADATA_PATH: Final = "/.well-known/oauth-authorization-server"

_AUTH_METHODS: Final = ["none", "client_secret_post", "client_secret_basic"]
_HEADERS: Final = {"Cache-Control": "public, max-age=300"}


def authorization_server_metadata(site: Site) -> dict[str, object]:
    """Describe the authorization server."""
    return {
        "issuer": site.issuer,
        "authorization_endpoint": f"{site.issuer}/authorize",
        "token_endpoint": f"{site.issuer}/token",
        "registration_endpoint": f"{site.issuer}/register",
        "revocation_endpoint": f"{site.issuer}/revoke",
        "scopes_supported": list(published(site.offered)),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": list(GRANT_TYPES),
        "token_endpoint_auth_methods_supported": _AUTH_METHODS,
        "revocation_endpoint_auth_methods_supported": _AUTH_METHODS,
        "code_challenge_methods_supported": ["S256"],
        "client_id_metadata_document_supported": site.documents is not None,
        "authorization_response_iss_parameter_supported": True,
        "protected_resources": [site.resource],
    }


def resource_metadata(site: Site) -> dict[str, object]:
    """Describe the MCP endpoint."""
    return {
        "resource": site.resource,
        "authorization_servers": [site.issuer],
        "scopes_supported": list(published(site.offered)),
        "bearer_methods_supported": ["header"],
        "resource_name": "Calendly for agents",
    }


def metadata_routes(site: Site) -> list[Route]:
    """Make the routes. The metadata of the resource also has one without its path, where some clients look."""
    return [
        _route(AUTHORIZATION_SERVER_METADATA_PATH, authorization_server_metadata(site)),
        _route(f"{RESOURCE_METADATA_PATH}{MCP_PATH}", resource_metadata(site)),
        _route(RESOURCE_METADATA_PATH, resource_metadata(site)),
    ]


def _route(path: str, document: dict[str, object]) -> Route:
    async def answer(_request: Request) -> Response:
        return JSONResponse(document, headers=_HEADERS)

    return json_route(path, "GET", answer)
