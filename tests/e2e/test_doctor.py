"""`doctor` as a person runs it: what it looks at, what it says, and that it changes nothing."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import quote

import anyio.to_thread
import pytest

from tests.e2e.conftest import Sandbox
from tests.e2e.people import ADMIN, Browser
from tests.e2e.processes import Ended, program, run
from tests.hostile_upstream import HostileUpstream, answer

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
    assert found(ended, "writes")[0].startswith("note: granted: scheduled_events:write; not granted: data_compliance")
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
    for client in ("cursor", "vscode"):
        run("install", client, "--sandbox", "--yes", **person)
    (tmp_path / ".codeium/windsurf").mkdir(parents=True)
    (tmp_path / ".config/zed").mkdir(parents=True)
    (tmp_path / ".config/zed/settings.json").write_text("{ // none\n")
    gone = {"command": "/gone/calendly-mcp"}
    (tmp_path / ".claude.json").write_text(json.dumps({"mcpServers": {"calendly": gone}}))
    ended = run("doctor", **person)
    assert ended.status == 1
    settings = tmp_path / ".config/zed/settings.json"
    again = "`calendly-mcp install claude-code` writes it again"
    assert found(ended, "clients") == [
        f'fix: Claude Code: "calendly" starts /gone/calendly-mcp, which is not there; {again}',
        *(
            f'ok: {title}: "calendly" starts {json.loads((tmp_path / file).read_text())[key]["calendly"]["command"]}'
            for title, file, key in (
                ("Cursor", CURSOR, "mcpServers"),
                ("VS Code", ".config/Code/User/mcp.json", "servers"),
            )
        ),
        f"fix: Zed: {settings}: line 2 is no JSON; the client reads none of it",
        "note: not set up: Windsurf (windsurf); `calendly-mcp install CLIENT` does it",
        "ok: not found on this machine: Claude Desktop",
    ]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (
            {"command": "sh", "args": ["calendly-mcp"], "env": {"CALENDLY_ACCESS_TOKEN": "s3cr3t"}},
            "is in the file itself",
        ),
        (
            {"command": "sh", "args": ["calendly-mcp"], "env": {"CALENDLY_ACCESS_TOKEN_FILE": "/nowhere"}},
            "takes its token from /nowhere: no such file",
        ),
        ({"url": "https://calendly.example.com/mcp"}, '"calendly" connects to a hosted server'),
        ({"command": "other"}, "not set up: Cursor (cursor)"),
    ],
    ids=str,
)
def test_what_a_client_is_told_is_looked_at(
    person: dict[str, str], tmp_path: Path, entry: dict[str, object], words: str
) -> None:
    (tmp_path / ".cursor").mkdir()
    (tmp_path / CURSOR).write_text(json.dumps({"mcpServers": {"calendly": entry, "other": {"url": "https://x/mcp"}}}))
    ended = run("doctor", **person)
    assert words in found(ended, "clients")[0]
    assert "s3cr3t" not in ended.stdout


def test_a_person_whose_clients_have_the_token_is_told_how_to_look_at_it(
    person: dict[str, str], tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("sandbox-pat-owner")
    file.chmod(0o644)
    run("install", "cursor", "--token-file", str(file), "--yes", **person)
    without = person | {"CALENDLY_ACCESS_TOKEN": ""}
    ended = run("doctor", **without)
    assert ended.status == 0
    assert f"CALENDLY_ACCESS_TOKEN_FILE={file} calendly-mcp doctor" in found(ended, "token")[0]
    ended = run("doctor", **without, CALENDLY_ACCESS_TOKEN_FILE=str(file))
    assert found(ended, "token")[1] == f"note: others on this machine can read {file}: chmod 600 {file}"
    file.chmod(0o600)
    assert len(found(run("doctor", **without, CALENDLY_ACCESS_TOKEN_FILE=str(file)), "token")) == 1


def test_the_folder_and_the_database_of_our_data_are_looked_at(person: dict[str, str], tmp_path: Path) -> None:
    folder = Path(person["XDG_DATA_HOME"], "calendly-mcp")
    assert found(run("doctor", **person), "data") == [f"ok: {folder} will be made when needed"]
    run("token", "list", **person | {"CALENDLY_ACCESS_TOKEN": ""})  # makes the database
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
