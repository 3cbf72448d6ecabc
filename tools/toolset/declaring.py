"""How tools are declared, and the one door through which they reach Calendly.

A tool is a typed function and one decorator that states the endpoint's facts. The signature gives the input schema, the
return annotation the output schema, the docstring the description; nothing is stated twice:

    @users.tool(
        "GET",
        "/users/{user}",
        title="Get user",
        scope="users:read",
        capability="users",
        audit=Sentence("look up", AuditedArguments.person),
    )
    async def get_user(call: Call, user: User) -> models.User:
        \"\"\"Look up a Calendly user ...\"\"\"
        return await call(models.User, user=user)

A workflow states the tools of the endpoints that it calls, and nothing else; the rest follows from theirs:

    @workflows.workflow(title="Get agenda", audit=Sentence("read", _audited), needs=(list_scheduled_events,))
    async def get_agenda(call: Call, start_time: Time, end_time: Time) -> Agenda:
        events = await call.via(list_scheduled_events)(...)
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Concatenate, ParamSpec, Protocol, Self, TypeVar, cast

from calendly.endpoint import Endpoint, Method
from calendly.errors import unreadable
from calendly.identifiers import Identifier, NestedIdentifier, OrganizationId, UserId
from calendly.models import LogTotals, Pagination, read
from calendly.paging import walk
from calendly.ranges import Cap
from calendly.request import JSON, Request
from tools.toolset.audit_sentences import Sentence
from tools.toolset.effects import DryRun, Effects
from tools.toolset.errors import ArgumentError
from tools.toolset.feed import Feed, WebhookSwitch
from tools.toolset.identity import Identity
from tools.toolset.ledger import Ledger
from tools.toolset.lists import LogPage, Page, Resumption
from tools.toolset.page_tokens import PagePlace
from tools.toolset.shapes import fields_of
from tools.toolset.tool import GUIDE, EndpointTool, Tool, ToolPreset, Workflow, declare, endpoint_of, tool_of

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

KnownAnswers = list[tuple[Request, JSON]]
Query = Mapping[str, str | int | bool | None]
Body = Mapping[str, object]
Ids = Mapping[str, Identifier]
Function = Callable[Concatenate["Call", P], Awaitable[R]]
Declared = Callable[..., Awaitable[object]]


class Caller(Protocol):
    """One person and one agent, for the length of one call. The server makes it; a tool never sees a token."""

    async def ledger(self) -> Ledger:
        """Return the idempotency keys of the person and the agent. Raises Unreachable."""
        ...

    async def feed(self) -> Feed:
        """Return what has happened in the person's account. Raises Unreachable."""
        ...

    async def webhooks(self) -> WebhookSwitch:
        """Return Calendly's webhooks of the person. Raises DeniedByPolicy where there are none, and as `identity`."""
        ...

    async def forget(self, addresses: Collection[str]) -> None:
        """Keep nothing of invitees with these addresses, for anybody in the organization. Raises Unreachable."""
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

    async def precheck(self, tool: Tool, effects: Effects) -> None:
        """Refuse what `authorize` would refuse without asking anybody, and a booking that no ceiling leaves room for.

        Raises:
            DeniedByPolicy, InsufficientScope: As `authorize`.
            RateLimited: It could not be sent in time.
        """
        ...

    async def authorize(self, tool: Tool, effects: Effects) -> None:
        """Let a call of `tool` go on, after asking the person where the access level says so.

        Raises:
            DeniedByPolicy, ConfirmationRequired, Declined: See `tools.toolset.errors`.
        """
        ...

    async def send(self, request: Request) -> JSON:
        """Send one request to Calendly, paced and within the call's deadline. Raises CalendlyError."""
        ...

    def allows(self, tool: Tool) -> bool:
        """Whether access lets `tool` be called, though perhaps only after asking the person."""
        ...

    async def pause(self, seconds: float) -> bool:
        """Wait inside the call's deadline; False at once when that much time is not left."""
        ...

    def time_left(self) -> float:
        """The seconds until the call has to be answered."""
        ...

    async def report(self, message: str) -> None:
        """Tell whoever waits how far a long call has come."""
        ...

    def now(self) -> datetime:
        """What time it is, in UTC."""
        ...


