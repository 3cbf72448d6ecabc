"""The arguments of a tool: a pydantic model of its signature, and errors that an agent can act on."""

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Literal, get_args, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import ErrorDetails

from tools.toolset.errors import ArgumentError, ArgumentFault
from tools.toolset.shapes import fields_of

_ECHOED = 60
"""How many characters of an agent's input an error may repeat."""


_MOST_FAULTS = 10
_ALIKE = 0.75
_CONTAINERS: Final = {"dict_type": "an object", "list_type": "a list"}
_TOKEN = re.compile(r"[\x21-\x7e]{1,1024}")


def _confirmation(token: str) -> str:
    token = token.strip()
    if not _TOKEN.fullmatch(token):
        raise ValueError("Expected the token of a confirmation_required error.")
    return token


class Arguments(BaseModel):
    """Checked arguments.

    Attributes:
        own: The parameters that the function does not have.
        told: The fields of a writing tool's answer, of which not all can be set.
    """

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)
    own: ClassVar[frozenset[str]] = frozenset()
    told: ClassVar[frozenset[str]] = frozenset()

    def values(self) -> dict[str, Any]:
        """Return the arguments of the tool's function."""
        return {name: value for name, value in self if name not in self.own}

    def additional(self) -> dict[str, Any]:
        """Return the arguments that the function does not have."""
        return {name: value for name, value in self if name in self.own}


AnswerDetail = Annotated[Literal["lean", "full"] | None, Field(description="full: everything Calendly sent")]


class ReadArguments(Arguments):
    """The additional parameters of every reading tool."""

    own = frozenset({"detail"})
    detail: AnswerDetail = None


class MeetingArguments(Arguments):
    """The additional parameters of tools that read meetings."""

    own = frozenset({"passwords", "detail"})
    passwords: Annotated[bool, Field(description="show passwords of online meetings")] = False
    detail: AnswerDetail = None


class LongTextArguments(ReadArguments):
    """The additional parameters of a tool that reads long texts in parts."""

    own = ReadArguments.own | {"text_offset"}
    text_offset: Annotated[int, Field(ge=0, description="where shortened texts go on")] = 0


class LongMeetingArguments(LongTextArguments, MeetingArguments):
    """The additional parameters of a tool that reads a meeting and its long texts in parts."""

    own = MeetingArguments.own | LongTextArguments.own


class WriteArguments(Arguments):
    """The additional parameters of every writing tool."""

    own = frozenset({"dry_run", "confirmation"})
    dry_run: Annotated[bool, Field(description="only show what would be sent")] = False
    confirmation: (
        Annotated[str, AfterValidator(_confirmation), Field(description="token of confirmation_required, once agreed")]
        | None
    ) = None


def parameters_of(function: Callable[..., object]) -> dict[str, tuple[Any, Any]]:
    """Return the annotation and the default of each parameter without the first, the call.

    `**fields: Unpack[Fields]` stands for the fields of a TypedDict (PEP 692). All of them are optional, and come before
    the other optional ones.
    """
    hints = get_type_hints(function, include_extras=True)
    _, *parameters = inspect.signature(function).parameters.values()
    named: dict[str, tuple[Any, Any]] = {}
    fields: dict[str, tuple[Any, Any]] = {}
    for parameter in parameters:
        hint, default = hints[parameter.name], parameter.default
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            fields = {name: (kind, None) for name, kind in fields_of(get_args(hint)[0]).items()}
        else:
            named[parameter.name] = (hint, ... if default is inspect.Parameter.empty else default)
    required = {name: known for name, known in named.items() if known[1] is ...}
    return {**required, **fields, **named}


@cache
def fields_in(base: type[Arguments]) -> dict[str, tuple[object, object]]:
    """Return the annotation and the default of each additional parameter."""
    hints = get_type_hints(base, include_extras=True)
    return {name: (hints[name], field.default) for name, field in base.model_fields.items()}


def arguments_model(name: str, function: Callable[..., object], base: type[Arguments]) -> type[Arguments]:
    """Return the model of a function's parameters without the first; `base` has the additional ones."""
    fields: dict[str, Any] = parameters_of(function)
    model = create_model(name, __base__=base, **fields)
    if issubclass(base, WriteArguments):
        model.told = frozenset(fields_of(get_type_hints(function)["return"])) - model.model_fields.keys()
    return model


def checked(model: type[Arguments], raw: Mapping[str, object], origins: tuple[str, ...] = ()) -> Arguments:
    """Check arguments.

    Args:
        model: The model to check against.
        raw: The arguments, as `tools.toolset.as_meant` reads them.
        origins: Where resource URIs may point, besides Calendly's own.

    Raises:
        ArgumentError: with one sentence per parameter at fault.
    """
    try:
        return model.model_validate(raw, context=origins)
    except ValidationError as fault:
        raise ArgumentError(*_explained(fault, model, sorted(model.model_fields, key=model.own.__contains__))) from None


def description_of(function: Callable[..., object]) -> str:
    """Return the description of a function: its docstring, each paragraph on one line."""
    paragraphs = (inspect.getdoc(function) or "").split("\n\n")
    return "\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _explained(error: ValidationError, model: type[Arguments], known: Iterable[str]) -> list[ArgumentFault]:
    """Return one sentence per parameter at fault, for the first few, without what was sent."""
    faults = error.errors(include_url=False)[:_MOST_FAULTS]
    told = [_sentence(fault, model, known) for fault in faults]
    if (unclear := _no_such(model)) in told:  # the list is long, so it is told once
        told[told.index(unclear)] += f" It takes {', '.join(known)}."
    return [{"parameter": _path(fault), "message": sentence} for fault, sentence in zip(faults, told, strict=True)]


def _path(fault: ErrorDetails) -> str:
    parts = ".".join(str(part)[:_ECHOED] for part in fault["loc"])
    return "".join(char if char.isprintable() else "?" for char in parts)


def _sentence(fault: ErrorDetails, model: type[Arguments], known: Iterable[str]) -> str:
    if fault["type"] == "missing":
        return "This parameter is required."
    if fault["type"] == "extra_forbidden":
        is_inside = len(fault["loc"]) > 1
        return "There is no such parameter here." if is_inside else _unknown(str(fault["loc"][0]), model, known)
    if fault["type"] == "value_error":
        return str(_context(fault).get("error", fault["msg"]))
    if fault["type"] == "literal_error":
        return f"Must be one of {_context(fault).get('expected', '')}."
    if fault["type"] in _CONTAINERS:
        return f"Should be {_CONTAINERS[fault['type']]}{', not text' if isinstance(fault['input'], str) else ''}."
    return fault["msg"].replace("Input should", "Should").rstrip(".") + "."


def _context(fault: ErrorDetails) -> Mapping[str, Any]:
    return fault.get("ctx", {})


def _unknown(name: str, model: type[Arguments], known: Iterable[str]) -> str:
    """Refuse a name, with the parameters that have all its words, else with one that is written alike."""
    if name in model.told:
        return f"{_no_such(model)} Calendly tells it, and takes it not from here: a person sets it at calendly.com."
    name, words = name[:_ECHOED], set(name[:_ECHOED].split("_"))
    meant = [other for other in known if words <= set(other.split("_"))]
    close = meant or difflib.get_close_matches(name, list(known), n=1, cutoff=_ALIKE)
    return _no_such(model) + (f" Did you mean {' or '.join(close)}?" if close else "")


def _no_such(model: type[Arguments]) -> str:
    return f"{model.__name__} has no such parameter."
