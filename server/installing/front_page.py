"""The page at `/`: what the server is, and how to connect a client."""

from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final

from starlette.responses import Response

from auth.endpoints.html import Back, Pages
from server.installing.clients import Remote
from server.installing.connecting import BY_NAME, place, remote_commands, snippet

FOLDER: Final = Path(__file__).parents[1] / "templates"
"""The folder of its template; the layout comes from the pages of authorization."""

_BY_FILE: Final = ("cursor", "windsurf", "zed", "codex", "gemini", "copilot", "junie")
"""The clients that have no command to add a server."""


def front_page(pages: Pages, endpoint: str, *, signs_in: bool) -> Response:
    """Return the page.

    Args:
        pages: Renders templates, `FOLDER` among its folders.
        endpoint: The address of the MCP endpoint.
        signs_in: Whether agents sign in; otherwise anyone who reaches the endpoint acts for one
            person.
    """
    files = [
        {
            "title": client.title,
            "place": place(client),
            "text": snippet(client, client.remote(Remote(endpoint)), indent=None),
        }
        for client in (BY_NAME[name] for name in _BY_FILE)
    ]
    shown = {"endpoint": endpoint, "signs_in": signs_in, "files": files}
    return pages.show("front.html", {**shown, "commands": remote_commands(endpoint)})


def error_page(pages: Pages) -> Callable[[str, int], Response]:
    """Return the page that shows a person at a browser why a request was refused."""

    def page(told: str, status: int) -> Response:
        return pages.error(told, status=status, back=Back("the first page", "/"), title=HTTPStatus(status).phrase)

    return page
