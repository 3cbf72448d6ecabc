"""Custom fields of contacts: how they are defined, and values as a definition wants them."""

import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, cast

from pydantic import AfterValidator, Field, WithJsonSchema, with_config
from typing_extensions import TypedDict

from calendly import models
from calendly.errors import CalendlyError
from tools.bodies import CLOSED, given
from tools.contact_fields import CustomFieldDefinitionRef, Heading, or_text
from tools.fields import Line, checked_text, line, on_date
from tools.matching import folded
from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Call, Toolset
from tools.toolset.errors import ArgumentError, ToolError
from tools.toolset.lists import Rows, rows_of
from tools.toolset.searched import searched
from tools.toolset.wording import listed, one_line

custom_fields = Toolset("contacts")

_MOST_NAMED: Final = 10
_SHORT: Final = 40
"""Characters of a label that stands beside its uuid."""

_MOST_TAGS: Final = 100
_YES_AND_NO: Final[Mapping[str, bool]] = MappingProxyType({"true": True, "yes": True, "false": False, "no": False})


def _currency(text: str) -> str:
    text = text.strip()
    if not (len(text) == len("EUR") and text.isascii() and text.isalpha()):
        raise ValueError("Expected a currency by its three letters, such as EUR.")
    return text.upper()


def _value(value: object) -> object:
    """Return what a custom field may be set to: a text, number, boolean or list of texts."""
    if isinstance(value, str):
        return checked_text(value)
    if isinstance(value, list):
        texts = cast("list[object]", value)
        if len(texts) <= _MOST_TAGS and all(isinstance(text, str) for text in texts):
            return [line(str(text)) for text in texts]
    elif isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError("Expected a text, a number, true or false, or a list of texts.")


WantedValue = Annotated[
    object,
    AfterValidator(_value),
    WithJsonSchema(
        {"type": "string", "description": "text, number, YYYY-MM-DD, true/false, option, tags; empty clears"}
    ),
]


@with_config(CLOSED)
class CustomFieldFields(TypedDict):
    """What a custom field of a contact is set to."""

    uuid: Annotated[Line, Field(description="its label will do")]
    value: WantedValue


@with_config(CLOSED)
class OptionFields(TypedDict):
    """One of the values to choose from."""

    label: Heading


@custom_fields.tool(
    "GET",
    "/contacts/custom_field_definitions",
    title="List custom field definitions",
    scope="contacts:read",
    capability="contacts",
    audit=Sentence("list", "the custom fields of contacts"),
    is_cacheable=True,
)
async def list_contact_custom_field_definitions(call: Call) -> Rows[models.CustomFieldDefinition]:
    """List the custom fields that contacts have: label, type, options."""
    rows = await call.rows(models.CustomFieldDefinition, query={})
    return rows_of(rows, searched("your organization"), "There are none.")


@custom_fields.tool(
    "GET",
    "/contacts/custom_field_definitions/{custom_field_definition}",
    title="Get custom field definition",
    scope="contacts:read",
    capability="contacts",
    audit=Sentence("read", "the custom field {custom_field_definition}"),
)
async def get_contact_custom_field_definition(
    call: Call, custom_field_definition: CustomFieldDefinitionRef
) -> models.CustomFieldDefinition:
    """Look up a custom field of contacts."""
    return await call(models.CustomFieldDefinition, custom_field_definition=custom_field_definition)


@custom_fields.tool(
    "POST",
    "/contacts/custom_field_definitions",
    title="Create custom field definition",
    scope="contacts:write",
    capability="contacts",
    audit=Sentence("create", "a custom field of contacts"),
)
async def create_contact_custom_field_definition(
    call: Call,
    label: Heading,
    field_type: Annotated[Line, Field(description="such as text, number, currency, date, tags, single_select")],
    options: Annotated[
        list[Annotated[OptionFields, or_text("label")]],
        Field(min_length=1, max_length=10, description="of single_select"),
    ]
    | None = None,
    currency: Annotated[str, Field(description="of currency, such as EUR"), AfterValidator(_currency)] | None = None,
) -> models.CustomFieldDefinition:
    """Create a custom field that contacts have from then on. No tool changes or deletes one."""
    for needs, name, value in (("single_select", "options", options), ("currency", "currency", currency)):
        if field_type == needs and not value:
            raise ArgumentError.of(name, f"A field of type {needs} needs it.")
    if options and len({option["label"].casefold() for option in options}) < len(options):
        raise ArgumentError.of("options", "Must have each label once.")
    body = {"label": label, "field_type": field_type, "options": options, "currency": currency}
    return await call(models.CustomFieldDefinition, body=given(body))


