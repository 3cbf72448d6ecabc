"""Fixtures of the HTTP core's tests: a client and its upstream, in virtual time."""

from collections.abc import AsyncGenerator

import pytest

from tests.calendly.desk import Desk, open_desk
from tests.virtual_time import VIRTUAL_TIME, Backend


@pytest.fixture(scope="session")
def anyio_backend() -> Backend:
    """Run asynchronous tests in virtual time."""
    return VIRTUAL_TIME


@pytest.fixture
async def desk() -> AsyncGenerator[Desk]:
    """A client with default settings, and its upstream."""
    async with open_desk() as desk:
        yield desk
