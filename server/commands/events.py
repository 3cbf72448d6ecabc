"""`calendly-mcp events enable|disable|list`: what Calendly tells the hosted endpoint, and what it posts to programs."""

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain
from textwrap import wrap
from typing import Final

import anyio

from auth.endpoints import agent_tokens
from auth.endpoints.site import Site
from auth.grants import agent_rows
from calendly.errors import CalendlyError
from calendly.third_party_text import shown
from events.incoming import stored_receivers
from events.incoming.webhook_states import FamilyWebhook, shown_webhooks
from events.incoming.webhooks import OutOfReach, Webhooks
from events.kinds import BOOKED, CANCELED, FAMILIES, KINDS, MEETINGS, RESCHEDULED, EventFamily
from events.outgoing.standing import NotNoted
from server.app import calendly_for
from server.commands.declaring import SWITCH, Action, Command, Invocation, Run
from server.commands.token import opened_site
from server.configuration.hints import as_typed
from server.configuration.settings import Settings
from server.configuration.terminal import PROGRAM, CommandError, UsageError, reporting, say, show
from server.hosted.event_delivery import callback_poster, endings_of, subscriptions_of
from server.hosted.hosting import hosted_selection, webhooks_of
from server.hosted.peoples_events import reason_for
from server.hosted.principals import SignedIn
from server.hosted.program_callbacks import ListedSubscription, ProgramCallbacks
from server.hosted.standings import GrantStandings
from server.stores.events import feeds_in
from storage.errors import StorageError

_NONE: Final = f"Calendly tells this server nothing at once: no webhook is on. `{PROGRAM} events enable` makes one."
_WIDTH: Final = 80
"""Characters of a line in the list, but for a word that is longer."""

_USUAL: Final = (BOOKED, CANCELED, RESCHEDULED)
"""The kinds that are posted to a program where none are named."""

