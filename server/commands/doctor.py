"""`calendly-mcp doctor`: checks everything, says what to fix, and changes nothing."""

import shutil
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from textwrap import fill
from typing import Final

import anyio

from server.app import with_sandbox
from server.calls.principal import Principal
from server.commands.declaring import Command, Invocation
from server.configuration.hints import as_typed
from server.configuration.settings import TOKEN_FILE, Settings, home_folder
from server.configuration.terminal import PROGRAM, CommandError, UsageError, show
from server.configuration.values import MEMORY
from server.doctor.diagnosis import Finding
from server.doctor.examination import Examination
from server.doctor.installed_clients import clients, data_folder, token_file, tokens_of_clients
from server.installing.machine import Machine
from server.local.principals import local_principal
from server.stores.database import open_store, require_database

_WIDTH: Final = 100
_BELOW: Final = " " * 15


def run(invocation: Invocation) -> int:
    """Check everything. The exit status is 1 if something has to be fixed."""
    findings = anyio.run(partial(_examine, invocation.settings(), Machine.here()))
    faults = sum(finding.state == "fix" for finding in findings)
    show(f"{''.join(map(_line, findings))}\n{_summary(faults)}")
    return 1 if faults else 0


async def _examine(settings: Settings, machine: Machine) -> Sequence[Finding]:
    async with AsyncExitStack() as stack:
        settings = await with_sandbox(settings, stack)
        examination = Examination(settings, stack)
        reached = await examination.reach()
        principal = await _principal(settings, stack, machine)
        account = [principal] if isinstance(principal, Finding) else []
        if isinstance(principal, Principal) and reached[0].state == "ok":
            account = await examination.account(principal)
        file = machine.environ.get(TOKEN_FILE)
        account += token_file(file) if file else []
        return [*reached, *account, *clients(machine, shutil.which), *await _data(settings, stack)]


async def _principal(settings: Settings, stack: AsyncExitStack, machine: Machine) -> Principal | Finding:
    """Find the token or the sign-in, or the finding that there is none."""
    try:
        return await local_principal(settings, stack)
    except CommandError as unreadable:
        return Finding("token", "fix", str(unreadable))
    except UsageError as missing:
        files = tokens_of_clients(machine)
        if not files:
            return Finding("token", "fix", str(missing))
        return Finding(
            "token",
            "note",
            "none is set here, and nobody signed in, but clients have one of their own; to check that one: "
            f"{TOKEN_FILE}={files[0]} {PROGRAM} doctor",
        )


async def _data(settings: Settings, stack: AsyncExitStack) -> list[Finding]:
    """Check the folder of our data, and open the database if there is one."""
    if settings.sandbox or settings.database_url == MEMORY:
        return []
    folder = [data_folder(home_folder(settings))] if settings.database_url is None else []
    try:
        require_database(settings)
    except CommandError:
        return folder  # the database is made when it is first needed
    try:
        await open_store(settings, stack)
    except CommandError as fault:
        return [*folder, Finding("data", "fix", str(fault))]
    return [*folder, Finding("data", "ok", "the database of the audit log opens, with the keys that it needs")]


def _line(finding: Finding) -> str:
    head, _, rest = as_typed(finding.text).partition("\n\n")
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
        return "Everything that was checked is in order."
    return f"{faults} thing{'' if faults == 1 else 's'} to fix, marked fix above."


COMMAND: Final = Command(run)
