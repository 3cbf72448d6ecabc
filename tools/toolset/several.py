"""How tools are declared that have no endpoint of their own: workflows, and those of what this server keeps.

A workflow states the tools of the endpoints that it calls, and nothing else; the rest follows from theirs:

    @workflows.workflow(title="Get agenda", audit=Sentence("read", _audited), needs=(list_scheduled_events,))
    async def get_agenda(call: Call, start_time: Time, end_time: Time) -> Agenda:
        events = await call.via(list_scheduled_events)(...)
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Declared, Function
from tools.toolset.tool import FeedTool, HostedWorkflow, Workflow, declare, endpoint_of

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(slots=True)
class FeedTools:
    """Tools of what this server keeps, in the order of their declaration.

    Attributes:
        name: The toolset that switches them on.
    """

    name: str
    tools: list[FeedTool] = field(default_factory=list[FeedTool])
    workflows: list[HostedWorkflow] = field(default_factory=list[HostedWorkflow])

    def tool(
        self, *, title: str, scope: str, capability: str, audit: Sentence
    ) -> Callable[[Function[P, R]], Function[P, R]]:
        """Declare a function as a tool that reads."""

        def declared(function: Function[P, R]) -> Function[P, R]:
            tool = FeedTool(
                name=function.__name__,
                title=title,
                access="read",
                destructive=False,
                idempotent=True,
                audit=audit,
                function=function,
                scope=scope,
                capability=capability,
                toolset=self.name,
            )
            declare(tool)
            self.tools.append(tool)
            return function

        return declared

    def workflow(
        self,
        *,
        title: str,
        audit: Sentence,
        needs: tuple[Declared, ...],
        uses: tuple[Declared, ...],
        reads: tuple[Declared, ...],
    ) -> Callable[[Function[P, R]], Function[P, R]]:
        """Declare a function as a tool that writes by these endpoints, about what tools of this toolset read."""
        required, optional = (tuple(map(endpoint_of, functions)) for functions in (needs, uses))
        names = {function.__name__ for function in reads}

        def declared(function: Function[P, R]) -> Function[P, R]:
            tool = HostedWorkflow(
                name=function.__name__,
                title=title,
                access="write",
                destructive=False,
                idempotent=True,
                audit=audit,
                required=required,
                optional=optional,
                reads=tuple(tool for tool in self.tools if tool.name in names),
                toolset=self.name,
                function=function,
            )
            declare(tool)
            self.workflows.append(tool)
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
