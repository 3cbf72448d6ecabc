"""The endpoint for programs of one person on this machine, which do not sign in."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette

from auth.endpoints.html import Pages
from server.configuration.settings import Settings
from server.installing.front_page import FOLDER, front_page
from server.local.serving import serving
from server.transports.guard import Reach
from server.transports.http import Surroundings, http_app


@asynccontextmanager
async def local_endpoint(settings: Settings, address: str) -> AsyncGenerator[Starlette]:
    """Make the ASGI application; `address` is where it listens, without a path. Raises as `serving` does."""
    page = partial(front_page, Pages(FOLDER), f"{address}/mcp", signs_in=False, sandbox=settings.sandbox)
    async with serving(settings) as server:
        server.audit_log.open_soon()
        yield http_app(server.mcp, Surroundings(reach=Reach(address=address, is_local=True), front_page=page))
