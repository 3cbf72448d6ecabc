"""The page at `/`: what this is, and how to connect."""

from pathlib import Path
from typing import Final

from starlette.responses import Response

from auth.pages import Pages

FOLDER: Final = Path(__file__).parent / "pages"
"""Where its template stands; the layout is that of the pages of authorization."""


def front_page(pages: Pages, endpoint: str, *, signs_in: bool, sandbox: bool) -> Response:
    """Show the page.

    Args:
        pages: Writes pages, with `FOLDER` among its folders.
        endpoint: The address of the MCP endpoint.
        signs_in: Agents sign in; otherwise whoever reaches the endpoint acts for one person.
        sandbox: Calendly is a sandbox.
    """
    return pages.show("front.html", {"endpoint": endpoint, "signs_in": signs_in, "sandbox": sandbox})
