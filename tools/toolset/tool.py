"""The tool: its facts and its function.

Tool
├── SingleTool         one row of the access table, and one scope
│   ├── EndpointTool   one endpoint of Calendly's: it states the facts of the operation
│   └── FeedTool       what this server keeps itself
└── Workflow           several endpoints, through their tools: whatever can be said of it follows from theirs
    └── HostedWorkflow the same, about what a hosted server keeps
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal, cast, get_type_hints

from typing_extensions import override

from calendly.endpoint import Endpoint
from calendly.models.personal import PERSONAL
from calendly.models.scheduled_event import ConferenceData
from tools.toolset.arguments import (
    Arguments,
    LongMeetingArguments,
    LongTextArguments,
    MeetingArguments,
    ReadArguments,
    WriteArguments,
    arguments_model,
    checked,
    description_of,
    fields_in,
    parameters_of,
)
from tools.toolset.as_meant import as_meant
from tools.toolset.audit_sentences import Sentence
from tools.toolset.errors import ArgumentError
from tools.toolset.hosted import HOSTED, THEIR_NAMES
from tools.toolset.redaction import tells_of_invitees
from tools.toolset.schemas import input_schema, names_in, output_schema
from tools.toolset.searched import with_filters
from tools.toolset.shapes import contains, notes_of

ReadOrWrite = Literal["read", "write"]

GUIDE: Final = "endpoints"
"""The toolset of the operations of Calendly's guide of June 2026; each family of the later ones has its own."""

EXTENDED: Final = "extended"
"""All those families together."""

ToolPreset = Literal["scheduling"]
"""A selection across toolsets: what booking in a chat takes."""

_DECLARED: Final = "__calendly_tool__"


