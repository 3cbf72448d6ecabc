"""Look-up of names in Calendly's lists: event types by name, slug or page, people and contacts by name or e-mail.

Schedules, teams, groups, contact lists and routing forms go by their name. The look-ups call the list
tools for the same agent, so it cannot name what it may not read. Tools that cancel, remove, revoke or
delete take no names.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Final, NamedTuple, cast

from calendly import models
from calendly.errors import InsufficientScope, PermissionDenied
from calendly.identifiers import (
    ContactId,
    ContactListId,
    EventTypeId,
    GroupId,
    Identifier,
    OrganizationId,
    RoutingFormId,
    ScheduleId,
    TeamId,
    UserId,
)
from tools.contacts import find_contact
from tools.endpoints.availability import list_user_availability_schedules
from tools.endpoints.contacts.lists import list_contact_lists
from tools.endpoints.event_types.event_types import list_event_types
from tools.endpoints.routing_forms import list_routing_forms
from tools.endpoints.teams import list_groups, list_teams
from tools.fields import ENOUGH_PAGES, LARGEST_PAGE, Reference
from tools.links import PAGES, page_of
from tools.matching import folded
from tools.people import find_person, owner_of_page
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError
from tools.toolset.wording import one_line

_MOST_NAMED: Final = 10
_SIMILAR: Final = 0.6
_SHORTEST_PART: Final = 3
_SINGLE_USE: Final = (
    " An address with /d/ may also be a single-use link: a person opens it to book once, and no tool can."
)


async def resolved(call: Call, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool's arguments with every name replaced by its identifier.

    Names of event types are those of the organization that the arguments name, else of the user that they name
    and the person's own.

    Raises:
        ArgumentError: The name is unknown or not unique; the message lists what there is.
        DeniedByPolicy, CalendlyError: The list with the name may not be read, or the read failed.
    """
    organization = await _resolved(_Place(call, None), "organization", values.get("organization"))
    place = _Place(call, organization if isinstance(organization, OrganizationId) else None)
    user = await _resolved(place, "user", values.get("user"))
    place = place._replace(user=user if isinstance(user, UserId) else UserId.ME)
    known = {"organization": organization, "user": user}
    return {name: known[name] if name in known else await _resolved(place, name, values[name]) for name in values}


class _Place(NamedTuple):
    """Where names are looked up: in an organization, or among what is somebody's own."""

    call: Call
    organization: OrganizationId | None
    user: UserId = UserId.ME

    @property
    def is_own(self) -> bool:
        """Whether names are looked up in an organization, or among what is the person's own."""
        return self.organization is not None or self.user.is_me

    @property
    def whose(self) -> str:
        """Say in whose event types a name was looked up."""
        if self.organization:
            return "that organization"
        return "yours" if self.user.is_me else self.user.told

    async def event_types(self) -> Sequence[models.EventType]:
        """Return the event types whose names count."""
        listed = await self.call.via(list_event_types)(
            None if self.organization else self.user, self.organization, count=LARGEST_PAGE, max_pages=ENOUGH_PAGES
        )
        return listed.get("collection", [])


async def _resolved(place: _Place, parameter: str, value: object) -> object:
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [await _resolved(place, f"{parameter}.{number}", item) for number, item in enumerate(items)]
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return {name: await _resolved(place, f"{parameter}.{name}", item) for name, item in fields.items()}
    return await _look_up(place, parameter, value) if isinstance(value, Reference) else value


async def _look_up(place: _Place, parameter: str, reference: Reference) -> Identifier:
    found = await _FINDERS[reference.kind](place, parameter, reference.text)
    return found or await _unknown(place, parameter, reference.text)


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
    if not found and not place.is_own:
        return await _event_type(place._replace(user=UserId.ME), parameter, text)
    if not found:
        return await _colleagues(place, parameter, text)
    return replace(EventTypeId.parse(found[0].get("uri") or ""), called=one_line(found[0].get("name")))


async def _colleagues(place: _Place, parameter: str, text: str) -> EventTypeId | None:
    """Return the event type of a colleague's booking page, None for what is no such page."""
    page = page_of(text)
    if page is None or place.organization is not None or not place.user.is_me:
        return None
    owner = await owner_of_page(place.call, page)
    if owner is None:
        return None
    theirs = place._replace(user=owner)
    try:
        listed = await theirs.event_types()
    except (InsufficientScope, PermissionDenied) as refused:
        told = f"You may not read the event types of {owner.told}: whoever wants to book opens the page itself."
        raise ArgumentError.of(parameter, told) from refused
    kinds = [kind for kind in listed if _goes_by(kind, text)]
    if not kinds:
        await _unknown(theirs, parameter, text)
    return replace(EventTypeId.parse(kinds[0].get("uri") or ""), called=one_line(kinds[0].get("name")))


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


