"""Changing working hours through a whole server: what the person is asked, and what a yes is good for."""

from typing import Any

import pytest

from tests.audit_log import Shelf
from tests.sandbox.api import Api, Json
from tests.server.conftest import Connect
from tests.server.desk import Era, Person, call

HOURS = "change_working_hours"
TUESDAY_OFF: dict[str, Any] = {"changes": [{"days": "2026-11-24", "hours": "none"}]}
OFF = "Tue 24 Nov 2026: 09:00-12:00, 13:00-18:00 before, no hours after"


async def hours_on(api: Api, day: str) -> Json:
    """The hours of a date in the default schedule, None where it has none of its own."""
    rows = await api.read("/user_availability_schedules", user=(await api.me())["uri"])
    (default,) = [row for row in rows if row["default"]]
    return next((rule["intervals"] for rule in default["rules"] if rule.get("date") == day), None)


@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
async def test_the_question_is_the_difference_and_is_asked_once(
    connect: Connect, api: Api, shelf: Shelf, era: Era
) -> None:
    person = Person()
    async with connect(person, era=era, access="availability=ask") as client:
        tried = await call(client, HOURS, **TUESDAY_OFF, dry_run=True)
        assert OFF in tried.content["dry_run"]["effects"]
        assert (person.questions, await hours_on(api, "2026-11-24")) == ([], None)
        changed = await call(client, HOURS, **TUESDAY_OFF)
    assert changed.content["outcome"] == "changed"
    (question,) = person.questions
    assert OFF in question
    assert await hours_on(api, "2026-11-24") == []
    assert "changed the working hours on 2026-11-24 (none)" in shelf.entries[-1].sentence


@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
async def test_a_yes_is_for_the_difference_that_was_shown(connect: Connect, api: Api, era: Era) -> None:
    async with connect(era=era, access="availability=ask") as client, connect(access="availability=full") as other:
        asked = await call(client, HOURS, **TUESDAY_OFF)
        assert (asked.kind, OFF in asked.error["message"]) == ("confirmation_required", True)
        changes = [{"days": "tuesday", "hours": "10:00-11:00"}]
        assert (await call(other, HOURS, changes=changes)).content["outcome"] == "changed"
        again = await call(client, HOURS, **TUESDAY_OFF, confirmation=asked.error["confirmation"])
        assert again.kind == "confirmation_required"
        assert "Tue 24 Nov 2026: 10:00-11:00 before, no hours after" in again.error["message"]
        assert await hours_on(api, "2026-11-24") is None
        done = await call(client, HOURS, **TUESDAY_OFF, confirmation=again.error["confirmation"])
    assert done.content["outcome"] == "changed"
    assert await hours_on(api, "2026-11-24") == []


async def test_where_hours_may_only_be_read_there_is_no_such_tool(connect: Connect) -> None:
    for settings in ({"access": "availability=read"}, {"read_only": "true"}):
        async with connect(**settings) as client:
            assert HOURS not in {tool.name for tool in (await client.list_tools()).tools}
            assert (await call(client, HOURS, **TUESDAY_OFF)).kind == "access_denied_by_policy"
