"""Authorization server metadata (RFC 8414)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.records.scopes import ALL_SCOPES


async def _metadata(request: Request) -> Response:
    """Return the metadata, with the address of the request as issuer."""
    issuer = str(request.base_url).rstrip("/")
    methods = ["none", "client_secret_basic", "client_secret_post"]
    return JSONResponse(
        {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth/authorize",
            "token_endpoint": f"{issuer}/oauth/token",
            "revocation_endpoint": f"{issuer}/oauth/revoke",
            "introspection_endpoint": f"{issuer}/oauth/introspect",
            "registration_endpoint": f"{issuer}/oauth/register",
            "scopes_supported": sorted(ALL_SCOPES),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_methods_supported": methods,
        }
    )


def metadata_route() -> Route:
    """Return the route."""
    return Route("/.well-known/oauth-authorization-server", _metadata)
