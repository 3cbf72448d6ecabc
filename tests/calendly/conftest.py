"""What the tests of the HTTP core share: they run in virtual time, at a desk."""

from collections.abc import AsyncGenerator

import pytest

from tests.calendly.desk import Desk, open_desk
from tests.virtual_time import VIRTUAL_TIME, Backend


@pytest.fixture(scope="session")
def anyio_backend() -> Backend:
    """Asynchronous tests of this folder run in virtual time."""
    return VIRTUAL_TIME


@pytest.fixture
async def desk() -> AsyncGenerator[Desk]:
    """Seat the test at a desk with the settings' defaults."""
    async with open_desk() as desk:
        yield desk
