"""Look-up of names in Calendly's lists: event types by name, slug or booking page, people by name or e-mail address.

The look-ups call the list tools for the same agent, so it cannot name what it may not read. Tools
that cancel, remove, revoke or delete take no names.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, cast

from calendly import models
from calendly.errors import CalendlyError
from calendly.identifiers import EventTypeId, Identifier, OrganizationId, UserId
from tools.endpoints.event_types import list_event_types
from tools.fields import ENOUGH_PAGES, LARGEST_PAGE, Reference
from tools.people import find_person
from tools.toolset.declaring import Call
from tools.toolset.errors import ArgumentError, ToolError

_MOST_NAMED: Final = 10


async def resolved(call: Call, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool's arguments with every name replaced by its identifier.

    Raises:
        ArgumentError: The name is unknown or not unique; the message lists what there is.
        DeniedByPolicy, CalendlyError: The list with the name may not be read, or the read failed.
    """
    return {name: await _resolved(call, name, value) for name, value in values.items()}


async def _resolved(call: Call, parameter: str, value: object) -> object:
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [await _resolved(call, f"{parameter}.{number}", item) for number, item in enumerate(items)]
    return await _look_up(call, parameter, value) if isinstance(value, Reference) else value


async def _look_up(call: Call, parameter: str, reference: Reference) -> Identifier:
    find = _FINDERS[reference.kind]
    try:
        found = await find(call, parameter, reference.text)
    except (ToolError, CalendlyError) as problem:
        if reference.fallback is None or isinstance(problem, ArgumentError):
            raise
        found = None
    if found is not None:
        return found
    if reference.fallback is not None:
        return reference.fallback
    raise await _unknown(call, parameter)


async def _event_type(call: Call, parameter: str, text: str) -> EventTypeId | None:
    kinds = await _own_event_types(call)
    wanted = text.casefold()
    found = [kind for kind in kinds if wanted in _names(kind)]
    if len(found) > 1:
        named = "; ".join(f"{kind.get('name')} ({kind.get('uri')})" for kind in found[:_MOST_NAMED])
        raise ArgumentError.of(parameter, f"Several event types go by that name, so pass the URI of one: {named}.")
    return EventTypeId.parse(found[0].get("uri") or "") if found else None


async def _own_event_types(call: Call) -> Sequence[models.EventType]:
    listed = await call.via(list_event_types)(UserId.ME, count=LARGEST_PAGE, max_pages=ENOUGH_PAGES)
    return listed.get("collection", [])


def _names(kind: models.EventType) -> set[str]:
    names = {kind.get("name"), kind.get("slug"), kind.get("scheduling_url")}
    return {name.casefold() for name in names if name}


async def _unknown(call: Call, parameter: str) -> ArgumentError:
    names = [kind.get("name") or "" for kind in await _own_event_types(call)]
    shown = ", ".join(names[:_MOST_NAMED]) + (
        f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    )
    return ArgumentError.of(parameter, f"No event type of yours goes by that name; there are: {shown or 'none'}.")


async def _own_organization(call: Call, _parameter: str, _mine: str) -> OrganizationId:
    return await call.own(None)


_FINDERS: Final[Mapping[type[Identifier], Callable[[Call, str, str], Awaitable[Identifier | None]]]] = {
    EventTypeId: _event_type,
    UserId: find_person,
    OrganizationId: _own_organization,
}
