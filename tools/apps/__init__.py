"""Apps: answers of tools as HTML that a host shows in a frame (MCP Apps).

The extension is `io.modelcontextprotocol/ui` (SEP-1865, as of 2026-01-26). A tool's `_meta` names
the app that shows its answers. A host with the extension reads the app's HTML, puts it in a
sandboxed frame and hands it the tool's arguments and answer. Other hosts ignore it: no answer
depends on an app.

An app is one folder with a page, a style and scripts, joined into one document. It loads nothing
and talks to its host only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from tools.endpoints.availability import list_event_type_available_times
from tools.toolset.tool import Tool, tool_of

EXTENSION: Final = "io.modelcontextprotocol/ui"
MIME_TYPE: Final = "text/html;profile=mcp-app"

_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class App:
    """One app.

    Attributes:
        name: Its name and the name of its folder.
        title: A few words for a person.
        description: A sentence for a person.
        shows: The tools whose answers it shows.
        scripts: Its scripts, in order.
    """

    name: str
    title: str
    description: str
    shows: tuple[Tool, ...]
    scripts: tuple[str, ...]

    @property
    def uri(self) -> str:
        """The URI of its HTML."""
        return f"ui://calendly/{self.name.replace('_', '-')}"

    @property
    def meta(self) -> dict[str, object]:
        """The `_meta` of its HTML: no other origins, and a border."""
        nowhere: dict[str, list[str]] = {
            kind: [] for kind in ("connectDomains", "resourceDomains", "frameDomains", "baseUriDomains")
        }
        return {"ui": {"csp": nowhere, "prefersBorder": True}}

    @cached_property
    def html(self) -> str:
        """The whole document."""
        script = "\n".join(self._read(name) for name in self.scripts)
        page = self._read("page.html")
        page = page.replace("<style></style>", f"<style>\n{self._read('style.css')}</style>")
        return page.replace("<script></script>", f"<script>\n{script}</script>")

    def _read(self, name: str) -> str:
        return (_FOLDER / self.name / name).read_text(encoding="utf-8")


SLOT_PICKER: Final = App(
    name="slot_picker",
    title="Slot picker",
    description="Open times as a calendar to click: choose one, tell the conversation or book it.",
    shows=(tool_of(list_event_type_available_times),),
    scripts=("times.js", "host.js", "calendar.js", "booking.js", "picker.js"),
)

APPS: Final = (SLOT_PICKER,)

_SHOWN_BY: Final[Mapping[str, App]] = {tool.name: app for app in APPS for tool in app.shows}


def app_at(uri: str) -> App | None:
    """Return the app whose HTML is read at a URI, None where there is none."""
    return next((app for app in APPS if app.uri == uri), None)


def view_of(tool: Tool) -> dict[str, object]:
    """Return the part of a tool's `_meta` that names its app; empty for a tool without one.

    Every host gets it, declared or not: some hosts show apps without declaring the extension, and a
    list that is the same for all can be cached.
    """
    app = _SHOWN_BY.get(tool.name)
    return {"ui": {"resourceUri": app.uri}} if app else {}
