"""The endpoint for programs of one person on this machine, which do not sign in."""

from functools import partial
from typing import Any

from mcp.server.lowlevel import Server
from starlette.applications import Starlette

from auth.endpoints.html import Pages
from server.installing.front_page import FOLDER, front_page
from server.transports.guard import Reach
from server.transports.http import Surroundings, http_app


def local_app(mcp: Server[Any], address: str, *, sandbox: bool) -> Starlette:
    """Make the ASGI application.

    Args:
        mcp: Answers MCP.
        address: Where it listens, without a path.
        sandbox: Calendly is a sandbox.
    """
    page = partial(front_page, Pages(FOLDER), f"{address}/mcp", signs_in=False, sandbox=sandbox)
    return http_app(mcp, Surroundings(reach=Reach(address=address, is_local=True), front_page=page))
