"""What `install` and `uninstall` share: the client by its name, the question before a file is changed, the refusal."""

import json
import sys
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path

from server.configuration.terminal import CommandError, UsageError
from server.installing.client_files import Change, write
from server.installing.clients import CLIENTS, Client
from server.installing.jsonc import Json
from server.installing.machine import Machine


def client_named(name: str) -> Client:
    """Return a client. Raises UsageError that names those there are."""
    names = [client.name for client in CLIENTS]
    if name not in names:
        close = get_close_matches(name.lower(), names, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names)}."
        raise UsageError(f'No client is called "{name[:60]}"; {hint}')
    return CLIENTS[names.index(name)]


def settle(change: Change, machine: Machine, *, asking: bool) -> bool:
    """Show a change, ask whether it is to be, and make it.

    Args:
        change: The change.
        machine: Whose home shortens the paths shown.
        asking: Whether a person is asked.

    Returns:
        Whether it was made.

    Raises:
        CommandError: The file cannot be written.
    """
    sys.stdout.write(f"{change.difference()}\n")
    if asking:
        sys.stdout.write(f"Write this to {change.file}? [y/N] ")
        sys.stdout.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            sys.stdout.write("\nNothing was changed. --yes writes without asking.\n")
            return False
    copy = write(change, datetime.now(UTC))
    kept = f" What it was is kept as {_short(copy, machine)}." if copy else ""
    sys.stdout.write(f"Written: {_short(change.file, machine)}.{kept}\n")
    return True


def refusal(file: Path, path: tuple[str, ...], entry: Json, fault: Exception) -> CommandError:
    """Say that a file stays as it is, and what to put there by hand."""
    lines = json.dumps({path[0]: {path[1]: entry}}, indent=2, ensure_ascii=False)
    return CommandError(
        f"{file} is not what the client can read ({fault}), so it stays as it is. Mend it, or put there:\n{lines}"
    )


def _short(path: Path, machine: Machine) -> str:
    """A path as people write it."""
    return f"~/{path.relative_to(machine.home).as_posix()}" if path.is_relative_to(machine.home) else str(path)
