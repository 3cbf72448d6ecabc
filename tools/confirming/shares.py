"""The questions for shares: what a link is for, and what it sets. Conditions on links limit these calls too."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, cast

from calendly import models
from calendly.errors import NotFound
from calendly.identifiers import EventTypeId, InvalidIdentifier, ShareId
from tools.booking.shares import create_share, delete_share, list_shares, update_share
from tools.confirming.questions import LONGEST_TEXT, WriteEffects, about, event_type_fact
from tools.confirming.spelling import spelled
from tools.fields import LARGEST_PAGE, MOST_PAGES
from tools.toolset.declaring import Call
from tools.toolset.effects import Affected
from tools.toolset.question import Fact, Question, stated, stored, typed
from tools.toolset.tool import Tool, tool_of

_WORDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "contact": "For the contact",
        "name": "Name",
        "duration": "Minutes",
        "duration_options": "Minutes to choose from",
        "period_type": "Can be booked",
        "start_date": "From",
        "end_date": "Until",
        "max_booking_time": "Days ahead at most",
        "min_booking_time": "Notice at least",
        "hide_location": "Place hidden",
        "location_configurations": "Places",
        "availability_rule": "Hours",
    }
)
_TYPED: Final = frozenset({"name", "location_configurations"})


def _facts(settings: Mapping[str, object]) -> tuple[Fact, ...]:
    return tuple(
        typed(label, spelled(value), most=LONGEST_TEXT) if name in _TYPED else stated(label, spelled(value))
        for name, label in _WORDS.items()
        if (value := settings.get(name)) is not None
    )


async def _create(call: Call, event_type: EventTypeId, **settings: object) -> Question:
    facts = (await event_type_fact(call, event_type), *_facts(settings))
    return Question("Create a link with which anyone can book once", facts)


async def _update(call: Call, share: ShareId, **settings: object) -> Question:
    reset = [_WORDS[name] for name in cast("list[str]", settings.get("reset") or [])]
    back = (stated("Back to the event type's", ", ".join(reset)),) if reset else ()
    return Question(
        "Change a link with which anyone can book once",
        (*_which(share, await _found(call, share)), *_facts(settings), *back),
    )


async def _delete(call: Call, share: ShareId) -> Question:
    facts = _which(share, await _found(call, share))
    return Question("Delete a link with which anyone can book once", facts, ("It opens no more.",))


async def _found(call: Call, share: ShareId) -> models.Share | None:
    """Find a share in the person's list, since Calendly's API has no call to read one; None if that may not be read.

    Raises:
        NotFound: It is not there.
    """
    page = await about(call, list_shares, count=LARGEST_PAGE, max_pages=MOST_PAGES)
    if page is None:
        return None
    found = next((row for row in page.get("collection", []) if row.get("uri") == share.uri), None)
    if found is None and page.get("pagination", {}).get("next_page_token") is None:
        raise NotFound("There is no such share among the person's own.", status=404)
    return found


def _which(share: ShareId, found: models.Share | None) -> tuple[Fact, ...]:
    links = [link.get("booking_url") for link in (found or {}).get("scheduling_links") or []]
    name = ((found or {}).get("share_override") or {}).get("name")
    named = (stored("Its name", name),) if name else ()
    return (stored("Link", *links) if any(links) else stated("Link", str(share)), *named)


async def _affects_event_type(_call: Call, _aspects: Collection[str], event_type: EventTypeId, **_: object) -> Affected:
    return Affected(event_types=frozenset({event_type.uuid}))


async def _affects_its_type(call: Call, _aspects: Collection[str], share: ShareId, **_: object) -> Affected:
    found = await _found(call, share)
    owners = [link.get("owner") or "" for link in (found or {}).get("scheduling_links") or []]
    try:
        return Affected(event_types=frozenset(EventTypeId.parse(owner).uuid for owner in owners) or None)
    except InvalidIdentifier:
        return Affected()


EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType(
    {
        tool_of(create_share): WriteEffects(_create, _affects_event_type),
        tool_of(update_share): WriteEffects(_update, _affects_its_type),
        tool_of(delete_share): WriteEffects(_delete, _affects_its_type),
    }
)
