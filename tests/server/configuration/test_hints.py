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
        ("/opt/calendly-mcp/bin/calendly-mcp", Path("/opt/calendly-mcp"), "/opt/calendly-mcp/bin/calendly-mcp"),
        ("", VENV, "calendly-mcp"),
    ],
)
def test_the_program_is_typed_as_it_was_started_unless_the_shell_knows_its_name(
    started: str, prefix: Path, is_typed: str
) -> None:
    assert typed(started, prefix, KNOWN.get) == is_typed


def test_a_module_and_an_image_are_typed_by_what_runs_them() -> None:
    module, nowhere = "/home/maya/clone/server/__main__.py", dict[str, str]().get
    assert typed(module, VENV, nowhere, interpreter="/my python/bin/python") == "'/my python/bin/python' -m server"
    script = {"/venv/bin/calendly-mcp": "/venv/bin/calendly-mcp"}.get
    assert typed(module, VENV, script, interpreter="/venv/bin/python") == "/venv/bin/calendly-mcp"
    image = Path("/opt/calendly-mcp")
    from_outside = "docker run --rm --interactive --tty calendly-mcp-server"
    assert typed("/opt/calendly-mcp/bin/calendly-mcp", image, KNOWN.get, process=1) == from_outside
    assert typed("/usr/bin/calendly-mcp", Path("/usr"), KNOWN.get, process=1) == "calendly-mcp"


def test_only_commands_in_backticks_are_spelled_anew(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [".venv/bin/calendly-mcp"])
    text = "calendly-mcp: run `calendly-mcp login`, or `calendly-mcp-server`, or `calendly-mcp`."
    spelled = "calendly-mcp: run `.venv/bin/calendly-mcp login`, or `calendly-mcp-server`, or `.venv/bin/calendly-mcp`."
    assert as_typed(text) == spelled
    assert as_typed("`A_B=/x calendly-mcp doctor`") == "`A_B=/x .venv/bin/calendly-mcp doctor`"
    assert f"`{tmp_path}/.venv/bin/calendly-mcp login`" in as_typed(text, anywhere=True)
