"""What goes on beside the calls, and begins anew."""

import asyncio
import logging

import pytest

from server.hosted.chores import beside

pytestmark = pytest.mark.anyio


async def test_a_chore_that_fails_is_logged_and_begins_anew_until_the_block_is_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    begun, again, pauses = list[int](), asyncio.Event(), list[float]()

    async def chore() -> None:
        begun.append(len(begun))
        if len(begun) == 1:
            raise ValueError("poison")
        again.set()
        await asyncio.Event().wait()

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    with caplog.at_level(logging.ERROR):
        async with beside(chore, sleep):
            await again.wait()
    assert (begun, pauses) == ([0, 1], [5.0])
    assert "housekeeping failed by a fault of this server, and begins anew" in caplog.text
    assert "poison" in caplog.text
