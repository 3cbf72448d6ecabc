"""The page of one agent, with its levels and conditions.

GET  /connections/AGENT                shows the agent
POST /connections/AGENT                changes what it may do, from its next call on, and may have it sign in again
POST /connections/AGENT/subscriptions  ends one of its subscriptions to events
POST /connections/AGENT/disconnection  disconnects it

An agent is found only if it belongs to the signed-in person.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auth.access.condition_fields import not_there, read_conditions, with_ids
from auth.access.levels import Access, Allowance
from auth.access.offers import choose
from auth.access.restrictions import Known, place, remember
from auth.access.text import InvalidAccess
from auth.access.words import WORDS, changes
from auth.audit.log import AuditNote, Decided
from auth.endpoints import page_sessions
from auth.endpoints.ending import end_grant
from auth.endpoints.page_session_rows import PageSession
from auth.endpoints.page_sessions import go_on, take_message
from auth.endpoints.site import NamedCondition, ShownSubscription, Site
from auth.grants import agent_rows, grant_rows, restriction_rows, token_rows
from auth.grants.agent_rows import GrantedAgent
from auth.pages.agents import PATH
from auth.pages.views import JOB, Choices, around, card, choices, has_condition, hosts_of, name_of, recent, rows, said
from auth.protocol.errors import NotThere
from auth.protocol.parameters import Pairs, only
from storage.connection import DatabaseConnection

_AWAITED: Final = timedelta(days=1)
"""How long an agent that has to sign in again keeps its place."""

_SIGNED_OUT: Final = "It is signed out: go to the app, whose next call opens the sign-in."
_FROM_NEXT_CALL: Final = "This holds from its next call on."
_AFTER_SIGN_IN: Final = "This holds once the app has signed in again."
_SIGN_IN_AGAIN: Final = "sign-in"
"""The value of the field `then` that has the agent sign in again."""

_RECENT: Final = 25
"""How many entries of the audit log are shown."""


def agent_routes(site: Site) -> list[Route]:
    """Make the routes."""

    async def find(request: Request, session: PageSession) -> GrantedAgent:
        async with site.database.read() as connection:
            return await _own(connection, session, request.path_params["agent"])

    async def show(request: Request, session: PageSession) -> Response:
        agent = await find(request, session)
        return await _show(site, session, agent, {"message": await take_message(site, session), "fault": None})

    async def change(request: Request, session: PageSession, fields: Pairs) -> Response:
        return await _change(site, session, await find(request, session), fields)

    async def disconnect(request: Request, session: PageSession, _fields: Pairs) -> Response:
        agent = await find(request, session)
        await end_grant(site, agent.id)
        await site.audit_log.note(_note(agent, "disconnect", "{person} disconnected {agent}"))
        return await go_on(site, session, PATH, f"{name_of(agent)} is disconnected. Its tokens no longer work.")

    async def end_subscription(request: Request, session: PageSession, fields: Pairs) -> Response:
        agent = await find(request, session)
        had_one = await site.events.end_subscription(only(fields, "subscription") or "", agent.id)
        told = "Nothing more is posted there." if had_one else "That had ended already."
        return await go_on(site, session, f"{PATH}/{agent.id}", told)

    path = f"{PATH}/{{agent}}"
    return [
        page_sessions.page(site, path, show),
        page_sessions.form(site, path, change),
        page_sessions.form(site, f"{path}/subscriptions", end_subscription),
        page_sessions.form(site, f"{path}/disconnection", disconnect, back_to=PATH),
    ]


async def _own(connection: DatabaseConnection, session: PageSession, agent_id: str) -> GrantedAgent:
    agent = await agent_rows.find(connection, agent_id)
    if agent is None or agent.person != session.person:
        raise NotThere("There is no such agent among yours; it may have been disconnected meanwhile.")
    return agent


async def _show(site: Site, session: PageSession, agent: GrantedAgent, said: dict[str, str | None]) -> Response:
    found = choices(site, agent)
    event_types, people = await _names(site, session.person, found)
    recorded = await recent(site, session, [agent.id], limit=_RECENT)
    values = {
        "card": card(site, agent, session.timezone, recorded[agent.id]),
        "rows": rows(site, agent, found, event_types, people),
        "offer": found.offer,
        "signed_out": _SIGNED_OUT if agent.awaited_until and agent.awaited_until > site.now() else None,
        "subscriptions": await _subscriptions(site, session, agent),
        **said,
        **around(site, session),
    }
    return site.pages.form("agent.html", values, status=200 if said["fault"] is None else 400)


async def _subscriptions(
    site: Site, session: PageSession, agent: GrantedAgent
) -> list[tuple[ShownSubscription, str, str]]:
    """Return the subscriptions of an agent, each with its beginning and its last delivery."""
    return [
        (one, said(one.since, session.timezone), said(one.last_at, session.timezone) if one.last_at else "")
        for one in await site.events.subscriptions(agent.id)
    ]


async def _names(site: Site, person: str, found: Choices) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the names of the event types and hosts that a condition can name, by uuid."""
    event_types = await site.names.event_types(person) if has_condition(found, "event_types") else dict[str, str]()
    colleagues = await site.names.colleagues(person) if has_condition(found, "hosts") else dict[str, str]()
    return event_types, hosts_of(person, colleagues)


