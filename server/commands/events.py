"""`calendly-mcp events enable|disable|list`: Calendly's webhooks for the people of the hosted endpoint."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import anyio

from auth.endpoints import agent_tokens
from auth.endpoints.site import Site
from calendly.errors import CalendlyError
from events.incoming import stored_receivers
from events.incoming.webhook_states import FamilyWebhook, shown_webhooks
from events.incoming.webhooks import OutOfReach, Webhooks
from events.kinds import FAMILIES, KINDS, MEETINGS, EventFamily
from server.app import calendly_for
from server.commands.declaring import SWITCH, Action, Command, Invocation, Run
from server.commands.token import opened_site
from server.configuration.hints import as_typed
from server.configuration.settings import Settings
from server.configuration.terminal import PROGRAM, CommandError, UsageError, columns, reporting, show
from server.hosted.hosting import hosted_selection, webhooks_of
from server.hosted.peoples_events import reason_for
from server.stores.events import feeds_in
from storage.errors import StorageError

_NONE: Final = f"Calendly tells nothing of anybody yet. `{PROGRAM} events enable` has it tell."
_HEADING: Final = ("person", "events", "state", "last told")

_Options = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the actions work with."""

    site: Site
    webhooks: Webhooks

    async def person(self, named: str | None) -> str:
        """Find the person who is meant. Raises AgentTokenError."""
        async with self.site.database.read() as connection:
            return await agent_tokens.find_person(self.site, connection, named)


_Work = Callable[[_Desk], Awaitable[str]]


def _running(read: Callable[[_Options], _Work]) -> Run:
    """Return what runs an action; `read` reads its options before the database is opened."""

    async def act(settings: Settings, work: _Work) -> str:
        async with _desk(settings) as desk:
            with reporting(agent_tokens.AgentTokenError, StorageError, OutOfReach):
                try:
                    return await work(desk)
                except CalendlyError as refused:
                    raise CommandError(reason_for(refused)) from None

    def run(invocation: Invocation) -> int:
        text = anyio.run(partial(act, invocation.settings(), read(invocation.options)))
        if text:
            show(text)
        return 0

    return run


@asynccontextmanager
async def _desk(settings: Settings) -> AsyncGenerator[_Desk]:
    async with opened_site(settings, hosted_selection(settings)) as site, AsyncExitStack() as stack:
        clock = asyncio.get_running_loop().time
        stack.push_async_callback(site.connections.refresher.finish)
        await stack.enter_async_context(site.audit_log.writing())
        feeds = feeds_in(site.database, site.keyring, site.now, settings.events_days)
        yield _Desk(site, webhooks_of(settings, site, feeds, calendly_for(settings, stack), clock))


def _enable(options: _Options) -> _Work:
    families = _families(options["kind"]) if "kind" in options else (MEETINGS,)
    if "rotate" in options and "kind" in options:
        raise UsageError("--rotate replaces every webhook of the person; --kind makes one.")
    return partial(_enabled, person=options.get("person"), families=families, rotates="rotate" in options)


def _families(text: str) -> tuple[EventFamily, ...]:
    """Read kinds of events, or families of them, by commas. Raises UsageError."""
    by_name = {family.name: family for family in FAMILIES}
    by_name |= {kind.name: kind.family for kind in KINDS.values() if kind.family is not None}
    names = [name.strip() for name in text.split(",")]
    unknown = next((name for name in names if name not in by_name), None)
    if unknown is not None:
        raise UsageError(f'--kind: there is no kind "{unknown[:60]}"; there are {", ".join(by_name)}.')
    return tuple(dict.fromkeys(by_name[name] for name in names))


async def _enabled(desk: _Desk, *, person: str | None, families: tuple[EventFamily, ...], rotates: bool) -> str:
    whose = await desk.person(person)
    if rotates:
        await desk.webhooks.rotate(whose)
        return "Every webhook of this person has another address and key. The old ones are good for a day more."
    refused = await desk.webhooks.watch(whose, families)
    if refused:
        family, failure = next(iter(refused.items()))
        raise CommandError(f"{family}: {reason_for(failure)}")
    return f"Calendly tells of {' and '.join(family.name for family in families)} of {whose}."


def _disable(options: _Options) -> _Work:
    return partial(_disabled, person=options.get("person"))


async def _disabled(desk: _Desk, *, person: str | None) -> str:
    whose = await desk.person(person)
    await desk.webhooks.unwatch(whose)
    return f"Calendly tells nothing of {whose} any more."


def _list(options: _Options) -> _Work:
    return partial(_listed, as_json="json" in options)


async def _listed(desk: _Desk, *, as_json: bool) -> str:
    async with desk.site.database.read() as connection:
        rows = await stored_receivers.find_all_on(connection)
    people = dict.fromkeys(row.person for row in rows)
    found = [
        (person, webhook)
        for person in people
        for webhook in shown_webhooks([row for row in rows if row.person == person])
    ]
    if as_json:
        webhooks = [{"person": person, **_facts(webhook)} for person, webhook in found]
        return json.dumps({"webhooks": webhooks}, indent=2)
    cells = [(person, *(value or "never" for value in _facts(webhook).values())) for person, webhook in found]
    return columns([_HEADING, *cells]) if cells else as_typed(_NONE)


def _facts(webhook: FamilyWebhook) -> dict[str, str | None]:
    last = webhook.last_at
    return {
        "events": webhook.family,
        "state": webhook.state.value,
        "last_told": None if last is None else last.isoformat(timespec="seconds"),
    }


_PERSON: Final = {
    "--person": {
        "metavar": "WHO",
        "help": "whose, by e-mail or URI, if several people have connected",
    }
}

COMMAND: Final = Command(
    actions={
        "enable": Action(
            "have Calendly tell what happens in somebody's calendar",
            _running(_enable),
            {
                **_PERSON,
                "--kind": {
                    "metavar": "KIND",
                    "help": "kinds of events, or meetings, routing_forms, event_types, contacts, meeting_recaps, by "
                    "commas (default: meetings)",
                },
                "--rotate": {**SWITCH, "help": "replace what there is, with its addresses and keys"},
            },
        ),
        "disable": Action("have Calendly tell nothing any more", _running(_disable), _PERSON),
        "list": Action("list Calendly's webhooks", _running(_list), {"--json": {**SWITCH, "help": "as JSON"}}),
    }
)
