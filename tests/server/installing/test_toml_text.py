"""TOML edited as text: nothing but the table of ours changes."""

import tomllib
from typing import Any, Final

import pytest

from server.installing.jsonc import Json, NotAnObjectError, UnreadableError
from server.installing.toml_text import find, put, remove, shown
from tests.cases import each

PATH: Final = ("mcp_servers", "calendly")
ENTRY: Final[dict[str, Json]] = {"command": "/opt/calendly-mcp", "args": ["--read-only"], "env": {"A": 'say "é"\x7f'}}

OTHERS: Final = '''# Codex, as I like it
model = "gpt-5"  # the good one

[mcp_servers.docs] # somebody else's
url = "https://docs.example.com/mcp"
args = [
  "[not a header]",
]

# A prompt with what looks like a table
[profiles.work]
prompt = """
[mcp_servers.calendly]
command = "no"
"""
'''


def test_what_is_added_and_removed_leaves_every_other_byte() -> None:
    with_ours = put(OTHERS, PATH, ENTRY)
    assert with_ours.startswith(OTHERS)
    assert find(with_ours, PATH) == ENTRY
    assert put(with_ours, PATH, ENTRY) == with_ours
    assert remove(with_ours, PATH) == OTHERS
    assert remove(OTHERS, PATH) == OTHERS
    assert find(put("", PATH, ENTRY), PATH) == ENTRY


def test_only_the_lines_that_say_something_else_change() -> None:
    mine = f"""{OTHERS}
# ours: ask me before touching it
[mcp_servers.calendly]
command = "/old/calendly-mcp" # moved soon
startup_timeout_sec = 20 # slow disk
args = ["--read-only"] # be careful
# the end

[mcp_servers.calendly.env]
A = "b" # a variable
GONE = "c"

[tui]
notifications = true
"""
    wanted: dict[str, Json] = {
        "command": "/new/calendly-mcp",
        "startup_timeout_sec": 20,
        "args": ["--read-only"],
        "env": {"A": "b", "NEW": "d"},
    }
    after = put(mine, PATH, wanted)
    assert tomllib.loads(after)["mcp_servers"]["calendly"] == wanted
    for kept in ("# ours: ask", "20 # slow disk", "# be careful", "# the end", "# a variable", "[tui]", OTHERS):
        assert kept in after
    assert "GONE" not in after
    assert tomllib.loads(remove(after, PATH)) == tomllib.loads(f"{OTHERS}\n[tui]\nnotifications = true\n")


@each(
    "text",
    [
        '[mcp_servers."calendly"]\ncommand = "x"\n',
        "[ mcp_servers . calendly ]\ncommand = 'x'\n[mcp_servers.calendly.env]\nA = '1'\n",
        '[mcp_servers.calendly]\ncommand = "x"\nargs = [\n  "a",\n  "b",\n]\nenv = { A = "1" }\n',
        '[mcp_servers.calendly]\nenv.A = "1"\ncommand = "x"',
        "[mcp_servers.calendly.env]\nA = '1'\n",
        "\r\n[mcp_servers.calendly]\r\ncommand = 'x'\r\n",
    ],
)
def test_a_table_is_found_however_it_is_written(text: str) -> None:
    after = put(text, PATH, ENTRY)
    assert tomllib.loads(after) == {"mcp_servers": {"calendly": ENTRY}}
    assert tomllib.loads(remove(text, PATH)).get("mcp_servers", {}) == {}


@each("text", ['mcp_servers = { calendly = { command = "x" } }', 'mcp_servers.calendly.command = "x"'])
def test_what_cannot_be_edited_without_rewriting_it_is_refused(text: str) -> None:
    with pytest.raises(UnreadableError, match="are written in a way that is not edited here"):
        put(text, PATH, ENTRY)
    with pytest.raises(UnreadableError, match="are written in a way that is not edited here"):
        remove(text, PATH)


def test_what_is_no_toml_is_refused() -> None:
    for text in ("model = ", "[a]\n[a]\n", "{}"):
        with pytest.raises(UnreadableError, match="it is no TOML"):
            put(text, PATH, ENTRY)
    with pytest.raises(NotAnObjectError, match='"mcp_servers" is no table'):
        put("mcp_servers = 1", PATH, ENTRY)


def test_strings_and_comments_are_hidden_but_what_may_be_seen() -> None:
    text = put(f"{OTHERS}token = 's3cr3t-1' # s3cr3t-2\n", PATH, {"command": "x", "env": {"KEY": "s3cr3t-3", "A": "b"}})

    def visible(path: tuple[str, ...], _: str) -> bool:
        return path[:2] == PATH and path[-1] != "KEY"

    told = shown(text, visible)
    assert "s3cr3t" not in told
    assert "docs.example.com" not in told
    assert 'command = "x"' in told
    assert 'A = "b"' in told
    assert 'KEY = "…"' in told
    parsed: dict[str, Any] = tomllib.loads(told)
    assert parsed["mcp_servers"]["calendly"]["env"] == {"KEY": "…", "A": "b"}
