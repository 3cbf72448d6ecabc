"""What the tests of signing in share."""

from collections.abc import AsyncGenerator

import pytest

from storage.database import Database
from tests.auth.calendly_side import Calendly, Clock, calendly
from tests.auth.site import Served, make_site, serve
from tests.databases import empty, open_migrated


@pytest.fixture
async def upstream() -> AsyncGenerator[Calendly]:
    """Calendly, just started."""
    async with calendly() as running:
        yield running


@pytest.fixture(scope="module")
async def shared_upstream() -> AsyncGenerator[Calendly]:
    """Calendly for all tests of a file: stopping its server takes longer than most of them."""
    async with calendly() as running:
        yield running


@pytest.fixture
def fresh_upstream(shared_upstream: Calendly) -> Calendly:
    """The same, as if just started."""
    vars(shared_upstream.clock).update(vars(Clock()))
    shared_upstream.running.sandbox.reset()
    return shared_upstream


@pytest.fixture
async def every_site(shared_database_url: str, fresh_upstream: Calendly) -> AsyncGenerator[Served]:
    """Our server before that Calendly, on each kind of database in turn that keeps anything."""
    async with open_migrated(shared_database_url) as database:
        site = make_site(database, fresh_upstream)
        yield serve(site, fresh_upstream)
        await site.departures.finish()


@pytest.fixture(scope="module")
async def shared_memory() -> AsyncGenerator[Database]:
    """A database in memory for all tests of a file: SQLAlchemy compiles the statements anew for each that is opened."""
    async with open_migrated() as database:
        yield database


@pytest.fixture
async def served(shared_memory: Database, fresh_upstream: Calendly) -> AsyncGenerator[Served]:
    """Our server before that Calendly, on the quickest kind of database."""
    empty(shared_memory)
    site = make_site(shared_memory, fresh_upstream)
    yield serve(site, fresh_upstream)
    await site.departures.finish()
