"""`calendly-mcp uninstall CLIENT`: take our entry out of the client's configuration, showing the change first."""

import sys

from server.configuration.command_line import CommandLine
from server.configuration.terminal import CommandError
from server.installing import jsonc
from server.installing.client_files import Change, with_entry
from server.installing.clients import NAME, Client, is_our_entry
from server.installing.configuring import client_named, settle
from server.installing.machine import Machine


def run(arguments: CommandLine) -> int:
    """Take the entry out. Returns the exit status."""
    machine = Machine.here()
    client = client_named(arguments.options["client"])
    change = removal(client, machine, arguments.options.get("name", NAME))
    if not change.is_needed:
        sys.stdout.write(f"{client.title} has no such entry: {change.file} stays as it is.\n")
        return 0
    return 0 if settle(change, machine, asking="yes" not in arguments.options) else 1


def removal(client: Client, machine: Machine, name: str) -> Change:
    """Say what it takes to have no entry of ours in a client's configuration.

    Raises:
        CommandError: The file cannot be read or understood, or the entry is another server's.
    """
    path, file = (client.key, name), client.file(machine)
    try:
        change = with_entry(file, path, None)
    except (jsonc.NotJsonError, jsonc.NotAnObjectError) as fault:
        raise CommandError(f"{file} is not what the client can read ({fault}), so it stays as it is.") from None
    if change.found is not None and not is_our_entry(change.found):
        raise CommandError(f'"{name}" in {file} is another server. Nothing was changed.')
    return change
