"""A Calendly for the tests of webhooks, on a real socket."""

from collections.abc import AsyncGenerator

import anyio
import httpx2
import pytest

from sandbox.serving import RunningSandbox, running
from tests.databases import open_migrated
from tests.events.incoming.calendly_side import Scene, calendly_and_us
from tests.sandbox.api import MONDAY, Api


async def never(_seconds: float) -> None:
    """Sleep until the clock is moved."""
    await anyio.sleep_forever()


@pytest.fixture(scope="module")
async def shared_sandbox() -> AsyncGenerator[RunningSandbox]:
    async with running(now=lambda: MONDAY, sleep=never) as one:
        yield one


@pytest.fixture
async def scene(shared_sandbox: RunningSandbox) -> AsyncGenerator[Scene]:
    """A server of ours beside a sandbox that was just reset."""
    async with httpx2.AsyncClient(base_url=shared_sandbox.url) as http, open_migrated() as database:
        api = Api(http)
        await api.control("reset", {})
        await api.control("limits", {"per_minute": 100_000})
        async with calendly_and_us(database, shared_sandbox, api) as made:
            yield made
