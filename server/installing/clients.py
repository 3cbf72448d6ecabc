"""The clients that `calendly-mcp install` knows: where its configuration is, and how ours looks there.

Everything that shows such an entry takes it from here: the command, the README and the page at `/`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from server.installing.jsonc import Json
from server.installing.machine import Machine
from server.installing.starting import Start, is_ours

NAME: Final = "calendly"
"""What our entry is called unless somebody names it otherwise."""

READ_ONLY: Final[Mapping[str, str]] = {"X-MCP-Readonly": "true"}
"""The headers with which a hosted server neither lists nor runs tools that write."""

Entry = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Local:
    """A server that the client starts.

    Attributes:
        start: The command line.
        env: Variables that it is given; never a secret.
    """

    start: Start
    env: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Remote:
    """A server that the client connects to.

    Attributes:
        url: The address of the endpoint.
        headers: What every request carries.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Client:
    """A program that can use MCP servers.

    Attributes:
        name: What the command line calls it.
        title: What people call it.
        files: Where its configuration may be, the first one unless another is there already.
        key: The member of the configuration in which servers stand.
        local: Writes a server that it starts.
        remote: Writes a server that it connects to.
        afterwards: What a person does then.
    """

    name: str
    title: str
    files: Callable[[Machine], tuple[Path, ...]]
    key: str
    local: Callable[[Local], Entry]
    remote: Callable[[Remote], Entry]
    afterwards: str

    def file(self, machine: Machine) -> Path:
        """Return the file in which its configuration is, or should be."""
        files = self.files(machine)
        there = [file for file in files if file.is_file()] or [file for file in files if file.parent.is_dir()]
        return there[0] if there else files[0]


def is_our_entry(entry: Json) -> bool:
    """Say whether an entry is one that `install` would write: it starts this program, or leads to an endpoint of it."""
    if not isinstance(entry, dict):
        return False
    command, args, url = entry.get("command"), entry.get("args", []), entry.get("url") or entry.get("serverUrl")
    words = tuple(word for word in args if isinstance(word, str)) if isinstance(args, list) else ()
    if isinstance(command, str):
        return is_ours(command, words) or ("mcp-remote" in words and any(map(_is_endpoint, words)))
    return isinstance(url, str) and _is_endpoint(url)


def command_of(entry: Json) -> str | None:
    """Return the program that an entry starts, None where it starts none."""
    command = entry.get("command") if isinstance(entry, dict) else None
    return command if isinstance(command, str) else None


def _is_endpoint(word: str) -> bool:
    return word.startswith(("https://", "http://")) and word.endswith("/mcp")


def _started(local: Local) -> Entry:
    """How most clients write it; what is empty is left out."""
    entry: Entry = {"command": local.start.command}
    if local.start.args:
        entry["args"] = list(local.start.args)
    if local.env:
        entry["env"] = dict(local.env)
    return entry


def _typed(kind: str, entry: Entry) -> Entry:
    return {"type": kind, **entry}


def _at(member: str, remote: Remote) -> Entry:
    entry: Entry = {member: remote.url}
    if remote.headers:
        entry["headers"] = dict(remote.headers)
    return entry


def _bridged(remote: Remote) -> Entry:
    """A program between: Claude Desktop's file takes programs only (support.claude.com, article 11503834)."""
    headers = [word for name, value in remote.headers.items() for word in ("--header", f"{name}:{value}")]
    return {"command": "npx", "args": ["-y", "mcp-remote", remote.url, *headers]}


def _claude_desktop(machine: Machine) -> tuple[Path, ...]:
    file = machine.programs / "Claude" / "claude_desktop_config.json"
    if machine.platform != "win32":
        return (file,)
    # The one from Microsoft's store is shown a folder of its own in place of that for programs.
    store = machine.folder("LOCALAPPDATA", "AppData", "Local") / "Packages" / "Claude_pzs8sxrjxfjjc"
    return (store / "LocalCache" / "Roaming" / "Claude" / file.name, file) if store.is_dir() else (file,)


def _zed(machine: Machine) -> tuple[Path, ...]:
    if machine.platform == "win32":
        return (machine.programs / "Zed" / "settings.json",)
    if machine.platform == "darwin":  # as on Linux, not where other programs of a Mac keep theirs
        return (machine.home / ".config" / "zed" / "settings.json",)
    return (machine.programs / "zed" / "settings.json",)


CLIENTS: Final = (
    Client(
        name="claude-desktop",
        title="Claude Desktop",
        files=_claude_desktop,
        key="mcpServers",
        local=_started,
        remote=_bridged,
        afterwards="Quit Claude Desktop and open it again.",
    ),
    Client(
        name="claude-code",
        title="Claude Code",
        files=lambda machine: (machine.folder("CLAUDE_CONFIG_DIR") / ".claude.json",),
        key="mcpServers",
        local=lambda local: _typed("stdio", _started(local)),
        remote=lambda remote: _typed("http", _at("url", remote)),
        afterwards="Start Claude Code anew; `/mcp` shows the server.",
    ),
    Client(
        name="cursor",
        title="Cursor",
        files=lambda machine: (machine.home / ".cursor" / "mcp.json",),
        key="mcpServers",
        local=_started,
        remote=lambda remote: _at("url", remote),
        afterwards="Open Cursor's settings for MCP and see that the server is on.",
    ),
    Client(
        name="vscode",
        title="VS Code",
        files=lambda machine: (machine.programs / "Code" / "User" / "mcp.json",),
        key="servers",
        local=lambda local: _typed("stdio", _started(local)),
        remote=lambda remote: _typed("http", _at("url", remote)),
        afterwards="In VS Code run `MCP: List Servers` and start it.",
    ),
    Client(
        name="windsurf",
        title="Windsurf",
        files=lambda machine: (machine.home / ".codeium" / "windsurf" / "mcp_config.json",),
        key="mcpServers",
        local=_started,
        remote=lambda remote: _at("serverUrl", remote),
        afterwards="In Windsurf's Cascade press refresh in the list of MCP servers.",
    ),
    Client(
        name="zed",
        title="Zed",
        files=_zed,
        key="context_servers",
        local=lambda local: {"command": local.start.command, "args": [*local.start.args], "env": {**local.env}},
        remote=lambda remote: _at("url", remote),
        afterwards="Zed starts the server by itself; its agent panel shows it.",
    ),
)
