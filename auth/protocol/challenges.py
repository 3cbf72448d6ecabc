"""The `WWW-Authenticate` values of the MCP endpoint (RFC 6750, 3; RFC 9728, 5.1). Pure."""

from collections.abc import Iterable
from typing import Final

from auth.protocol.scopes import spell

RESOURCE_METADATA_PATH: Final = "/.well-known/oauth-protected-resource"


def resource_metadata_url(resource: str) -> str:
    """Return the URL of the metadata of a resource, with the well-known part before its path (RFC 9728, 3.1)."""
    scheme, _, rest = resource.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority}{RESOURCE_METADATA_PATH}{slash}{path}"


def unauthenticated(resource: str, scopes: Iterable[str], *, token_sent: bool) -> str:
    """Return the challenge of a 401.

    Args:
        resource: The URL of the MCP endpoint.
        scopes: The scopes that a client can ask for.
        token_sent: The request had a token that is not valid. Without a token there is no `error` (RFC 6750, 3.1).
    """
    parameters = {"resource_metadata": resource_metadata_url(resource), "scope": spell(scopes)}
    if token_sent:
        parameters = {
            "error": "invalid_token",
            "error_description": "The access token expired, was revoked or is not for this server.",
            **parameters,
        }
    return _bearer(parameters)


def insufficient_scope(resource: str, needed: Iterable[str], held: Iterable[str]) -> str:
    """Return the challenge of a 403 (RFC 6750, 3.1).

    Args:
        resource: The URL of the MCP endpoint.
        needed: The scopes that the operation needs.
        held: The scopes of the token. Clients of revisions before 2026-07-28 ask only for the scopes in the challenge,
            and would otherwise lose these (MCP authorization of 2025-11-25, "Runtime Insufficient Scope Errors").
    """
    return _bearer(
        {
            "error": "insufficient_scope",
            "error_description": "This operation needs a scope that the access token does not have.",
            "scope": spell({*needed, *held}),
            "resource_metadata": resource_metadata_url(resource),
        }
    )


def _bearer(parameters: dict[str, str]) -> str:
    return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())
