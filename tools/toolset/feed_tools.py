"""How tools of what this server keeps are declared: like those of an endpoint, without one."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from tools.toolset.audit_sentences import Sentence
from tools.toolset.declaring import Function
from tools.toolset.tool import FeedTool, declare

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