_Options = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the actions work with."""

    site: Site
    webhooks: Webhooks
    programs: ProgramCallbacks

    async def person(self, named: str | None) -> str:
        """Find the person who is meant. Raises AgentTokenError."""
        async with self.site.database.read() as connection:
            return await agent_tokens.find_person(self.site, connection, named)

    async def called(self, people: Collection[str]) -> Mapping[str, str]:
        """Return what people are called in a text: by e-mail address, or by URI where none is known."""
        async with self.site.database.read() as connection:
            addresses = await agent_rows.addresses(connection, people)
        return {person: shown(addresses.get(person, person)) for person in people}

    def reason_for(self, failure: CalendlyError) -> str:
        """Say why Calendly refused something, and what the person does about it."""
        return reason_for(failure, f"{self.site.issuer}/connections")


_Work = Callable[[_Desk], Awaitable[str]]


def _running(read: Callable[[_Options], _Work]) -> Run:
    """Return what runs an action; `read` reads its options before the database is opened."""

    async def act(settings: Settings, work: _Work) -> str:
        async with _desk(settings) as desk:
            with reporting(agent_tokens.AgentTokenError, StorageError, OutOfReach, NotNoted):
                try:
                    return await work(desk)
                except CalendlyError as refused:
                    raise CommandError(desk.reason_for(refused)) from None

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
        programs = ProgramCallbacks(
            site=site,
            subscriptions=subscriptions_of(endings_of(settings, site, callback_poster()), feeds),
            standings=GrantStandings(site.database, site.keyring, SignedIn.at(site, settings).known_as, site.now),
        )
        yield _Desk(site, webhooks_of(settings, site, feeds, calendly_for(settings, stack), clock), programs)


def _enable(options: _Options) -> _Work:
    if "to" in options or "for" in options:
        return _arrange(options)
    families = tuple(dict.fromkeys(_named(options["kind"]).values())) if "kind" in options else (MEETINGS,)
    if "rotate" in options and "kind" in options:
        raise UsageError("--rotate replaces every webhook of the person; --kind makes one.")
    return partial(_enabled, person=options.get("person"), families=families, rotates="rotate" in options)


def _arrange(options: _Options) -> _Work:
    if "to" not in options or "for" not in options:
        raise UsageError("--to says where events are posted, and --for for which agent token: name both.")
    if "person" in options or "rotate" in options:
        raise UsageError("--person and --rotate are about Calendly's webhooks: with --to the agent token says whose.")
    kinds = tuple(_named(options["kind"])) if "kind" in options else _USUAL
    return partial(_arranged, url=options["to"], agent=options["for"], kinds=kinds)


async def _arranged(desk: _Desk, *, url: str, agent: str, kinds: tuple[str, ...]) -> str:
    made = await desk.programs.arrange(url, agent, kinds)
    named = ", ".join(f"{kind} ({subscription})" for kind, subscription in made.subscriptions.items())
    ended = as_typed(f"`{PROGRAM} events disable --subscription ID` ends one")
    signed = (
        "It is signed by the secret of this address." if made.secret is None else "Signed by this, shown this once:"
    )
    say(f"Posted to {made.host} for {shown(made.agent)}: {named}. {ended}. {signed}")
    return made.secret or ""


def _named(text: str) -> Mapping[str, EventFamily]:
    """Read kinds of events, or families of them, by commas. Returns the family of each kind. Raises UsageError."""
    families = {kind.name: kind.family for kind in KINDS.values() if kind.family is not None}
    by_name = {family.name: [name for name in families if families[name] is family] for family in FAMILIES}
    by_name |= {name: [name] for name in families}
    names = [name.strip() for name in text.split(",")]
    unknown = next((name for name in names if name not in by_name), None)
    if unknown is not None:
        raise UsageError(f'--kind: there is no kind "{unknown[:60]}"; there are {", ".join(by_name)}.')
    return {kind: families[kind] for name in names for kind in by_name[name]}


async def _enabled(desk: _Desk, *, person: str | None, families: tuple[EventFamily, ...], rotates: bool) -> str:
    whose = await desk.person(person)
    if rotates:
        await desk.webhooks.rotate(whose)
        return "Every webhook of this person has another address and key. The old ones are good for a day more."
    refused = await desk.webhooks.watch(whose, families)
    if refused:
        family, failure = next(iter(refused.items()))
        raise CommandError(f"{family}: {desk.reason_for(failure)}")
    named = " and ".join(family.name.replace("_", " ") for family in families)
    return f"Calendly tells this server at once of {named} of {(await desk.called([whose]))[whose]}."


def _disable(options: _Options) -> _Work:
    if "subscription" not in options:
        return partial(_disabled, person=options.get("person"))
    if "person" in options:
        raise UsageError("--person ends Calendly's webhooks, --subscription what is posted to one address: name one.")
    return partial(_ended, subscription=options["subscription"])


async def _disabled(desk: _Desk, *, person: str | None) -> str:
    whose = await desk.person(person)
    was_on = await desk.webhooks.of(whose)
    await desk.webhooks.unwatch(whose)
    called = (await desk.called([whose]))[whose]
    return f"No webhook was on for {called}." if not was_on else f"Calendly tells this server nothing of {called} now."


async def _ended(desk: _Desk, *, subscription: str) -> str:
    return f"Nothing more of {subscription} is posted to {await desk.programs.end(subscription)}."


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
    subscriptions = await desk.programs.find_all()
    if as_json:
        webhooks = [{"person": person, **_facts(webhook)} for person, webhook in found]
        listed = {"webhooks": webhooks, "subscriptions": [one.facts() for one in subscriptions]}
        return json.dumps(listed, ensure_ascii=False, indent=2)
    called = await desk.called({*people, *(one.person for one in subscriptions)})
    told = "\n".join(_webhook(each, called[person]) for person, each in found)
    posted = (_subscription(each, called[each.person]) for each in subscriptions)
    return "\n\n".join([told or as_typed(_NONE), *posted])


def _facts(webhook: FamilyWebhook) -> dict[str, str | None]:
    last = webhook.last_at
    return {
        "events": webhook.family,
        "state": webhook.state.value,
        "last_told": None if last is None else last.isoformat(timespec="seconds"),
    }


def _webhook(one: FamilyWebhook, person: str) -> str:
    return _laid_out(f"{one.family} of {person}: {one.state.value}, last told {_minute(one.last_at)}")


def _subscription(one: ListedSubscription, person: str) -> str:
    narrowed = "".join(f" with {name} {value}" for name, value in one.arguments.items())
    until = f"until {_minute(one.until)}" if one.until else "without an end"
    return _laid_out(
        f"{one.id}: {one.state}",
        f"{one.kind} of {person}{shown(narrowed)}, for {one.agent}",
        f"to {one.host}, since {one.since:%Y-%m-%d}, {until}",
        f"{one.outstanding} on their way, last delivery {_minute(one.last_delivery)}, last error "
        f"{one.last_error or 'none'}",
    )


def _laid_out(*texts: str) -> str:
    """Lay out texts, each from a line of its own, all but the very first line indented."""
    lines = (wrap(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False) for text in texts)
    return "\n  ".join(chain.from_iterable(lines))


def _minute(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC" if time else "never"


_PERSON: Final = {
    "--person": {
        "metavar": "WHO",
        "help": "whose, by e-mail or URI, if several people have connected",
    }
}

COMMAND: Final = Command(
    actions={
        "enable": Action(
            "have Calendly tell what happens in somebody's calendar; with --to, have events posted to a program",
            _running(_enable),
            {
                **_PERSON,
                "--kind": {
                    "metavar": "KIND",
                    "help": "kinds of events, or meetings, routing_forms, event_types, contacts, meeting_recaps, by "
                    "commas (default: meetings; with --to those that are booked, canceled or rescheduled)",
                },
                "--to": {"metavar": "URL", "help": "where to post events, signed by a secret that is shown once"},
                "--for": {"metavar": "NAME", "help": "the agent token whose levels and scopes say what is posted"},
                "--rotate": {**SWITCH, "help": "replace what there is, with its addresses and keys"},
            },
        ),
        "disable": Action(
            "have Calendly tell nothing any more; with --subscription, have nothing more posted to one address",
            _running(_disable),
            {**_PERSON, "--subscription": {"metavar": "ID", "help": "the subscription's id in the list"}},
        ),
        "list": Action(
            "list Calendly's webhooks, and what is posted to agents and programs",
            _running(_list),
            {"--json": {**SWITCH, "help": "as JSON"}},
        ),
    }
)
