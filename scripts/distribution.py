"""Generates what distribution needs: the extension's manifest, server.json, and how to connect.

All of it follows from the declarations in tools/ and server/, and from pyproject.toml.
"""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from server.configuration.settings import DEFAULT_TOOLSETS, TOKEN, TOKEN_FILE
from server.configuration.terminal import DISTRIBUTION, PROGRAM
from server.installing.clients import CLIENTS, ClientProgram, Local
from server.installing.connecting import BY_NAME, links, local_command, place, snippet
from server.installing.starting import Start
from tools import ALL
from tools.prompts import PROMPTS

ROOT: Final = Path(__file__).resolve().parent.parent
PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

# The publisher must own the part before the slash. README.md and the Dockerfile repeat it all, as
# proof.
REGISTRY_NAME: Final = f"io.github.{DISTRIBUTION}/{DISTRIBUTION}"
REGISTRY_SCHEMA: Final = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"
SHORT: Final = "Calendly for AI agents: typed tools, paced and guarded, with a sandbox that needs no account"

SANDBOX: Final = "CALENDLY_MCP_SANDBOX"
READ_ONLY: Final = "CALENDLY_MCP_READ_ONLY"

TOKEN_HELP: Final = f"""\
In Calendly: Integrations & apps > API and webhooks > Personal access tokens. \
Not needed with the sandbox, nor where you signed in with {PROGRAM} login."""

OPTIONS: Final = {
    TOKEN: ("Access token", TOKEN_HELP),
    READ_ONLY: ("Read only", "Tools that book, cancel or change anything are neither shown nor run."),
    SANDBOX: ("Sandbox", "Try it with made-up people: no account, no token, and nothing reaches Calendly."),
}
"""The options of the extension: by variable, its title and description."""


def manifest(what: Callable[[Any], str]) -> str:
    """Return mcpb/manifest.json, version 0.4 of the MCP bundle format.

    `what` describes a tool in a sentence.
    """
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
        "tools": [
            {"name": tool.name, "description": what(tool)} for tool in ALL if tool.toolsets[0] in DEFAULT_TOOLSETS
        ],
        "prompts_generated": bool(PROMPTS),
        "compatibility": {
            "platforms": ["darwin", "linux", "win32"],
            "runtimes": {"python": PROJECT["requires-python"]},
        },
    }
    return _json(content)


def _option(variable: str) -> dict[str, object]:
    """Return an option of the extension.

    Without a default its placeholder would be the value of the variable.
    """
    title, description = OPTIONS[variable]
    if variable == TOKEN:
        kind: dict[str, object] = {"type": "string", "sensitive": True, "default": ""}
    else:
        kind = {"type": "boolean", "default": False}
    return {**kind, "title": title, "description": description, "required": False}


def server_json() -> str:
    """Return server.json of the MCP registry. It relies on the default package registries."""
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
    """Return the line of README.md that proves to the MCP registry who owns the package."""
    return f"<!-- mcp-name: {REGISTRY_NAME} -->\n"


def connecting() -> str:
    """Return the section of README.md on how to connect each client."""
    local = Local(
        Start("/path/to/calendly-mcp-server/.venv/bin/calendly-mcp"), {TOKEN_FILE: "/path/to/.calendly-token"}
    )
    return f"""\
| `.venv/bin/{PROGRAM} install …` | client | its file |
|---|---|---|
{"".join(f"| `{client.name}` | {client.title} | {_places(client)} |{chr(10)}" for client in CLIENTS)}
By hand, put this into the file of Claude Desktop, Cursor, Windsurf, Gemini CLI or Junie:

```json
{snippet(BY_NAME["claude-desktop"], BY_NAME["claude-desktop"].local(local))}
```

this into that of VS Code, or into `.vscode/mcp.json` of a project:

```json
{snippet(BY_NAME["vscode"], BY_NAME["vscode"].local(local))}
```

this into that of Zed:

```json
{snippet(BY_NAME["zed"], BY_NAME["zed"].local(local))}
```

this into that of GitHub Copilot CLI:

```json
{snippet(BY_NAME["copilot"], BY_NAME["copilot"].local(local))}
```

and this into that of Codex CLI:

```text
{snippet(BY_NAME["codex"], BY_NAME["codex"].local(local)).rstrip()}
```

For Claude Code, type:

```console
{local_command(local)}
```
"""


def published() -> str:
    """Return the section of README.md on what works only once the package is in the index."""
    press = links()
    return f"""\
Nothing of this works before the package `{DISTRIBUTION}` is in the package index:

- `uvx {DISTRIBUTION}` and `pipx run {DISTRIBUTION}` start it without installing, and
  `pip install {DISTRIBUTION}` installs `{PROGRAM}`.
- [Add it to Cursor]({press["cursor"]})
  or [add it to VS Code]({press["vscode"]})
  with one press. Both start the package with `uvx`, which comes with
  [uv](https://docs.astral.sh/uv/). VS Code asks for the token and keeps it; for Cursor, sign in once
  with `uvx {DISTRIBUTION} login`.
"""


def _places(client: ClientProgram) -> str:
    """Return the files of a client on Linux, macOS and Windows, each once."""
    places = [place(client, platform) for platform in ("linux", "darwin", "win32")]
    return ", ".join(f"`{path}`" for path in dict.fromkeys(places))


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
