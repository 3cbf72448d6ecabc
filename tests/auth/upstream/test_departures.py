"""What is removed at Calendly for somebody who left, beside the request with which they left."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import select
from typing_extensions import override

from auth.endpoints.site import LeftEvents, NoEvents
from auth.grants import agent_rows
from auth.tables import grant
from auth.upstream.departures import Departures
from storage.connection import DatabaseConnection
from tests.auth.endpoints.test_revoke import connection_of, live_at_calendly
from tests.auth.site import Served, serve


@dataclass
class SlowEvents(NoEvents):
    """Somebody's webhook, which Calendly removes when the test lets it."""

    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_end: asyncio.Event = field(default_factory=asyncio.Event)
    tokens: list[str] = field(default_factory=list[str])
    told: list[str] = field(default_factory=list[str])

    @override
    async def forget(self, connection: DatabaseConnection, person: str) -> LeftEvents:
        """Return one webhook, and note what those are called to whom nothing more is posted."""
        grants = (await connection.execute(select(grant.c.id))).scalars().all()
        called = await agent_rows.names(connection, grants)

        async def tell() -> None:
            self.told.extend(called.values())

        return LeftEvents(["https://api.calendly.com/webhook_subscriptions/W1"], tell)

    @override
    async def leave(self, person: str, subscriptions: Sequence[str], token: str) -> None:
        """Note the token, and wait."""
        self.tokens.append(token)
        self.asked.set()
        await self.may_end.wait()


@pytest.mark.requirement("revoke-last-grant")
async def test_who_leaves_is_answered_before_calendly_is_and_the_token_lives_until_the_webhook_is_removed(
    served: Served,
) -> None:
    events = SlowEvents()
    served = serve(replace(served.site, events=events), served.calendly)
    client = await served.register(client_name="Claude")
    tokens = await served.sign_in(client)
    assert (await served.revoke(client, tokens.refresh)).status_code == 200
    assert not await served.is_live(tokens.access)
    assert await connection_of(served) == ("revoked", None, None)
    await events.asked.wait()
    assert events.told == ["Claude"]
    assert events.tokens[0] in live_at_calendly(served)
    events.may_end.set()
    await served.site.departures.finish()
    assert events.tokens[0] not in live_at_calendly(served)
    await served.site.departures.finish()


async def test_a_process_that_ends_does_not_wait_for_ever_and_says_what_it_leaves(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    departures, ended = Departures(patience=0), list[str]()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("canceled")

    async def faulty() -> None:
        raise ZeroDivisionError

    departures.begin(faulty())
    await asyncio.sleep(0)
    departures.begin(endless())
    await asyncio.sleep(0)
    await departures.finish()
    assert ended == ["canceled"]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]