@dataclass(slots=True)
class Toolset:
    """The tools of one Calendly resource, in the order of their declaration.

    Attributes:
        name: The toolset that switches them on.
    """

    name: str = GUIDE
    tools: list[EndpointTool] = field(default_factory=list[EndpointTool])

    def tool(
        self,
        method: Method,
        path: str,
        *,
        title: str,
        scope: str,
        capability: str,
        audit: Sentence,
        destructive: bool = False,
        read_only: bool | None = None,
        idempotent: bool | None = None,
        webhook_event: str | None = None,
        plan: str | None = None,
        role: str | None = None,
        since: str | None = None,
        presets: tuple[ToolPreset, ...] = (),
        in_parts: bool = False,
        is_booking: bool = False,
        is_cacheable: bool = False,
    ) -> Callable[[Function[P, R]], Function[P, R]]:
        """Declare a function as the tool of one endpoint. `read_only` and `idempotent` follow from the method."""
        reads = method == "GET" if read_only is None else read_only

        def declared(function: Function[P, R]) -> Function[P, R]:
            tool = EndpointTool(
                name=function.__name__,
                title=title,
                endpoint=Endpoint(method, path, is_booking=is_booking, is_cacheable=is_cacheable),
                scope=scope,
                capability=capability,
                toolset=self.name,
                access="read" if reads else "write",
                destructive=destructive,
                idempotent=(reads or method == "DELETE") if idempotent is None else idempotent,
                audit=audit,
                webhook_event=webhook_event,
                plan=plan,
                role=role,
                since=since,
                presets=presets,
                in_parts=in_parts,
                function=function,
            )
            declare(tool)
            self.tools.append(tool)
            return function

        return declared


