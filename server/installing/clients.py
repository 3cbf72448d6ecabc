"""The clients that `calendly-mcp install` knows: the configuration file of each, and the form of our entry in it.

The command, the README and the page at `/` all take entries from here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from server.installing import jsonc, toml_text
from server.installing.jsonc import Json
from server.installing.machine import Machine
from server.installing.starting import Start, is_ours

NAME: Final = "calendly"
"""The default name of our entry."""

ServerEntry = dict[str, Json]

URLS: Final = ("url", "serverUrl", "httpUrl")
HEADERS: Final = ("headers", "http_headers")


class Form(Protocol):
    """A form of configuration files, edited as text: the modules `jsonc` and `toml_text`."""

    def find(self, text: str, path: Sequence[str]) -> Json:
        """Return the value at a path, None if there is none. Raises UnreadableError."""
        ...

    def put(self, text: str, path: Sequence[str], value: Json) -> str:
        """Return the text with a value at a path. Raises UnreadableError and NotAnObjectError."""
        ...

    def remove(self, text: str, path: Sequence[str]) -> str:
        """Return the text without the member at a path. Raises UnreadableError."""
        ...

    def shown(self, text: str, visible: Callable[[tuple[str, ...], str], bool]) -> str:
        """Return the text with its comments, and the strings that are not visible, hidden."""
        ...


@dataclass(frozen=True, slots=True)
class Local:
    """A server that the client starts.

    Attributes:
        start: The command line.
        env: Environment variables; never a secret.
    """

    start: Start
    env: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Remote:
    """A server that the client connects to.

    Attributes:
        url: The address of the endpoint.
        headers: The headers of every request.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class ClientProgram:
    """A program that uses MCP servers.

    Attributes:
        name: Its name on the command line.
        title: Its name for people.
        files: Where its configuration may be; the first one is the default.
        key: The member of the configuration that holds the servers.
        local: Makes the entry of a server that the client starts.
        remote: Makes the entry of a server that the client connects to.
        afterwards: What a person does next.
        form: The form of the configuration.
        relaxed: What its reader of JSON takes besides JSON: comments, and commas before closing brackets.
    """

    name: str
    title: str
    files: Callable[[Machine], tuple[Path, ...]]
    key: str
    local: Callable[[Local], ServerEntry]
    remote: Callable[[Remote], ServerEntry]
    afterwards: str
    form: Form = jsonc
    relaxed: frozenset[str] = frozenset()

    def readable(self, text: str) -> str:
        """Return a text without what the client cannot read. Raises UnreadableError."""
        if self.form is not jsonc or "commas" in self.relaxed:
            return text
        return jsonc.plain(text, comments="comments" in self.relaxed)

    def file(self, machine: Machine) -> Path:
        """Return the configuration file: one that exists, else the first whose folder exists, else the default."""
        files = self.files(machine)
        there = [file for file in files if file.is_file()] or [file for file in files if file.parent.is_dir()]
        return there[0] if there else files[0]


def is_our_entry(entry: Json) -> bool:
    """Say whether `install` could have written an entry: it starts this program, or connects to an endpoint of it."""
    if not isinstance(entry, dict):
        return False
    command = command_of(entry)
    return endpoint_of(entry) is not None or (command is not None and is_ours(command, args_of(entry)))


def endpoint_of(entry: Json) -> str | None:
    """Return the endpoint that an entry connects to, itself or by a bridge; None if it starts a server."""
    if not isinstance(entry, dict):
        return None
    words = args_of(entry)
    if command_of(entry) is not None:
        return next(filter(_is_endpoint, words), None) if "mcp-remote" in words else None
    named = (entry.get(member) for member in URLS)
    return next((url for url in named if isinstance(url, str) and _is_endpoint(url)), None)


def args_of(entry: Json) -> tuple[str, ...]:
    """Return the arguments of the program that an entry starts."""
    return texts_in(entry.get("args")) if isinstance(entry, dict) else ()


def env_of(entry: Json) -> dict[str, str]:
    """Return the environment variables that an entry sets."""
    env = entry.get("env") if isinstance(entry, dict) else None
    return {name: value for name, value in env.items() if isinstance(value, str)} if isinstance(env, dict) else {}


def is_off(entry: Json) -> bool:
    """Say whether the client does not use an entry, since a person has switched it off there."""
    return isinstance(entry, dict) and (entry.get("disabled") is True or entry.get("enabled") is False)


def texts_in(value: Json) -> tuple[str, ...]:
    """Return the texts in a list; nothing if it is none."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def command_of(entry: Json) -> str | None:
    """Return the program that an entry starts, None if it starts none."""
    command = entry.get("command") if isinstance(entry, dict) else None
    return command if isinstance(command, str) else None


def _is_endpoint(word: str) -> bool:
    return word.startswith(("https://", "http://")) and word.endswith("/mcp")


def _started(local: Local) -> ServerEntry:
    """Return the entry in the form of most clients; empty members are left out."""
    entry: ServerEntry = {"command": local.start.command}
    if local.start.args:
        entry["args"] = list(local.start.args)
    if local.env:
        entry["env"] = dict(local.env)
    return entry


def _typed(kind: str, entry: ServerEntry) -> ServerEntry:
    return {"type": kind, **entry}


def _at(member: str, remote: Remote, headers: str = "headers") -> ServerEntry:
    entry: ServerEntry = {member: remote.url}
    if remote.headers:
        entry[headers] = dict(remote.headers)
    return entry


def _bridged(remote: Remote) -> ServerEntry:
    """Return the entry of a bridge: Claude Desktop's file takes programs only (support.claude.com, 11503834)."""
    headers = [word for name, value in remote.headers.items() for word in ("--header", f"{name}:{value}")]
    return {"command": "npx", "args": ["-y", "mcp-remote", remote.url, *headers]}


