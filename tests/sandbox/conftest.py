"""One sandbox on a real socket for the tests of a module, put back before each, in a time that stands still."""

from collections.abc import AsyncGenerator

import anyio
import httpx2
import pytest

from sandbox import RunningSandbox, running
from tests.sandbox.api import MONDAY, Api


async def never(_seconds: float) -> None:
    """Sleep until somebody moves the clock."""
    await anyio.sleep_forever()


@pytest.fixture(scope="module")
async def shared_sandbox() -> AsyncGenerator[RunningSandbox]:
    async with running(now=lambda: MONDAY, sleep=never) as one:
        yield one


@pytest.fixture(scope="module")
async def shared_http(shared_sandbox: RunningSandbox) -> AsyncGenerator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=shared_sandbox.url) as client:
        yield client


@pytest.fixture
async def http(shared_http: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """A client at the sandbox's address, which has just been reset."""
    assert (await shared_http.post("/_sandbox/reset")).status_code == 200
    return shared_http


@pytest.fixture
def api(http: httpx2.AsyncClient) -> Api:
    return Api(http)
