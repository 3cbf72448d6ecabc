"""Our HTTP endpoint with the fixtures of the conformance suite, as a program: python -m tests.interop.suite_server."""

import os

import anyio

from auth.endpoints.html import Pages
from server.configuration.loading import load
from server.configuration.logs import log_to_stderr
from server.installing.front_page import FOLDER, error_page, front_page
from server.local.serving import serving
from server.transports.guard import Reach
from server.transports.http import Surroundings, http_app, serve_http
from server.transports.listening import listen
from tests.interop.suite_fixtures import equip


async def main() -> None:
    """Serve until a signal asks to stop."""
    settings = load("http", {"auth": "none", "sandbox": True}, environ=os.environ)
    log_to_stderr(settings.log_level, settings.log_format)
    with listen("127.0.0.1", 0) as (listener, address):
        async with serving(settings) as server:
            equip(server.mcp, (await server.stores()).confirmations)
            pages = Pages(FOLDER, sandbox=True)
            around = Surroundings(
                reach=Reach(address=address, is_local=True),
                front_page=lambda: front_page(pages, f"{address}/mcp", signs_in=False),
                error_page=error_page(pages),
            )
            await serve_http(http_app(server.mcp, around), listener, f"ready: {address}/mcp", 1.0)


if __name__ == "__main__":
    anyio.run(main)
