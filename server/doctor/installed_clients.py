"""The checks of `calendly-mcp doctor` on this machine: the clients' configurations, the token file, the data folder."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from server.configuration.settings import TOKEN, TOKEN_FILE
from server.configuration.terminal import PROGRAM, CommandError
from server.doctor.diagnosis import Finding
from server.installing import jsonc
from server.installing.client_files import read
from server.installing.clients import CLIENTS, NAME, ClientProgram, command_of, is_our_entry
from server.installing.machine import Machine
from storage.private_files import is_open_to_others

_ABOUT: Final = "clients"


def clients(machine: Machine, which: Callable[[str], str | None]) -> list[Finding]:
    """Check the configuration of every client.

    Args:
        machine: This machine.
        which: Finds a program by its name on the PATH or by its absolute path.
    """
    there = [client for client in CLIENTS if _is_there(client, machine)]
    judged = {client.title: list(_client(client, machine, which)) for client in there}
    findings = [finding for found in judged.values() for finding in found]
    unused = [client for client in there if not judged[client.title]]
    if unused:
        titles = ", ".join(f"{client.title} ({client.name})" for client in unused)
        findings.append(Finding(_ABOUT, "note", f"not set up: {titles}; `{PROGRAM} install CLIENT` does it"))
    absent = ", ".join(client.title for client in CLIENTS if client not in there)
    return [*findings, Finding(_ABOUT, "ok", f"not found on this machine: {absent}")] if absent else findings


def tokens_of_clients(machine: Machine) -> list[str]:
    """List the token files that the clients' entries name."""
    entries = [entry for client in CLIENTS for entry in _entries(client, machine)]
    return sorted({env[TOKEN_FILE] for entry in entries if TOKEN_FILE in (env := _env(entry))})


def token_file(name: str) -> list[Finding]:
    """Check who can read the file that holds the token."""
    file = Path(name).expanduser()
    if not is_open_to_others(file):
        return []
    return [Finding("token", "note", f"others on this machine can read {file}: chmod 600 {file}")]


def _is_there(client: ClientProgram, machine: Machine) -> bool:
    file = client.file(machine)
    # Claude Code's file is in the home folder itself, which says nothing about Claude Code.
    return file.is_file() or (file.parent != machine.home and file.parent.is_dir())


def _client(client: ClientProgram, machine: Machine, which: Callable[[str], str | None]) -> Iterator[Finding]:
    file = client.file(machine)
    try:
        text = read(file)
        servers = jsonc.find(text or "", (client.key,))
    except (CommandError, jsonc.NotJsonError) as fault:
        reason = str(fault) if isinstance(fault, CommandError) else f"{file}: {fault}; the client reads none of it"
        yield Finding(_ABOUT, "fix", f"{client.title}: {reason}")
        return
    for name, entry in _ours(servers).items():
        yield _entry(client, name, entry, which)


def _entry(client: ClientProgram, name: str, entry: jsonc.Json, which: Callable[[str], str | None]) -> Finding:
    command, env = command_of(entry), _env(entry)
    again = f"`{PROGRAM} install {client.name}` writes it again"
    if command is not None and which(command) is None:
        return Finding(_ABOUT, "fix", f'{client.title}: "{name}" starts {command}, which is not there; {again}')
    if TOKEN_FILE in env and not Path(env[TOKEN_FILE]).is_file():
        return Finding(_ABOUT, "fix", f'{client.title}: "{name}" takes its token from {env[TOKEN_FILE]}: no such file')
    if TOKEN in env and not env[TOKEN].startswith("${"):
        return Finding(
            _ABOUT, "note", f'{client.title}: the token of "{name}" is in the file itself; {again} without it'
        )
    where = f"starts {command}" if command else "connects to a hosted server"
    return Finding(_ABOUT, "ok", f'{client.title}: "{name}" {where}')


def _entries(client: ClientProgram, machine: Machine) -> Iterator[jsonc.Json]:
    try:
        yield from _ours(jsonc.find(read(client.file(machine)) or "", (client.key,))).values()
    except (CommandError, jsonc.NotJsonError):
        return


def _ours(servers: jsonc.Json) -> Mapping[str, jsonc.Json]:
    """Pick our entries: those that start this program, and remote ones only under our name."""
    if not isinstance(servers, dict):
        return {}
    return {
        name: entry
        for name, entry in servers.items()
        if is_our_entry(entry) and (name == NAME or command_of(entry) not in {None, "npx"})
    }


def _env(entry: jsonc.Json) -> dict[str, str]:
    env = entry.get("env") if isinstance(entry, dict) else None
    return {name: value for name, value in env.items() if isinstance(value, str)} if isinstance(env, dict) else {}


def data_folder(folder: Path) -> Finding:
    """Check whether the folder of our data can be written."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        return Finding(
            "data", "ok", f"{folder} " + ("can be written" if there == folder else "will be made when needed")
        )
    return Finding(
        "data",
        "fix",
        f"{folder} cannot be written. Without an audit log nothing is written to Calendly: give yourself the right "
        "to it, or set XDG_DATA_HOME",
    )
