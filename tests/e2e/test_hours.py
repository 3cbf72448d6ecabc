"""A day is blocked, seen to be blocked, and opened again, by a client on every wire."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import Connection
from tests.server.desk import call

pytestmark = pytest.mark.anyio


@pytest.mark.requirement("workflow-hours")
async def test_a_blocked_day_is_closed_until_it_is_undone(connection: Connection) -> None:
    now = datetime.now(UTC)
    span = {"start_time": str(now.date() + timedelta(days=2)), "end_time": str(now.date() + timedelta(days=8))}

    async def open_days() -> list[str]:
        found = await call(connection.client, "list_event_type_available_times", event_type="Intro call", **span)
        return [row["date"] for row in found.content["collection"]]

    before = await open_days()
    changes = [{"days": before[0], "hours": "none"}]
    blocked = (await call(connection.client, "change_working_hours", changes=changes)).content
    assert (blocked["outcome"], blocked["difference"][0]["after"]) == ("changed", "no hours")
    assert await open_days() == before[1:]
    undone = await call(connection.client, "change_working_hours", **blocked["undo"])
    assert undone.content["outcome"] == "changed"
    assert await open_days() == before
