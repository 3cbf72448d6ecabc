"""What of our entry stays when `install` writes it again, and what is said to go."""

import json
from pathlib import Path
from typing import Final

import pytest

from server.commands.install import WantedEntry, change_for
from server.installing.clients import CLIENTS
from server.installing.configuring import client_named
from server.installing.jsonc import Json
from server.installing.keeping import renewed
from server.installing.machine import Machine
from server.installing.starting import Start
from tests.cases import each

NEW: Final[dict[str, Json]] = {"command": "/new/calendly-mcp"}
URL: Final = "https://calendly.example.com/mcp"
ELSEWHERE: Final = "https://elsewhere.example.com/mcp"


@pytest.mark.requirement("install-keeps")
@each(
    "old, new, given, after, gone",
    [
        ({"command": "/old/calendly-mcp"}, NEW, (), NEW, ()),
        (
            {"command": "uvx", "args": ["calendly-mcp-server", "--read-only", "--access", "booking=ask"]},
            NEW,
            (),
            {**NEW, "args": ["--read-only", "--access", "booking=ask"]},
            (),
        ),
        (
            {"command": "/old/python", "args": ["-m", "server", "stdio", "--access=booking=off", "--toolsets", "x"]},
            {**NEW, "args": ["--access", "booking=ask"]},
            (),
            {**NEW, "args": ["stdio", "--access", "booking=ask", "--toolsets", "x"]},
            ("--access booking=off",),
        ),
        (
            {"command": "calendly-mcp", "env": {"CALENDLY_ACCESS_TOKEN_FILE": "/mine", "HTTPS_PROXY": "http://p"}},
            {**NEW, "env": {"CALENDLY_ACCESS_TOKEN_FILE": "/default", "XDG_DATA_HOME": "/data"}},
            (),
            {
                **NEW,
                "env": {"CALENDLY_ACCESS_TOKEN_FILE": "/mine", "XDG_DATA_HOME": "/data", "HTTPS_PROXY": "http://p"},
            },
            (),
        ),
        (
            {"command": "calendly-mcp", "args": ["--sandbox"], "env": {"CALENDLY_ACCESS_TOKEN": "s", "A": "b"}},
            {**NEW, "env": {"CALENDLY_ACCESS_TOKEN_FILE": "/given"}},
            ("CALENDLY_ACCESS_TOKEN_FILE",),
            {**NEW, "args": [], "env": {"CALENDLY_ACCESS_TOKEN_FILE": "/given", "A": "b"}},
            ("--sandbox", "CALENDLY_ACCESS_TOKEN"),
        ),
        (
            {"command": "calendly-mcp", "env": {"CALENDLY_ACCESS_TOKEN": "secret"}},
            {**NEW, "env": {"CALENDLY_ACCESS_TOKEN_FILE": "/default"}},
            (),
            {**NEW, "env": {"CALENDLY_ACCESS_TOKEN": "secret"}},
            (),
        ),
        (
            {"disabled": True, "command": "calendly-mcp", "timeout": 60, "cwd": "/x"},
            NEW,
            (),
            {"disabled": True, **NEW, "timeout": 60, "cwd": "/x"},
            (),
        ),
        (
            {"command": "calendly-mcp", "args": ["--read-only"], "env": {"A": "b"}, "disabled": True},
            {"url": URL},
            (),
            {"disabled": True, "url": URL},
            ("--read-only", "A"),
        ),
        (
            {"url": URL, "headers": {"Authorization": "s", "X-MCP-Readonly": "true"}},
            {"url": URL},
            (),
            {"url": URL, "headers": {"Authorization": "s", "X-MCP-Readonly": "true"}},
            (),
        ),
        (
            {"url": URL, "headers": {"Authorization": "s", "X-MCP-Readonly": "true"}},
            {"url": ELSEWHERE},
            (),
            {"url": ELSEWHERE, "headers": {"X-MCP-Readonly": "true"}},
            ("Authorization", URL),
        ),
        ({"url": URL, "headers": {"Authorization": "s"}}, NEW, (), NEW, ("Authorization", URL)),
        (
            {"command": "npx", "args": ["-y", "mcp-remote", URL, "--header", "X-MCP-Tools:a", "--header", "K:s"]},
            {"command": "npx", "args": ["-y", "mcp-remote", ELSEWHERE]},
            (),
            {"command": "npx", "args": ["-y", "mcp-remote", ELSEWHERE, "--header", "X-MCP-Tools:a"]},
            ("K", URL),
        ),
    ],
)
def test_what_the_person_set_stays_and_what_goes_is_told(
    old: dict[str, Json], new: dict[str, Json], given: tuple[str, ...], after: dict[str, Json], gone: tuple[str, ...]
) -> None:
    result = renewed(old, new, given)
    assert json.dumps(result.entry) == json.dumps(after)
    assert result.gone == gone


