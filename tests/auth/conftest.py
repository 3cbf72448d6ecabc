"""What the tests of signing in share."""

from collections.abc import AsyncGenerator

import pytest

from storage.database import Database
from tests.auth.calendly_side import Calendly, Clock, calendly
from tests.auth.site import Site, make_realm, serve
from tests.databases import open_migrated


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
def every_site(database: Database, fresh_upstream: Calendly) -> Site:
    """Our server before that Calendly, on each kind of database in turn."""
    return serve(make_realm(database, fresh_upstream), fresh_upstream)


@pytest.fixture
async def site(fresh_upstream: Calendly) -> AsyncGenerator[Site]:
    """Our server before that Calendly, on the quickest kind of database."""
    async with open_migrated() as database:
        yield serve(make_realm(database, fresh_upstream), fresh_upstream)
