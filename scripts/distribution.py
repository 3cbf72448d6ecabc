"""What is generated for those who hand the product out: the extension's manifest, server.json, and how to connect.

Each takes from the declarations in tools/ and server/, and from pyproject.toml, whatever stands there already.
"""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from server.configuration.settings import TOKEN, TOKEN_FILE
from server.configuration.terminal import DISTRIBUTION, PROGRAM
from server.installing.clients import CLIENTS, ClientProgram, Local
from server.installing.connecting import BY_NAME, links, local_command, place, snippet
from server.installing.starting import Start
from tools import ALL
from tools.prompts import PROMPTS

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# Whoever publishes has to own the part before the stroke; README.md and the Dockerfile repeat the whole, as proof.
REGISTRY_NAME = f"io.github.{DISTRIBUTION}/{DISTRIBUTION}"
REGISTRY_SCHEMA = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
SHORT = "Calendly for AI agents: typed tools, paced and guarded, with a sandbox that needs no account"

SANDBOX = "CALENDLY_MCP_SANDBOX"
READ_ONLY = "CALENDLY_MCP_READ_ONLY"

TOKEN_HELP = f"""\
In Calendly: Integrations & apps > API and webhooks > Personal access tokens. \
Not needed with the sandbox, nor where you signed in with {PROGRAM} login."""

OPTIONS = {
    TOKEN: ("Access token", TOKEN_HELP),
    READ_ONLY: ("Read only", "Tools that book, cancel or change anything are neither shown nor run."),
    SANDBOX: ("Sandbox", "Try it with made-up people: no account, no token, and nothing reaches Calendly."),
}
"""What a person is asked: by variable, its title and what to know about it."""


def manifest(what: Callable[[Any], str]) -> str:
    """mcpb/manifest.json, in version 0.4 of the format of MCP bundles; `what` says what a tool does in a sentence."""
    names = {variable: variable.removeprefix("CALENDLY_").removeprefix("MCP_").lower() for variable in OPTIONS}
    content = {
        "manifest_version": "0.4",
        "name": DISTRIBUTION,
        "display_name": "Calendly",
        "version": PROJECT["version"],
        "description": SHORT,
        "long_description": "See event types, open times and meetings, book, cancel, and manage links, people and "
        "webhooks. What would cancel a meeting or delete data is asked of you first.",
        "author": PROJECT["authors"][0],
        "icon": "icon.png",
        "license": PROJECT["license"],
        "keywords": PROJECT["keywords"],
        "privacy_policies": ["https://calendly.com/legal/privacy-notice"],
        "server": {
            "type": "uv",
            "entry_point": "main.py",
            "mcp_config": {
                "command": "uv",
                "args": ["run", "--no-dev", "--directory", "${__dirname}", "main.py"],
                "env": {variable: f"${{user_config.{name}}}" for variable, name in names.items()},
            },
        },
        "user_config": {names[variable]: _option(variable) for variable in OPTIONS},
        "tools": [{"name": tool.name, "description": what(tool)} for tool in ALL],
        "prompts_generated": bool(PROMPTS),
        "compatibility": {
            "platforms": ["darwin", "linux", "win32"],
            "runtimes": {"python": PROJECT["requires-python"]},
        },
    }
    return _json(content)


def _option(variable: str) -> dict[str, object]:
    """An option of the extension. Each has a default: without one its placeholder would stand in the variable."""
    title, description = OPTIONS[variable]
    if variable == TOKEN:
        kind: dict[str, object] = {"type": "string", "sensitive": True, "default": ""}
    else:
        kind = {"type": "boolean", "default": False}
    return {**kind, "title": title, "description": description, "required": False}


def server_json() -> str:
    """server.json of the MCP registry. Addresses of package registries are the defaults, and not named."""
    version = PROJECT["version"]
    asked = [
        {
            "name": variable,
            "description": description,
            "isRequired": False,
            **({"isSecret": True} if variable == TOKEN else {"format": "boolean", "default": "false"}),
        }
        for variable, (_, description) in OPTIONS.items()
    ]
    package = {"transport": {"type": "stdio"}, "environmentVariables": asked}
    image = f"{DISTRIBUTION}/{DISTRIBUTION}:{version}"
    host = {"description": "Host of your own server, such as calendly-mcp.example.com", "isRequired": True}
    content = {
        "$schema": REGISTRY_SCHEMA,
        "name": REGISTRY_NAME,
        "title": "Calendly",
        "description": SHORT,
        "version": version,
        "packages": [
            {"registryType": "pypi", "identifier": DISTRIBUTION, "version": version, "runtimeHint": "uvx", **package},
            {"registryType": "oci", "identifier": image, "runtimeHint": "docker", **package},
        ],
        "remotes": [{"type": "streamable-http", "url": "https://{host}/mcp", "variables": {"host": host}}],
    }
    return _json(content)


def marker() -> str:
    """The line of README.md by which the MCP registry sees that the package is the owner's."""
    return f"<!-- mcp-name: {REGISTRY_NAME} -->\n"


def connecting() -> str:
    """How to connect each client, in README.md."""
    local = Local(
        Start("/path/to/calendly-mcp-server/.venv/bin/calendly-mcp"), {TOKEN_FILE: "/path/to/.calendly-token"}
    )
    press = links()
    return f"""\
[Add it to Cursor]({press["cursor"]})
or [add it to VS Code]({press["vscode"]})
with one press.
Both start the published package with `uvx`, which comes with [uv](https://docs.astral.sh/uv/). VS Code asks for the
token and keeps it; for Cursor sign in once with `uvx {DISTRIBUTION} login`.

| `{PROGRAM} install …` | client | its file |
|---|---|---|
{"".join(f"| `{client.name}` | {client.title} | {_places(client)} |{chr(10)}" for client in CLIENTS)}
By hand it is this, in the file of Claude Desktop, Cursor and Windsurf alike:

```json
{snippet(BY_NAME["claude-desktop"], BY_NAME["claude-desktop"].local(local))}
```

in that of VS Code, or in `.vscode/mcp.json` of a project:

```json
{snippet(BY_NAME["vscode"], BY_NAME["vscode"].local(local))}
```

in that of Zed:

```json
{snippet(BY_NAME["zed"], BY_NAME["zed"].local(local))}
```

and for Claude Code:

```console
{local_command(local)}
```
"""


def _places(client: ClientProgram) -> str:
    """The file of a client on Linux, macOS and Windows, each named once."""
    places = [place(client, platform) for platform in ("linux", "darwin", "win32")]
    return ", ".join(f"`{path}`" for path in dict.fromkeys(places))


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
