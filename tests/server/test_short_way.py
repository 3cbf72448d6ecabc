"""What one call takes: each decision once, one look-up in the database, and nothing read from Calendly twice."""

import sys
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType

import httpx2
import pytest
from sqlalchemy import Engine, event

from auth.access.levels import decide
from benchmarks.signed_in import ADDRESS, KEYS, prepare
from server.configuration.loading import load
from server.hosted.hosting import Outside, hosted_selection, hosting
from storage.lookups import SQLiteFinder
from tests.hostile_upstream import HostileUpstream
from tests.sandbox.api import Api
from tests.server.conftest import Connect
from tests.server.desk import Era, Person, call, me

ASKED = ContextVar("ASKED", default=False)
"""Set for all that is done for a request of this test, and not for what the server does beside it."""


class Taken:
    """What was done meanwhile: decisions by their capability, look-ups, and statements besides."""

    def __init__(self) -> None:
        self.decisions = Counter[str]()
        self.look_ups = 0
        self.statements = list[str]()

    def note(self, frame: FrameType, kind: str, _: object) -> None:
        """Count a call of a function, as `sys.setprofile` tells of it."""
        if kind == "call" and frame.f_code is decide.__code__:
            self.decisions[frame.f_locals["operation"].capability] += 1
        elif kind == "call" and frame.f_code is SQLiteFinder.find.__code__:
            self.look_ups += 1

    def stated(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        """Note a statement, as SQLAlchemy tells of it; housekeeping does not count."""
        if ASKED.get():
            self.statements.append(statement)


@contextmanager
def counting() -> Generator[Taken]:
    """Count what is done inside."""
    taken = Taken()
    asked = ASKED.set(True)
    event.listen(Engine, "before_cursor_execute", taken.stated)
    sys.setprofile(taken.note)
    try:
        yield taken
    finally:
        sys.setprofile(None)
        event.remove(Engine, "before_cursor_execute", taken.stated)
        ASKED.reset(asked)


@pytest.fixture
def signed_in(tmp_path: Path) -> tuple[str, str]:
    """The address of a database with one sign-in, and the token of an agent."""
    database = f"sqlite:///{tmp_path / 'database'}"
    return database, prepare(database)


async def reads(api: Api) -> Counter[str]:
    """Count what Calendly was asked to read, by its path."""
    received = (await api.http.get("/_sandbox/requests")).json()
    return Counter(one["path"] for one in received if one["method"] == "GET")


async def test_a_plain_read_over_stdio_is_decided_once(connect: Connect, api: Api) -> None:
    user = (await api.me())["uri"].rpartition("/")[2]
    async with connect() as client:
        await client.list_tools()  # else the client would, in the middle of its first call
        before = await reads(api)
        with counting() as taken:
            assert (await call(client, "get_user", user=user)).kind == "answered"
    assert await reads(api) - before == {f"/users/{user}": 1}
    assert taken.decisions == {"users": 1}


async def test_a_plain_read_of_a_hosted_agent_is_decided_once_and_takes_one_look_up(signed_in: tuple[str, str]) -> None:
    database, token = signed_in
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
    asked = {"name": "get_user", "arguments": {"user": "U1"}}
    async with HostileUpstream.listen() as upstream:
        upstream.otherwise = me()
        environ = {"CALENDLY_MCP_DATABASE_URL": database, "CALENDLY_MCP_SECRET_KEYS": KEYS}
        environ["CALENDLY_API_URL"] = upstream.origin
        settings = load("http", {"public_url": ADDRESS}, environ=environ)
        async with (
            hosting(settings, hosted_selection(settings), ADDRESS, Outside()) as app,
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url=ADDRESS, headers=headers) as http,
        ):
            message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked}
            with counting() as taken:
                answer = await http.post("/mcp", json=message)
        assert "Europe/Berlin" in answer.text
        assert len(upstream.requests) == 1
    assert taken.decisions == {"users": 1}
    assert (taken.look_ups, taken.statements) == (1, [])


@pytest.mark.parametrize(("era", "rounds"), [("legacy", 1), ("2026-07-28", 2)])
async def test_a_conditional_cancellation_that_asks_reads_the_meeting_and_its_invitees_once_a_round(
    connect: Connect, api: Api, era: Era, rounds: int
) -> None:
    meeting = str((await api.book("Intro call", **await api.booking()))["event"]).rpartition("/")[2]
    async with connect(Person(), era=era, access="canceling=ask:domains=acme.example") as client:
        await client.list_tools()  # else the client would, in the middle of its first call
        before = await reads(api)
        with counting() as taken:
            assert (await call(client, "cancel_scheduled_event", scheduled_event=meeting)).kind == "answered"
    read = await reads(api) - before
    del read["/users/me"]  # whose zone the question tells the time in
    assert read == {f"/scheduled_events/{meeting}": rounds, f"/scheduled_events/{meeting}/invitees": rounds}
    assert taken.decisions == {"canceling": rounds, "scheduled_events": 1, "invitee_data": 1}
