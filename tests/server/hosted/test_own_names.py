import asyncio
import random
from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from calendly.client import Calendly, open_http
from calendly.pacing.pacer import Pacer
from server.hosted.own_names import OwnNames
from tests.auth.calendly_side import calendly
from tests.auth.site import Served, make_site, serve
from tests.databases import open_migrated


@dataclass(frozen=True)
class Asked:
    """Our own side, and a person who is connected."""

    names: OwnNames
    served: Served
    person: str


@pytest.fixture
async def asked() -> AsyncGenerator[Asked]:
    """Connect a person of a sandbox."""
    clock = asyncio.get_running_loop().time
    async with calendly() as upstream, open_migrated() as database, open_http("test") as http:
        served = serve(make_site(database, upstream), upstream)
        tokens = await served.sign_in()
        person = (await served.call(tokens.access)).json()["person"]
        pacer = Pacer(per_minute=600, ceilings=(), max_wait=5, clock=clock, random=random.random)
        core = Calendly(http, origin=upstream.url, pacer=pacer, clock=clock, sleep=asyncio.sleep, random=random.random)
        yield Asked(OwnNames(lambda: core, served.site.connections, clock), served, person)


async def test_a_persons_own_event_types_are_named_over_their_connection(asked: Asked) -> None:
    names = await asked.names.event_types(asked.person)
    records = asked.served.calendly.running.sandbox.records
    own = {kind.id: kind.name for kind in records.event_types.values() if kind.name in names.values()}
    assert names == own
    assert "Intro call" in names.values()


async def test_what_calendly_says_is_not_there_is_missing_and_what_it_cannot_say_is_not(asked: Asked) -> None:
    records = asked.served.calendly.running.sandbox.records
    there, user = next(iter(records.event_types)), asked.person.rpartition("/")[2]
    gone = "0b9d9c5e-1111-4222-8333-444455556666"
    assert await asked.names.missing(asked.person, "event_types", [there, gone]) == [gone]
    assert await asked.names.missing(asked.person, "hosts", [user, gone]) == [gone]
    nobody = "https://api.calendly.com/users/NOBODY"
    assert await asked.names.missing(nobody, "hosts", [gone]) == []


async def test_there_are_none_of_who_has_no_connection(asked: Asked) -> None:
    assert await asked.names.event_types("https://api.calendly.com/users/NOBODY") == {}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"collection": "x"},
        {"collection": [None, 7, {}, {"uri": 5, "name": "x"}, {"uri": "https://evil.example/event_types/E"}]},
    ],
)
async def test_what_cannot_be_read_is_left_out(asked: Asked, body: dict[str, object]) -> None:
    await asked.served.fault("GET", "/event_types", 200, body=body)
    assert await asked.names.event_types(asked.person) == {}


async def test_there_are_none_while_calendly_refuses(asked: Asked) -> None:
    await asked.served.fault("GET", "/event_types", 403)
    assert await asked.names.event_types(asked.person) == {}


async def test_a_name_is_one_line_and_one_without_is_called_by_its_id(asked: Asked) -> None:
    rows = [
        {"uri": "https://api.calendly.com/event_types/E1", "name": "Intro\n\u202ecall"},
        {"uri": "https://api.calendly.com/event_types/E2", "name": None},
    ]
    await asked.served.fault("GET", "/event_types", 200, body={"collection": rows})
    assert await asked.names.event_types(asked.person) == {"E1": "Intro call", "E2": "E2"}
