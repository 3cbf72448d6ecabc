"""The questions for shares: what a link is for, and what it sets. Conditions on links limit these calls too."""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, cast

from calendly.identifiers import EventTypeId, ShareId
from tools.confirming.questions import LONGEST_TEXT, WriteEffects, event_type_fact
from tools.confirming.spelling import spelled
from tools.endpoints.shares import create_share, delete_share, update_share
from tools.toolset.declaring import Call
from tools.toolset.effects import Affected
from tools.toolset.question import Fact, Question, stated, typed
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


async def _update(_call: Call, share: ShareId, **settings: object) -> Question:
    reset = [_WORDS[name] for name in cast("list[str]", settings.get("reset") or [])]
    back = (stated("Back to the event type's", ", ".join(reset)),) if reset else ()
    return Question("Change a link with which anyone can book once", (_which(share), *_facts(settings), *back))


async def _delete(_call: Call, share: ShareId) -> Question:
    return Question("Delete a link with which anyone can book once", (_which(share),), ("It opens no more.",))


def _which(share: ShareId) -> Fact:
    return stated("Link", str(share))


async def _affects_event_type(_call: Call, _aspects: Collection[str], event_type: EventTypeId, **_: object) -> Affected:
    return Affected(event_types=frozenset({event_type.uuid}))


async def _affects_unknown(_call: Call, _aspects: Collection[str], **_: object) -> Affected:
    """Return that it is not known what a share is of: Calendly's API has no call to read one."""
    return Affected()


EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType(
    {
        tool_of(create_share): WriteEffects(_create, _affects_event_type),
        tool_of(update_share): WriteEffects(_update, _affects_unknown),
        tool_of(delete_share): WriteEffects(_delete, _affects_unknown),
    }
)
