"""One process that shares a connection: python -m tests.auth.refreshing_server KIND WHERE URL USER STALL.

KIND is `database` or `machine`, and WHERE its address or folder. It reads lines `MOMENT CALLS` and answers each with
the tokens that so many calls at that moment were given. STALL is where a refresh tells that it got there and then
stands still: `before` or `after` Calendly is asked, or `never`.
"""

import asyncio
import sys
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

from storage.database import open_database
from tests.auth.calendly_side import Clock
from tests.auth.places import Interlude, in_database, on_machine


def tell(*words: str) -> None:
    sys.stdout.write(f"{' '.join(words)}\n")
    sys.stdout.flush()


async def poll(seconds: float) -> None:
    """Wait for a part of the time, since nothing here takes long."""
    await asyncio.sleep(seconds / 20)


async def main(kind: str, where: str, url: str, user: str, stall: str) -> None:
    async def stand_still() -> None:
        tell(stall)
        await asyncio.Event().wait()

    clock = Clock()
    interludes: dict[str, Interlude] = {} if stall == "never" else {stall: stand_still}
    async with AsyncExitStack() as stack:
        if kind == "database":
            database = await stack.enter_async_context(open_database(where))
            refresher = in_database(database, url, clock, poll, **interludes).refresher
        else:
            refresher = on_machine(Path(where), url, clock, poll, **interludes)
        tell("ready")
        for line in sys.stdin:
            moment, calls = line.split()
            clock.wall = datetime.fromisoformat(moment)
            tokens = await asyncio.gather(*(refresher.credentials(user).access_token() for _ in range(int(calls))))
            tell(*sorted(set(tokens)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
