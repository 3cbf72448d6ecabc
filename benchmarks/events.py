"""What Calendly tells a hosted endpoint: how soon it is stored and posted on, and what agents lose by it meanwhile."""

import asyncio
import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import count
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import anyio
import httpx2

from benchmarks.hosted import answered, signed_in
from benchmarks.measure import Row, interleaved, ratio, typical, written
from benchmarks.processes import PRODUCT, UPSTREAM, ServerFailed, listening
from benchmarks.signed_in import ADDRESS, AGENT, KEYS, prepare, prepare_receiver
from benchmarks.upstream import USER
from events.incoming.webhooks import PATH
from sandbox.state.deliveries import signature
from tests.postgresql import programs, running_server

AGENTS: Final = 20
A_SECOND: Final = 20
"""How many webhooks Calendly posts in a second."""

ROUNDS: Final = 4
SECONDS: Final = 5.0
"""Length of a round."""

_BOOKINGS: Final = 100
"""How many are posted on."""

_POSTED_A_SECOND: Final = 5
"""How many of these in a second: what is measured is how long one takes, not how many there can be."""

_HOST: Final = "127.0.0.1"
_NO_ROOM: Final = 503
_PAUSE: Final = 1.0
"""After which a webhook that found no room is posted again, in seconds."""


def rows() -> Iterator[Row]:
    """Post webhooks to the product, on each kind of database."""
    with TemporaryDirectory() as folder:
        yield from _on("SQLite", f"sqlite:///{Path(folder, 'database')}")
    if programs() is not None:
        with running_server() as server:
            yield from _on("PostgreSQL", server.new_database())


def _on(kind: str, database: str) -> Iterator[Row]:
    token, calendly = prepare(database), Calendly(*prepare_receiver(database))
    taken: list[list[float]] = []
    with (
        ProcessPoolExecutor(1, get_context("spawn")) as process,
        listening(*UPSTREAM) as (upstream, _),
        signed_in(database, upstream, CALENDLY_MCP_CALLBACK_HOSTS=_HOST) as (ours, _process),
    ):
        rate = partial(_rate, ours, count(), token)

        def rate_beside() -> float:
            posting = process.submit(_post, calendly, f"R{len(taken)}", ours)
            found = rate()
            taken.append(posting.result())
            return found

        beside, alone = interleaved(ROUNDS, rate_beside, rate)
        posted = anyio.run(_posted_on, ours, database, calendly)
    slowest = _percentile([wait for waits in taken[1:] for wait in waits])
    yield Row(
        what=f"events: 99 % of webhooks taken within, beside {AGENTS} agents, {kind}",
        ours=f"{written(slowest * 1000)} ms",
        figure=slowest * 1000,
        unit=" ms",
        must=250,
        reach=100,
    )
    yield Row(
        what=f"events: agents' calls beside {A_SECOND} webhooks a second, {kind}",
        ours=typical(beside, "/s"),
        floor=typical(alone, "/s"),
        figure=ratio(beside, alone),
        must=0.8,
        reach=0.9,
        at_least=True,
    )
    for name, figure, must in (("median", median(posted), 100.0), ("99 %", _percentile(posted), 1000.0)):
        yield Row(
            what=f"events: from stored to the first attempt, {name}, {kind}",
            ours=f"{written(figure * 1000)} ms",
            figure=figure * 1000,
            unit=" ms",
            must=must,
            reach=must / 2,
        )


def _percentile(values: list[float]) -> float:
    return quantiles(values, n=100)[-1]


@dataclass(frozen=True)
class Calendly:
    """Posts webhooks of bookings.

    Attributes:
        secret: In the address of the receiver.
        key: What it signs with.
    """

    secret: str
    key: str

    async def post(self, name: str, server: str, bookings: int, a_second: int) -> "Posted":
        """Post so many, evenly, whether or not earlier ones were answered. Raises ServerFailed."""
        posted, began = Posted(), perf_counter()
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as http, anyio.create_task_group() as posts:
            for number in range(bookings):
                await anyio.sleep(max(0.0, began + number / a_second - perf_counter()))
                posts.start_soon(self._post, http, f"{server}{PATH}/{self.secret}", f"{name}-{number}", posted)
        return posted

    async def _post(self, http: httpx2.AsyncClient, url: str, name: str, posted: "Posted") -> None:
        uri, body = _booking(name)
        headers = {"Calendly-Webhook-Signature": signature(self.key, datetime.now(UTC), body)}
        began = perf_counter()
        answer = await http.post(url, content=body, headers=headers)
        while answer.status_code == _NO_ROOM:
            await anyio.sleep(_PAUSE)
            answer = await http.post(url, content=body, headers=headers)
        if not answer.is_success:
            raise ServerFailed(f"{answer.status_code}: {answer.text}")
        posted.stored_at[uri] = perf_counter()
        posted.waits.append(posted.stored_at[uri] - began)