@dataclass(frozen=True, kw_only=True)
class Tool(ABC):
    """One tool.

    Attributes:
        name: The function's name.
        title: A few words for a person.
        access: Whether it reads or writes.
        destructive: It ends a meeting, a membership, or deletes data.
        idempotent: Repeating it changes nothing more.
        audit: The sentence of its audit log entries.
        function: What runs.
    """

    name: str
    title: str
    access: ReadOrWrite
    destructive: bool
    idempotent: bool
    audit: Sentence
    function: Callable[..., Awaitable[object]]

    @property
    @abstractmethod
    def needs(self) -> "tuple[SingleTool, ...]":
        """What it requires: itself, or the endpoints of a workflow."""

    @property
    @abstractmethod
    def calls(self) -> "tuple[EndpointTool, ...]":
        """All endpoints that it may call."""

    @property
    def takes(self) -> "tuple[SingleTool, ...]":
        """What access and scopes are needed for, in all that it may do."""
        return tuple(dict.fromkeys((*self.needs, *self.calls)))

    @property
    @abstractmethod
    def toolsets(self) -> tuple[str, ...]:
        """Its toolsets, the main one first."""

    @property
    @abstractmethod
    def meta(self) -> dict[str, object]:
        """The `_meta` of the tool: Calendly's facts, for clients that select tools by them."""

    @property
    def scopes(self) -> tuple[str, ...]:
        """The Calendly scopes that it needs."""
        return tuple(dict.fromkeys(endpoint.scope for endpoint in self.needs))

    @property
    def capabilities(self) -> tuple[str, ...]:
        """The rows of the access table that it needs, the main one first."""
        return tuple(dict.fromkeys(endpoint.capability for endpoint in self.needs))

    @property
    def writes(self) -> "tuple[EndpointTool, ...]":
        """The writing endpoints that it may call."""
        return tuple(endpoint for endpoint in self.calls if endpoint.access == "write")

    @property
    def description(self) -> str:
        """The description for agents: the docstring, each paragraph on one line."""
        return description_of(self.function)

    @cached_property
    def model(self) -> type[Arguments]:
        """The pydantic model of the arguments. It is made at the first call: to make all would slow every start."""
        return arguments_model(self.name, self.function, self.additional)

    @property
    def additional(self) -> type[Arguments]:
        """The parameters that the function does not have."""
        if self.access == "write":
            return WriteArguments
        return MeetingArguments if contains(self.shape, ConferenceData) else ReadArguments

    @cached_property
    def revealing(self) -> frozenset[str]:
        """The parameters that search invitees."""
        parameters = parameters_of(self.function).items()
        return frozenset(name for name, (hint, _) in parameters if PERSONAL in notes_of(hint))

    @cached_property
    def input_schema(self) -> dict[str, object]:
        """The JSON Schema of the arguments."""
        own = self.additional
        return input_schema({**fields_in(own), **parameters_of(self.function)}, own.own)

    @cached_property
    def shape(self) -> object:
        """The type of the answer."""
        return get_type_hints(self.function, include_extras=True)["return"]

    @cached_property
    def output_schema(self) -> dict[str, object]:
        """The JSON Schema of the answer. Error results must fit too, so nothing is required or closed."""
        return output_schema(self.shape, may_withhold=tells_of_invitees(self.shape), may_dry_run=self.access == "write")

    def as_meant(self, raw: Mapping[str, object]) -> dict[str, object]:
        """Return an agent's arguments as they are meant: see `tools.toolset.as_meant`."""
        return as_meant(raw, self.input_schema)

    def lacks(self, parameter: str) -> bool:
        """Return whether a dotted name that an inner tool or Calendly uses is no parameter of this tool."""
        return parameter.partition(".")[0] not in self.model.model_fields

    def own_path(self, path: str) -> str:
        """Return a dotted name with the parameter of which it is a field, where only one has such a field."""
        field = path.partition(".")[0]
        properties = cast("Mapping[str, Mapping[str, Any]]", self.input_schema["properties"])
        holders = [name for name, schema in properties.items() if field in schema.get("properties", {})]
        return f"{holders[0]}.{path}" if self.lacks(path) and len(holders) == 1 else path

    async def run(self, call: object, values: Mapping[str, object]) -> object:
        """Run the function, and tell what narrowed a list. What only an inner tool takes is not named in its errors."""
        try:
            return with_filters(await self.function(call, **values), values, self._required)
        except ArgumentError as refused:
            raise refused.without(self.lacks, self._foreign()) from None

    @cached_property
    def _required(self) -> frozenset[str]:
        fields = self.model.model_fields.items()
        return frozenset(name for name, field in fields if field.is_required())

    def _foreign(self) -> frozenset[str]:
        """Return the names of what only the tools that it calls take, at any depth."""
        inner = frozenset[str]().union(*(names_in(tool.input_schema) for tool in self.calls))
        return inner - names_in(self.input_schema)

    def parse(self, raw: Mapping[str, object], origins: tuple[str, ...]) -> Arguments:
        """Check an agent's arguments: see `tools.toolset.arguments.checked`. Raises ArgumentError."""
        return checked(self.model, self.as_meant(raw), origins)