def _claude_desktop(machine: Machine) -> tuple[Path, ...]:
    file = machine.programs / "Claude" / "claude_desktop_config.json"
    if machine.platform != "win32":
        return (file,)
    # The version from Microsoft's store has a folder of its own in place of the common one.
    store = machine.folder("LOCALAPPDATA", "AppData", "Local") / "Packages" / "Claude_pzs8sxrjxfjjc"
    return (store / "LocalCache" / "Roaming" / "Claude" / file.name, file) if store.is_dir() else (file,)


def _zed(machine: Machine) -> tuple[Path, ...]:
    if machine.platform == "win32":
        return (machine.programs / "Zed" / "settings.json",)
    if machine.platform == "darwin":  # as on Linux, unlike other programs on a Mac
        return (machine.home / ".config" / "zed" / "settings.json",)
    return (machine.programs / "zed" / "settings.json",)


_JSONC: Final = frozenset({"comments", "commas"})

CLIENTS: Final = (
    ClientProgram(
        name="claude-desktop",
        title="Claude Desktop",
        files=_claude_desktop,
        key="mcpServers",
        local=_started,
        remote=_bridged,
        afterwards="Quit Claude Desktop and open it again.",
    ),
    ClientProgram(
        name="claude-code",
        title="Claude Code",
        files=lambda machine: (machine.folder("CLAUDE_CONFIG_DIR") / ".claude.json",),
        key="mcpServers",
        local=lambda local: _typed("stdio", _started(local)),
        remote=lambda remote: _typed("http", _at("url", remote)),
        afterwards="Start Claude Code again; `/mcp` shows the server.",
    ),
    ClientProgram(
        name="cursor",
        title="Cursor",
        files=lambda machine: (machine.home / ".cursor" / "mcp.json",),
        key="mcpServers",
        local=_started,
        remote=lambda remote: _at("url", remote),
        afterwards="Open Cursor's settings for MCP and check that the server is on.",
    ),
    ClientProgram(
        name="vscode",
        title="VS Code",
        files=lambda machine: (machine.programs / "Code" / "User" / "mcp.json",),
        key="servers",
        local=lambda local: _typed("stdio", _started(local)),
        remote=lambda remote: _typed("http", _at("url", remote)),
        afterwards="In VS Code run `MCP: List Servers` and start it.",
        relaxed=_JSONC,
    ),
    ClientProgram(
        name="windsurf",
        title="Windsurf",
        files=lambda machine: (machine.home / ".codeium" / "windsurf" / "mcp_config.json",),
        key="mcpServers",
        local=_started,
        remote=lambda remote: _at("serverUrl", remote),
        afterwards="In Windsurf's Cascade press refresh in the list of MCP servers.",
    ),
    ClientProgram(
        name="zed",
        title="Zed",
        files=_zed,
        key="context_servers",
        local=lambda local: {"command": local.start.command, "args": [*local.start.args], "env": {**local.env}},
        remote=lambda remote: _at("url", remote),
        afterwards="Zed starts the server by itself; its agent panel shows it.",
        relaxed=_JSONC,
    ),
    ClientProgram(  # developers.openai.com/codex/mcp
        name="codex",
        title="Codex CLI",
        files=lambda machine: (machine.folder("CODEX_HOME", ".codex") / "config.toml",),
        key="mcp_servers",
        local=_started,
        remote=lambda remote: _at("url", remote, "http_headers"),
        afterwards="Start Codex again; `/mcp` shows the server.",
        form=toml_text,
    ),
    ClientProgram(  # geminicli.com/docs/tools/mcp-server
        name="gemini",
        title="Gemini CLI",
        files=lambda machine: (machine.home / ".gemini" / "settings.json",),
        key="mcpServers",
        local=_started,
        remote=lambda remote: _at("httpUrl", remote),
        afterwards="Start Gemini CLI again; `/mcp` shows the server.",
        relaxed=frozenset({"comments"}),
    ),
    ClientProgram(  # docs.github.com/copilot/how-tos/copilot-cli/customize-copilot/add-mcp-servers
        name="copilot",
        title="GitHub Copilot CLI",
        files=lambda machine: (machine.folder("COPILOT_HOME", ".copilot") / "mcp-config.json",),
        key="mcpServers",
        local=lambda local: {**_typed("stdio", {"args": [], **_started(local)}), "tools": ["*"]},
        remote=lambda remote: {**_typed("http", _at("url", remote)), "tools": ["*"]},
        afterwards="Start Copilot CLI again; `/mcp show` shows the server.",
    ),
    ClientProgram(  # jetbrains.com/help/junie/model-context-protocol-mcp.html: it starts servers only
        name="junie",
        title="JetBrains Junie",
        files=lambda machine: (machine.home / ".junie" / "mcp" / "mcp.json",),
        key="mcpServers",
        local=_started,
        remote=_bridged,
        afterwards="In the IDE's settings, Tools > Junie > MCP Settings, check that the server is on.",
    ),
)
