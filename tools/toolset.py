"""What a tool is, and the one door through which it reaches Calendly.

A tool is a typed function and one decorator that states the endpoint's facts. The signature gives the input schema, the
return annotation the output schema, the docstring the description; nothing is stated twice:

    @users.tool("GET", "/users/{user}", title="Get user", scope="users:read", capability="users")
    async def get_user(call: Call, user: User) -> models.User:
        \"\"\"Look up a Calendly user ...\"\"\"
        return await call(models.User, user=user)

The decorator returns the function unchanged, so tests and workflow tools call it like any other.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property, partial
from typing import (
    Concatenate,
    Final,
    Literal,
    ParamSpec,
    Protocol,
    Self,
    TypeVar,
    cast,
    get_type_hints,
)

from calendly.endpoint import Endpoint, Method
from calendly.errors import unreadable
from calendly.identifiers import Identifier, NestedIdentifier, OrganizationId, UserId
from calendly.models import Pagination, read
from calendly.models.personal import PERSONAL
from calendly.paging import walk
from calendly.ranges import Cap
from calendly.request import JSON, Request
from tools.arguments import Arguments, ReadArguments, WriteArguments, arguments_model, checked, description_of
from tools.bookings import Bookings
from tools.lists import Page
from tools.schemas import input_schema, output_schema
from tools.shapes import notes_of
from tools.stakes import Rehearsed, Stakes
from tools.withholding import tells_of_invitees

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

Access = Literal["read", "write"]
Query = Mapping[str, str | int | bool | None]
Body = Mapping[str, object]
Ids = Mapping[str, Identifier]
Function = Callable[Concatenate["Call", P], Awaitable[R]]

_DECLARED: Final = "__calendly_tool__"


@dataclass(frozen=True, slots=True)
class Identity:
    """The person a token belongs to.

    Attributes:
        user: The person.
        organization: The organization most lists are asked for.
        timezone: IANA name of the person's own zone, where it is known.
    """

    user: UserId
    organization: OrganizationId
    timezone: str | None = None


class Caller(Protocol):
    """One person and one agent, for the length of one call. The server makes it; a tool never sees a token."""

    @property
    def bookings(self) -> Bookings:
        """The idempotency ledger."""
        ...

    @property
    def available_times_cap(self) -> Cap:
        """The longest range of one available-times request, as learned so far."""
        ...

    async def identity(self) -> Identity:
        """Who the caller is, from the token's answer or one cached `GET /users/me`.

        Raises:
            InsufficientScope: the token may not say; the message names the parameters to pass instead.
        """
        ...

    async def weigh(self, tool: "Tool", stakes: Stakes) -> None:
        """Refuse what `permit` would refuse without asking anybody, and a booking that no ceiling leaves room for.

        Raises:
            AccessDenied, InsufficientScope: As `permit`.
            RateLimited: It could not be sent in time.
        """
        ...

    async def permit(self, tool: "Tool", stakes: Stakes) -> None:
        """Let `tool` go on, after asking the person where the access level says so.

        Raises:
            AccessDenied, ConfirmationRequired, Declined: see `tools.errors`.
        """
        ...

    async def send(self, request: Request) -> JSON:
        """Send one request to Calendly, paced and within the call's deadline. Raises CalendlyError."""
        ...

    async def pause(self, seconds: float) -> bool:
        """Wait inside the call's deadline; False at once when that much time is not left."""
        ...

    def now(self) -> datetime:
        """What time it is, in UTC."""
        ...


