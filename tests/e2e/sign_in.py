"""A hosted server in front of its sandbox, with a client that sends people there; and how to get to its pages."""

import base64
import hashlib
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlencode

import httpx2
from typing_extensions import override

from tests.e2e.browser import Page
from tests.e2e.processes import program

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
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
class Hosted:
    """A server in front of its sandbox, and a client that registered there."""

    issuer: str
    sandbox: str
    loopback: Loopback

    def register(self) -> str:
        """Register the client, as one that nobody has let in yet; its id."""
        said = {
            "client_name": APP,
            "redirect_uris": [f"{self.loopback.address}/callback"],
            "token_endpoint_auth_method": "none",
        }
        registered = httpx2.post(f"{self.issuer}/register", json=said).raise_for_status()
        return str(registered.json()["client_id"])

    def authorize_url(self, client: str) -> str:
        """Where the client sends the browser."""
        asked = {
            "response_type": "code",
            "client_id": client,
            "redirect_uri": f"{self.loopback.address}/callback",
            "state": STATE,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "resource": f"{self.issuer}/mcp",
        }
        return f"{self.issuer}/authorize?{urlencode(asked)}"

    def redeem(self, client: str, code: str) -> dict[str, str]:
        """Have the client exchange a code; the answer of the token endpoint."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": client,
            "redirect_uri": f"{self.loopback.address}/callback",
            "code_verifier": VERIFIER,
        }
        answered: dict[str, str] = httpx2.post(f"{self.issuer}/token", data=form).raise_for_status().json()
        return answered


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
def hosted(folder: Path) -> Generator[Hosted]:
    """Run a server whose database is in a folder."""
    words = ("http", "--sandbox", "--port", "0", "--database-url", f"sqlite:///{folder / 'data.sqlite'}")
    with loopback() as client, program(*words, CALENDLY_MCP_LOG_LEVEL="warning") as server:
        sandbox = server.line("sandbox: ")
        yield Hosted(server.line("ready: ").removesuffix("/mcp"), sandbox, client)


def _front(page: Page, hosted: Hosted) -> None:
    page.go(hosted.issuer)


def _consent(page: Page, hosted: Hosted) -> None:
    page.go(hosted.authorize_url(hosted.register()))


def _result(page: Page, hosted: Hosted) -> None:
    _consent(page, hosted)
    page.tab_to("Do not allow")
    page.press_until("Enter", f"{hosted.issuer}/consent")


def _error(page: Page, hosted: Hosted) -> None:
    page.go(hosted.authorize_url("nobody"))


def _sandbox_sign_in(page: Page, hosted: Hosted) -> None:
    _consent(page, hosted)
    page.tab_to("Allow, and sign in")
    page.press_until("Enter", hosted.sandbox)


def _sandbox_error(page: Page, hosted: Hosted) -> None:
    page.go(f"{hosted.sandbox}/oauth/authorize")


WAYS: dict[str, Callable[[Page, Hosted], None]] = {
    "front": _front,
    "consent": _consent,
    "result": _result,
    "error": _error,
    "sandbox-sign-in": _sandbox_sign_in,
    "sandbox-error": _sandbox_error,
}
"""How a person gets to every page there is."""
