"""A server on the person's machine, as several programs start it: python -m tests.auth.local_server FOLDER URL STALL.

It reads lines `MOMENT CALLS` and answers each with the tokens that so many calls at that moment were given, or with why
there were none. STALL is where a refresh tells that it got there and then stands still, as in `refreshing_server`.
"""

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from auth.local.credentials import LocalCredentials
from auth.local.login_store import LocalLogin, LoginStore
from auth.upstream.application import Configured
from auth.upstream.login import Upstream
from calendly.errors import CalendlyError
from tests.auth.calendly_side import Clock
from tests.auth.refreshing_server import StallingLogin, poll, tell


async def main(folder: str, url: str, stall: str) -> None:
    clock = Clock()

    def upstream(login: LocalLogin) -> Upstream:
        made = StallingLogin(Configured(login.application), redirect_uri=login.redirect_uri, api_url=url, now=clock.now)
        made.stall = stall
        return made

    credentials = LocalCredentials(LoginStore(Path(folder), url, lambda: None, poll), upstream, clock.now)
    tell("ready")
    for line in sys.stdin:
        moment, calls = line.split()
        clock.wall = datetime.fromisoformat(moment)
        try:
            tokens = await asyncio.gather(*(credentials.access_token() for _ in range(int(calls))))
            tell(*sorted(set(tokens)))
        except CalendlyError as error:
            tell(error.reason)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
