"""The page at `/`: what this is, and how to connect."""

from pathlib import Path
from typing import Final

from starlette.responses import Response

from auth.endpoints.html import Pages
from server.installing.clients import Remote
from server.installing.connecting import BY_NAME, place, remote_commands, snippet

FOLDER: Final = Path(__file__).parents[1] / "templates"
"""Where its template stands; the layout is that of the pages of authorization."""

_BY_FILE: Final = ("cursor", "windsurf", "zed")
"""The clients that have no command for it."""


def front_page(pages: Pages, endpoint: str, *, signs_in: bool, sandbox: bool) -> Response:
    """Show the page.

    Args:
        pages: Writes pages, with `FOLDER` among its folders.
        endpoint: The address of the MCP endpoint.
        signs_in: Agents sign in; otherwise whoever reaches the endpoint acts for one person.
        sandbox: Calendly is a sandbox.
    """
    files = [
        {
            "title": client.title,
            "place": place(client),
            "text": snippet(client, client.remote(Remote(endpoint)), indent=None),
        }
        for client in (BY_NAME[name] for name in _BY_FILE)
    ]
    shown = {"endpoint": endpoint, "signs_in": signs_in, "sandbox": sandbox, "files": files}
    return pages.show("front.html", {**shown, "commands": remote_commands(endpoint)})
