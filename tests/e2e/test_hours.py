"""A day is blocked, seen to be blocked, and opened again, by a client on every wire and at the hosted endpoint."""

from datetime import UTC, datetime, timedelta

import pytest
from mcp import Client

from tests.e2e.conftest import Connection
from tests.e2e.hosting import Agent, hosted
from tests.e2e.people import Browser
from tests.server.desk import Person, call

pytestmark = pytest.mark.anyio


async def blocks_and_undoes(client: Client) -> None:
    now = datetime.now(UTC)
    span = {"start_time": str(now.date() + timedelta(days=2)), "end_time": str(now.date() + timedelta(days=8))}

    async def open_days() -> list[str]:
        found = await call(client, "list_event_type_available_times", event_type="Intro call", **span)
        return [row["date"] for row in found.content["collection"]]

    before = await open_days()
    changes = [{"days": before[0], "hours": "none"}]
    blocked = (await call(client, "change_working_hours", changes=changes)).content
    assert (blocked["outcome"], blocked["difference"][0]["after"]) == ("changed", "no hours")
    assert await open_days() == before[1:]
    undone = await call(client, "change_working_hours", **blocked["undo"])
    assert undone.content["outcome"] == "changed"
    assert await open_days() == before


@pytest.mark.requirement("workflow-hours")
async def test_a_blocked_day_is_closed_until_it_is_undone(connection: Connection) -> None:
    await blocks_and_undoes(connection.client)


@pytest.mark.requirement("workflow-hours")
async def test_a_person_who_signed_in_is_asked_about_each_change_and_sees_it() -> None:
    person = Person()
    agent = Agent(browser=Browser(access="event_types=read,availability=ask,scheduled_events=read,invitee_data=read"))
    with hosted("--sandbox") as site:
        async with agent.connect(site.endpoint, "2026-07-28", person) as client:
            await blocks_and_undoes(client)
    assert len(person.questions) == 2
    assert all("no hours" in question for question in person.questions)
