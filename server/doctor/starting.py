"""Starts the server of an entry, or connects to its endpoint, as a client would.

A started server gets the variables that clients hand on, and those of the entry: none of the shell's own.
"""

import re
from http import HTTPStatus
from importlib.metadata import version
from tempfile import TemporaryFile
from typing import IO, Final, cast

import anyio
import httpx2
import mcp_types as types
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from calendly.client import open_http
from server.configuration.failing import ending
from server.configuration.surroundings import proxy_told
from server.configuration.terminal import DISTRIBUTION, PROGRAM
from server.doctor.diagnosis import Finding
from server.doctor.installed_clients import InstalledEntry
from server.installing.clients import HEADERS, args_of, command_of, endpoint_of, env_of, is_off

_PATIENCE: Final = 60.0
_PLACEHOLDER: Final = re.compile(r"\$\{[^}]*\}|^\$\w+$")
_LONGEST: Final = 300
_ME: Final = types.Implementation(name=f"{PROGRAM} doctor", version=version(DISTRIBUTION))
_HELLO: Final = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": _ME.name, "version": "1"}},
}


async def tried(one: InstalledEntry) -> Finding:
    """Start or reach the server of an entry, and tell what it can do."""
    if is_off(one.entry):
        return one.found("note", f"is switched off in {one.client.title}")
    asked = sorted(name for name, value in env_of(one.entry).items() if _PLACEHOLDER.search(value))
    if asked:
        return one.found("note", f"was not tried, since {one.client.title} itself fills in {', '.join(asked)}")
    url = endpoint_of(one.entry)
    try:
        with anyio.fail_after(_PATIENCE):
            return await (_started(one) if url is None else _reached(one, url))
    except TimeoutError:
        return one.found(
            "fix", f"gave no answer within {_PATIENCE:.0f} seconds; start what the entry starts in a terminal, and see"
        )


async def _started(one: InstalledEntry) -> Finding:
    with TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        start = StdioServerParameters(
            command=command_of(one.entry) or "", args=[*args_of(one.entry)], env=env_of(one.entry), cwd=one.folder
        )
        try:
            async with Client(stdio_client(start, errlog=said), mode="legacy", client_info=_ME) as client:
                finding = await _able(one, client)
        except Exception as fault:  # noqa: BLE001 - whatever keeps a server from answering is what is looked for
            return one.found("fix", f"does not start: {_last_words(said) or ending(fault).line}")
        return finding


async def _able(one: InstalledEntry, client: Client) -> Finding:
    """Make the one read, and say what the entry can do."""
    tools = (await client.list_tools()).tools
    writing = [tool for tool in tools if not (tool.annotations and tool.annotations.read_only_hint)]
    can = f"{len(tools)} tools, " + (f"{len(writing)} of which write" if writing else "none of which writes")
    if "get_current_user" not in {tool.name for tool in tools}:
        return one.found("ok", f"starts and answers, with {can}; it has no tool that says for whom")
    answer = await client.call_tool("get_current_user", {})
    if answer.is_error:
        [told] = [part.text for part in answer.content if isinstance(part, types.TextContent)][:1] or [""]
        return one.found("fix", f"starts, but cannot read: {' '.join(told.split())[:_LONGEST]}")
    person = cast("dict[str, object]", answer.structured_content or {})
    sandbox = " in the sandbox" if "--sandbox" in args_of(one.entry) else ""
    return one.found("ok", f"starts and acts for {person.get('name')} <{person.get('email')}>{sandbox}, with {can}")


async def _reached(one: InstalledEntry, url: str) -> Finding:
    """Say hello to an endpoint, as a client that nobody has let in yet."""
    headers = {"Accept": "application/json, text/event-stream", **_headers(one)}
    async with open_http(version(DISTRIBUTION)) as http:
        try:
            answer = await http.post(url, json=_HELLO, headers=headers)
        except (httpx2.RequestError, ValueError) as fault:
            why = str(fault) or type(fault).__name__
            step = f"check the network, and the proxy if there is one; {_elsewhere(one)}"
            return one.found("fix", f"cannot reach {url}: {why}: {step}.{proxy_told(url)}")
    if answer.status_code == HTTPStatus.UNAUTHORIZED:
        return one.found("ok", f"reaches {url}, where {one.client.title} signs in by browser")
    if answer.status_code == HTTPStatus.OK and '"serverInfo"' in answer.text:
        return one.found("ok", f"reaches {url}, which answers without a sign-in")
    return one.found(
        "fix", f"reaches {url}, but no MCP server is there: it answers {answer.status_code}; {_elsewhere(one)}"
    )


def _elsewhere(one: InstalledEntry) -> str:
    return f"`{PROGRAM} install {one.client.name} --remote URL` names another address"


def _headers(one: InstalledEntry) -> dict[str, str]:
    entry = one.entry if isinstance(one.entry, dict) else {}
    named = [headers for member in HEADERS if isinstance(headers := entry.get(member), dict)]
    texts = [(name, text) for headers in named for name, text in headers.items() if isinstance(text, str)]
    return {name: text for name, text in texts if not _PLACEHOLDER.search(text)}


def _last_words(said: IO[str]) -> str:
    """Return what a server wrote to stderr last: its own last sentences, else its last line."""
    said.seek(0)
    text = said.read().strip()
    _, ours, last = f"\n{text}".rpartition(f"\n{PROGRAM}: ")
    told = last.partition("\n\n")[0] if ours else text.rpartition("\n")[2]
    return " ".join(told.split())[:_LONGEST]