@dataclass(frozen=True, kw_only=True)
class Tool:
    """One tool: its facts, and the function that does it.

    Attributes:
        name: Calendly's operation name in snake case; the function's name.
        title: A few words for a person.
        endpoint: The operation; its placeholders are parameters of the tool.
        scope: The Calendly scope the operation needs.
        capability: The row of the access table the tool belongs to.
        access: Whether it reads or writes.
        destructive: It ends something: a meeting, a membership, data.
        idempotent: Doing it twice leaves what doing it once leaves.
        webhook_event: The Calendly webhook event that it fires.
        plan: The Calendly plan it always needs.
        role: The organization role it always needs.
        since: The day Calendly introduced it, where it is younger than the API.
        scheduling: It is one of the few a chat needs to book meetings.
        function: What runs.
    """

    name: str
    title: str
    endpoint: Endpoint
    scope: str
    capability: str
    access: Access
    destructive: bool
    idempotent: bool
    webhook_event: str | None
    plan: str | None
    role: str | None
    since: str | None
    scheduling: bool
    function: Callable[..., Awaitable[object]]

    @property
    def description(self) -> str:
        """What an agent reads about the tool: the docstring, each paragraph on one line."""
        return description_of(self.function)

    @property
    def toolsets(self) -> tuple[str, ...]:
        """The toolsets that contain it, its own first."""
        return ("endpoints", "scheduling") if self.scheduling else ("endpoints",)

    @property
    def meta(self) -> dict[str, object]:
        """The `_meta` of the tool: its Calendly facts, for clients and people that choose tools by them."""
        facts = {
            "endpoint": str(self.endpoint),
            "scopes": [self.scope],
            "access": self.access,
            "capability": self.capability,
            "toolset": self.toolsets[0],
            "webhook_event": self.webhook_event,
            "plan": self.plan,
            "role": self.role,
        }
        return {f"calendly/{name}": value for name, value in facts.items() if value is not None}

    @cached_property
    def model(self) -> type[Arguments]:
        """The pydantic model of the arguments."""
        base = ReadArguments if self.access == "read" else WriteArguments
        return arguments_model(self.name, self.function, base)

    @cached_property
    def revealing(self) -> frozenset[str]:
        """The parameters by which invitees can be searched for."""
        hints = get_type_hints(self.function, include_extras=True)
        return frozenset(name for name, hint in hints.items() if name != "return" and PERSONAL in notes_of(hint))

    @cached_property
    def input_schema(self) -> dict[str, object]:
        """JSON Schema of the arguments, in the subset every large model provider accepts."""
        return input_schema(self.model, self.model.own)

    @cached_property
    def shape(self) -> object:
        """The type of the answer."""
        return get_type_hints(self.function, include_extras=True)["return"]

    @cached_property
    def output_schema(self) -> dict[str, object]:
        """JSON Schema of the answer. It requires and closes nothing, since error results are held against it too."""
        return output_schema(
            self.shape, may_withhold=tells_of_invitees(self.shape), may_rehearse=self.access == "write"
        )

    def parse(self, raw: Mapping[str, object], origins: tuple[str, ...]) -> Arguments:
        """Check an agent's arguments: see `tools.arguments.checked`. Raises ArgumentError."""
        return checked(self.model, raw, origins)


@dataclass(slots=True)
class Toolset:
    """The tools of one Calendly resource, in the order of their declaration."""

    tools: list[Tool] = field(default_factory=list[Tool])

    def tool(
        self,
        method: Method,
        path: str,
        *,
        title: str,
        scope: str,
        capability: str,
        destructive: bool = False,
        read_only: bool | None = None,
        idempotent: bool | None = None,
        webhook_event: str | None = None,
        plan: str | None = None,
        role: str | None = None,
        since: str | None = None,
        scheduling: bool = False,
    ) -> Callable[[Function[P, R]], Function[P, R]]:
        """Declare a function as the tool of one endpoint. `read_only` and `idempotent` follow from the method."""
        reads = method == "GET" if read_only is None else read_only

        def declare(function: Function[P, R]) -> Function[P, R]:
            tool = Tool(
                name=function.__name__,
                title=title,
                endpoint=Endpoint(method, path),
                scope=scope,
                capability=capability,
                access="read" if reads else "write",
                destructive=destructive,
                idempotent=(reads or method == "DELETE") if idempotent is None else idempotent,
                webhook_event=webhook_event,
                plan=plan,
                role=role,
                since=since,
                scheduling=scheduling,
                function=function,
            )
            vars(function)[_DECLARED] = tool
            self.tools.append(tool)
            return function

        return declare


