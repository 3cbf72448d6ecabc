"""One server process, as the tests of several start it: python -m tests.auth.refreshing_server DATABASE URL USER STALL.

It reads lines `MOMENT CALLS` and answers each with the tokens that so many calls at that moment were given. STALL is
where a refresh tells that it got there and then stands still: `before` or `after` Calendly is asked, or `never`.
"""

import asyncio
import sys
from datetime import datetime

from typing_extensions import override

from auth.upstream.application import Application
from auth.upstream.calendly_login import CalendlyLogin
from auth.upstream.login import Tokens
from storage.database import open_database
from tests.auth.calendly_side import Clock, connections, login_at


def tell(*words: str) -> None:
    sys.stdout.write(f"{' '.join(words)}\n")
    sys.stdout.flush()


class StallingLogin(CalendlyLogin):
    """Calendly's login, of which `stall` says where it stands still."""

    stall = "never"

    @override
    async def refresh(self, refresh_token: str) -> Tokens:
        await self._reach("before")
        tokens = await super().refresh(refresh_token)
        await self._reach("after")
        return tokens

    async def _reach(self, place: str) -> None:
        if self.stall == place:
            tell(place)
            await asyncio.Event().wait()


async def poll(seconds: float) -> None:
    """Wait for a part of the time, since nothing here takes long."""
    await asyncio.sleep(seconds / 20)


async def main(database_url: str, url: str, user: str, stall: str) -> None:
    clock = Clock()
    application = Application.configured("sandbox-client", "sandbox-secret", url)
    login = login_at(application, url, clock, kind=StallingLogin)
    login.stall = stall
    async with open_database(database_url) as database:
        made = connections(database, login, clock, sleep=poll)
        tell("ready")
        for line in sys.stdin:
            moment, calls = line.split()
            clock.wall = datetime.fromisoformat(moment)
            tokens = await asyncio.gather(*(made.credentials(user).access_token() for _ in range(int(calls))))
            tell(*sorted(set(tokens)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
