"""Look-up of names in Calendly's lists: event types by name, slug or page, people and contacts by name or e-mail.

The look-ups call the list tools for the same agent, so it cannot name what it may not read. Tools
that cancel, remove, revoke or delete take no names.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, cast

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import ContactId, EventTypeId, Identifier, OrganizationId, ScheduleId, UserId
from tools.contacts import find_contact
from tools.endpoints.availability import list_user_availability_schedules
from tools.endpoints.event_types.event_types import list_event_types
from tools.fields import ENOUGH_PAGES, LARGEST_PAGE, Reference
from tools.links import PAGES, page_of
from tools.matching import folded, the_one
from tools.people import find_person
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError, ToolError
from tools.toolset.wording import one_line

_MOST_NAMED: Final = 10
_SIMILAR: Final = 0.6
_SHORTEST_PART: Final = 3
_SINGLE_USE: Final = (
    " An address with /d/ may also be a single-use link: a person opens it to book once, and no tool can."
)


async def resolved(call: Call, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool's arguments with every name replaced by its identifier.

    Names of event types are those of the organization that the arguments name, else the person's own.

    Raises:
        ArgumentError: The name is unknown or not unique; the message lists what there is.
        DeniedByPolicy, CalendlyError: The list with the name may not be read, or the read failed.
    """
    organization = await _resolved(_Place(call, None), "organization", values.get("organization"))
    place = _Place(call, organization if isinstance(organization, OrganizationId) else None)
    return {name: await _resolved(place, name, value) for name, value in values.items()}


class _Place(NamedTuple):
    """Where names are looked up: in an organization, or among what is the person's own."""

    call: Call
    organization: OrganizationId | None

    async def event_types(self) -> Sequence[models.EventType]:
        """Return the event types whose names count."""
        listed = await self.call.via(list_event_types)(
            None if self.organization else UserId.ME, self.organization, count=LARGEST_PAGE, max_pages=ENOUGH_PAGES
        )
        return listed.get("collection", [])


async def _resolved(place: _Place, parameter: str, value: object) -> object:
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [await _resolved(place, f"{parameter}.{number}", item) for number, item in enumerate(items)]
    return await _look_up(place, parameter, value) if isinstance(value, Reference) else value


async def _look_up(place: _Place, parameter: str, reference: Reference) -> Identifier:
    find = _FINDERS[reference.kind]
    try:
        found = await find(place, parameter, reference.text)
    except (ToolError, CalendlyError) as problem:
        if reference.fallback is None or isinstance(problem, ArgumentError):
            raise
        return reference.fallback
    return found or await _unknown(place, parameter, reference)


async def _event_type(place: _Place, parameter: str, text: str) -> EventTypeId | None:
    """Return the event type of a name; of several, the only active one, else the only one with this very name."""
    found = [kind for kind in await place.event_types() if _goes_by(kind, text)]
    active = [kind for kind in found if kind.get("active") is not False and not kind.get("deleted_at")]
    same = [kind for kind in active or found if text in {kind.get("name"), kind.get("slug")}]
    for candidates in (active, same):
        if len(candidates) == 1:
            found = candidates
            break
    if len(found) > 1:
        told = "Several event types go by that name, so pass the URI of one"
        raise ArgumentError.of(parameter, f"{told}: {'; '.join(map(_told, found[:_MOST_NAMED]))}.")
    if not found:
        return None
    return replace(EventTypeId.parse(found[0].get("uri") or ""), called=one_line(found[0].get("name")))


def _goes_by(kind: models.EventType, text: str) -> bool:
    """Return whether a text is the name, slug or booking page of an event type, however it is written."""
    page = page_of(text)
    if page is not None:
        return page_of(kind.get("scheduling_url")) == page
    return folded(text) in {folded(name) for name in (kind.get("name"), kind.get("slug")) if name}