@dataclass(frozen=True, kw_only=True)
class SingleTool(Tool):
    """A tool with one row of the access table and one scope.

    Attributes:
        scope: The Calendly scope that it needs.
        capability: Its row in the access table.
        toolset: The toolset that switches it on.
        plan: The Calendly plan it always needs: its name, or `with` what it has to have.
        role: The organization role it always needs.
    """

    scope: str
    capability: str
    toolset: str
    plan: str | None = None
    role: str | None = None

    @property
    @override
    def needs(self) -> "tuple[SingleTool, ...]":
        return (self,)

    @property
    def facts(self) -> Mapping[str, object]:
        """What its `_meta` says; what is None is left out."""
        return {
            "scopes": [self.scope],
            "access": self.access,
            "capability": self.capability,
            "toolset": self.toolsets[0],
        }

    @property
    @override
    def meta(self) -> dict[str, object]:
        return {f"calendly/{name}": value for name, value in self.facts.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class FeedTool(SingleTool):
    """A tool of what this server keeps: no endpoint answers it."""

    @property
    @override
    def calls(self) -> "tuple[EndpointTool, ...]":
        return ()

    @property
    @override
    def toolsets(self) -> tuple[str, ...]:
        return (self.toolset,)


@dataclass(frozen=True, kw_only=True)
class EndpointTool(SingleTool):
    """The tool of one endpoint; its name is Calendly's operation name in snake case.

    Attributes:
        endpoint: The operation; its placeholders are parameters of the tool.
        webhook_event: The Calendly webhook event that it fires.
        since: The day Calendly introduced it, where it is younger than the API.
        presets: The selections across toolsets to which it belongs.
        in_parts: Long texts of its answer are read on with `text_offset`.
    """

    endpoint: Endpoint
    webhook_event: str | None
    since: str | None
    presets: tuple[ToolPreset, ...]
    in_parts: bool

    @property
    @override
    def additional(self) -> type[Arguments]:
        usual = super().additional
        if not self.in_parts:
            return usual
        return LongMeetingArguments if usual is MeetingArguments else LongTextArguments

    @property
    @override
    def calls(self) -> "tuple[EndpointTool, ...]":
        return (self,)

    @property
    @override
    def toolsets(self) -> tuple[str, ...]:
        further = {EXTENDED: self.toolset != GUIDE, HOSTED: self.name in THEIR_NAMES}
        return (self.toolset, *(name for name, belongs in further.items() if belongs), *self.presets)

    @property
    @override
    def facts(self) -> Mapping[str, object]:
        own = {"webhook_event": self.webhook_event, "plan": self.plan, "role": self.role}
        return {"endpoint": str(self.endpoint), **super().facts, **own}


@dataclass(frozen=True, kw_only=True)
class Workflow(Tool):
    """A tool made of several endpoint calls.

    Attributes:
        required: The endpoints that it requires.
        optional: The endpoints that it calls only if they are allowed.
    """

    required: tuple[EndpointTool, ...]
    optional: tuple[EndpointTool, ...]

    @property
    @override
    def needs(self) -> tuple[SingleTool, ...]:
        return self.required

    @property
    @override
    def calls(self) -> tuple[EndpointTool, ...]:
        return (*self.required, *self.optional)

    @property
    @override
    def toolsets(self) -> tuple[str, ...]:
        return ("workflows",)

    @property
    @override
    def meta(self) -> dict[str, object]:
        return {
            "calendly/calls": [str(endpoint.endpoint) for endpoint in self.calls],
            "calendly/scopes": list(self.scopes),
            "calendly/access": self.access,
            "calendly/capability": self.capabilities[0],
            "calendly/capabilities": list(self.capabilities),
            "calendly/toolset": self.toolsets[0],
        }


@dataclass(frozen=True, kw_only=True)
class HostedWorkflow(Workflow):
    """A workflow about what a hosted server keeps. Without an address of its own a server has it switched off.

    Attributes:
        reads: The tools of what is kept that it requires besides.
        toolset: The toolset that switches it on.
    """

    reads: tuple[FeedTool, ...]
    toolset: str

    @property
    @override
    def needs(self) -> tuple[SingleTool, ...]:
        return (*self.required, *self.reads)

    @property
    @override
    def toolsets(self) -> tuple[str, ...]:
        return (self.toolset,)


def declare(tool: Tool) -> None:
    """Attach the tool to its function."""
    vars(tool.function)[_DECLARED] = tool


def tool_of(function: Callable[..., object]) -> Tool:
    """Return the tool of a declared function."""
    return cast("Tool", vars(function)[_DECLARED])


def endpoint_of(function: Callable[..., object]) -> EndpointTool:
    """Return the endpoint tool of a declared function. Raises TypeError for a workflow."""
    tool = tool_of(function)
    if not isinstance(tool, EndpointTool):
        raise TypeError(f"{tool.name} is no endpoint.")
    return tool
