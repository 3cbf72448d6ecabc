"""The endpoint for programs of one person on this machine, which do not sign in."""

from functools import partial
from typing import Any

from mcp.server.lowlevel import Server
from starlette.applications import Starlette

from auth.endpoints.html import Pages
from server.configuration.settings import Settings
from server.installing.front_page import FOLDER, error_page, front_page
from server.transports.guard import Reach
from server.transports.http import Surroundings, http_app


def local_app(mcp: Server[Any], address: str, settings: Settings) -> Starlette:
    """Make the ASGI application.

    Args:
        mcp: Answers MCP.
        address: Where it listens, without a path.
        settings: By which other name clients use it, which origins may, and whether Calendly is a sandbox.
    """
    named = settings.public_url or address
    pages = Pages(FOLDER, sandbox=settings.sandbox)
    page = partial(front_page, pages, f"{named}/mcp", signs_in=False)
    reach = Reach(
        address=named, is_local=True, origins=settings.allowed_origins, trusted_proxies=settings.trusted_proxies
    )
    return http_app(mcp, Surroundings(reach=reach, front_page=page, error_page=error_page(pages)))
