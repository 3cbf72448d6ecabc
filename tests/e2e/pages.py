"""A stage for the pages that people see: a hosted server, a client that sends them there, and the way to each page."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from typing_extensions import override

from tests.e2e.chromium import Page
from tests.e2e.hosting import App, Site, hosted, register

APP = "Claude Code (calendly)"
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

    def new_app(self) -> App:
        """Register the client, as one that nobody has let in yet."""
        return register(self.site, f"{self.loopback.address}/callback", APP)

    def way_in(self, app: App) -> str:
        """Where the client sends the browser."""
        return app.authorize_url(state=STATE, resource=self.site.endpoint)


@contextmanager
def loopback() -> Generator[Loopback]:
    """Run the client's web server."""
    with Loopback() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextmanager
def stage(folder: Path) -> Generator[Stage]:
    """Run a server whose database is in a folder."""
    database = f"sqlite:///{folder / 'data.sqlite'}"
    with (
        loopback() as client,
        hosted("--sandbox", "--database-url", database, CALENDLY_MCP_LOG_LEVEL="warning") as site,
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
    "error": _error,
    "sandbox-sign-in": _sandbox_sign_in,
    "sandbox-error": _sandbox_error,
}
"""How a person gets to every page there is."""
