"""What `install` writes into the configuration of each client, on each system, and that nothing else is touched."""

import json
import stat
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from server.commands.install import WantedEntry, change_for, entry_for
from server.commands.uninstall import removal
from server.configuration.settings import TOKEN_FILE
from server.configuration.terminal import CommandError, UsageError
from server.installing import jsonc, toml_text
from server.installing.client_files import read, write
from server.installing.clients import CLIENTS, ClientProgram, Local, Remote, is_our_entry
from server.installing.configuring import client_named
from server.installing.jsonc import Json
from server.installing.machine import Machine
from server.installing.starting import PUBLISHED, Start, how_to_start

NOW: Final = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
START: Final = Start("/opt/calendly/bin/calendly-mcp")
SYSTEMS: Final = ("linux", "darwin", "win32")

PLACES: Final = {
    ("claude-desktop", "linux"): ".config/Claude/claude_desktop_config.json",
    ("claude-desktop", "darwin"): "Library/Application Support/Claude/claude_desktop_config.json",
    ("claude-desktop", "win32"): "AppData/Roaming/Claude/claude_desktop_config.json",
    ("claude-code", "linux"): ".claude.json",
    ("claude-code", "darwin"): ".claude.json",
    ("claude-code", "win32"): ".claude.json",
    ("cursor", "linux"): ".cursor/mcp.json",
    ("cursor", "darwin"): ".cursor/mcp.json",
    ("cursor", "win32"): ".cursor/mcp.json",
    ("vscode", "linux"): ".config/Code/User/mcp.json",
    ("vscode", "darwin"): "Library/Application Support/Code/User/mcp.json",
    ("vscode", "win32"): "AppData/Roaming/Code/User/mcp.json",
    ("windsurf", "linux"): ".codeium/windsurf/mcp_config.json",
    ("windsurf", "darwin"): ".codeium/windsurf/mcp_config.json",
    ("windsurf", "win32"): ".codeium/windsurf/mcp_config.json",
    ("zed", "linux"): ".config/zed/settings.json",
    ("zed", "darwin"): ".config/zed/settings.json",
    ("zed", "win32"): "AppData/Roaming/Zed/settings.json",
    **{("codex", system): ".codex/config.toml" for system in SYSTEMS},
    **{("gemini", system): ".gemini/settings.json" for system in SYSTEMS},
    **{("copilot", system): ".copilot/mcp-config.json" for system in SYSTEMS},
    **{("junie", system): ".junie/mcp/mcp.json" for system in SYSTEMS},
}

STARTED: Final = {"command": START.command, "args": ["--read-only"], "env": {TOKEN_FILE: "/run/token"}}
ENTRIES: Final = {
    "claude-desktop": ("mcpServers", STARTED),
    "claude-code": ("mcpServers", {"type": "stdio", **STARTED}),
    "cursor": ("mcpServers", STARTED),
    "vscode": ("servers", {"type": "stdio", **STARTED}),
    "windsurf": ("mcpServers", STARTED),
    "zed": ("context_servers", STARTED),
    "codex": ("mcp_servers", STARTED),
    "gemini": ("mcpServers", STARTED),
    "copilot": ("mcpServers", {"type": "stdio", **STARTED, "tools": ["*"]}),
    "junie": ("mcpServers", STARTED),
}

READ_ONLY: Final = {"read_only": "true"}
URL: Final = "https://calendly-mcp.example.com/mcp"
LIMITED: Final = {"X-MCP-Readonly": "true"}
REMOTE: Final = {
    "claude-desktop": {"command": "npx", "args": ["-y", "mcp-remote", URL, "--header", "X-MCP-Readonly:true"]},
    "claude-code": {"type": "http", "url": URL, "headers": LIMITED},
    "cursor": {"url": URL, "headers": LIMITED},
    "vscode": {"type": "http", "url": URL, "headers": LIMITED},
    "windsurf": {"serverUrl": URL, "headers": LIMITED},
    "zed": {"url": URL, "headers": LIMITED},
    "codex": {"url": URL, "http_headers": LIMITED},
    "gemini": {"httpUrl": URL, "headers": LIMITED},
    "copilot": {"type": "http", "url": URL, "headers": LIMITED, "tools": ["*"]},
    "junie": {"command": "npx", "args": ["-y", "mcp-remote", URL, "--header", "X-MCP-Readonly:true"]},
}


