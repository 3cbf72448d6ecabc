"""`calendly-mcp audit list|export|verify`."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import anyio

from auth.audit.archive import DatabaseArchive
from auth.audit.entries import Entry, facts
from auth.audit.rows import Sought
from auth.grants.agent_token_rows import find_connected
from calendly.identifiers import CALENDLY_ORIGIN
from server.commands.declaring import Action, Command, Invocation, Options, Run
from server.configuration.settings import Settings
from server.configuration.terminal import CommandError, UsageError, reporting, show
from server.stores.database import open_store, require_database
from storage.errors import StorageError

_LIMIT: Final = 50


_Options = Mapping[str, str]
_Work = Callable[[DatabaseArchive, _Options], Awaitable[None]]


def _running(work: _Work) -> Run:
    """Return what runs an action against the archive of the settings."""

    async def act(settings: Settings, options: _Options) -> None:
        require_database(settings)
        async with AsyncExitStack() as stack:
            archive = (await open_store(settings, stack)).archive
            with reporting(StorageError):
                await work(archive, options)

    def run(invocation: Invocation) -> int:
        anyio.run(partial(act, invocation.settings(), invocation.options))
        return 0

    return run


async def _list(archive: DatabaseArchive, options: _Options) -> None:
    limit = _count(options.get("limit"))
    async for entry in _found(archive, options):
        if limit == 0:
            return
        limit -= 1
        show(f"{entry.time:%Y-%m-%d %H:%M:%S}Z  {entry.told}")


async def _export(archive: DatabaseArchive, options: _Options) -> None:
    async for entry in _found(archive, options, oldest_first=True):
        show(json.dumps(exported(entry), ensure_ascii=False))


async def _verify(archive: DatabaseArchive, _options: _Options) -> None:
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


def exported(entry: Entry) -> dict[str, Any]:
    """Return an entry as it is exported: every name in every line, what does not apply as null."""
    known = facts(entry)
    place = ("transport", "endpoint", "organization", "resource")
    names = ("time", "person", "agent", "named_by", "grant", "action", "tool", "where", "decision", "rule", "source")
    values = {**known, "outcome": entry.ending, "where": {name: known.get(name) for name in place}}
    rest = ("confirmed", "outcome", "status", "duration", "request_id", "kind")
    return {**{name: values.get(name) for name in (*names, *rest)}, "sentence": entry.told}


async def _found(archive: DatabaseArchive, options: _Options, *, oldest_first: bool = False) -> AsyncGenerator[Entry]:
    sought = Sought(
        people=None if (person := options.get("person")) is None else await _names_of(archive, person),
        action=options.get("tool"),
        since=_time("--since", options.get("since")),
        until=_time("--until", options.get("until")),
    )
    agent, decision = options.get("agent"), options.get("decision")
    async for entry in archive.find(sought, oldest_first=oldest_first):
        if agent in {None, entry.agent} and decision in {None, entry.decision}:
            yield entry


async def _names_of(archive: DatabaseArchive, person: str) -> list[str]:
    """Return as what a person may be recorded who goes by a URI, a uuid, an e-mail address, or a name of the record."""
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
