"""The command line as a person uses it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from importlib.metadata import version
from pathlib import Path

import httpx2
import pytest

import calendly_mcp_server
from server.commands.cli import COMMANDS
from tests.e2e.conftest import Sandbox
from tests.e2e.processes import Ended, program, run, run_apart
from tests.wheels import ROOMS
from tools import ALL

pytestmark = pytest.mark.usefixtures("fresh_sandbox")
MEASURED = pytest.mark.usefixtures("measured")


@pytest.fixture(scope="module")
def taken() -> Generator[str]:
    """Listen on a port, so that nobody else can."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield str(listener.getsockname()[1])


def complaint(ended: Ended, status: int) -> str:
    """The one line that a failed command wrote."""
    assert ended.status == status
    assert ended.stdout == ""
    [line] = ended.stderr.splitlines()
    assert line.startswith("calendly-mcp: ")
    return line.removeprefix("calendly-mcp: ")


def test_the_version_is_told() -> None:
    ended = run_apart("--version")
    assert (ended.status, ended.stdout) == (0, f"calendly-mcp {version('calendly-mcp-server')}\n")


def test_folders_of_other_programs_by_the_names_of_ours_are_not_in_the_way(tmp_path: Path) -> None:
    for room in ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").write_text("raise RuntimeError")
    words = [sys.executable, "-c", "from calendly_mcp_server import main; raise SystemExit(main())", "tools"]
    environ = {**os.environ, "PYTHONPATH": str(tmp_path)}
    ended = subprocess.run(words, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    module = Path(calendly_mcp_server.__file__)
    shutil.copy(module, tmp_path)  # as where another distribution wrote over ours
    (tmp_path / "server/__init__.py").write_text("")
    ended = subprocess.run(words, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "install calendly-mcp-server into an environment of its own" in complaint(
        Ended(ended.returncode, ended.stdout, ended.stderr), 1
    )


def test_help_names_every_command_and_setting_there_is_and_no_other() -> None:
    ended = run("--help")
    assert ended.status == 0
    for word in (*COMMANDS, "CALENDLY_ACCESS_TOKEN_FILE", "CALENDLY_CLIENT_ID", "DATABASE_URL", "--config"):
        assert word in ended.stdout
    assert "METRICS" not in ended.stdout
    assert run_apart("--help", PYTHONIOENCODING="ascii").stdout == ended.stdout.replace("…", "\\u2026")
    assert max(map(len, ended.stdout.splitlines())) <= 120


@pytest.mark.parametrize(
    "command", [*COMMANDS, "token create", "token list", "token revoke", "access explain", "keys rotate"]
)
def test_every_command_has_help(command: str) -> None:
    ended = run(*command.split(), "--help")
    assert ended.status == 0
    assert f"usage: calendly-mcp {command}" in ended.stdout
    assert not re.search("TOKEN(?!_FILE)", ended.stdout)  # secrets never come from the command line


@pytest.mark.requirement("stdio-default")
@pytest.mark.parametrize("words", [("stdio",), ("http", "--auth", "none"), ("whoami",), ()], ids=str)
def test_without_a_token_a_person_is_told_what_to_do(words: tuple[str, ...], taken: str) -> None:
    ended = run(*words, CALENDLY_MCP_PORT=taken)
    assert (ended.status, ended.stdout) == (2, "")
    assert ended.stderr.startswith("calendly-mcp: no access token is set")
    for word in (
        "Integrations & apps > API and webhooks",
        "scheduled_events:write",
        "CALENDLY_ACCESS_TOKEN",
        "CALENDLY_ACCESS_TOKEN_FILE",
        "calendly-mcp login",
        "calendly-mcp --sandbox",
    ):
        assert word in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.requirement("sandbox-port-flag", "exit-failure", "one-line-error")
@pytest.mark.parametrize(
    "words",
    [["http", "--port"], ["http", "--auth", "none", "--port"], ["sandbox", "--port"], ["--sandbox", "--sandbox-port"]],
    ids=" ".join,
)
def test_an_address_that_is_taken_is_one_line_and_status_1(
    words: list[str], settings: dict[str, str], taken: str
) -> None:
    token = {} if words == ["http", "--port"] else settings
    line = complaint(run(*words, taken, **token), 1)
    remedy = f"{words[-1]} names another port, and {words[-1]} 0 takes any free one."
    assert line == f"cannot listen on 127.0.0.1 port {taken}: Address already in use; {remedy}"


@pytest.mark.requirement("tools-table")
def test_tools_are_shown_as_a_table_and_as_json() -> None:
    heading, *rows = run("tools").stdout.splitlines()
    assert heading.split() == ["tool", "endpoint", "scope", "access", "capability", "toolsets"]
    assert [row.split()[0] for row in rows] == [tool.name for tool in ALL]
    listed = json.loads(run("tools", "--json").stdout)
    assert [tool["name"] for tool in listed] == [tool.name for tool in ALL]
    assert {key: listed[27][key] for key in ("method", "path", "scope", "access", "capability", "toolset")} == {
        "method": "POST",
        "path": "/data_compliance/deletion/invitees",
        "scope": "data_compliance:write",
        "access": "write",
        "capability": "data_deletion",
        "toolset": "endpoints",
    }


@MEASURED
def test_a_reader_that_has_had_enough_is_no_fault() -> None:
    with program("tools") as running:
        assert running.process.stdout is not None
        running.process.stdout.close()
        assert running.process.wait() == 1
        assert running.process.stderr is not None
        assert running.process.stderr.read() == ""


@pytest.mark.requirement("run-local", "whoami")
def test_whoami_tells_whose_token_it_is(settings: dict[str, str]) -> None:
    ended = run("whoami", **settings)
    assert (ended.status, ended.stderr) == (0, "")
    told = dict(line.split(maxsplit=1) for line in ended.stdout.splitlines())
    assert told["person"] == "Maya Lindqvist <maya@northlight.example>"
    assert told["zone"] == "Europe/Berlin"
    assert told["organization"].startswith("https://api.calendly.com/organizations/")
    assert told["scopes"].startswith("not known")


@pytest.mark.requirement("exit-failure")
@pytest.mark.parametrize(
    ("token", "line"),
    [
        ("sandbox-pat-noscopes", "whoami needs the scope users:read."),
        ("unknown", "Calendly answered 401 Unauthenticated: The access token is invalid. Make a new token in"),
    ],
)
def test_whoami_says_why_it_cannot_tell(settings: dict[str, str], token: str, line: str) -> None:
    ended = run("whoami", **settings | {"CALENDLY_ACCESS_TOKEN": token})
    assert line in complaint(ended, 1)


@pytest.mark.requirement("one-line-error")
def test_whoami_says_that_there_is_no_connection() -> None:
    ended = run("whoami", CALENDLY_ACCESS_TOKEN="x", CALENDLY_API_URL="http://127.0.0.1:1")
    assert "connection to Calendly failed. The address is http://127.0.0.1:1: check the" in complaint(ended, 1)


@pytest.mark.requirement("setting-precedence")
def test_a_flag_wins_over_the_environment_and_that_over_the_file(tmp_path: Path, sandbox: Sandbox) -> None:
    config = tmp_path / "settings.toml"
    config.write_text('CALENDLY_ACCESS_TOKEN = "from-the-file"\nCALENDLY_API_URL = "http://127.0.0.1:1"\n')
    config.chmod(0o600)
    words = ["whoami", "--config", str(config)]
    assert "connection to Calendly failed" in complaint(run(*words), 1)
    assert "401 Unauthenticated" in complaint(run(*words, CALENDLY_API_URL=sandbox.url), 1)
    assert run(*words, CALENDLY_API_URL=sandbox.url, CALENDLY_ACCESS_TOKEN="sandbox-pat-owner").status == 0
    flags = ["--api-url", "http://127.0.0.1:1"]
    assert "connection to Calendly failed" in complaint(run(*words, *flags, CALENDLY_API_URL=sandbox.url), 1)


@MEASURED
@pytest.mark.requirement("sandbox-serves", "ready-line", "free-port", "signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_sandbox_alone_serves_until_a_signal(number: signal.Signals) -> None:
    with program("sandbox", "--port", "0") as running:
        url = running.line("ready: ")
        headers = {"Authorization": "Bearer sandbox-pat-member"}
        assert httpx2.get(f"{url}/users/me", headers=headers).status_code == 200
        running.ask_to_stop(number)
        assert running.process.wait() == 0


@MEASURED
@pytest.mark.requirement(
    "run-sandbox", "sandbox-flag", "ready-line", "free-port", "sandbox-line", "sandbox-ignores", "host-port"
)
@pytest.mark.parametrize("auth", ["oauth", "none"])
def test_http_with_an_embedded_sandbox_says_where_both_answer_and_what_it_ignores(auth: str) -> None:
    ignored = {"CALENDLY_API_URL": "https://calendly.example", "CALENDLY_ACCESS_TOKEN": "real"}
    with program("http", "--auth", auth, "--sandbox", "--port", "0", **ignored) as running:
        assert set(running.line("ignored with --sandbox: ").split(", ")) == set(ignored)
        sandbox = running.line("sandbox: ")
        ready = running.line("ready: ")
        assert ready.endswith("/mcp")
        assert httpx2.get(f"{sandbox}/_sandbox/requests").json() == []
        assert httpx2.get(ready.replace("/mcp", "/readyz")).status_code == 200
        running.ask_to_stop()
        assert running.process.wait() == 0


@MEASURED
@pytest.mark.requirement("signals")
def test_a_signal_ends_http_after_the_calls_in_flight(settings: dict[str, str], sandbox: Sandbox) -> None:
    called = {"name": "get_current_user", "arguments": dict[str, str]()}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": called}
    accept = {"Accept": "application/json, text/event-stream"}
    with program("http", "--auth", "none", "--port", "0", **settings) as running:
        url = running.line("ready: ")
        sandbox.will_fail(path="/users/me", delay=2)
        with httpx2.stream("POST", url, json=body, headers=accept, timeout=30) as response:
            running.ask_to_stop()
            assert "Maya Lindqvist" in response.read().decode()
        assert running.process.wait() == 0


@pytest.mark.requirement("run-sandbox", "sandbox-flag", "demo-transcript", "demo-question", "demo-limits-scopes")
def test_the_demonstration_asks_its_person_and_fits_the_terminal() -> None:
    # Neither a token nor an address is needed, and nothing leaves the machine: the proxy is not there.
    elsewhere = "http://127.0.0.1:1"
    ended = run("demo", HTTP_PROXY=elsewhere, CALENDLY_API_URL=elsewhere, CALENDLY_ACCESS_TOKEN="wrong")
    assert (ended.status, ended.stderr) == (0, "")
    assert max(map(len, ended.stdout.splitlines())) <= 100
    told = " ".join(ended.stdout.split())
    for word in (
        "asked Cancel a meeting. This cannot be undone. Meeting: “Intro call”",
        "reply yes",
        "answer canceled by Maya Lindqvist",
        "Next: `calendly-mcp",
    ):
        assert word in told