def named(client: ClientProgram) -> str:
    return client.name


def machine(home: Path, platform: str = "linux", **environ: str) -> Machine:
    return Machine(platform, home, environ)


def wanted(home: Path) -> WantedEntry:
    token = home / "token"
    token.write_text("secret")
    return WantedEntry(token_file=token, flags=READ_ONLY)


def others(client: ClientProgram) -> Json:
    """A configuration that somebody has already."""
    other: dict[str, Json] = {"command": "x", "env": {"KEY": "s3cr3t"}}
    return {"first": True, client.key: {"other": other}, "last": {"z": 1, "a": 2}}


def written(client: ClientProgram, content: Json) -> str:
    """Write a configuration as the client does."""
    if client.form is jsonc:
        return json.dumps(content, indent=4)
    assert isinstance(content, dict)
    tables = [name for name, one in content.items() if isinstance(one, dict)]
    rest = "".join(f"{name} = {json.dumps(one)}\n" for name, one in content.items() if name not in tables)
    return rest + "\n".join(toml_text.put("", [name], content[name]) for name in tables)


def parsed(client: ClientProgram, file: Path) -> dict[str, Any]:
    """Read a configuration as the client does: JSON and nothing else where its maker tells of no more."""
    parse = json.loads if client.form is jsonc else tomllib.loads
    found: dict[str, Any] = parse(file.read_text())
    return found


@pytest.mark.parametrize("platform", SYSTEMS)
@pytest.mark.parametrize("client", CLIENTS, ids=named)
def test_a_client_gets_the_server_on_every_system_and_loses_it_again(
    client: ClientProgram, platform: str, tmp_path: Path
) -> None:
    here = machine(tmp_path, platform)
    file = tmp_path / PLACES[client.name, platform]
    file.parent.mkdir(parents=True, exist_ok=True)
    before = written(client, others(client))
    file.write_text(before)
    wish = wanted(tmp_path)

    write(change_for(client, here, wish, START)[0], NOW)

    key, entry = ENTRIES[client.name]
    assert client.key == key
    after = parsed(client, file)
    assert after.pop(key)["calendly"] == entry | {"env": {TOKEN_FILE: str(wish.token_file)}}
    assert json.dumps(after) == json.dumps({"first": True, "last": {"z": 1, "a": 2}})
    assert not change_for(client, here, wish, START)[0].is_needed

    write(removal(client, here, "calendly"), NOW)
    assert file.read_text() == before
    assert not removal(client, here, "calendly").is_needed


@pytest.mark.parametrize("client", CLIENTS, ids=named)
def test_a_hosted_server_is_written_in_each_clients_own_form(client: ClientProgram, tmp_path: Path) -> None:
    here = machine(tmp_path)
    write(change_for(client, here, WantedEntry(remote=URL, flags=READ_ONLY), START)[0], NOW)
    file = tmp_path / PLACES[client.name, "linux"]
    entry = parsed(client, file)[client.key]["calendly"]
    assert entry == REMOTE[client.name]
    assert is_our_entry(entry)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "headers" not in client.remote(Remote(URL))
    assert not removal(client, here, "other").is_needed


def test_the_environment_moves_the_folders_that_it_names(tmp_path: Path) -> None:
    moved = machine(tmp_path, XDG_CONFIG_HOME=str(tmp_path / "xdg"), CLAUDE_CONFIG_DIR=str(tmp_path / "claude"))
    assert client_named("vscode").file(moved) == tmp_path / "xdg/Code/User/mcp.json"
    assert client_named("zed").file(moved) == tmp_path / "xdg/zed/settings.json"
    assert client_named("claude-code").file(moved) == tmp_path / "claude/.claude.json"
    assert client_named("cursor").file(moved) == tmp_path / ".cursor/mcp.json"
    windows = machine(tmp_path, "win32", APPDATA=str(tmp_path / "roaming"))
    assert client_named("zed").file(windows) == tmp_path / "roaming/Zed/settings.json"


def test_claude_desktop_from_microsofts_store_has_a_folder_of_its_own(tmp_path: Path) -> None:
    here, client = machine(tmp_path, "win32"), client_named("claude-desktop")
    usual = client.file(here)
    (tmp_path / "AppData/Local/Packages/Claude_pzs8sxrjxfjjc").mkdir(parents=True)
    store = client.file(here)
    assert "LocalCache" in store.parts
    usual.parent.mkdir(parents=True)
    assert client.file(here) == usual
    store.parent.mkdir(parents=True)
    store.write_text("{}")
    assert client.file(here) == store


