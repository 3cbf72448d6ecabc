"""The questions for contacts, their custom fields, lists and notes. No condition limits these calls."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, cast

from calendly import models
from calendly.identifiers import ContactId, ContactListId
from tools.confirming.questions import FOR_GOOD, LONGEST_TEXT, WriteEffects, about, if_allowed, local_time
from tools.contacts import told_as
from tools.endpoints.contacts.contacts import WORDS, create_contact, delete_contact, get_contact, update_contact
from tools.endpoints.contacts.custom_fields import create_contact_custom_field_definition, definition_of, definitions
from tools.endpoints.contacts.lists import create_contact_list, get_contact_list, rename_contact_list
from tools.endpoints.contacts.notes import create_note
from tools.times import instant
from tools.toolset.declaring import Call
from tools.toolset.question import Fact, Question, stated, stored, typed
from tools.toolset.tool import Tool, tool_of

_ONLY_YOU: Final = "Only you see it. Calendly's API cannot change or delete it."
_EVERYBODY: Final = "Contacts have it from then on. Calendly's API cannot change or delete it."

Defined = Sequence[models.CustomFieldDefinition]


async def _create(call: Call, **wanted: object) -> Question:
    defined = await _defined(call, wanted)
    return Question(
        "Create a contact", tuple(_then(WORDS[name], name, wanted[name], defined) for name in WORDS if wanted.get(name))
    )


async def _update(call: Call, contact: ContactId, clear: Sequence[str] | None = None, **wanted: object) -> Question:
    wanted |= {name: [] for name in clear or ()}
    now = await _now(call, contact)
    defined = await _defined(call, wanted)
    changes = [
        fact for name in WORDS if wanted.get(name) is not None for fact in _change(now, name, wanted[name], defined)
    ]
    replaced = [WORDS[name] for name in ("emails", "phone_numbers") if wanted.get(name) is not None]
    notes = (f"{' and '.join(replaced)} that are not named then are gone.",) if replaced else ()
    return Question("Change a contact", (_whom(contact, now), *changes), notes)


async def _delete(call: Call, contact: ContactId) -> Question:
    now = await _now(call, contact)
    return Question("Delete a contact", (_whom(contact, now),), (FOR_GOOD,))


async def _note(
    call: Call,
    contact: ContactId,
    body: str | None = None,
    title: str | None = None,
    remind_at: datetime | None = None,
) -> Question:
    now = await _now(call, contact)
    moment = None if remind_at is None else await instant(call.caller, "remind_at", remind_at)
    when = await local_time(call, moment)
    facts = (
        _whom(contact, now),
        *([typed("Title", title)] if title else []),
        *([typed("Text", body, most=LONGEST_TEXT)] if body else []),
        *([stated("Reminder", when)] if when else []),
    )
    return Question("Create a note about a contact", facts, (_ONLY_YOU,))


async def _create_list(_call: Call, name: str) -> Question:
    return Question("Create an empty list of contacts", (typed("Name", name),))


async def _rename_list(call: Call, contact_list: ContactListId, name: str) -> Question:
    await about(call, get_contact_list, contact_list)
    found = await if_allowed(call.via(get_contact_list)(contact_list))
    which = stored("Name, now", found.get("name")) if found else stated("Contact list", str(contact_list))
    return Question("Rename a contact list", (which, typed("Name, then", name)))


async def _create_field(
    _call: Call,
    label: str,
    field_type: str,
    options: Sequence[Mapping[str, str]] | None = None,
    currency: str | None = None,
) -> Question:
    facts = (
        typed("Label", label),
        typed("Type", field_type),
        *([typed("Options", *(option["label"] for option in options))] if options else []),
        *([stated("Currency", currency)] if currency else []),
    )
    return Question("Create a custom field of contacts", facts, (_EVERYBODY,))


async def _now(call: Call, contact: ContactId) -> models.Contact:
    """Return a contact that there is, empty if it may not be read or told. Raises as `about`."""
    await about(call, get_contact, contact)
    found = None if call.hides_people else await if_allowed(call.via(get_contact)(contact))
    return found or models.Contact()


def _whom(contact: ContactId, now: models.Contact) -> Fact:
    return stored("Contact", told_as(now)) if now else stated("Contact", str(contact))


async def _defined(call: Call, wanted: Mapping[str, object]) -> Defined:
    """Return the custom fields there are, if a call sets any."""
    return await definitions(call) or () if wanted.get("custom_fields") else ()


def _change(now: models.Contact, name: str, value: object, defined: Defined) -> Iterable[Fact]:
    said = _before(now, value, defined) if name == "custom_fields" else _texts(now.get(name))
    if said:
        yield stored(f"{WORDS[name]}, now", *said)
    yield _then(f"{WORDS[name]}, then", name, value, defined)


def _then(label: str, name: str, value: object, defined: Defined) -> Fact:
    if name != "custom_fields":
        texts = _texts(value)
        return typed(label, *texts) if texts else stated(label, "nothing")
    return typed(label, *(f"{_label(field, defined)}: {_spelled(field['value'])}" for field in _objects(value)))


def _before(now: models.Contact, value: object, defined: Defined) -> list[str]:
    """Return what the custom fields that would change say now."""
    changed = {_label(field, defined) for field in _objects(value)}
    fields = [field for field in now.get("custom_fields") or [] if field.get("label") in changed]
    return [f"{field.get('label')}: {_spelled(field.get('value'))}" for field in fields]


def _label(field: Mapping[str, object], defined: Defined) -> str:
    named = str(field["uuid"])
    return (definition_of(named, defined) or {}).get("label") or named


def _texts(value: object) -> list[str]:
    """Return a value as texts: of addresses and numbers those alone, the primary address first."""
    rows = sorted(_objects(value), key=lambda row: row.get("is_primary") is not True)
    if not rows:
        return [str(value)] if value else []
    return [str(row.get("email") or row.get("phone_number") or "") for row in rows]


def _objects(value: object) -> list[Mapping[str, object]]:
    rows = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("Mapping[str, object]", row) for row in rows if isinstance(row, Mapping)]


def _spelled(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, cast("list[object]", value))) or "nothing"
    return "nothing" if value in (None, "") else str(value)


EFFECTS: Final[Mapping[Tool, WriteEffects]] = MappingProxyType(
    {
        tool_of(create_contact): WriteEffects(_create),
        tool_of(update_contact): WriteEffects(_update),
        tool_of(delete_contact): WriteEffects(_delete),
        tool_of(create_note): WriteEffects(_note),
        tool_of(create_contact_list): WriteEffects(_create_list),
        tool_of(rename_contact_list): WriteEffects(_rename_list),
        tool_of(create_contact_custom_field_definition): WriteEffects(_create_field),
    }
)
