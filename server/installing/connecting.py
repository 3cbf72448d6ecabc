"""Instructions for connecting a client, to be copied: the text for its file, a command to type, a link to press."""

import json
import shlex
from base64 import b64encode
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from server.configuration.settings import TOKEN
from server.installing import toml_text
from server.installing.clients import CLIENTS, NAME, ClientProgram, Local, Remote, ServerEntry
from server.installing.jsonc import Json
from server.installing.machine import Machine
from server.installing.starting import PUBLISHED

_QUESTION: Final = "calendly_access_token"
_ASKED: Final[list[Json]] = [
    {
        "type": "promptString",
        "id": _QUESTION,
        "description": "Calendly access token (empty: who signed in with calendly-mcp login)",
        "password": True,
    }
]

BY_NAME: Final = {client.name: client for client in CLIENTS}


def snippet(client: ClientProgram, entry: ServerEntry, *, indent: int | None = 2) -> str:
    """Return the text for the file of a client."""
    if client.form is toml_text:
        return toml_text.put("", (client.key, NAME), {**entry})
    return json.dumps({client.key: {NAME: entry}}, indent=indent, ensure_ascii=False)


def place(client: ClientProgram, platform: str = "linux") -> str:
    """Return the path of a client's file as people write it."""
    file = client.file(Machine(platform, Path("~"), {})).as_posix()
    return file.replace("~/AppData/Roaming", "%APPDATA%") if platform == "win32" else file


def local_command(local: Local) -> str:
    """Return the command that makes Claude Code start a server."""
    env = [word for name, value in local.env.items() for word in ("--env", f"{name}={value}")]
    return shlex.join(["claude", "mcp", "add", NAME, *env, "--", local.start.command, *local.start.args])


def remote_commands(url: str) -> dict[str, str]:
    """Return the commands that add an endpoint, by client and for a bridge."""
    entry = {"name": NAME, **BY_NAME["vscode"].remote(Remote(url))}
    return {
        "claude-code": shlex.join(["claude", "mcp", "add", "--transport", "http", NAME, url]),
        "vscode": f"code --add-mcp {shlex.quote(json.dumps(entry))}",
        "bridge": shlex.join(["npx", "mcp-remote", url]),
    }


def links() -> dict[str, str]:
    """Return the links that add the published package to a client, by its name.

    They go through pages of the clients' makers, since hosts of source code remove links to a
    program's own scheme.
    """
    cursor = BY_NAME["cursor"].local(Local(PUBLISHED))
    vscode = BY_NAME["vscode"].local(Local(PUBLISHED, {TOKEN: f"${{input:{_QUESTION}}}"}))
    packed = b64encode(json.dumps(cursor, separators=(",", ":")).encode()).decode()
    asked = {"name": NAME, "inputs": _compact(_ASKED), "config": _compact(vscode)}
    return {
        "cursor": f"https://cursor.com/install-mcp?{urlencode({'name': NAME, 'config': packed})}",
        "vscode": f"https://vscode.dev/redirect/mcp/install?{urlencode(asked, quote_via=quote)}",
    }


def _compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
