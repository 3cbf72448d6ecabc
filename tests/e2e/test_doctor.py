"""`doctor` as a person runs it: what it looks at, what it says, and that it changes nothing."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio.to_thread
import pytest

from auth.access.levels import LOCAL
from calendly.scopes import includes
from server.calls.selection import Rules, select
from tests.cases import each
from tests.documents import ROOT
from tests.e2e.conftest import Sandbox
from tests.e2e.people import ADMIN, Browser
from tests.e2e.processes import Ended, command, program, run
from tests.hostile_upstream import HostileUpstream, answer
from tools import ALL, GUIDE_TOOLS, WORKFLOWS

CURSOR = ".cursor/mcp.json"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """Settings of a person with a home of their own and a Calendly that is not there."""
    folders = {"XDG_DATA_HOME": str(tmp_path / "data"), "XDG_CONFIG_HOME": "", "CLAUDE_CONFIG_DIR": ""}
    return {"HOME": str(tmp_path), **folders, "CALENDLY_API_URL": "http://127.0.0.1:1"}


@pytest.fixture
def person(home: dict[str, str], sandbox: Sandbox) -> dict[str, str]:
    """Settings of a person whose Calendly is the sandbox."""
    return {**home, "CALENDLY_API_URL": sandbox.url, "CALENDLY_ACCESS_TOKEN": "sandbox-pat-owner"}


def found(ended: Ended, about: str) -> list[str]:
    """The findings of one kind, each as its state and text in one line."""
    lines: list[str] = []
    for line in ended.stdout.splitlines():
        if line[:2] == "  ":
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return [f"{line[:6].strip()}: {line[15:]}" for line in lines if line[6:15].strip() == about]


@pytest.mark.requirement("doctor", "doctor-reads-only")
def test_what_is_in_order_is_said_and_nothing_is_changed(person: dict[str, str], sandbox: Sandbox) -> None:
    ended = run("doctor", **person)
    assert (ended.status, ended.stderr) == (0, "")
    assert found(ended, "network") == [f"ok: {sandbox.url} answers"]
    assert found(ended, "clock") == ["ok: this machine's clock agrees with Calendly's"]
    assert found(ended, "token") == ["ok: the token works; it belongs to Maya Lindqvist <maya@northlight.example>"]
    [reads] = found(ended, "reads")
    for scope in ("users", "event_types", "availability", "scheduled_events", "organizations", "webhooks"):
        assert f"{scope}:read" in reads
    assert found(ended, "limits")[0].startswith("ok: 500 calls a minute, ")
    assert found(ended, "plan")[0].startswith("ok: paid, going by")
    assert "unknown until used" in found(ended, "writes")[0]
    assert ended.stdout.endswith("\nEverything that was checked is in order.\n")
    assert "sandbox-pat-owner" not in ended.stdout
    assert [request for request in sandbox.requests() if not request.startswith("GET ")] == []
    assert len(sandbox.requests()) == 7
    assert not Path(person["XDG_DATA_HOME"]).exists()


def test_it_works_with_a_sandbox_of_its_own(home: dict[str, str]) -> None:
    ended = run("doctor", "--sandbox", **home)
    assert ended.status == 0
    assert "Maya Lindqvist" in ended.stdout
    assert found(ended, "data") == []


@pytest.mark.anyio
async def test_a_sign_in_is_looked_at_with_what_was_granted(person: dict[str, str], sandbox: Sandbox) -> None:
    machine = {**person, "CALENDLY_ACCESS_TOKEN": "", "CALENDLY_ISSUER": sandbox.url, "PATH": "/nowhere"}
    less = "users:read scheduled_events:write"
    with program("login", "--redirect-port", "0", **machine, CALENDLY_SCOPES=less) as login:
        assert login.process.stdout is not None
        address = next(line.strip() for line in login.process.stdout if "http" in line)
        await Browser(ADMIN).arrive(address)
        assert login.end().status == 0
    ended = run("doctor", **machine)
    assert ended.status == 0
    assert found(ended, "token")[0].startswith("ok: the sign-in works; it belongs to ")
    assert found(ended, "writes")[0].startswith(
        "note: granted: scheduled_events:write; not granted: availability:write data_compliance"
    )
    assert "missing: event_types:read (" in found(ended, "reads")[1]
    sandbox.reset()
    ended = run("doctor", **machine)
    assert ended.status == 1
    assert "Run `calendly-mcp login` again" in found(ended, "token")[0]


def test_a_sign_in_that_cannot_be_read_is_to_be_repeated(person: dict[str, str], sandbox: Sandbox) -> None:
    folder = Path(person["XDG_DATA_HOME"], "calendly-mcp")
    folder.mkdir(parents=True)
    (folder / f"login-{quote(sandbox.url, safe='')}").write_text("nonsense")
    ended = run("doctor", **person | {"CALENDLY_ACCESS_TOKEN": ""})
    assert ended.status == 1
    assert found(ended, "token")[0].startswith("fix: The stored login cannot be used; run `calendly-mcp login` again.")


def test_nobody_learns_the_way_on_later_than_from_the_first_run(home: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".cursor").mkdir()
    (tmp_path / CURSOR).write_text("nonsense")
    ended = run("doctor", **home)
    assert ended.status == 1
    [token] = found(ended, "token")
    assert token.startswith("fix: no access token is set and nobody signed in")
    for word in ("Personal access tokens", "scheduled_events:write", "calendly-mcp --sandbox"):
        assert word in ended.stdout
    assert "3 things to fix, marked fix above." in ended.stdout


@pytest.mark.requirement("doctor")
@pytest.mark.parametrize(
    ("token", "about", "words"),
    [
        ("unknown", "token", "fix: Calendly does not accept the token (any more): Calendly answered 401"),
        ("sandbox-pat-noscopes", "reads", "fix: the token has no scope that reads anything: grant it users:read"),
    ],
)
def test_a_token_that_does_not_work_is_to_be_fixed(person: dict[str, str], token: str, about: str, words: str) -> None:
    ended = run("doctor", **person | {"CALENDLY_ACCESS_TOKEN": token})
    assert ended.status == 1
    assert found(ended, about)[0].startswith(words)
    assert "1 thing to fix, marked fix above." in ended.stdout
    assert token == "unknown" or token not in ended.stdout


@pytest.mark.requirement("doctor")
def test_the_plan_of_somebody_who_pays_nothing_is_told(person: dict[str, str]) -> None:
    ended = run("doctor", **person | {"CALENDLY_ACCESS_TOKEN": "sandbox-pat-free"})
    assert ended.status == 0
    assert found(ended, "plan")[0].startswith("ok: Free, going by its limit")


def test_a_network_without_calendly_is_to_be_fixed(person: dict[str, str]) -> None:
    ended = run("doctor", **person | {"CALENDLY_API_URL": "http://127.0.0.1:1"})
    assert ended.status == 1
    assert found(ended, "network")[0].startswith("fix: http://127.0.0.1:1: it cannot be reached: ")
    assert found(ended, "token") == []


@pytest.mark.requirement("doctor")
@pytest.mark.anyio
async def test_a_clock_that_is_off_is_to_be_fixed(person: dict[str, str]) -> None:
    late = format_datetime(datetime.now(UTC) + timedelta(hours=3), usegmt=True)
    async with HostileUpstream.listen() as upstream:
        upstream.otherwise = answer(401, {"title": "Unauthenticated", "message": "No."}, date=late)
        with program("doctor", **person | {"CALENDLY_API_URL": upstream.origin}) as doctor:
            ended = await anyio.to_thread.run_sync(doctor.end)
    assert ended.status == 1
    assert found(ended, "clock")[0].startswith("fix: this machine's clock is 3 hours behind Calendly's")


@pytest.mark.requirement("doctor")
def test_the_clients_of_the_machine_are_looked_at(person: dict[str, str], tmp_path: Path) -> None:
    run("install", "cursor", "--sandbox", "--yes", **person)
    run("install", "vscode", "--sandbox", "--read-only", "--yes", **person)
    (tmp_path / ".codeium/windsurf").mkdir(parents=True)
    (tmp_path / ".config/zed").mkdir(parents=True)
    (tmp_path / ".config/zed/settings.json").write_text("{ // none\n")
    listed = tmp_path / ".gemini/settings.json"
    listed.parent.mkdir()
    listed.write_text("[1, 2]")
    gone = {"command": "/gone/calendly-mcp"}
    (tmp_path / ".claude.json").write_text(json.dumps({"mcpServers": {"calendly": gone}}))
    ended = run("doctor", **person)
    assert ended.status == 1
    settings = tmp_path / ".config/zed/settings.json"
    again = "`calendly-mcp install claude-code` writes it again"
    unread, mend = "the client reads none of it", "mend it, or move it away and run `calendly-mcp install"
    on = select(ALL, Rules(ceiling=LOCAL)).listed
    able = '"calendly" starts and acts for Maya Lindqvist <maya@northlight.example> in the sandbox, with'
    assert found(ended, "clients") == [
        f'fix: Claude Code: "calendly" starts /gone/calendly-mcp, which is not there; {again}',
        f"ok: Cursor: {able} {len(on)} tools, {len([tool for tool in on if tool.access == 'write'])} of which write",
        f"ok: VS Code: {able} {len([tool for tool in on if tool.access == 'read'])} tools, none of which writes",
        f"fix: Zed: {settings}: line 2 is no JSON; {unread}: {mend} zed`, which makes another",
        f"fix: Gemini CLI: {listed}: it is no JSON object; {unread}: {mend} gemini`, which makes another",
        "note: not set up: Windsurf (windsurf); `calendly-mcp install CLIENT` does it",
        "ok: not found on this machine: Claude Desktop, Codex CLI, GitHub Copilot CLI, JetBrains Junie",
    ]


US = [*command()[1:], "--agent-name", "calendly-mcp"]  # one word of ours makes the entry ours


@pytest.mark.requirement("doctor")
@each(
    "entry, words",
    [
        (
            {"command": "sh", "args": ["-c", "echo calendly-mcp: no >&2", "calendly-mcp"]},
            'fix: Cursor: "calendly" does not start: no',
        ),
        ({"command": "sh", "args": ["-c", "exit 3", "calendly-mcp"]}, 'fix: Cursor: "calendly" does not start: '),
        (
            {"command": sys.executable, "args": [*US, "--acess", "x"]},
            'fix: Cursor: "calendly" does not start: --acess: there is no such flag; did you mean --access?',
        ),
        (
            {"command": sys.executable, "args": US},  # the token of the shell is not the client's
            'fix: Cursor: "calendly" does not start: ',
        ),
        (
            {"command": sys.executable, "args": US, "env": {"CALENDLY_ACCESS_TOKEN": "sandbox-pat-noscopes"}},
            'fix: Cursor: "calendly" starts, but cannot read: ',
        ),
        (
            {
                "command": sys.executable,
                "args": [*US, "--tools", "list_event_types"],
                "env": {"CALENDLY_ACCESS_TOKEN": "s"},
            },
            'ok: Cursor: "calendly" starts and answers, with 1 tools, none of which writes; it has no tool that says',
        ),
        (
            {"command": "sh", "args": ["calendly-mcp"], "env": {"CALENDLY_ACCESS_TOKEN_FILE": "/nowhere"}},
            "from /nowhere: no such file; `calendly-mcp install cursor --token-file FILE` names another",
        ),
        (
            {"command": "sh", "args": ["calendly-mcp"], "env": {"CALENDLY_ACCESS_TOKEN": "${input:token}"}},
            'note: Cursor: "calendly" was not tried, since Cursor itself fills in CALENDLY_ACCESS_TOKEN',
        ),
        ({"command": "sh", "args": ["calendly-mcp"], "disabled": True}, 'note: Cursor: "calendly" is switched off in'),
        ({"url": "http://127.0.0.1:1/mcp"}, 'fix: Cursor: "calendly" cannot reach http://127.0.0.1:1/mcp: '),
        ({"url": "SANDBOX/mcp"}, "answers 404; `calendly-mcp install cursor --remote URL` names another"),
        ({"command": "other"}, "note: not set up: Cursor (cursor)"),
    ],
)
def test_every_entry_is_tried_as_its_client_would(
    person: dict[str, str], sandbox: Sandbox, tmp_path: Path, entry: dict[str, Any], words: str
) -> None:
    (tmp_path / ".cursor").mkdir(exist_ok=True)
    env = {"PYTHONPATH": str(ROOT), "CALENDLY_API_URL": sandbox.url, **entry.get("env", {})}
    known = {**entry, "env": env} if sys.executable in entry.values() else entry
    servers = {"calendly": known, "other": {"url": "https://x/mcp"}}
    (tmp_path / CURSOR).write_text(json.dumps({"mcpServers": servers}).replace("SANDBOX", sandbox.url))
    ended = run("doctor", **person)
    assert words in found(ended, "clients")[0]
    assert ended.status == found(ended, "clients")[0].startswith("fix: ")


def test_a_hosted_endpoint_is_reached_and_a_token_in_the_file_is_noticed(
    person: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / ".cursor").mkdir()
    with program("http", "--sandbox", "--port", "0") as server:
        url = server.line("ready: ")
        (tmp_path / CURSOR).write_text(json.dumps({"mcpServers": {"calendly": {"url": url}}}))
        assert found(run("doctor", **person), "clients")[0] == (
            f'ok: Cursor: "calendly" reaches {url}, where Cursor signs in by browser'
        )
    env = {"PYTHONPATH": str(ROOT), "CALENDLY_ACCESS_TOKEN": "s3cr3t"}
    entry = {"command": sys.executable, "args": [*US, "--sandbox"], "env": env}
    (tmp_path / CURSOR).write_text(json.dumps({"mcpServers": {"calendly": entry}}))
    ended = run("doctor", **person)
    assert found(ended, "clients")[1].startswith('note: Cursor: "calendly" has its token in the file itself; ')
    assert "s3cr3t" not in ended.stdout


def test_a_file_that_only_other_programs_read_is_to_be_fixed(person: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / ".cursor").mkdir()
    for text in ('{"mcpServers": {}} // mine', '\ufeff{"mcpServers": {}}'):
        (tmp_path / CURSOR).write_text(text)
        assert "`calendly-mcp install cursor` takes out" in found(run("doctor", **person), "clients")[0]
        run("install", "cursor", "--remote", "http://127.0.0.1:1", "--yes", **person)
        assert "cannot reach http://127.0.0.1:1/mcp" in found(run("doctor", **person), "clients")[0]


def test_what_is_wrong_in_one_section_does_not_hide_the_others(person: dict[str, str]) -> None:
    ended = run("doctor", **person | {"CALENDLY_MCP_REDONLY": "true"})
    assert ended.status == 1
    [wrong] = found(ended, "settings")
    assert wrong.startswith('fix: the environment sets "CALENDLY_MCP_REDONLY", which is no setting')
    assert found(ended, "clients") != []
    assert run("doctor", "--api-url", "nonsense", **person).status == 2


@pytest.mark.requirement("setting-secrets-exposed")
def test_a_person_whose_clients_have_the_token_is_told_how_to_look_at_it(
    person: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("sandbox-pat-owner")
    file.chmod(0o644)
    run("install", "cursor", "--token-file", str(file), "--api-url", person["CALENDLY_API_URL"], "--yes", **person)
    without = person | {"CALENDLY_ACCESS_TOKEN": ""}
    ended = run("doctor", **without)
    assert f"CALENDLY_ACCESS_TOKEN_FILE={file} calendly-mcp doctor" in found(ended, "token")[0]
    (tmp_path / CURSOR).unlink()
    ended = run("doctor", **without, CALENDLY_ACCESS_TOKEN_FILE=str(file))
    warning = f"others on this machine can read {file}: chmod 600 {file}"
    assert found(ended, "token")[1] == f"note: {warning}"
    assert run("whoami", **without, CALENDLY_ACCESS_TOKEN_FILE=str(file)).stderr.endswith(f": {warning}\n")
    file.chmod(0o600)
    assert len(found(run("doctor", **without, CALENDLY_ACCESS_TOKEN_FILE=str(file)), "token")) == 1
    assert run("whoami", **without, CALENDLY_ACCESS_TOKEN_FILE=str(file)).stderr == ""


def test_what_lists_scopes_for_everything_names_all_that_the_tools_on_by_default_need(
    home: dict[str, str], person: dict[str, str]
) -> None:
    needed = {scope for tool in (*GUIDE_TOOLS, *WORKFLOWS) for scope in tool.scopes}
    page = (ROOT / "docs/start-local.md").read_text()
    for listed in (run("whoami", **home).stderr, run("doctor", **home).stdout, page):
        assert includes(re.findall(r"[a-z_]+:(?:read|write)", listed), needed), listed
    [unknown] = found(run("doctor", **person), "writes")
    assert "availability:write" in unknown


def test_the_folder_and_the_database_of_our_data_are_looked_at(person: dict[str, str], tmp_path: Path) -> None:
    folder = Path(person["XDG_DATA_HOME"], "calendly-mcp")
    assert found(run("doctor", **person), "data") == [f"ok: {folder} will be made when needed"]
    folder.mkdir(mode=0o700, parents=True)
    (folder / "calendly-mcp.sqlite3").touch(0o600)
    opened = run("doctor", **person)
    assert found(opened, "data") == [
        f"ok: {folder} can be written",
        "ok: the database of the audit log opens, with the keys that it needs",
    ]
    database = tmp_path / "record.sqlite3"
    database.write_text("no database")
    ended = run("doctor", "--database-url", f"sqlite:///{database}", **person)
    assert ended.status == 1
    assert found(ended, "data")[0].startswith("fix: ")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("a file")
    folder = elsewhere / "calendly-mcp"
    ended = run("doctor", **person | {"XDG_DATA_HOME": str(elsewhere)})
    assert found(ended, "data")[0].startswith(f"fix: {folder} cannot be written")
