"""One sandbox on a real socket per module, reset before each test, with a clock that stands still."""

from collections.abc import AsyncGenerator

import anyio
import httpx2
import pytest

from sandbox.serving import RunningSandbox, running
from tests.sandbox.api import MONDAY, Api
from tests.sandbox.receiver import Receiver, receiving


async def never(_seconds: float) -> None:
    """Sleep until the clock is moved."""
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
    """A client of the sandbox, which was just reset."""
    assert (await shared_http.post("/_sandbox/reset")).status_code == 200
    return shared_http


@pytest.fixture
def api(http: httpx2.AsyncClient) -> Api:
    return Api(http)


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with receiving() as one:
        yield one
