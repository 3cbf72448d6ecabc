"""`calendly-mcp audit list|export|verify`."""

import json
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Self, get_args

import anyio

from auth.audit.archive import DatabaseArchive
from auth.audit.entries import AuditEntry, facts
from auth.audit.log import Decided
from auth.audit.rows import EntryFilter, find_actions
from auth.grants.agent_token_rows import find_connected
from calendly.identifiers import CALENDLY_ORIGIN
from server.commands.declaring import Action, Command, Invocation, Options, Run
from server.configuration.hints import as_typed
from server.configuration.settings import Settings
from server.configuration.terminal import PROGRAM, CommandError, UsageError, reporting, say, show, suggestion
from server.stores.database import open_store, require_database, settings_to_read
from storage.errors import StorageError
from tools import ALL

_LIMIT: Final = 50
_DECISIONS: Final = ("allowed", "refused", "asked", "declined", "tried")
_KNOWN: Final = frozenset({*(tool.name for tool in ALL), *get_args(Decided)})
"""The tools of this version, and the other actions."""

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wanted:
    """Which entries are asked for.

    Attributes:
        filter: What the database filters by.
        person: The person, by any of their names.
        agent: The agent.
        decision: The decision.
        limit: Most entries listed.
    """

    filter: EntryFilter
    person: str | None
    agent: str | None
    decision: str | None
    limit: int

    @classmethod
    def read(cls, options: Mapping[str, str]) -> Self:
        """Read the options of the command. Raises UsageError."""
        since, until = (_time(f"--{name}", options.get(name)) for name in ("since", "until"))
        if since and until and since >= until:
            raise UsageError("--since: must be before --until.")
        decision = options.get("decision")
        if decision is not None and decision not in _DECISIONS:
            hint = suggestion(decision, _DECISIONS) or f"there are: {', '.join(_DECISIONS)}."
            raise UsageError(f'--decision: there is no decision "{decision[:60]}"; {hint}')
        chain, entry = (_count(f"--{name}", options.get(name)) for name in ("chain", "entry"))
        if entry is not None and chain is None:
            raise UsageError("--entry: needs --chain, which says of which chain it is.")
        return cls(
            filter=EntryFilter(action=options.get("tool"), since=since, until=until, chain=chain, entry=entry),
            person=options.get("person"),
            agent=options.get("agent"),
            decision=decision,
            limit=_count("--limit", options.get("limit")) or _LIMIT,
        )


_Work = Callable[[DatabaseArchive, _Wanted], Awaitable[None]]


def _running(work: _Work) -> Run:
    """Return a command that runs an action on the archive of the settings."""

    async def act(settings: Settings, wanted: _Wanted) -> None:
        _require_database(settings, wanted.filter.action)
        async with AsyncExitStack() as stack:
            archive = (await open_store(settings_to_read(settings, stack), stack)).archive
            with reporting(StorageError):
                await _check_action(archive, wanted.filter.action)
                await work(archive, wanted)

    def run(invocation: Invocation) -> int:
        anyio.run(partial(act, invocation.settings(), _Wanted.read(invocation.options)))
        return 0

    return run


def _require_database(settings: Settings, action: str | None) -> None:
    """Raise CommandError if there is no database, and UsageError if the tool is none either."""
    try:
        require_database(settings)
    except CommandError:
        if action is not None and action not in _KNOWN:
            raise _no_tool(action, ()) from None
        raise


async def _check_action(archive: DatabaseArchive, name: str | None) -> None:
    """Refuse a name that is neither a tool nor in any entry. Raises UsageError."""
    if name is None or name in _KNOWN:
        return
    async with archive.database.read() as connection:
        recorded = await find_actions(connection)
    if name not in recorded:  # what is recorded may be of a tool that another version had
        raise _no_tool(name, recorded)


def _no_tool(name: str, recorded: Collection[str]) -> UsageError:
    hint = suggestion(name, {*_KNOWN, *recorded}) or f"`{PROGRAM} tools` lists them all."
    return UsageError(f'--tool: there is no tool "{name[:60]}", and nothing of that name was recorded; {hint}')