def test_comments_of_a_file_stay_where_they_are(tmp_path: Path) -> None:
    here, client = machine(tmp_path), client_named("zed")
    file = client.file(here)
    file.parent.mkdir(parents=True)
    file.write_text('\ufeff// Zed settings\r\n{\r\n  "vim_mode": true, // of course\r\n}\r\n', newline="")
    before = file.read_bytes()
    write(change_for(client, here, WantedEntry(), START)[0], NOW)
    after = file.read_bytes().decode()
    assert after.startswith('// Zed settings\r\n{\r\n  "vim_mode": true, // of course\r\n  "context_servers": {\r\n')
    [copy] = file.parent.glob("settings.json.*.bak")
    assert copy.read_bytes() == before


def test_the_copy_and_the_file_keep_the_mode_and_a_link_stays_one(tmp_path: Path) -> None:
    here, client = machine(tmp_path), client_named("cursor")
    dotfiles = tmp_path / "dotfiles"
    dotfiles.mkdir()
    real = dotfiles / "mcp.json"
    real.write_text("{}")
    real.chmod(0o640)
    file = client.file(here)
    file.parent.mkdir()
    file.symlink_to(real)
    copy = write(change_for(client, here, WantedEntry(), START)[0], NOW)
    assert copy is not None
    assert (copy.name, copy.read_text()) == ("mcp.json.20261201-093000-000000.bak", "{}")
    assert file.is_symlink()
    assert "calendly" in real.read_text()
    assert {stat.S_IMODE(path.stat().st_mode) for path in (real, copy)} == {0o640}
    assert sorted(path.name for path in dotfiles.iterdir()) == ["mcp.json"]


@pytest.mark.parametrize("broken", ['{"mcpServers": {', '{"mcpServers": []}', "[]", '{"a": 1} {"b": 2}'])
def test_a_file_that_the_client_cannot_read_is_not_touched_and_what_to_put_there_is_shown(
    broken: str, tmp_path: Path
) -> None:
    here, client = machine(tmp_path), client_named("cursor")
    file = client.file(here)
    file.parent.mkdir()
    file.write_text(broken)
    with pytest.raises(CommandError) as refused:
        change_for(client, here, WantedEntry(flags={"sandbox": "true"}), START)
    assert "so it stays as it is" in str(refused.value)
    assert json.loads(str(refused.value).split("\n", 1)[1]) == {
        "mcpServers": {"calendly": {"command": START.command, "args": ["--sandbox"]}}
    }
    assert file.read_text() == broken


def test_a_file_that_is_no_text_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "mcp.json").write_bytes(b"\xff\xfex")
    with pytest.raises(CommandError, match="cannot be read: it is not text"):
        read(tmp_path / "mcp.json")
    with pytest.raises(CommandError, match="cannot be read"):
        read(tmp_path)


def test_a_file_that_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    here, client = machine(tmp_path), client_named("claude-code")
    change, _ = change_for(client, here, WantedEntry(), START)
    change.file.write_text('{"numStartups": 7}')
    with pytest.raises(CommandError, match="has changed meanwhile"):
        write(change, NOW)
    assert change.file.read_text() == '{"numStartups": 7}'


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    here, client = machine(tmp_path), client_named("windsurf")
    (tmp_path / ".codeium").write_text("")
    with pytest.raises(CommandError, match="cannot be"):
        write(change_for(client, here, WantedEntry(), START)[0], NOW)


def test_a_file_whose_copy_cannot_be_kept_stays_as_it_is(tmp_path: Path) -> None:
    here, client = machine(tmp_path), client_named("cursor")
    file = client.file(here)
    file.parent.mkdir()
    file.write_text("{}")
    (file.parent / "mcp.json.20261201-093000-000000.bak").mkdir()
    with pytest.raises(CommandError, match="It is as it was"):
        write(change_for(client, here, WantedEntry(), START)[0], NOW)
    assert file.read_text() == "{}"
    assert len([*file.parent.iterdir()]) == 2


