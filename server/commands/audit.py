"""`calendly-mcp audit list|export|verify`."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, Self

import anyio

from auth.audit.archive import DatabaseArchive
from auth.audit.entries import AuditEntry, facts
from auth.audit.rows import EntryFilter
from auth.grants.agent_token_rows import find_connected
from calendly.identifiers import CALENDLY_ORIGIN
from server.commands.declaring import Action, Command, Invocation, Options, Run
from server.configuration.settings import Settings
from server.configuration.terminal import CommandError, UsageError, reporting, show
from server.stores.database import open_store, require_database
from storage.errors import StorageError

_LIMIT: Final = 50


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
        return cls(
            filter=EntryFilter(action=options.get("tool"), since=since, until=until),
            person=options.get("person"),
            agent=options.get("agent"),
            decision=options.get("decision"),
            limit=_count(options.get("limit")),
        )


_Work = Callable[[DatabaseArchive, _Wanted], Awaitable[None]]


def _running(work: _Work) -> Run:
    """Return what runs an action against the archive of the settings."""

    async def act(settings: Settings, wanted: _Wanted) -> None:
        require_database(settings)
        async with AsyncExitStack() as stack:
            archive = (await open_store(settings, stack)).archive
            with reporting(StorageError):
                await work(archive, wanted)

    def run(invocation: Invocation) -> int:
        anyio.run(partial(act, invocation.settings(), _Wanted.read(invocation.options)))
        return 0

    return run


async def _list(archive: DatabaseArchive, wanted: _Wanted) -> None:
    limit = wanted.limit
    async for entry in _found(archive, wanted):
        if limit == 0:
            return
        limit -= 1
        show(f"{entry.time:%Y-%m-%d %H:%M:%S}Z  {entry.told}")


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
            f"the audit log was changed: {faults} fault{'s' if faults > 1 else ''} in {entries} entries."
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


def _count(text: str | None) -> int:
    if text is None:
        return _LIMIT
    if not text.isascii() or not text.isdigit():
        raise UsageError("--limit: must be a number.")
    return int(text)


_SOUGHT: Final[Options] = {
    "--person": {"metavar": "WHO", "help": "by the person's user URI, uuid, or e-mail address when they connected"},
    "--agent": {"metavar": "NAME", "help": "by agent"},
    "--tool": {"metavar": "NAME", "help": "by tool, or by another action, such as redeem_code"},
    "--decision": {"metavar": "WORD", "help": "by decision: allowed, refused, asked, declined or tried"},
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