async def _list(archive: DatabaseArchive, wanted: _Wanted) -> None:
    left = wanted.limit
    async for entry in _found(archive, wanted):
        if left == 0:
            return
        left -= 1
        show(as_typed(f"{entry.time:%Y-%m-%d %H:%M:%S}Z  {entry.told}"))
    if left == wanted.limit:
        say("Nothing that was recorded fits.")


async def _export(archive: DatabaseArchive, wanted: _Wanted) -> None:
    async for entry in _found(archive, wanted, oldest_first=True):
        show(json.dumps(exported(entry), ensure_ascii=False))


async def _verify(archive: DatabaseArchive, _wanted: _Wanted) -> None:
    faults = 0
    async for fault in archive.verify():
        faults += 1
        show(fault)
    entries, chains = await archive.count()
    if faults:
        raise CommandError(
            f"the audit log was changed: {faults} fault{'s' if faults > 1 else ''} in {entries} entries. "
            f"`{PROGRAM} audit list --chain N --entry N` shows what stands at such a place now. It cannot be mended: "
            "keep a copy of the database, compare it with a backup, and see who could write to it."
        )
    show(f"{entries} entries in {chains} chains: nothing was changed, removed or moved.")


def exported(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry as it is exported: every name in every line, what does not apply as null."""
    known = facts(entry)
    place = ("transport", "endpoint", "organization", "resource")
    names = ("time", "person", "agent", "named_by", "grant", "action", "tool", "where", "decision", "rule", "source")
    values = {**known, "outcome": entry.ending, "where": {name: known.get(name) for name in place}}
    rest = ("confirmed", "outcome", "status", "duration", "request_id", "kind")
    return {**{name: values.get(name) for name in (*names, *rest)}, "sentence": entry.told}


async def _found(
    archive: DatabaseArchive, wanted: _Wanted, *, oldest_first: bool = False
) -> AsyncGenerator[AuditEntry]:
    people = None if wanted.person is None else await _names_of(archive, wanted.person)
    async for entry in archive.find(replace(wanted.filter, people=people), oldest_first=oldest_first):
        if wanted.agent in {None, entry.agent} and wanted.decision in {None, entry.decision}:
            yield entry


async def _names_of(archive: DatabaseArchive, person: str) -> list[str]:
    """Return the names under which the audit log may have a person: given by URI, uuid, e-mail or such a name."""
    async with archive.database.read() as connection:
        known = await find_connected(connection, person)
    return [
        person,
        *(name for uri in (*known, f"{CALENDLY_ORIGIN}/users/{person}", person) for name in archive.names_of(uri)),
    ]


def _time(option: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: must be a day or a time, such as 2026-12-01 or 2026-12-01T09:00+01:00.") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _count(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"{option}: must be a number from 1 to 999999999.")
    return int(text)


_SOUGHT: Final[Options] = {
    "--person": {"metavar": "WHO", "help": "by the person's user URI, uuid, or e-mail address when they connected"},
    "--agent": {"metavar": "NAME", "help": "by agent"},
    "--tool": {"metavar": "NAME", "help": "by tool, or by another action, such as redeem_code"},
    "--decision": {"metavar": "WORD", "help": f"by decision: {', '.join(_DECISIONS)}"},
    "--chain": {"metavar": "N", "help": "of one chain, as verify numbers them"},
    "--entry": {"metavar": "N", "help": "at one place of that chain"},
    "--since": {"metavar": "TIME", "help": "from a day or time on, such as 2026-12-01 or 2026-12-01T09:00+01:00"},
    "--until": {"metavar": "TIME", "help": "before a day or time"},
}
_MOST: Final[Options] = {"--limit": {"metavar": "N", "help": f"most entries (default {_LIMIT})"}}

COMMAND: Final = Command(
    actions={
        "list": Action("show entries, the newest first", _running(_list), {**_SOUGHT, **_MOST}),
        "export": Action("show entries as JSON Lines, the oldest first", _running(_export), _SOUGHT),
        "verify": Action("find entries that were changed, removed or moved", _running(_verify)),
    }
)