def _told(kind: models.EventType) -> str:
    """Return an event type as a list of several names it: whether it is active, how long, whose."""
    minutes, whose = kind.get("duration"), (kind.get("profile") or {}).get("name")
    facts = [
        "deleted" if kind.get("deleted_at") else "inactive" if kind.get("active") is False else "active",
        *([f"{minutes:g} min"] if minutes else []),
        *([f"of {one_line(whose)}"] if whose else []),
        kind.get("uri") or "",
    ]
    return f"{one_line(kind.get('name'))} ({', '.join(facts)})"


async def _unknown(place: _Place, parameter: str, reference: Reference) -> Identifier:
    """Raise ArgumentError with what is near, else with all there is. A text that may be an id is one if nothing is."""
    kinds = await place.event_types()
    near = _near(kinds, reference.text)
    if not near and reference.fallback is not None:
        return reference.fallback
    whose = "No event type of that organization" if place.organization else "No event type of yours"
    if near:
        told = f"{whose} goes by that name. Did you mean: {'; '.join(map(_told, near[:_MOST_NAMED]))}?"
    else:
        names = list(dict.fromkeys(filter(None, (one_line(kind.get("name")) for kind in kinds))))
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        told = f"{whose} goes by that name; there are: {', '.join(names[:_MOST_NAMED]) or 'none'}{more}."
    if not place.organization:
        told += " A colleague's goes by uuid or URI: list_event_types has it, with user."
    raise ArgumentError.of(parameter, f"{told}{_SINGLE_USE if _is_code(reference.text) else ''}")


def _near(kinds: Sequence[models.EventType], text: str) -> list[models.EventType]:
    """Return the event types with the text in their name, else with a similar name; for a page, with its slug."""
    page = page_of(text)
    wanted = folded(page.rpartition("/")[2] if page else text)
    names = [folded(kind.get("name") or "") for kind in kinds]
    slugs = [folded(kind.get("slug") or "") for kind in kinds]
    if len(wanted) < _SHORTEST_PART:
        return []
    within = [kind for kind, *known in zip(kinds, names, slugs, strict=True) if any(wanted in name for name in known)]
    similar = get_close_matches(wanted, [*names, *slugs], n=_MOST_NAMED, cutoff=_SIMILAR)
    return within or [kind for kind, *known in zip(kinds, names, slugs, strict=True) if set(known) & set(similar)]


def _is_code(text: str) -> bool:
    return f"{PAGES}/d/" in (page_of(text) or "")


async def _person(place: _Place, parameter: str, text: str) -> UserId | None:
    return await find_person(place.call, parameter, text)


async def _contact(place: _Place, parameter: str, text: str) -> ContactId:
    return await find_contact(place.call, parameter, text)


async def _schedule(place: _Place, parameter: str, text: str) -> ScheduleId:
    """Return one's own availability schedule of a name. Raises ArgumentError, with the names that there are."""
    rows = (await place.call.via(list_user_availability_schedules)()).get("collection", [])
    by_name = {row.get("name") or "": row.get("uri") or "" for row in rows}
    name = the_one(text, by_name)
    if name is None and folded(text) == "default":
        name = next((row.get("name") or "" for row in rows if row.get("default")), None)
    if name is None or sum(row.get("name") == name for row in rows) > 1:
        names = ", ".join(one_line(name) for name in list(by_name)[:_MOST_NAMED])
        told = "No schedule of yours goes" if name is None else "Several schedules go"
        raise ArgumentError.of(parameter, f"{told} by that name; pass a URI or one of: {names or 'none'}.")
    return ScheduleId.parse(by_name[name])


async def _own_organization(place: _Place, _parameter: str, _mine: str) -> OrganizationId:
    return await place.call.own(None)


_FINDERS: Final[Mapping[type[Identifier], Callable[[_Place, str, str], Awaitable[Identifier | None]]]] = {
    EventTypeId: _event_type,
    UserId: _person,
    ContactId: _contact,
    OrganizationId: _own_organization,
    ScheduleId: _schedule,
}
