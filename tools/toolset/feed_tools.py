"""How tools of what this server keeps are declared: like those of an endpoint, without one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Declared, Function
from tools.toolset.tool import FeedTool, HostedWorkflow, declare, endpoint_of

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