@each(
    "old, new, gone",
    [
        (
            ["--access", "canceling=off,booking=ask"],
            ["--access", "canceling=ask"],
            ["--access canceling=off", "--access booking=ask"],
        ),
        (["--access", "canceling=ask"], ["--access", "canceling=off"], []),
        (
            ["--access", "booking=ask:per_day=2"],
            ["--access", "booking=ask:per_day=3"],
            ["--access booking=ask:per_day=2"],
        ),
        (["--toolsets", "scheduling"], ["--toolsets", "scheduling,events"], ["--toolsets scheduling"]),
        (["--toolsets", "scheduling,events"], ["--toolsets=events"], []),
        (["--tools", "get_user"], ["--tools", "get_event_type"], ["--tools get_user"]),
        (
            ["--exclude-tools=get_user,list_contacts"],
            ["--exclude-tools", "get_user"],
            ["--exclude-tools list_contacts"],
        ),
        (["--booking-limits", "1/day"], ["--booking-limits", "9/day,3/min"], ["--booking-limits 1/day"]),
        (["--booking-limits", "9/day"], ["--booking-limits", "1/day"], []),
        (["--access", "nonsense"], ["--access", "canceling=ask"], []),
    ],
)
def test_a_limit_that_the_new_entry_has_otherwise_is_told_with_what_it_was(
    old: list[str], new: list[str], gone: list[str]
) -> None:
    before: dict[str, Json] = {"command": "calendly-mcp", "args": [*old]}
    assert [*renewed(before, {**NEW, "args": [*new]}, ()).gone] == gone


def test_a_limit_counts_where_it_stands_a_variable_a_file_or_a_header(tmp_path: Path) -> None:
    config = tmp_path / "limits.toml"
    config.write_text("CALENDLY_MCP_READ_ONLY = true\nCALENDLY_MCP_ACCESS = 'booking=off'\n")
    old: dict[str, Json] = {"command": "calendly-mcp", "env": {"CALENDLY_MCP_ACCESS": "canceling=off"}}
    assert renewed(old, {**NEW, "args": ["--access", "canceling=ask"]}, ()).gone == ("--access canceling=off",)
    old = {"command": "calendly-mcp", "args": ["--config", str(config)]}
    none = tmp_path / "none.toml"
    none.write_text("CALENDLY_MCP_PORT = 1\n")
    gone = renewed(old, {**NEW, "args": ["--config", str(none)]}, ()).gone
    assert gone == ("--access booking=off", "--read-only")
    for had, has, told in (("a", "a,b", ("X-MCP-Tools a",)), ("a,b", "a", ())):
        before: dict[str, Json] = {"url": URL, "headers": {"X-MCP-Tools": had}}
        assert renewed(before, {"url": URL, "headers": {"X-MCP-Tools": has}}, ()).gone == told


def test_what_is_no_text_in_an_entry_stays_as_well() -> None:
    env: dict[str, Json] = {"PORT": 1, "A": "b"}
    assert renewed({"command": "calendly-mcp", "env": env}, {"command": "x"}, ()).entry == {"command": "x", "env": env}


@each("client", CLIENTS)
def test_a_second_install_changes_nothing_of_what_the_first_one_wrote(client: object, tmp_path: Path) -> None:
    here = Machine("linux", tmp_path, {})
    known = client_named(str(getattr(client, "name", "")))
    file = known.file(here)
    file.parent.mkdir(parents=True, exist_ok=True)
    first, _ = change_for(known, here, WantedEntry(flags={"access": "booking=ask:per_day=5"}), Start("/o/calendly-mcp"))
    assert "booking=ask:per_day=5" in first.difference()
    file.write_text(first.after or "")
    again, gone = change_for(known, here, WantedEntry(), Start("/o/calendly-mcp"))
    assert (again.is_needed, gone) == (False, ())
    file.unlink()


@each(
    "name, readable",
    [("cursor", '{\n  "a": 1\n}\n'), ("gemini", '// hi\n{\n  "a": 1 // one\n}\n'), ("zed", None), ("vscode", None)],
)
def test_what_a_client_cannot_read_goes_from_the_file(name: str, readable: str | None, tmp_path: Path) -> None:
    written = '// hi\n{\n  "a": 1, // one\n}\n'
    client = client_named(name)
    assert client.readable(written) == (readable or written)
    here = Machine("linux", tmp_path, {})
    file = client.file(here)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(written.replace("\n", "\r\n"), encoding="utf-16")
    change, _ = change_for(client, here, WantedEntry(), Start("/o/calendly-mcp"))
    assert change.is_needed
    assert "\ufeff" not in (change.after or "")
    if readable and "//" not in readable:
        assert json.loads(change.after or "")["mcpServers"]["calendly"]["command"] == "/o/calendly-mcp"
