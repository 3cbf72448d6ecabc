"""Apps as MCP sees them: resources whose HTML a host puts in a frame (MCP Apps)."""

from typing import Final

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError

from tools.apps import APPS, EXTENSION, MIME_TYPE, App

_KEPT_MS: Final = 60 * 60 * 1000


def declare(server: Server[object]) -> None:
    """Say in the server's capabilities that it has apps; revisions before 2026-07-28 have no place for it."""
    server.extensions[EXTENSION] = {"mimeTypes": [MIME_TYPE]}


def apps_for(seen: frozenset[str]) -> list[App]:
    """Return the apps that show what one of the tools in `seen` answers."""
    return [app for app in APPS if any(tool.name in seen for tool in app.shows)]


def described_app(app: App) -> types.Resource:
    """An app as clients see it in the list: for the eyes of a person, and not for a model."""
    return types.Resource(
        uri=app.uri,
        name=app.name,
        title=app.title,
        description=app.description,
        mime_type=MIME_TYPE,
        annotations=types.Annotations(audience=["user"]),
        _meta=app.meta,
    )


def read_app(app: App, seen: frozenset[str]) -> types.ReadResourceResult:
    """Give the HTML of an app, which is the same for everybody.

    Raises:
        MCPError: -32602 when the agent sees none of the tools whose answers it shows.
    """
    if app not in apps_for(seen):
        needed = " or ".join(tool.name for tool in app.shows)
        raise MCPError(types.INVALID_PARAMS, f"{app.title} needs {needed}, which is off here.")
    contents = types.TextResourceContents(uri=app.uri, mime_type=MIME_TYPE, text=app.html, _meta=app.meta)
    return types.ReadResourceResult(contents=[contents], ttl_ms=_KEPT_MS, cache_scope="public")
