"""What `install` and `uninstall` share: the client by its name, and the question before a file is changed."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from server.configuration.terminal import CommandError, UsageError, show, suggestion
from server.installing.client_files import FileChange, write
from server.installing.clients import CLIENTS, ClientProgram, ServerEntry
from server.installing.machine import Machine

NAMES: Final = ", ".join(client.name for client in CLIENTS)


def client_named(name: str) -> ClientProgram:
    """Return a client. Raises UsageError that names those there are."""
    clients = {client.name: client for client in CLIENTS}
    if name not in clients:
        hint = suggestion(name.lower(), clients) or f"there are: {NAMES}."
        raise UsageError(f'No client is called "{name[:60]}"; {hint}')
    return clients[name]


def settle(change: FileChange, machine: Machine, *, asking: bool) -> bool:
    """Show a change, ask whether to make it, and make it.

    Args:
        change: The change.
        machine: The machine, whose home folder shortens the paths shown.
        asking: Whether to ask a person.

    Returns:
        Whether the change was made.

    Raises:
        CommandError: The file cannot be written.
    """
    show(change.difference())
    if asking:
        show(f"Write this to {change.file}? [y/N] ", end="")
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            show("\nNothing was changed. --yes writes without asking.")
            return False
    copy = write(change, datetime.now(UTC))
    kept = f" The old file is kept as {_short(copy, machine)}." if copy else ""
    show(f"Written: {_short(change.file, machine)}.{kept}")
    return True


def refusal(client: ClientProgram, file: Path, name: str, entry: ServerEntry, fault: Exception) -> CommandError:
    """Return the error that a file stays as it is, with the entry to put there by hand."""
    lines = client.form.put("", (client.key, name), {**entry})
    return CommandError(
        f"{file} is not what the client can read ({fault}), so it stays as it is. Mend it, or put there:\n{lines}"
    )


def _short(path: Path, machine: Machine) -> str:
    """Write a path as people do, with `~` for the home folder."""
    return f"~/{path.relative_to(machine.home).as_posix()}" if path.is_relative_to(machine.home) else str(path)