async def definitions(call: Call) -> Sequence[models.CustomFieldDefinition] | None:
    """Return the custom fields there are, None if they cannot be read."""
    if not call.allows(list_contact_custom_field_definitions):
        return None
    try:
        return (await call.via(list_contact_custom_field_definitions)()).get("collection", [])
    except (CalendlyError, ToolError):
        return None


def definition_of(named: str, defined: Sequence[models.CustomFieldDefinition]) -> models.CustomFieldDefinition | None:
    """Return the custom field of a uuid, URI or label; None if none has it."""
    by_id = (one for one in defined if (uri := one.get("uri") or "") and named in {uri, uri.rpartition("/")[2]})
    by_label = (one for one in defined if folded(one.get("label") or "") == folded(named))
    return next(by_id, None) or next(by_label, None)


async def as_defined(call: Call, fields: Sequence[CustomFieldFields]) -> list[dict[str, object]]:
    """Return custom fields of a contact as Calendly takes them. Raises ArgumentError for a field that is not there."""
    defined = await definitions(call)
    return [_sent(f"custom_fields.{number}", field, defined) for number, field in enumerate(fields)]


def _sent(
    place: str, field: CustomFieldFields, defined: Sequence[models.CustomFieldDefinition] | None
) -> dict[str, object]:
    named, value = field["uuid"], None if field["value"] in ("", []) else field["value"]
    if defined is None:
        return {"uuid": named.rpartition("/")[2], "value": value}
    definition = definition_of(named, defined)
    if definition is None:
        labels = [one_line(one.get("label")) for one in defined]
        raise ArgumentError.of(
            f"{place}.uuid", f"No custom field goes by that; there are: {listed(labels, most=_MOST_NAMED) or 'none'}."
        )
    convert = _CONVERSIONS.get(definition.get("field_type") or "")
    try:
        wanted = value if value is None or convert is None else convert(value, definition)
    except ValueError as fault:
        raise ArgumentError.of(f"{place}.value", str(fault)) from None
    return {"uuid": (definition.get("uri") or "").rpartition("/")[2], "value": wanted}


def _text(value: object, _definition: models.CustomFieldDefinition) -> str:
    return ", ".join(cast("list[str]", value)) if isinstance(value, list) else str(value)


def _number(value: object, _definition: models.CustomFieldDefinition) -> float:
    try:
        number = math.nan if isinstance(value, bool | list) else float(cast("str | float", value))
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError("Expected a number such as 85000 or 12.5.")
    return int(number) if number.is_integer() else number


def _day(value: object, _definition: models.CustomFieldDefinition) -> str:
    return on_date(str(value))


def _yes_or_no(value: object, _definition: models.CustomFieldDefinition) -> bool:
    said = _YES_AND_NO.get(str(value).lower())
    if said is None:
        raise ValueError("Expected true or false.")
    return said


def _option(value: object, definition: models.CustomFieldDefinition) -> str:
    """Return the uuid of an option, which is never in doubt: two options may have one label."""
    options, named = definition.get("options") or [], str(value)
    found = [one for one in options if named == one.get("uuid")]
    found = found or [one for one in options if folded(one.get("label") or "") == folded(named)]
    if len(found) != 1:
        told = [f"{one_line(one.get('label'), _SHORT)} ({one.get('uuid')})" for one in found or options]
        reason = (
            "Several options go by that, so pass the uuid of one" if found else "There is no such option; there are"
        )
        raise ValueError(f"{reason}: {listed(told, most=_MOST_NAMED)}.")
    return str(found[0].get("uuid") or named)


def _tags(value: object, _definition: models.CustomFieldDefinition) -> list[str]:
    texts = cast("list[str]", value) if isinstance(value, list) else str(value).split(",")
    return [text.strip() for text in texts if text.strip()]


_CONVERSIONS: Final[Mapping[str, Callable[[Any, models.CustomFieldDefinition], object]]] = MappingProxyType(
    {
        "text": _text,
        "number": _number,
        "currency": _number,
        "date": _day,
        "boolean": _yes_or_no,
        "single_select": _option,
        "tags": _tags,
    }
)
"""How a value becomes one of a type. Any other type takes it as it is."""