def test_the_server_of_somebody_else_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    here, client = machine(tmp_path), client_named("cursor")
    file = client.file(here)
    file.parent.mkdir()
    file.write_text('{"mcpServers": {"calendly": {"url": "https://mcp.calendly.example"}}}')
    with pytest.raises(CommandError, match="--name NAME puts this one beside it"):
        change_for(client, here, WantedEntry(), START)
    with pytest.raises(CommandError, match="is another server"):
        removal(client, here, "calendly")
    write(change_for(client, here, WantedEntry(name="ours"), START)[0], NOW)
    assert list(json.loads(file.read_text())["mcpServers"]) == ["calendly", "ours"]


@pytest.mark.parametrize(
    "entry",
    [
        {"command": "/x/.venv/bin/calendly-mcp"},
        {"command": "C:\\Tools\\calendly-mcp.exe", "args": ["--sandbox"]},
        {"command": "uvx", "args": ["calendly-mcp-server"]},
        {"command": "pipx", "args": ["run", "calendly-mcp-server"]},
        {"command": "/x/python", "args": ["-m", "server"]},
        {"command": "npx", "args": ["-y", "mcp-remote", "http://127.0.0.1:8000/mcp"]},
        {"url": "https://example.com/mcp"},
        {"serverUrl": "https://example.com/mcp"},
    ],
    ids=str,
)
def test_entries_of_ours_are_known_however_the_program_came_to_the_machine(entry: Json) -> None:
    assert is_our_entry(entry)


@pytest.mark.parametrize(
    "entry",
    [
        {"command": "uvx", "args": ["other-server"]},
        {"command": "npx", "args": ["mcp-remote", "https://example.com/sse"]},
        {"command": "calendly", "args": "calendly-mcp"},
        {"url": "https://example.com"},
        {"url": 7},
        {},
        [],
        "calendly-mcp",
    ],
    ids=str,
)
def test_entries_of_others_are_not_taken_for_ours(entry: Json) -> None:
    assert not is_our_entry(entry)


def test_the_difference_tells_the_change_and_no_secret(tmp_path: Path) -> None:
    here, client = machine(tmp_path), client_named("cursor")
    file = client.file(here)
    file.parent.mkdir()
    entry = {"command": "calendly-mcp", "env": {"CALENDLY_ACCESS_TOKEN": "s3cr3t-1"}, "headers": {"A": "s3cr3t-2"}}
    other = {"command": "x", "args": ["--key", "s3cr3t-3"], "url": "https://x.example/s3cr3t-4"}
    text = json.dumps({"mcpServers": {"other": other, "calendly": entry}}, indent=2)
    file.write_text(text.replace('"args"', '// s3cr3t-5\n"args"'))
    wish = wanted(tmp_path)
    shown = change_for(client, here, wish, START)[0].difference()
    assert "s3cr3t" not in shown
    assert '-        "CALENDLY_ACCESS_TOKEN": "…"' in shown
    assert f'+        "{TOKEN_FILE}": "{wish.token_file}"' in shown
    assert '+      "command": "/opt/calendly/bin/calendly-mcp"' in shown.replace('",', '"')
    hosted = change_for(client, here, WantedEntry(remote=URL, flags=READ_ONLY), START)[0].difference()
    assert f'"url": "{URL}"' in hosted
    assert '"X-MCP-Readonly": "true"' in hosted
    assert "s3cr3t" not in removal(client, here, "calendly").difference()


def test_a_header_that_a_bridge_is_given_is_hidden_unless_it_only_limits(tmp_path: Path) -> None:
    here, client = machine(tmp_path), client_named("claude-desktop")
    file = client.file(here)
    file.parent.mkdir(parents=True)
    bridge = ["-y", "mcp-remote", URL, "--header", "Authorization:Bearer s3cr3t"]
    file.write_text(json.dumps({"mcpServers": {"calendly": {"command": "npx", "args": bridge}}}))
    shown = change_for(client, here, WantedEntry(remote=URL, flags=READ_ONLY), START)[0].difference()
    assert "s3cr3t" not in shown
    assert "X-MCP-Readonly:true" in shown


def test_the_difference_counts_its_lines_from_the_beginning_of_the_file(tmp_path: Path) -> None:
    here, client = machine(tmp_path), client_named("claude-code")
    client.file(here).write_text(json.dumps({**{f"k{n}": n for n in range(5000)}, "mcpServers": {}}, indent=2))
    head, _, hunk, *lines = change_for(client, here, WantedEntry(), START)[0].difference().splitlines()
    assert head == f"--- {client.file(here)}"
    assert hunk == "@@ -4999,5 +4999,10 @@"
    assert lines[:3] == ['   "k4997": 4997,', '   "k4998": 4998,', '   "k4999": 4999,']


