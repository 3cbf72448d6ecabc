"""The questions for event types: what they are set to, before and after. No condition limits these calls."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from calendly import models
from calendly.identifiers import EventTypeId, UserId
from tools.confirming.questions import LONGEST_TEXT, WriteEffects, about, person_fact
from tools.confirming.spelling import spelled
from tools.endpoints.event_types.event_types import get_event_type
from tools.endpoints.event_types.one_off import create_one_off_event_type
from tools.endpoints.event_types.settings import WORDS, create_event_type, update_event_type, value_of
from tools.endpoints.users import get_user
from tools.toolset.declaring import Call
from tools.toolset.question import Fact, Question, stated, stored, typed
from tools.toolset.tool import Tool, tool_of

_TYPED: Final = frozenset({"name", "description", "locations"})
"""What the agent words itself."""


async def _create(call: Call, name: str, owner: UserId | None = None, **settings: object) -> Question:
    facts = (
        typed("Name", name),
        await person_fact(call, "Owner", owner),
        *(_fact(field, WORDS[field], settings[field]) for field in WORDS if settings.get(field) is not None),
    )
    notes = () if settings.get("active") else ("It cannot be booked until it is switched on.",)
    return Question("Create an event type", facts, notes)


async def _update(call: Call, event_type: EventTypeId, **settings: object) -> Question:
    kind: models.EventType = await about(call, get_event_type, event_type) or {}
    changed = [field for field in WORDS if settings.get(field) is not None]
    before_and_after = [fact for field in changed for fact in _change(kind, field, settings[field])]
    which = (
        stored("Event type", kind.get("name")) if kind and kind.get("name") else stated("Event type", str(event_type))
    )
    page = stated("Booking page", kind.get("scheduling_url") or "not known")
    notes = ("Whoever has its page can book it no more.",) if settings.get("active") is False else ()
    return Question("Change an event type", (which, page, *before_and_after), notes)


def _change(kind: models.EventType, field: str, wanted: object) -> Iterable[Fact]:
    label, now = WORDS[field], value_of(kind, field)
    if now is not None:
        yield stored(f"{label}, now", spelled(now), most=LONGEST_TEXT)
    yield _fact(field, f"{label}, then", wanted)


def _fact(field: str, label: str, value: object) -> Fact:
    said = spelled(value)
    return typed(label, said, most=LONGEST_TEXT) if field in _TYPED else stated(label, said)


async def _create_one_off(
    call: Call,
    name: str,
    duration: float,
    host: UserId | None = None,
    co_hosts: list[UserId] | None = None,
    **_: object,
) -> Question:
    for co_host in co_hosts or []:
        await about(call, get_user, co_host)
    whose = await person_fact(call, "Host", host)
    return Question(
        "Create a one-off event type", (typed("Name", name), stated("Duration", f"{duration:g} minutes"), whose)
    )


EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType(
    {
        tool_of(create_one_off_event_type): WriteEffects(_create_one_off),
        tool_of(create_event_type): WriteEffects(_create),
        tool_of(update_event_type): WriteEffects(_update),
    }
)