def tool_of(function: Callable[..., object]) -> Tool:
    """The tool that a decorated function is."""
    return cast("Tool", vars(function)[_DECLARED])


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one tool: the only way from a tool to Calendly.

    A tool reaches no endpoint but its own; what it needs of another, it asks of that endpoint's tool with `via`.

    Attributes:
        tool: Whose endpoint is called.
        caller: Who calls.
        stakes: What access may want to know before it is sent.
        permitted: Whether access was decided already.
        is_rehearsal: It is only tried: a writing tool stops where it would send.
        for_person: What it reads is shown to the person, and not to the agent.
    """

    tool: Tool
    caller: Caller
    stakes: Stakes
    permitted: bool = False
    is_rehearsal: bool = False
    for_person: bool = False

    async def __call__(self, shape: type[T], *, body: Body | None = None, **ids: Identifier) -> T:
        """Ask for one resource: what is inside Calendly's `resource`."""
        request = self._request({}, body, ids)
        resource = (await self._send(request)).get("resource")
        if not isinstance(resource, dict):
            raise unreadable(request)
        return read(shape, cast("JSON", resource))

    async def done(self, *, body: Body | None = None, **ids: Identifier) -> None:
        """Ask for something that Calendly answers without a resource (202 and 204)."""
        await self._send(self._request({}, body, ids))

    async def rows(self, row: type[T], *, query: Query, **ids: Identifier) -> list[T]:
        """Ask for a list that Calendly does not page."""
        return [read(row, item) for item in (await self._listing(query, ids))["collection"]]

    async def pages(
        self, row: type[T], *, query: Query, count: int, page_token: str | None, max_pages: int, **ids: Identifier
    ) -> Page[T]:
        """Ask for a paged list, following at most `max_pages` page tokens."""

        async def page(token: str | None) -> JSON:
            return await self._listing({**query, "count": count, "page_token": token}, ids)

        answer = await walk(page, page_token, max_pages)
        return {
            "collection": [read(row, item) for item in answer["collection"]],
            "pagination": read(Pagination, answer["pagination"]),
        }

    def via(self, function: Function[P, R]) -> Callable[P, Awaitable[R]]:
        """Another tool, called on behalf of the same caller and under its own access rules."""
        return partial(function, replace(self, tool=tool_of(function), permitted=self.for_person))

    def inquire(self, function: Function[P, R]) -> Callable[P, Awaitable[R]]:
        """Another tool that reads, called as the person and not as the agent, who sees only what comes of it."""
        return partial(function, replace(self, tool=tool_of(function), permitted=True))

    def as_person(self) -> Self:
        """This call, with what it reads of others shown to the person alone."""
        return replace(self, for_person=True)

    async def weigh(self) -> None:
        """Go no further with a call that will be refused, before anything is found out about what it would do."""
        if not self.permitted:
            await self.caller.weigh(self.tool, self.stakes)

    async def permit(self) -> Self:
        """This call with its access decided, for a tool that has something to do between that and sending."""
        if not self.permitted:
            await self.caller.permit(self.tool, self.stakes)
        return replace(self, permitted=True)

    async def uri(self, identifier: Identifier | None) -> str | None:
        """How Calendly wants a resource named in queries and bodies. Only the caller's own URI has to be asked for."""
        if isinstance(identifier, UserId) and identifier.is_me:
            identifier = (await self.caller.identity()).user
        return identifier.uri if identifier else None

    async def own(self, organization: OrganizationId | None) -> OrganizationId:
        """The organization that was named, else the caller's own."""
        return organization or (await self.caller.identity()).organization

    def _request(self, query: Query, body: Body | None, ids: Ids) -> Request:
        segments = {name: identifier.uuid for name, identifier in ids.items()}
        for identifier in ids.values():
            if isinstance(identifier, NestedIdentifier) and identifier.parent is not None:
                segments[identifier.parameter] = identifier.parent
        return Request(self.tool.endpoint, segments, query, body)

    async def _listing(self, query: Query, ids: Ids) -> JSON:
        request = self._request(query, None, ids)
        answer = await self._send(request)
        if not isinstance(answer.get("collection"), list):
            raise unreadable(request)
        return answer

    async def _send(self, request: Request) -> JSON:
        await self.permit()
        if self.is_rehearsal and self.tool.access == "write":
            raise Rehearsed(request)
        return await self.caller.send(request)
