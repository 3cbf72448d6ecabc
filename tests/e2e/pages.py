"""A stage for the pages that people see: a hosted server, a client that sends them there, and the way to each page."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread

import anyio
import httpx2
from typing_extensions import override

from tests.e2e.chromium import Page
from tests.e2e.hosting import App, Site, hosted, let_minutes_pass, register
from tests.e2e.people import ADMIN, OWNER, Browser

APP = "Claude Code (calendly)"
OWNERS = "maya@northlight.example"
OPERATOR = {"CALENDLY_MCP_OPERATOR": "Northlight Studio", "CALENDLY_MCP_OPERATOR_CONTACT": "it@northlight.example"}
STATE = "what the client wants to see again"


class Loopback(ThreadingHTTPServer):
    """The client's own web server: pages by path, any other path is where people come back to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Shown)
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.pages: dict[str, str] = {}


class _Shown(BaseHTTPRequestHandler):
    server: Loopback  # pyright: ignore[reportIncompatibleVariableOverride] - socketserver sets it to the one it serves

    def do_GET(self) -> None:
        page = self.server.pages.get(self.path, "You can close this window.")
        body = f'<!DOCTYPE html><html lang="en"><title>The client</title><link rel="icon" href="data:,">{page}'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Keep the output of the tests to itself."""


@dataclass(frozen=True)
class Stage:
    """A server in front of its sandbox, and the web server of a client."""

    site: Site
    loopback: Loopback
    minutes: Iterator[int] = field(default_factory=lambda: count(2, 2))

    def new_app(self) -> App:
        """Register the client, as one that nobody has let in yet."""
        return register(self.site, f"{self.loopback.address}/callback", APP)

    def connect(self, app: App, person: str = OWNER) -> str:
        """Let the client in, as a person does; its access token."""
        landed = anyio.run(Browser(person).open, self.way_in(app))
        tokens = httpx2.post(f"{self.site.url}/token", data=app.code_form(landed)).raise_for_status().json()
        return str(tokens["access_token"])

    def let_time_pass(self) -> None:
        """Put minutes between sign-ins: Calendly gives one person few tokens in one."""
        let_minutes_pass(self.site.calendly, next(self.minutes))

    def way_in(self, app: App) -> str:
        """Where the client sends the browser."""
        return app.authorize_url(state=STATE, resource=self.site.endpoint)


@contextmanager
def loopback() -> Generator[Loopback]:
    """Run the client's web server."""
    with Loopback() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def stage(folder: Path) -> Generator[Stage]:
    """Run a server whose database is in a folder."""
    database = f"sqlite:///{folder / 'data.sqlite'}"
    with (
        loopback() as client,
        hosted(
            *("--sandbox", "--database-url", database),
            CALENDLY_MCP_LOG_LEVEL="warning",
            CALENDLY_MCP_OWNERS=OWNERS,
            **OPERATOR,
        ) as site,
    ):
        yield Stage(site, client)


def _front(page: Page, stage: Stage) -> None:
    page.go(stage.site.url)


def _consent(page: Page, stage: Stage) -> None:
    page.go(stage.way_in(stage.new_app()))


def _result(page: Page, stage: Stage) -> None:
    _consent(page, stage)
    page.tab_to("Do not allow")
    page.press_until("Enter", f"{stage.site.url}/consent")


def _error(page: Page, stage: Stage) -> None:
    page.go(stage.way_in(App(stage.site, "nobody", stage.loopback.address)))


def _page_sign_in(page: Page, stage: Stage) -> None:
    page.go(f"{stage.site.url}/connections")


def sign_in(page: Page, stage: Stage, path: str = "/connections", *, person: str = OWNER) -> None:
    """Sign in to a page, by keyboard."""
    stage.let_time_pass()
    page.go(f"{stage.site.url}{path}")
    page.tab_to("Sign in at Calendly")
    page.press_until("Enter", stage.site.calendly)
    page.tab_to(OWNER)
    while not page.focused().startswith(person):
        page.press("ArrowDown")
    page.tab_to("Allow")
    page.press_until("Enter", f"{stage.site.url}{path}")


def _agents(page: Page, stage: Stage) -> None:
    use_an_agent(stage)
    sign_in(page, stage)


def _agent(page: Page, stage: Stage) -> None:
    _agents(page, stage)
    page.tab_to(f"Change or disconnect {APP}")
    page.press_until("Enter", f"{stage.site.url}/connections/")


def _owners(page: Page, stage: Stage) -> None:
    stage.let_time_pass()
    stage.connect(stage.new_app(), ADMIN)
    use_an_agent(stage)
    sign_in(page, stage, "/connections/all")


def use_an_agent(stage: Stage, person: str = OWNER) -> str:
    """Let an agent in and have it do something; its access token."""
    stage.let_time_pass()
    token = stage.connect(stage.new_app(), person)
    for tool in ("get_current_user", "list_event_types"):
        assert call(stage, token, tool) == 200
    return token


def call(stage: Stage, token: str, tool: str, **arguments: object) -> int:
    """Call a tool; the HTTP status of the answer."""
    return _post(stage, token, tool, arguments).status_code


def _post(stage: Stage, token: str, tool: str, arguments: dict[str, object]) -> httpx2.Response:
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": tool, "arguments": arguments, "_meta": meta}
    headers = {
        "Accept": "application/json, text/event-stream",
        "Authorization": f"Bearer {token}",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": tool,
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return httpx2.post(stage.site.endpoint, json=body, headers=headers)


def _confirm(page: Page, stage: Stage) -> None:
    token = use_an_agent(stage)
    listed = _post(stage, token, "list_scheduled_events", {"status": "active", "sort": "start_time:desc", "count": 1})
    meeting = listed.json()["result"]["structuredContent"]["collection"][0]["uri"]
    asked = _post(stage, token, "cancel_scheduled_event", {"scheduled_event": meeting, "reason": "I am ill. Sorry!"})
    url: str = asked.json()["result"]["structuredContent"]["error"]["confirm_url"]
    sign_in(page, stage, url.removeprefix(stage.site.url))


def _sandbox_sign_in(page: Page, stage: Stage) -> None:
    _consent(page, stage)
    page.tab_to("Allow, and sign in")
    page.press_until("Enter", stage.site.calendly)


def _sandbox_error(page: Page, stage: Stage) -> None:
    page.go(f"{stage.site.calendly}/oauth/authorize")


WAYS: dict[str, Callable[[Page, Stage], None]] = {
    "front": _front,
    "consent": _consent,
    "result": _result,
    "sign-in": _page_sign_in,
    "agents": _agents,
    "agent": _agent,
    "owners": _owners,
    "confirm": _confirm,
    "error": _error,
    "sandbox-sign-in": _sandbox_sign_in,
    "sandbox-error": _sandbox_error,
}
"""How a person gets to every page there is."""
