"""Clients set up from the command line, and the servers that they then start."""

import json
import os
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from server.installing.clients import CLIENTS, ClientProgram, args_of, command_of
from server.installing.machine import Machine
from tests.e2e.processes import Ended, run
from tests.server.desk import call

CURSOR = "/.cursor/mcp.json"


def install(home: Path, *words: str, stdin: str = "", **settings: str) -> Ended:
    """Run `install` for a person whose home this is."""
    return run("install", *words, stdin=stdin, HOME=str(home), XDG_CONFIG_HOME="", XDG_DATA_HOME="", **settings)


def told_to_start(client: ClientProgram, home: Path) -> list[str]:
    """The command line in the configuration of a client that was set up with the sandbox."""
    assert install(home, client.name, "--sandbox", "--yes").status == 0
    told = client.form.find(client.file(Machine("linux", home, {})).read_text(), (client.key, "calendly"))
    command = command_of(told)
    assert command is not None
    return [command, *args_of(told)]


def entry(home: Path) -> dict[str, object]:
    """The server in Cursor's configuration."""
    found: dict[str, object] = json.loads(Path(f"{home}{CURSOR}").read_text())["mcpServers"]["calendly"]
    return found


@pytest.mark.requirement("install")
@pytest.mark.anyio
async def test_every_client_is_told_to_start_what_answers_it(tmp_path: Path) -> None:
    told = [told_to_start(client, tmp_path) for client in CLIENTS]
    assert told == told[:1] * len(CLIENTS)
    # Only what the SDK hands on by itself: a client gives its servers little of its own environment.
    command, *words = told[0]
    started = StdioServerParameters(command=command, args=words, cwd=tmp_path)
    async with Client(stdio_client(started), mode="legacy") as connected:
        assert (await call(connected, "get_current_user")).content["name"] == "Maya Lindqvist"


@pytest.mark.requirement("install")
def test_a_change_is_shown_and_asked_about_and_a_no_changes_nothing(tmp_path: Path) -> None:
    for answer in ("n\n", "\n", ""):
        declined = install(tmp_path, "cursor", stdin=answer)
        assert declined.status == 1
        assert '+    "calendly": {' in declined.stdout
        assert f"Write this to {tmp_path}{CURSOR}? [y/N]" in declined.stdout
        assert "Nothing was changed. --yes writes without asking." in declined.stdout
        assert not Path(f"{tmp_path}{CURSOR}").exists()
    assert install(tmp_path, "cursor", stdin="y\n").status == 0
    assert set(entry(tmp_path)) == {"command"}


def test_a_second_run_says_that_nothing_changes(tmp_path: Path) -> None:
    first = install(tmp_path, "cursor", "--yes")
    assert first.stdout.splitlines()[-4:] == [
        "Written: ~/.cursor/mcp.json.",
        "Open Cursor's settings for MCP and check that the server is on.",
        "It acts for the person who signed in with `calendly-mcp login`; --token-file names a token instead.",
        "`calendly-mcp doctor` says whether everything is in order.",
    ]
    second = install(tmp_path, "cursor", "--yes")
    assert second.stdout == f"Cursor is set up already: {tmp_path}{CURSOR} stays as it is.\n"
    assert len([*tmp_path.rglob("*.bak")]) == 0


def test_a_client_that_seems_not_to_be_there_is_asked_about(tmp_path: Path) -> None:
    words = f"There is no folder {tmp_path}/.cursor yet. Is Cursor on this machine, and was it started once?\n"
    assert install(tmp_path, "cursor", stdin="n\n").stderr == words
    (tmp_path / ".cursor").mkdir()
    assert install(tmp_path, "cursor", stdin="n\n").stderr == ""


@pytest.mark.requirement("uninstall")
def test_uninstall_takes_out_what_install_put_in(tmp_path: Path) -> None:
    install(tmp_path, "cursor", "--sandbox", "--yes")
    removed = run("uninstall", "cursor", "--yes", HOME=str(tmp_path))
    assert removed.status == 0
    assert '-    "calendly": {' in removed.stdout
    assert "The old file is kept as ~/.cursor/mcp.json." in removed.stdout
    assert json.loads(Path(f"{tmp_path}{CURSOR}").read_text()) == {"mcpServers": {}}
    again = run("uninstall", "cursor", HOME=str(tmp_path))
    assert again.stdout == f"Cursor has no such entry: {tmp_path}{CURSOR} stays as it is.\n"
    assert run("uninstall", "zed", HOME=str(tmp_path), XDG_CONFIG_HOME="").status == 0
    install(tmp_path, "cursor", "--yes")
    assert run("uninstall", "cursor", stdin="n\n", HOME=str(tmp_path)).status == 1


def test_the_file_of_the_token_and_of_settings_are_named_by_their_whole_paths(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret")
    (tmp_path / "settings.toml").write_text("CALENDLY_MCP_MAX_WAIT = 5\n")
    here = {"HOME": str(tmp_path), "XDG_DATA_HOME": ""}
    assert run("install", "cursor", "--yes", CALENDLY_ACCESS_TOKEN_FILE="~/token", **here).status == 0
    assert entry(tmp_path)["env"] == {"CALENDLY_ACCESS_TOKEN_FILE": str(tmp_path / "token")}
    relative = os.path.relpath(tmp_path)
    words = ["--token-file", f"{relative}/token", "--config", f"{relative}/settings.toml", "--read-only"]
    assert run("install", "cursor", "--yes", *words, **here).status == 0
    config = Path(f"{relative}/settings.toml").absolute()
    assert entry(tmp_path)["args"] == ["--read-only", "--config", str(config)]
    assert entry(tmp_path)["env"] == {"CALENDLY_ACCESS_TOKEN_FILE": str(Path(f"{relative}/token").absolute())}


def test_a_token_of_the_environment_stays_out_of_the_file(tmp_path: Path) -> None:
    ended = install(tmp_path, "cursor", "--yes", CALENDLY_ACCESS_TOKEN="s3cr3t")
    assert "no secret is written into Cursor's file" in ended.stderr
    assert "s3cr3t" not in ended.stdout + ended.stderr + Path(f"{tmp_path}{CURSOR}").read_text()


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [
        ("https://Calendly.example.com/", "https://calendly.example.com/mcp"),
        ("https://calendly.example.com/mcp", "https://calendly.example.com/mcp"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/mcp"),
    ],
)
def test_a_hosted_server_is_named_by_its_address(address: str, endpoint: str, tmp_path: Path) -> None:
    assert install(tmp_path, "cursor", "--remote", address, "--yes").status == 0
    assert entry(tmp_path) == {"url": endpoint}


def test_claude_desktop_is_told_of_both_ways_to_a_hosted_server(tmp_path: Path) -> None:
    ended = install(tmp_path, "claude-desktop", "--remote", "https://calendly.example.com", "--yes")
    assert "needs Node.js" in ended.stdout
    assert "Connectors > Add custom connector, with https://calendly.example.com/mcp" in ended.stdout


def test_a_broken_file_is_not_touched(tmp_path: Path) -> None:
    file = Path(f"{tmp_path}{CURSOR}")
    file.parent.mkdir()
    file.write_text('{"mcpServers": ')
    for command in ("install", "uninstall"):
        ended = run(command, "cursor", "--yes", HOME=str(tmp_path))
        assert (ended.status, ended.stdout) == (1, "")
        assert "so it stays as it is" in ended.stderr
    assert file.read_text() == '{"mcpServers": '
