"""The endpoint for programs of one person on this machine, which do not sign in."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette

from auth.pages import Pages
from server.app import serving
from server.front_page import FOLDER, front_page
from server.guard import Reach
from server.http import Surroundings, http_app
from server.settings import Settings


@asynccontextmanager
async def local_endpoint(settings: Settings, address: str) -> AsyncGenerator[Starlette]:
    """Make the ASGI application; `address` is where it listens, without a path. Raises as `serving` does."""
    page = partial(front_page, Pages(FOLDER), f"{address}/mcp", signs_in=False, sandbox=settings.sandbox)
    async with serving(settings) as server:
        server.record.open_soon()
        yield http_app(server.mcp, Surroundings(reach=Reach(address=address, is_local=True), front_page=page))
