"""`calendly-mcp doctor`: whether everything is in order, and what to do where it is not. It changes nothing."""

import shutil
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from textwrap import fill
from typing import Final

import anyio

from server.app import with_sandbox
from server.calls.principal import Party
from server.configuration.command_line import CommandLine
from server.configuration.logs import log_to_stderr
from server.configuration.settings import TOKEN_FILE, Settings, home_folder, load
from server.configuration.terminal import PROGRAM, CommandError, UsageError
from server.configuration.values import MEMORY
from server.doctor.diagnosis import Finding
from server.doctor.examination import Examination
from server.doctor.installed_clients import clients, data_folder, token_file, tokens_of_clients
from server.installing.machine import Machine
from server.local.first_run import NO_TOKEN
from server.local.principals import local_party
from server.stores.database import open_store, require_database

_WIDTH: Final = 100
_BELOW: Final = " " * 15


def run(arguments: CommandLine) -> int:
    """Look at everything. Returns the exit status: 1 when something has to be fixed."""
    settings = load("doctor", arguments.flags, config=arguments.config)
    log_to_stderr(settings.log_level, settings.log_format)
    return _tell(anyio.run(partial(_examine, settings, Machine.here())))


def _tell(findings: Sequence[Finding]) -> int:
    faults = sum(finding.state == "fix" for finding in findings)
    sys.stdout.write("".join(map(_line, findings)))
    sys.stdout.write(f"\n{_summary(faults)}\n")
    sys.stdout.flush()
    return 1 if faults else 0


async def _examine(settings: Settings, machine: Machine) -> Sequence[Finding]:
    async with AsyncExitStack() as stack:
        settings = await with_sandbox(settings, stack)
        examination = Examination(settings, stack)
        reached = await examination.reach()
        party = await _party(settings, stack, machine)
        account = [party] if isinstance(party, Finding) else []
        if isinstance(party, Party) and reached[0].state == "ok":
            account = await examination.account(party)
        file = machine.environ.get(TOKEN_FILE)
        account += token_file(file) if file else []
        return [*reached, *account, *clients(machine, shutil.which), *await _data(settings, stack)]


async def _party(settings: Settings, stack: AsyncExitStack, machine: Machine) -> Party | Finding:
    """Find the token or the sign-in, or what there is to say where there is none."""
    try:
        return await local_party(settings, stack)
    except CommandError as unreadable:
        return Finding("token", "fix", str(unreadable))
    except UsageError:
        files = tokens_of_clients(machine)
        if not files:
            return Finding("token", "fix", NO_TOKEN)
        return Finding(
            "token",
            "note",
            f"none is set here, and nobody signed in; clients have one of their own: {TOKEN_FILE}={files[0]} "
            f"{PROGRAM} doctor looks at that",
        )


async def _data(settings: Settings, stack: AsyncExitStack) -> list[Finding]:
    """Look at the folder of our data, and open the database if there is one."""
    if settings.sandbox or settings.database_url == MEMORY:
        return []
    folder = [data_folder(home_folder(settings))] if settings.database_url is None else []
    try:
        require_database(settings)
    except CommandError:
        return folder  # it is made when it is first needed
    try:
        await open_store(settings, stack)
    except CommandError as fault:
        return [*folder, Finding("data", "fix", str(fault))]
    return [*folder, Finding("data", "ok", "the database of the audit log opens, with the keys that it needs")]


def _line(finding: Finding) -> str:
    head, _, rest = finding.text.partition("\n\n")
    first = fill(
        head,
        _WIDTH,
        initial_indent=f"{finding.state:<6}{finding.about:<9}",
        subsequent_indent=_BELOW,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return f"{first}\n" + (f"\n{rest}\n\n" if rest else "")


def _summary(faults: int) -> str:
    if faults == 0:
        return "Everything that was looked at is in order."
    return f"{faults} thing{'' if faults == 1 else 's'} to fix, marked fix above."
