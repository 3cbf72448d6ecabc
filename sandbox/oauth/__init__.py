"""Calendly's OAuth server: sign-in page, tokens, revocation, introspection, metadata and registration."""

from starlette.routing import Route

from sandbox.oauth.authorize import authorize_route
from sandbox.oauth.introspect import introspect_route
from sandbox.oauth.metadata import metadata_route
from sandbox.oauth.register import register_route
from sandbox.oauth.revoke import revoke_route
from sandbox.oauth.token import token_route
from sandbox.state.sandbox import Sandbox


def oauth_routes(sandbox: Sandbox) -> list[Route]:
    """Return the routes, which have the origin of the API."""
    return [
        metadata_route(),
        authorize_route(sandbox),
        token_route(sandbox),
        revoke_route(sandbox),
        introspect_route(sandbox),
        register_route(sandbox),
    ]
