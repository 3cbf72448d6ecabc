"""How a client is connected, as people copy it."""

import json
import shlex
from base64 import b64decode
from urllib.parse import parse_qs, urlsplit

from server.configuration.settings import TOKEN
from server.installing.clients import CLIENTS, Local, Remote, is_our_entry
from server.installing.connecting import BY_NAME, links, local_command, place, remote_commands, snippet
from server.installing.starting import Start

ENDPOINT = "https://calendly-mcp.example.com/mcp"


def query(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query, strict_parsing=True).items()}


def test_one_press_gives_cursor_an_entry_that_starts_the_published_package() -> None:
    asked = query(links()["cursor"])
    assert asked["name"] == "calendly"
    entry = json.loads(b64decode(asked["config"], validate=True))
    assert entry == {"command": "uvx", "args": ["calendly-mcp-server"]}
    assert is_our_entry(entry)


def test_one_press_gives_vs_code_an_entry_for_which_it_asks_the_token() -> None:
    asked = query(links()["vscode"])
    entry, [question] = json.loads(asked["config"]), json.loads(asked["inputs"])
    assert is_our_entry(entry)
    assert entry["env"] == {TOKEN: f"${{input:{question['id']}}}"}
    assert (question["type"], question["password"]) == ("promptString", True)


def test_one_press_leads_to_the_makers_of_the_clients_and_to_no_registry() -> None:
    assert {urlsplit(address).hostname for address in links().values()} == {"cursor.com", "vscode.dev"}


def test_what_is_typed_survives_a_shell() -> None:
    local = Local(Start("/a folder/calendly-mcp", ("--sandbox",)), {"X": "a b"})
    words = shlex.split(local_command(local))
    assert words[:4] == ["claude", "mcp", "add", "calendly"]
    assert words[4:] == ["--env", "X=a b", "--", "/a folder/calendly-mcp", "--sandbox"]
    typed = {name: shlex.split(command) for name, command in remote_commands(ENDPOINT).items()}
    assert typed["claude-code"][-3:] == ["http", "calendly", ENDPOINT]
    assert json.loads(typed["vscode"][-1]) == {"name": "calendly", "type": "http", "url": ENDPOINT}
    assert typed["bridge"] == ["npx", "mcp-remote", ENDPOINT]


def test_every_file_is_named_as_people_write_it() -> None:
    assert place(BY_NAME["cursor"]) == "~/.cursor/mcp.json"
    assert place(BY_NAME["zed"], "win32") == "%APPDATA%/Zed/settings.json"
    assert place(BY_NAME["vscode"], "darwin") == "~/Library/Application Support/Code/User/mcp.json"
    for client in CLIENTS:
        entry = client.remote(Remote(ENDPOINT))
        assert client.form.find(snippet(client, entry), (client.key,)) == {"calendly": entry}