@dataclass
class Posted:
    """What came of webhooks.

    Attributes:
        waits: How long each took to be taken, in seconds.
        stored_at: When each booking was answered for, by the URI of its invitee.
    """

    waits: list[float] = field(default_factory=list[float])
    stored_at: dict[str, float] = field(default_factory=dict[str, float])


def _booking(name: str) -> tuple[str, bytes]:
    """Make what tells of a booking; the URI of its invitee, and the message."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    meeting = f"https://api.calendly.com/scheduled_events/E{name}"
    uri = f"{meeting}/invitees/I{name}"
    event = {"uri": meeting, "name": "Intro call", "status": "active", "start_time": now, "end_time": now}
    event |= {"event_type": "https://api.calendly.com/event_types/T", "created_at": now, "updated_at": now}
    invitee = {"uri": uri, "name": "Lee Park", "email": "lee@acme.example", "status": "active", "created_at": now}
    payload = {**invitee, "updated_at": now, "timezone": "Europe/London", "event": meeting, "scheduled_event": event}
    message = {"event": "invitee.created", "created_at": now, "created_by": USER["uri"], "payload": payload}
    return uri, json.dumps(message).encode()


def _rate(server: str, numbers: Iterator[int], token: str) -> float:
    """Return the calls per second of all agents together."""
    began = perf_counter()
    calls = anyio.run(partial(answered, [f"{server}/mcp"], numbers, token, clients=AGENTS, seconds=SECONDS))
    return calls / (perf_counter() - began)


def _post(calendly: Calendly, name: str, server: str) -> list[float]:
    """Post as long as agents work, in a process of its own: what is in Calendly's way is the server alone."""
    return [*anyio.run(calendly.post, name, server, int(A_SECOND * SECONDS), A_SECOND).waits]


@dataclass
class Callback:
    """A callback that notes when each event arrives, by the URI of its invitee."""

    arrived_at: dict[str, float] = field(default_factory=dict[str, float])
    all_there: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one post."""
        head = await reader.readuntil(b"\r\n\r\n")
        now = perf_counter()
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        content = json.loads(await reader.readexactly(int(length.partition(b":")[2])))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        self.arrived_at.setdefault(content["data"]["invitee"]["uri"], now)
        if len(self.arrived_at) == _BOOKINGS:
            self.all_there.set()


async def _posted_on(server: str, database: str, calendly: Calendly) -> list[float]:
    """Have bookings posted on to a callback. Returns how long after it was stored each arrived, in seconds."""
    callback = Callback()
    listener = await asyncio.start_server(callback.serve, _HOST, 0)
    async with listener:
        await asyncio.to_thread(_subscribe, database, f"http://{_HOST}:{listener.sockets[0].getsockname()[1]}/")
        posted = await calendly.post("P", server, _BOOKINGS, _POSTED_A_SECOND)
        with anyio.fail_after(60):
            await callback.all_there.wait()
    # The first attempt may begin before the answer to Calendly has arrived.
    return [max(0.0, callback.arrived_at[uri] - at) for uri, at in posted.stored_at.items()]


def _subscribe(database: str, url: str) -> None:
    """Have an operator arrange that bookings are posted to a URL. Raises ServerFailed."""
    words = ("events", "enable", "--to", url, "--for", AGENT, "--kind", "meeting.booked")
    settings = {
        "CALENDLY_MCP_DATABASE_URL": database,
        "CALENDLY_MCP_SECRET_KEYS": KEYS,
        "CALENDLY_MCP_PUBLIC_URL": ADDRESS,
        "CALENDLY_MCP_CALLBACK_HOSTS": _HOST,
    }
    done = subprocess.run(  # noqa: S603 - ours
        [PRODUCT, *words], env={**os.environ, **settings}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ServerFailed(done.stderr)
