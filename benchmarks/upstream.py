"""A Calendly that answers every request with one user and has no rate limit, on a free port."""

import asyncio
import sys
from typing import Final

from tests.hostile_upstream import HostileUpstream, answer

_STAMP: Final = "2026-01-05T09:00:00.000000Z"
USER: Final = {
    "uri": "https://api.calendly.com/users/09930180-2957-40bd-b839-6ee7d1f9c95b",
    "name": "Maya Lindqvist",
    "slug": "maya-lindqvist",
    "email": "maya@northlight.example",
    "scheduling_url": "https://calendly.com/maya-lindqvist",
    "timezone": "Europe/Berlin",
    "time_notation": "24h",
    "avatar_url": None,
    "created_at": _STAMP,
    "updated_at": _STAMP,
    "locale": "en",
    "current_organization": "https://api.calendly.com/organizations/bb1c6a3f-2c41-4f6c-9f2f-4b2a5e0f6f11",
    "resource_type": "User",
}
_PLENTY: Final = "1000000"


async def _serve() -> None:
    async with HostileUpstream.listen() as upstream:
        upstream.otherwise = answer(
            200,
            {"resource": USER},
            X_RateLimit_Limit=_PLENTY,
            X_RateLimit_Remaining=_PLENTY,
            X_RateLimit_Reset="60",
        )
        sys.stderr.write(f"ready: {upstream.origin}\n")
        sys.stderr.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