def test_the_sign_in_is_found_by_a_server_that_inherits_nothing(tmp_path: Path) -> None:
    bus = "unix:path=/run/user/1000/bus"
    here = machine(tmp_path, XDG_DATA_HOME=str(tmp_path), DBUS_SESSION_BUS_ADDRESS=bus)
    client = client_named("cursor")
    assert entry_for(client, here, WantedEntry(), START)["env"] == {
        "XDG_DATA_HOME": str(tmp_path),
        "DBUS_SESSION_BUS_ADDRESS": bus,
    }
    passing = machine(tmp_path, XDG_DATA_HOME="here", DBUS_SESSION_BUS_ADDRESS="unix:abstract=/tmp/dbus-1,guid=2")
    assert "env" not in entry_for(client, passing, WantedEntry(), START)
    assert "env" not in entry_for(client, here, WantedEntry(flags={"sandbox": "true"}), START)


@pytest.mark.parametrize(
    ("wish", "fault"),
    [
        ({"remote": URL, "flags": {"sandbox": "true"}}, "--sandbox is for a server that the client starts"),
        ({"remote": URL, "token_file": Path("x")}, "--token-file is for a server that the client starts"),
        ({"token_file": Path("/nowhere")}, "--token-file: there is no file /nowhere."),
        ({"config": Path("/nowhere.toml")}, "--config: there is no file /nowhere.toml."),
        ({"name": ""}, "--name: must be letters"),
        ({"name": "a b"}, "--name: must be letters"),
    ],
    ids=str,
)
def test_wishes_that_do_not_go_together_are_refused(wish: dict[str, object], fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        WantedEntry(**wish)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - each is of its kind


class Programs:
    """Programs that are on the PATH."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def which(self, name: str) -> str | None:
        """Find one."""
        return f"/usr/bin/{name}" if name in self.names else None


def test_a_server_is_started_by_the_script_of_its_own_environment(tmp_path: Path) -> None:
    interpreter = tmp_path / "python"
    nothing = Programs().which
    assert how_to_start(tmp_path, {}, "linux", nothing, interpreter) == Start(str(interpreter), ("-m", "server"))
    for platform, name in (("linux", "calendly-mcp"), ("win32", "calendly-mcp.exe")):
        (tmp_path / name).touch()
        assert how_to_start(tmp_path, {}, platform, nothing, interpreter) == Start(str(tmp_path / name))


def test_a_server_that_was_run_once_is_started_by_what_ran_it(tmp_path: Path) -> None:
    cache = tmp_path / "uv/archive-v0/8fh3"
    uv = tmp_path / "bin/uv"
    uv.parent.mkdir()
    script = cache / "bin/calendly-mcp"
    script.parent.mkdir(parents=True)
    script.touch()
    python = cache / "bin/python"
    both = Programs("uvx", "pipx").which
    assert how_to_start(cache, {}, "linux", Programs().which, python) == PUBLISHED
    assert how_to_start(cache, {"UV": str(uv)}, "linux", both, python) == Start("/usr/bin/uvx", PUBLISHED.args)
    uv.with_name("uvx").touch()
    found = Start(str(uv.with_name("uvx")), ("calendly-mcp-server",))
    assert how_to_start(cache, {"UV": str(uv)}, "linux", both, python) == found
    pipx = tmp_path / "pipx/.cache/8fh3"
    assert how_to_start(pipx, {}, "linux", both, python) == Start("/usr/bin/pipx", ("run", "calendly-mcp-server"))
    kept = tmp_path / "pipx/venvs/calendly-mcp-server"
    assert how_to_start(kept, {}, "linux", both, python) == Start(str(script))


def test_a_client_that_is_not_known_is_answered_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="did you mean vscode"):
        client_named("VS-Code")
    with pytest.raises(UsageError, match="there are: claude-desktop, claude-code, cursor"):
        client_named("emacs")


def test_what_is_empty_is_left_out() -> None:
    assert client_named("cursor").local(Local(Start("x"))) == {"command": "x"}
    assert client_named("zed").local(Local(Start("x"))) == {"command": "x", "args": [], "env": {}}
    assert jsonc.read("") == {}
