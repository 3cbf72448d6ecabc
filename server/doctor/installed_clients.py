"""The clients on this machine that `doctor` looks at: which are there, and which entries of ours they have."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from server.configuration.settings import TOKEN, TOKEN_FILE
from server.configuration.terminal import PROGRAM, CommandError
from server.configuration.text_files import decode
from server.doctor.diagnosis import Finding, State
from server.installing import jsonc
from server.installing.client_files import read
from server.installing.clients import CLIENTS, NAME, ClientProgram, command_of, env_of, is_our_entry
from server.installing.jsonc import Json
from server.installing.machine import Machine

ABOUT: Final = "clients"


@dataclass(frozen=True, slots=True)
class InstalledEntry:
    """An entry of ours in the configuration of a client.

    Attributes:
        client: The client.
        name: The name of the entry.
        entry: The entry.
        home: The person's home, where a client starts what no folder is named for.
    """

    client: ClientProgram
    name: str
    entry: Json
    home: Path

    @property
    def folder(self) -> Path:
        """The folder in which the client starts the server."""
        named = self.entry.get("cwd") if isinstance(self.entry, dict) else None
        return self.home / named if isinstance(named, str) else self.home

    def found(self, state: State, text: str) -> Finding:
        """Return a finding about the entry."""
        return Finding(ABOUT, state, f'{self.client.title}: "{self.name}" {text}')


def installed(machine: Machine) -> tuple[list[InstalledEntry], list[Finding]]:
    """Return the entries of ours in all clients, and the findings about files and clients."""
    entries, findings = list[InstalledEntry](), list[Finding]()
    there = [client for client in CLIENTS if _is_there(client, machine)]
    unused = list[str]()
    for client in there:
        try:
            ours = [*_entries(client, machine)]
        except (CommandError, jsonc.UnreadableError, jsonc.NotAnObjectError) as fault:
            reason = str(fault) if isinstance(fault, CommandError) else _unread(client, client.file(machine), fault)
            findings.append(Finding(ABOUT, "fix", f"{client.title}: {reason}"))
            continue
        entries += ours
        unused += [] if ours else [f"{client.title} ({client.name})"]
    if unused:
        findings.append(Finding(ABOUT, "note", f"not set up: {', '.join(unused)}; `{PROGRAM} install CLIENT` does it"))
    absent = ", ".join(client.title for client in CLIENTS if client not in there)
    return entries, [*findings, *([Finding(ABOUT, "ok", f"not found on this machine: {absent}")] if absent else [])]


def faults_of(one: InstalledEntry, which: Callable[[str], str | None]) -> list[Finding]:
    """Return what is wrong with an entry even before its server is started.

    Args:
        one: The entry.
        which: Finds a program by its name on the PATH or by its absolute path.
    """
    command, env = command_of(one.entry), env_of(one.entry)
    again = f"`{PROGRAM} install {one.client.name}"
    if command is not None and which(command) is None:
        return [one.found("fix", f"starts {command}, which is not there; {again}` writes it again")]
    if command is not None and not one.folder.is_dir():
        return [one.found("fix", f"is started in {one.folder} (cwd), which is no folder; correct its cwd")]
    if TOKEN_FILE in env and not Path(env[TOKEN_FILE]).expanduser().is_file():
        return [
            one.found(
                "fix", f"takes its token from {env[TOKEN_FILE]}: no such file; {again} --token-file FILE` names another"
            )
        ]
    if TOKEN in env and not env[TOKEN].startswith("${"):
        return [one.found("note", f"has its token in the file itself; {again} --token-file FILE` takes it out")]
    return []


def tokens_of_clients(machine: Machine) -> list[str]:
    """List the token files that the clients' entries name."""
    files = set[str]()
    for client in CLIENTS:
        try:
            files |= {env[TOKEN_FILE] for one in _entries(client, machine) if TOKEN_FILE in (env := env_of(one.entry))}
        except (CommandError, jsonc.UnreadableError, jsonc.NotAnObjectError):
            continue
    return sorted(files)


def _unread(client: ClientProgram, file: Path, fault: Exception) -> str:
    """Say why a client cannot read a file, and what mends it."""
    mended = f": mend it, or move it away and run `{PROGRAM} install {client.name}`, which makes another"
    return f"{file}: {fault}; the client reads none of it{'' if isinstance(fault, _OddlyWritten) else mended}"


class _OddlyWritten(jsonc.UnreadableError):
    """The client may not be able to read the file; installing mends it."""


def _is_there(client: ClientProgram, machine: Machine) -> bool:
    file = client.file(machine)
    # Claude Code's file is in the home folder itself, which says nothing about Claude Code.
    return file.is_file() or (file.parent != machine.home and file.parent.is_dir())


def _entries(client: ClientProgram, machine: Machine) -> Iterator[InstalledEntry]:
    """List our entries in the configuration of a client. Raises CommandError, UnreadableError, NotAnObjectError."""
    file = client.file(machine)
    content = read(file) or b""
    text = decode(content)
    ours = _ours(client.form.find(text, (client.key,)))
    if content and not ours:
        with suppress(jsonc.UnreadableError):
            client.form.put(text, (client.key, NAME), {})  # only to see whether an entry of ours could be there
    if content and (client.readable(text) != text or text.encode() != content):
        raise _OddlyWritten(
            f"it has comments, commas or an encoding that {client.title} may not read, which "
            f"`{PROGRAM} install {client.name}` takes out"
        )
    for name, entry in ours.items():
        yield InstalledEntry(client, name, entry, machine.home)


def _ours(servers: Json) -> Mapping[str, Json]:
    """Pick our entries: those that start this program, and remote ones only under our name."""
    if not isinstance(servers, dict):
        return {}
    return {
        name: entry
        for name, entry in servers.items()
        if is_our_entry(entry) and (name == NAME or command_of(entry) not in {None, "npx"})
    }
