"""A host of MCP Apps made for the tests: a page that shows an app in a sandboxed frame and relays what it asks for."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any, Final

from tests.e2e.chromium import MOST_STEPS, Browser, Page
from tests.e2e.pages import Loopback

TALL: Final = 1_800
"""A window in which the whole frame finds room: nothing scrolls away from under a click."""

EVERYTHING: Final[Mapping[str, object]] = {"serverTools": {}, "openLinks": {}, "updateModelContext": {"text": {}}}
"""What a host can do for a view."""

_FOCUSED: Final = """(({ariaLabel, labels, innerText}) => ariaLabel ?? labels?.[0]?.innerText ?? innerText)(
    document.activeElement)"""
_OUTLINES: Final = """[document.activeElement, document.activeElement.parentElement].map(
    (one) => getComputedStyle(one).outlineStyle).join(" ")"""
_PAGE: Final = (Path(__file__).parent / "app_host.html").read_text(encoding="utf-8")
_NUMBERS: Final = count()


@dataclass(frozen=True, kw_only=True)
class Host:
    """A host, and the call whose answer it shows.

    Attributes:
        loopback: Serves its page.
        endpoint: The MCP server.
        arguments: Of the call.
        tool: The tool that was called.
        capabilities: What the host can do.
        context: What the host says of itself.
        answers: What tools answer, by their names, where that is not left to the server.
        grows: The frame is as high as the view asks for; else it is high from the beginning. A browser finds out late
            where a frame that has just grown ends, and a click below goes to the page around it.
        refuses: The methods that it turns down.
        headers: What it sends the server besides.
        now: What time it is for the app, None for the machine's.
    """

    loopback: Loopback
    endpoint: str
    arguments: Mapping[str, object]
    tool: str = "list_event_type_available_times"
    capabilities: Mapping[str, object] = field(default_factory=lambda: EVERYTHING)
    context: Mapping[str, object] = field(default_factory=lambda: {"theme": "light", "timeZone": "Europe/Berlin"})
    answers: Mapping[str, object] = field(default_factory=dict[str, object])
    grows: bool = False
    refuses: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    now: str | None = None

    def but(self, **changes: Any) -> "Host":  # noqa: ANN401 - any of the fields
        """Make a host that differs."""
        return replace(self, **changes)

    def show(self, browser: Browser, *, width: int = 760, height: int = TALL, dark: bool = False) -> "View":
        """Open its page, and wait for the app."""
        told = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "loopback"}
        path = f"/conversation-{next(_NUMBERS)}"
        # In a script no text may end the script.
        self.loopback.pages[path] = _PAGE.replace("/* host */", json.dumps(told).replace("<", "\\u003c"))
        page = browser.open(width=width, height=height, dark=dark)
        page.go(f"{self.loopback.address}{path}")
        return View(page)


@dataclass(frozen=True)
class View:
    """The app in its frame, as a person sees it, and the host around it."""

    page: Page

    def text(self) -> str:
        """Tell what can be read in the frame."""
        return str(self.page.within("document.body.innerText"))

    def says(self, part: str) -> str:
        """Tell what the elements that a selector finds say, one a line."""
        return str(
            self.page.within(f"[...document.querySelectorAll({part!r})].map((one) => one.innerText).join('\\n')")
        )

    def heard(self, method: str) -> list[dict[str, Any]]:
        """List what the view has sent the host by a method so far."""
        self._answered()  # what it sent before it answers has arrived
        sent: list[dict[str, Any]] = self.page.script("heard")
        return [message["params"] for message in sent if message.get("method") == method]

    def calls(self, tool: str) -> list[dict[str, Any]]:
        """List the arguments with which the view called a tool."""
        return [params["arguments"] for params in self.heard("tools/call") if params["name"] == tool]

    def answers(self) -> list[dict[str, Any]]:
        """List what tools answered to the view."""
        return list(self.page.script("answers"))

    def focused(self) -> str:
        """Tell the name of what has the focus in the frame."""
        return str(self.page.within(_FOCUSED))

    def tab_to(self, name: str) -> None:
        """Press Tab until what has a name has the focus, and is seen to have it."""
        for _ in range(MOST_STEPS):
            self.page.press("Tab")
            if self.focused().startswith(name):
                assert "solid" in self.page.within(_OUTLINES), name
                return
        raise AssertionError(f"{name!r} is out of reach")

    def picture(self, path: Path) -> None:
        """Write what it looks like in its host, once the frame is as high as it wants to be."""
        for drawn in (self.page.within, self.page.script):
            drawn("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(() => drawn(0))))")
        self.page.picture(path)

    def tell(self, method: str, **params: object) -> None:
        """Have the host say something, and wait until the view has heard it: until it answers what is asked then."""
        self._answered(f"tell({json.dumps({'method': method, 'params': params})});")

    def _answered(self, before: str = "") -> None:
        """Have the host ask whether the view is there, after a script of its own, and wait for the answer."""
        number = next(_NUMBERS)
        self.page.script(
            f"""new Promise((answered) => {{
                addEventListener("message", ({{ data }}) => data.id === "ping {number}" && answered(0));
                {before}
                tell({{ id: "ping {number}", method: "ping", params: {{}} }});
            }})"""
        )

    def see_answer(self, answer: Mapping[str, object], **arguments: object) -> None:
        """Have the host hand over the answer to another call."""
        self.tell("ui/notifications/tool-input", arguments=arguments)
        self.tell("ui/notifications/tool-result", **answer)
