"""`calendly-mcp doctor`: checks everything, says what to fix, and changes nothing."""

import shlex
import shutil
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial
from textwrap import fill, indent
from typing import Final

import anyio

from server.app import with_sandbox
from server.calls.principal import Principal
from server.commands.declaring import Command, Invocation
from server.configuration.failing import ending
from server.configuration.folders import home_folder
from server.configuration.hints import as_typed
from server.configuration.settings import TOKEN_FILE, Settings
from server.configuration.terminal import PROGRAM, CommandError, UsageError, exposed, show
from server.configuration.values import MEMORY
from server.doctor.diagnosis import Finding, proxies
from server.doctor.examination import Examination
from server.doctor.installed_clients import ABOUT, InstalledEntry, faults_of, installed, tokens_of_clients
from server.doctor.machine_checks import data_folder, open_files
from server.doctor.starting import tried
from server.installing.machine import Machine
from server.local.principals import local_principal
from server.stores.database import open_store, require_database
from server.transports.connections import limit_of_open_files

_WIDTH: Final = 100
_BELOW: Final = " " * 15


def run(invocation: Invocation) -> int:
    """Check everything. The exit status is 1 if something has to be fixed."""
    try:
        settings, wrong = invocation.settings(warns=False), list[Finding]()
    except UsageError as fault:
        if invocation.flags or invocation.config:
            raise
        settings, wrong = None, [Finding("settings", "fix", str(fault))]
    findings = [*wrong, *anyio.run(partial(_examine, settings, Machine.here()))]
    faults = sum(finding.state == "fix" for finding in findings)
    show(f"{''.join(map(_line, findings))}\n{_summary(faults)}")
    return 1 if faults else 0


async def _examine(settings: Settings | None, machine: Machine) -> Sequence[Finding]:
    """Check each section. One that fails is a finding, and the next one follows."""
    findings = open_files(limit_of_open_files())
    async with AsyncExitStack() as stack:
        if settings is not None:
            settings = await with_sandbox(settings, stack)
            findings += await _section("network", partial(_calendly, settings, stack, machine))
        findings += await _section(ABOUT, partial(_clients, machine))
        if settings is not None:
            findings += await _section("data", partial(_data, settings, stack))
            findings += proxies(settings.public_url, trusted=bool(settings.trusted_proxies))
    return findings


async def _section(about: str, check: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
    try:
        return await check()
    except Exception as fault:  # noqa: BLE001 - the other sections are still worth reading
        return [Finding(about, "fix", ending(fault).line)]


async def _calendly(settings: Settings, stack: AsyncExitStack, machine: Machine) -> list[Finding]:
    examination = Examination(settings, stack)
    reached = await examination.reach()
    principal = await _principal(settings, stack, machine)
    account = [principal] if isinstance(principal, Finding) else []
    if isinstance(principal, Principal) and reached[0].state == "ok":
        account = await examination.account(principal)
    return [*reached, *account, *(Finding("token", "note", exposed(file)) for file in settings.exposed)]


async def _clients(machine: Machine) -> list[Finding]:
    """Check the configuration of every client, and do with each entry of ours what the client would."""
    entries, others = installed(machine)
    found: dict[int, list[Finding]] = {}

    async def judge(place: int, one: InstalledEntry) -> None:
        known = faults_of(one, shutil.which)
        found[place] = known if any(fault.state == "fix" for fault in known) else [await tried(one), *known]

    async with anyio.create_task_group() as tasks:
        for place, one in enumerate(entries):
            tasks.start_soon(judge, place, one)
    return [*(finding for place in sorted(found) for finding in found[place]), *others]


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
            f"`{TOKEN_FILE}={shlex.quote(files[0])} {PROGRAM} doctor`",
        )


async def _data(settings: Settings, stack: AsyncExitStack) -> list[Finding]:
    """Check the folder of our data, and open the database if there is one."""
    if settings.sandbox or settings.database_url == MEMORY:
        return []
    folder = data_folder(home_folder(settings)) if settings.database_url is None else []
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
    return f"{first}\n" + (f"\n{indent(rest, _BELOW)}\n\n" if rest else "")


def _summary(faults: int) -> str:
    if faults == 0:
        return "Everything that was checked is in order."
    return f"{faults} thing{'' if faults == 1 else 's'} to fix, marked fix above."


COMMAND: Final = Command(run)