async def _change(site: Site, session: PageSession, agent: GrantedAgent, fields: Pairs) -> Response:
    found = choices(site, agent)
    try:
        sent = await _read(site, session.person, fields, found)
    except InvalidAccess as fault:
        return await _show(site, session, agent, {"message": None, "fault": str(fault)})
    changed = {name: allowance for name, allowance in sent.items() if allowance != found.shown[name]}
    async with site.database.begin() as connection:
        await grant_rows.hold_person(connection, agent.id)
        current = await _own(connection, session, agent.id)
        await agent_rows.set_access(connection, agent.id, {**current.access, **changed})
        await _remember(site, connection, agent, changed, found.shown)
    told = await _told(site, session, agent, found, changed)
    if agent.kind != JOB and only(fields, "then") == _SIGN_IN_AGAIN:
        await _have_it_sign_in_again(site, agent)
        told = f"{told} {_SIGNED_OUT}"
    return await go_on(site, session, f"{PATH}/{agent.id}", told)


async def _told(site: Site, session: PageSession, agent: GrantedAgent, found: Choices, changed: Access) -> str:
    """Write a change into the audit log, and return the sentence for the page."""
    after = {**found.shown, **changed}
    told = changes(found.shown, after)
    if not told:
        return "Nothing was changed."
    await site.audit_log.note(
        _note(agent, "change_access", f"{{person}} changed what {{agent}} may do ({' '.join(told)})")
    )
    event_types, people = await _names(site, session.person, found)
    return f"{' '.join(changes(found.shown, after, {**event_types, **people}))} {_from_when(site, agent, changed)}"


def _from_when(site: Site, agent: GrantedAgent, changed: Access) -> str:
    """Say when a change takes effect: a level beyond the agent's scopes waits until its app signs in again."""
    now = site.levels(agent.scopes)
    later = [name for name, allowance in changed.items() if allowance.level not in {"off", *now.get(name, ())}]
    if len(later) in {0, len(changed)}:
        return _AFTER_SIGN_IN if later else _FROM_NEXT_CALL
    titles = ", ".join(WORDS[name].title for name in later)
    return f"{_FROM_NEXT_CALL.rstrip('.')}, but for {titles} once the app has signed in again."


async def _have_it_sign_in_again(site: Site, agent: GrantedAgent) -> None:
    """End the tokens of an agent, and keep what it may do: its next call opens the sign-in in the app."""
    now = site.now()
    async with site.database.begin() as connection:
        await grant_rows.hold_person(connection, agent.id)
        await token_rows.end_families(connection, agent.id, now)
        await grant_rows.await_sign_in(connection, agent.id, now + _AWAITED)
    await site.audit_log.note(_note(agent, "sign_in_again", "{person} had {agent} sign in again"))


async def _read(site: Site, person: str, fields: Pairs, found: Choices) -> Access:
    """Read the form, with ids in the place of names. Raises InvalidAccess."""
    names: dict[NamedCondition, Mapping[str, str]] = {"event_types": {}, "hosts": {}}
    if any(text.strip() and field.partition("-")[0] in names for field, text in fields):
        names["event_types"], names["hosts"] = await _names(site, person, found)
    by_id = with_ids(fields, {str(kind): known for kind, known in names.items()})
    sent = {name: read_conditions(by_id, name, one.level) for name, one in choose(fields, found.levels).items()}
    for kind, known in names.items():
        for name, allowance in sent.items():
            new = _values(allowance, kind) - _values(found.shown[name], kind) - known.keys()
            if missing := await site.names.missing(person, kind, new) if new else ():
                raise not_there(name, kind, missing)
    return sent


def _values(allowance: Allowance, kind: NamedCondition) -> frozenset[str]:
    return (allowance.event_types if kind == "event_types" else allowance.hosts) or frozenset()


async def _remember(
    site: Site, connection: DatabaseConnection, agent: GrantedAgent, chosen: Access, before: Access
) -> None:
    """Store what the person took from an agent, for when it is connected again."""
    for where in {place(uri) for uri in agent.redirect_uris}:
        known = Known(agent.person, agent.name, where)
        memory = await restriction_rows.recall(connection, known)
        remembered = remember(memory, chosen, before)
        if remembered != memory:
            await restriction_rows.put(connection, known, remembered, site.now())


def _note(agent: GrantedAgent, action: Decided, told: str) -> AuditNote:
    return AuditNote(
        action=action, told=told, person=agent.person, agent=agent.name or "", grant=agent.id, source="person"
    )