@dataclass(slots=True)
class Workflows:
    """Tools that are made of others, in the order of their declaration."""

    tools: list[Workflow] = field(default_factory=list[Workflow])

    def workflow(
        self, *, title: str, audit: Sentence, needs: tuple[Declared, ...], uses: tuple[Declared, ...] = ()
    ) -> Callable[[Function[P, R]], Function[P, R]]:
        """Declare a function as a tool that calls these endpoints; it does without those that it only uses."""
        required, optional = (tuple(map(endpoint_of, functions)) for functions in (needs, uses))
        calls = (*required, *optional)

        def declared(function: Function[P, R]) -> Function[P, R]:
            tool = Workflow(
                name=function.__name__,
                title=title,
                access="write" if any(endpoint.access == "write" for endpoint in calls) else "read",
                destructive=any(endpoint.destructive for endpoint in calls),
                idempotent=all(endpoint.idempotent for endpoint in calls),
                audit=audit,
                required=required,
                optional=optional,
                function=function,
            )
            declare(tool)
            self.tools.append(tool)
            return function

        return declared


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one tool: the only way from a tool to Calendly.

    A tool reaches no endpoint but its own; what it needs of another, it asks of that endpoint's tool with `via`.

    Attributes:
        tool: Whose endpoint is called.
        caller: Who calls.
        effects: What a writing call would do.
        authorized: Access was decided already.
        is_dry_run: A writing tool stops where it would send.
        for_person: What it reads is shown to the person, and not to the agent.
        hides_people: The agent may not see personal data, so its question names no contact.
        known: What was read already and is not read again; None where every reading is sent.
        resumption: How its list goes on where it is cut.
        is_part: Another tool asks, which explains an empty answer by itself.
    """

    tool: Tool
    caller: Caller
    effects: Effects
    authorized: bool = False
    is_dry_run: bool = False
    for_person: bool = False
    hides_people: bool = False
    known: KnownAnswers | None = None
    resumption: Resumption = field(default_factory=Resumption, compare=False)
    is_part: bool = False

    async def __call__(
        self, shape: type[T], *, query: Query | None = None, body: Body | None = None, **ids: Identifier
    ) -> T:
        """Ask for one resource: what is inside Calendly's `resource`."""
        request = self._request(query or {}, body, ids)
        resource = (await self._send(request)).get("resource")
        if not isinstance(resource, dict):
            raise unreadable(request)
        return read(shape, cast("JSON", resource))

    async def bare(self, shape: type[T], *, query: Query, body: Body | None = None) -> T:
        """Ask for something that has no `resource` around it, or of which Calendly does not document the wrapper."""
        answer = await self._send(self._request(query, body, {}))
        rows = answer.get("collection")
        first = cast("list[object]", rows)[0] if isinstance(rows, list) and rows else answer
        return read(shape, answer.get("resource") or first)

    async def done(self, *, body: Body | None = None, **ids: Identifier) -> None:
        """Ask for something that Calendly answers without a resource (202 and 204)."""
        await self._send(self._request({}, body, ids))

    async def rows(self, row: type[T], *, query: Query, **ids: Identifier) -> list[T]:
        """Ask for a list that Calendly does not page."""
        return [read(row, item) for item in (await self._listing(query, ids))["collection"]]

    async def only_page(self, row: type[T], *, query: Query) -> Page[T]:
        """Ask for a list that has a `pagination`, and takes neither count nor page token."""
        answer = await self._listing(query, {})
        rows = [read(row, item) for item in answer["collection"]]
        return {"collection": rows, "pagination": read(Pagination, answer.get("pagination") or {})}

    async def pages(
        self, row: type[T], *, query: Query, count: int, page_token: str | None, max_pages: int, **ids: Identifier
    ) -> LogPage[T]:
        """Ask for a paged list, following at most `max_pages` page tokens."""
        place = PagePlace.of(page_token, count)
        read_pages: list[tuple[str | None, int]] = []
        totals: JSON = {}

        async def page(token: str | None) -> JSON:
            answer = await self._listing({**query, "count": place.count, "page_token": token}, ids)
            read_pages.append((token, len(answer["collection"])))
            totals.update((name, answer[name]) for name in fields_of(LogTotals) if name in answer)
            return answer

        def way_on(rows: int) -> Mapping[str, object]:
            further = place.after(self.resumption.in_list(rows), read_pages)
            return {"pagination": {"count": rows, "next_page_token": further.page_token()}}

        answer = await walk(page, place.token, max_pages)
        rows = answer["collection"][place.skip :]
        self.resumption.way_on = way_on
        found = {
            "collection": [read(row, item) for item in rows],
            "pagination": read(Pagination, answer["pagination"] | ({"count": len(rows)} if place.skip else {})),
            **read(LogTotals, totals),
        }
        return cast("LogPage[T]", found)

    def of(self, function: Declared) -> Self:
        """This call as one of another tool, under its own access rules.

        The decision about a workflow is the decision about what it needs, too.
        """
        tool = endpoint_of(function)
        part = self.authorized and tool in self.tool.needs
        return replace(self, tool=tool, authorized=self.for_person or part, is_part=True, resumption=Resumption())

    def via(self, function: Function[P, R]) -> Callable[P, Awaitable[R]]:
        """Another tool, called on behalf of the same caller: see `of`."""
        return partial(function, self.of(function))

    def allows(self, function: Declared) -> bool:
        """Whether the caller may call another tool."""
        return self.caller.allows(tool_of(function))

    def inquire(self, function: Function[P, R]) -> Callable[P, Awaitable[R]]:
        """Another tool that reads, called as the person and not as the agent, who sees only what comes of it."""
        return partial(function, replace(self, tool=endpoint_of(function), authorized=True, is_part=True))

    def dry_run(self) -> Self:
        """This call as a dry run: it goes as far as where it would send, and nobody is asked."""
        return replace(self, is_dry_run=True, authorized=True)

    async def precheck(self) -> None:
        """Stop a call that will be refused, before anything is found out about what it would do."""
        if not self.authorized:
            await self.caller.precheck(self.tool, self.effects)

    async def authorize(self, found: str = "") -> Self:
        """This call with its access decided, so that a yes counts only while what it was `found` to be about stays."""
        if not self.authorized:
            await self.caller.authorize(self.tool, replace(self.effects, found=found))
        return replace(self, authorized=True)

    async def uri(self, identifier: Identifier | None) -> str | None:
        """How Calendly wants a resource named in queries and bodies. Only the caller's own URI has to be asked for."""
        if isinstance(identifier, UserId) and identifier.is_me:
            identifier = (await self.caller.identity()).user
        return identifier.uri if identifier else None

    async def own(self, organization: OrganizationId | None) -> OrganizationId:
        """The organization that was named, else the caller's own. Raises ArgumentError where Calendly names none."""
        own = organization or (await self.caller.identity()).organization
        if own is None:
            raise ArgumentError.of("organization", "Calendly names no organization of this person: pass its URI.")
        return own

    def _request(self, query: Query, body: Body | None, ids: Ids) -> Request:
        if not isinstance(self.tool, EndpointTool):
            raise TypeError(f"{self.tool.name} has no endpoint of its own: call those of others with `via`.")
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
        if not self.authorized:
            await self.caller.authorize(self.tool, self.effects)
        if self.is_dry_run and self.tool.access == "write":
            raise DryRun(request)
        if self.known is None:
            return await self.caller.send(request)
        answer = next((answer for known, answer in self.known if known == request), None)
        if answer is None:
            answer = await self.caller.send(request)
            self.known.append((request, answer))
        return answer
