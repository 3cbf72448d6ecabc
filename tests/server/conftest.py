"""What tests of a whole server in this process share: a sandbox on a real socket, and agents that are connected."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime

import httpx2
import pytest
from mcp import Client

from sandbox.serving import RunningSandbox, running
from server.configuration.loading import load
from server.local.serving import serving
from tests.audit_log import Shelf, recording_on
from tests.sandbox.api import MONDAY, Api
from tests.server.desk import Era, Person
from tests.virtual_time import going_on_from

Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture(scope="module")
def moment() -> datetime:
    """What time it is for the sandbox and for the servers."""
    return MONDAY


@pytest.fixture(scope="module")
async def one_sandbox(moment: datetime) -> AsyncGenerator[RunningSandbox]:
    async with running(now=lambda: moment) as sandbox:
        yield sandbox


@pytest.fixture
async def api(one_sandbox: RunningSandbox) -> AsyncGenerator[Api]:
    """A plain client of the sandbox, which is as at its start."""
    one_sandbox.sandbox.reset()
    async with httpx2.AsyncClient(base_url=one_sandbox.url) as http:
        yield Api(http)


@pytest.fixture
def shelf() -> Shelf:
    """Where the calls of a test are recorded."""
    return Shelf()


@pytest.fixture
def connect(one_sandbox: RunningSandbox, api: Api, shelf: Shelf, moment: datetime) -> Connect:
    """Connects an agent of a person of the sandbox, who answers questions, with settings of its own."""
    assert api.http.base_url == one_sandbox.url

    @asynccontextmanager
    async def connected(
        person: Person | None = None, who: str = "owner", era: Era = "legacy", **settings: str
    ) -> AsyncGenerator[Client]:
        environ = {
            "CALENDLY_ACCESS_TOKEN": f"sandbox-pat-{who}",
            "CALENDLY_API_URL": one_sandbox.url,
            "CALENDLY_MCP_DATABASE_URL": "sqlite://",
        }
        async with (
            serving(
                load("stdio", settings, environ=environ), recording_on(shelf, lambda: moment), going_on_from(MONDAY)
            ) as server,
            Client(server.mcp, mode=era, elicitation_callback=person.answer if person else None) as client,
        ):
            yield client

    return connected
