"""What the tests with other people's clients share: the hosted endpoint on a sandbox, as a process."""

from collections.abc import Generator

import pytest

from tests.e2e.hosting import Site, hosted


@pytest.fixture(scope="session")
def site() -> Generator[Site]:
    """Run the hosted endpoint."""
    with hosted("--sandbox", CALENDLY_MCP_LOG_LEVEL="warning", CALENDLY_MCP_CLIENT_DOCUMENTS="on") as running:
        yield running
