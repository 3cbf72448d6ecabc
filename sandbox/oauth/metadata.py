"""Authorization server metadata (RFC 8414)."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.records.scopes import ALL_SCOPES
from sandbox.requests.loopback import is_loopback


async def _metadata(request: Request) -> Response:
    """Return the metadata. The issuer is the address of the request where that is a name of this machine."""
    issuer = _issuer(request)
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


def _issuer(request: Request) -> str:
    """Return the address of this sandbox: the Host header may say anything, so only known names in it count."""
    if is_loopback(request.url.hostname or ""):
        return str(request.base_url).rstrip("/")
    host, port = request.scope["server"]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def metadata_route() -> Route:
    """Return the route."""
    return Route("/.well-known/oauth-authorization-server", _metadata)