async def _unknown(place: _Place, parameter: str, text: str) -> Identifier:
    """Raise ArgumentError with what is near, else with all there is."""
    kinds = await place.event_types()
    near = _near(kinds, text)
    whose = f"No event type of {place.whose}"
    if is_elsewhere := _is_elsewhere(text, kinds):
        told = (
            f"{whose} has this booking page, nor one of a colleague whose event types you may read: whoever wants "
            "to book opens the page itself."
        )
    elif near:
        told = f"{whose} goes by that name. Did you mean: {'; '.join(map(_told, near[:_MOST_NAMED]))}?"
    else:
        names = list(dict.fromkeys(filter(None, (one_line(kind.get("name")) for kind in kinds))))
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        told = f"{whose} goes by that name; there are: {', '.join(names[:_MOST_NAMED]) or 'none'}{more}."
    if place.is_own and not place.organization and not is_elsewhere:
        told += " A colleague's goes by uuid or URI: list_event_types has it, with user."
    raise ArgumentError.of(parameter, f"{told}{_SINGLE_USE if _is_code(text) else ''}")


def _is_elsewhere(text: str, kinds: Sequence[models.EventType]) -> bool:
    """Return whether a text is a booking page below somebody else's."""
    page = page_of(text)
    owners = {known.rpartition("/")[0] for kind in kinds if (known := page_of(kind.get("scheduling_url")))}
    return page is not None and not _is_code(text) and page.rpartition("/")[0] not in owners


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


async def _schedule(place: _Place, parameter: str, text: str) -> Identifier:
    """Return one's own availability schedule of a name, or the default one."""
    rows = (await place.call.via(list_user_availability_schedules)()).get("collection", [])
    uris = [(row.get("name"), row.get("uri")) for row in rows]
    default = [("default", row.get("uri")) for row in rows if row.get("default")]
    is_name = any(folded(name or "") == folded(text) for name, _ in uris)
    return _of_name(ScheduleId, parameter, text, uris if is_name or folded(text) != "default" else default)


async def _team(place: _Place, parameter: str, text: str) -> Identifier:
    page = await place.call.via(list_teams)(count=LARGEST_PAGE, max_pages=ENOUGH_PAGES)
    return _of_name(TeamId, parameter, text, [(row.get("name"), row.get("uri")) for row in page.get("collection", [])])


async def _group(place: _Place, parameter: str, text: str) -> Identifier:
    page = await place.call.via(list_groups)(place.organization, count=LARGEST_PAGE, max_pages=ENOUGH_PAGES)
    return _of_name(GroupId, parameter, text, [(row.get("name"), row.get("uri")) for row in page.get("collection", [])])


async def _contact_list(place: _Place, parameter: str, text: str) -> Identifier:
    rows = (await place.call.via(list_contact_lists)()).get("collection", [])
    return _of_name(ContactListId, parameter, text, [(row.get("name"), row.get("uri")) for row in rows])


async def _routing_form(place: _Place, parameter: str, text: str) -> Identifier:
    page = await place.call.via(list_routing_forms)(place.organization, count=LARGEST_PAGE, max_pages=ENOUGH_PAGES)
    rows = page.get("collection", [])
    return _of_name(RoutingFormId, parameter, text, [(row.get("name"), row.get("uri")) for row in rows])


def _of_name(
    kind: type[Identifier], parameter: str, text: str, listed: Sequence[tuple[str | None, str | None]]
) -> Identifier:
    """Return the identifier of a name in a list of names and URIs. Raises ArgumentError, with the names that there are.

    The same name stands for one alone; of several it takes the one that is written exactly so.
    """
    found = [(name, uri) for name, uri in listed if name and uri and folded(name) == folded(text)]
    found = [one for one in found if one[0] == text] or found
    if len(found) == 1:
        name, uri = found[0]
        return replace(kind.parse(uri), called=one_line(name))
    what = kind.resource.partition(" ")[2]
    if found:
        uris = "; ".join(uri for _, uri in found[:_MOST_NAMED])
        raise ArgumentError.of(parameter, f"Several go by that name, so pass the URI of one: {uris}.")
    names = ", ".join(one_line(name) for name, _ in listed[:_MOST_NAMED])
    more = f" and {len(listed) - _MOST_NAMED} more" if len(listed) > _MOST_NAMED else ""
    raise ArgumentError.of(
        parameter, f"No {what} goes by that name; pass a URI or one of: {names or 'there is none'}{more}."
    )


async def _own_organization(place: _Place, _parameter: str, _mine: str) -> OrganizationId:
    return await place.call.own(None)


_FINDERS: Final[Mapping[type[Identifier], Callable[[_Place, str, str], Awaitable[Identifier | None]]]] = {
    EventTypeId: _event_type,
    UserId: _person,
    ContactId: _contact,
    OrganizationId: _own_organization,
    ScheduleId: _schedule,
    TeamId: _team,
    GroupId: _group,
    ContactListId: _contact_list,
    RoutingFormId: _routing_form,
}
