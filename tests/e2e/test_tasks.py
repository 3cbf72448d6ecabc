"""Twenty tasks, each done with all tools and with the endpoints alone: the same outcome, at what price."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import pytest
from mcp import Client
from mcp.client.stdio import stdio_client

from tests.e2e.conftest import Sandbox
from tests.e2e.processes import parameters
from tests.e2e.task_list import TASKS
from tests.e2e.tasks import BERLIN, Agent, Script, Task
from tests.task_table import ROW

pytestmark = pytest.mark.anyio

_SAME = 1.05
"""Ids and times of day are other ones each time, and cost a few tokens more or less."""

Scripted = Callable[[str], AbstractAsyncContextManager[Agent]]


@dataclass(frozen=True, slots=True)
class Price:
    """What a task took.

    Attributes:
        calls: Of tools.
        requests: To Calendly.
        tokens: That the agent wrote and read.
    """

    calls: int
    requests: int
    tokens: int

    def figures(self) -> list[int]:
        """All three."""
        return [self.calls, self.requests, self.tokens]


@pytest.fixture(scope="module")
def scripted(sandbox: Sandbox, settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Scripted:
    """Starts a server with these toolsets for an agent of its own, which acts with the levels of a trusting person."""
    log = tmp_path_factory.mktemp("tasks") / "stderr"

    @asynccontextmanager
    async def agent(toolsets: str) -> AsyncGenerator[Agent]:
        trusting = {**settings, "CALENDLY_MCP_TOOLSETS": toolsets, "CALENDLY_MCP_ACCESS": "canceling=full"}
        with log.open("a") as errors:
            async with Client(stdio_client(parameters(["stdio"], trusting), errors)) as client:
                yield Agent(client, sandbox, datetime.now(BERLIN).date())

    return agent


async def priced(agent: Agent, script: Script) -> tuple[object, Price]:
    """Do a task in a fresh account: what came out of it, and what it took."""
    agent.sandbox.reset()
    outcome = await script(agent)
    return outcome, Price(agent.calls, len(agent.sandbox.requests()), agent.tokens)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.words)
async def test_a_task_has_the_same_outcome_either_way_and_no_tool_makes_it_dearer(
    task: Task, scripted: Scripted, request: pytest.FixtureRequest
) -> None:
    async with scripted("endpoints,workflows") as agent:
        outcome, price = await priced(agent, task.freely)
    async with scripted("endpoints") as agent:
        other, dearer = await priced(agent, task.plainly)
    # Not by `record_property`, which warns of --junitxml.
    request.node.user_properties.append((ROW, (task.words, [*price.figures(), *dearer.figures()])))
    assert outcome == other
    assert outcome
    assert price.calls <= dearer.calls
    assert price.tokens <= dearer.tokens * _SAME
