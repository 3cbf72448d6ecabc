"""One sandbox on a real socket for the tests of a module, put back before each, in virtual time."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import httpx2
import pytest

from calendly.client import Calendly, open_http
from calendly.pacing.booking_limits import parse_ceilings
from calendly.pacing.pacer import Pacer
from calendly.request import Account
from sandbox.serving import RunningSandbox, running
from tests.calendly.tokens import Token
from tests.sandbox.api import MONDAY, Api, token_named
from tests.tools.agent import Agent, ledger_in, store_in
from tests.virtual_time import VIRTUAL_TIME, Backend

AgentOf = Callable[[str], Agent]


@pytest.fixture(scope="module")
def anyio_backend() -> Backend:
    return VIRTUAL_TIME


class Epoch:
    """When the running test began, on the loop's clock: every test begins on the same Monday."""

    start = 0.0


@pytest.fixture(scope="module")
async def shared_sandbox() -> AsyncGenerator[RunningSandbox]:
    loop = asyncio.get_running_loop()
    async with running(now=lambda: MONDAY + timedelta(seconds=loop.time() - Epoch.start)) as one:
        yield one


@pytest.fixture
async def sandbox(shared_sandbox: RunningSandbox) -> RunningSandbox:
    """The sandbox as at its start."""
    Epoch.start = asyncio.get_running_loop().time()
    shared_sandbox.sandbox.reset()
    return shared_sandbox


@pytest.fixture
async def api(sandbox: RunningSandbox) -> AsyncGenerator[Api]:
    """A plain client beside ours: the sandbox's controls, and what is true in it."""
    async with httpx2.AsyncClient(base_url=sandbox.url) as http:
        yield Api(http)


@pytest.fixture
async def agent_of(sandbox: RunningSandbox) -> AsyncGenerator[AgentOf]:
    """Makes the agent of a fixed token, such as `owner`."""
    clock = asyncio.get_running_loop().time

    def random() -> float:
        return 0.5

    async with open_http("0") as http, AsyncExitStack() as stack:

        def make(token: str) -> Agent:
            pacer = Pacer(per_minute=500, ceilings=parse_ceilings("none"), max_wait=30, clock=clock, random=random)
            calendly = Calendly(http, origin=sandbox.url, pacer=pacer, clock=clock, sleep=asyncio.sleep, random=random)
            account = Account(token, "agent", Token(token_named(token)))
            store = store_in(stack, lambda: MONDAY + timedelta(seconds=clock() - Epoch.start))
            return Agent(
                calendly=calendly,
                account=account,
                origin=sandbox.url,
                clock=clock,
                keys=ledger_in(store),
                store=store,
                began=Epoch.start,
            )

        yield make


@pytest.fixture
def agent(agent_of: AgentOf) -> Agent:
    """The owner's agent."""
    return agent_of("owner")
