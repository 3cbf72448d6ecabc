"""What the tests with other people's clients share: the hosted endpoint on a sandbox, as a process."""

from collections.abc import Generator

import pytest

from tests.e2e.processes import program


@pytest.fixture(scope="session")
def hosted() -> Generator[str]:
    """Run the hosted endpoint; its address."""
    with program("http", "--sandbox", "--port", "0", CALENDLY_MCP_LOG_LEVEL="warning") as server:
        yield server.line("ready: ")
