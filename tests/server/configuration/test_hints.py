"""How the commands in hints are spelled: so that a person can type them where they read them."""

from pathlib import Path
from typing import Final

import pytest

from server.configuration.hints import as_typed, typed
from tests.cases import each

VENV: Final = Path("/home/maya/clone/.venv")
KNOWN: Final = {"calendly-mcp": "/usr/bin/calendly-mcp", "uvx": "/usr/bin/uvx"}


@each(
    "started, prefix, is_typed",
    [
        (".venv/bin/calendly-mcp", VENV, ".venv/bin/calendly-mcp"),
        ("/usr/bin/calendly-mcp", Path("/usr"), "calendly-mcp"),
        ("/opt/my programs/calendly-mcp", Path("/opt"), "'/opt/my programs/calendly-mcp'"),
        ("/x/archive-v0/y/bin/calendly-mcp-server", Path("/x/archive-v0/y"), "uvx calendly-mcp-server"),
        ("/home/maya/.cache/pipx/a/bin/calendly-mcp", Path("/home/maya/.cache/pipx/a"), "pipx run calendly-mcp-server"),
        ("/usr/lib/python3/server/__main__.py", VENV, "calendly-mcp"),
        ("", VENV, "calendly-mcp"),
    ],
)
def test_the_program_is_typed_as_it_was_started_unless_the_shell_knows_its_name(
    started: str, prefix: Path, is_typed: str
) -> None:
    assert typed(started, prefix, KNOWN.get) == is_typed


def test_only_commands_in_backticks_are_spelled_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [".venv/bin/calendly-mcp"])
    text = "calendly-mcp: run `calendly-mcp login`, or `calendly-mcp-server`, or `calendly-mcp`."
    spelled = "calendly-mcp: run `.venv/bin/calendly-mcp login`, or `calendly-mcp-server`, or `.venv/bin/calendly-mcp`."
    assert as_typed(text) == spelled
    assert f"`{tmp_path}/.venv/bin/calendly-mcp login`" in as_typed(text, anywhere=True)
