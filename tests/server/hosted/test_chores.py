"""What goes on beside the calls, and begins anew."""

import asyncio
import logging

import anyio
import pytest

from server.hosted import chores
from server.hosted.chores import Chores


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
        async with Chores(sleep).beside([chore]):
            await again.wait()
    assert (begun, pauses) == ([0, 1], [5.0])
    assert "housekeeping failed by a fault of this server, and begins anew" in caplog.text
    assert "poison" in caplog.text


async def test_when_the_process_stops_all_chores_end_side_by_side_and_one_that_does_not_is_broken_off(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "_STOPPING", 0.01)
    ending, broken_off = asyncio.Event(), asyncio.Event()

    async def stubborn() -> None:
        try:
            with anyio.CancelScope(shield=True):  # as what is read or written without an answer
                await asyncio.Event().wait()
        finally:
            broken_off.set()

    async def gentle() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ending.set()

    going_on = Chores(asyncio.sleep)
    async with going_on.beside([stubborn, gentle]):
        await asyncio.sleep(0)  # both have begun
        going_on.stop()
        await ending.wait()  # requests in flight go on meanwhile
        assert not broken_off.is_set()
    await broken_off.wait()
    assert "housekeeping did not end" in caplog.text
