"""`calendly-mcp uninstall CLIENT`."""

from typing import Final

from server.commands.declaring import Command, Invocation
from server.commands.install import OPTIONS
from server.configuration.terminal import CommandError, show
from server.installing import jsonc
from server.installing.client_files import FileChange, with_entry
from server.installing.clients import NAME, ClientProgram, is_our_entry
from server.installing.configuring import client_named, settle
from server.installing.jsonc import Json
from server.installing.machine import Machine


def run(invocation: Invocation) -> int:
    """Take our entry out of the client's configuration, after showing the change."""
    machine = Machine.here()
    client = client_named(invocation.options["client"])
    change = removal(client, machine, invocation.options.get("name", NAME))
    if not change.is_needed:
        show(f"{client.title} has no such entry: {change.file} stays as it is.")
        return 0
    return 0 if settle(change, machine, asking="yes" not in invocation.options) else 1


def removal(client: ClientProgram, machine: Machine, name: str) -> FileChange:
    """Return the change that takes our entry out of a client's configuration.

    Raises:
        CommandError: The file cannot be read or understood, or the entry is another server's.
    """
    file = client.file(machine)

    def make(found: Json) -> None:
        if found is not None and not is_our_entry(found):
            raise CommandError(f'"{name}" in {file} is another server. Nothing was changed.')

    try:
        return with_entry(client, file, name, make)
    except (jsonc.UnreadableError, jsonc.NotAnObjectError) as fault:
        raise CommandError(f"{file} is not what the client can read ({fault}), so it stays as it is.") from None


COMMAND: Final = Command(run, OPTIONS)
