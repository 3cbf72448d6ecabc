"""What one person asks about their own hours: see `tests.e2e.tasks`."""

from datetime import date
from typing import Any, Final

from tests.e2e.tasks import Agent, Content, Task

OFF: Final[list[Content]] = []
MORNING: Final[list[Content]] = [{"from": "09:00", "to": "12:00"}]
VACATION: Final = (date(2026, 12, 20), date(2027, 1, 3))


def _dates(agent: Agent) -> object:
    """What is true of the person's own schedule: its dates with other hours, and its weeks."""
    schedule = next(one for one in agent.sandbox.records.schedules.values() if one.default and "Working" in one.name)
    return sorted(schedule.hours.dates.items()), schedule.hours.weekdays[0]


async def _changed(agent: Agent, days: str, hours: str) -> Content:
    return await agent("change_working_hours", changes=[{"days": days, "hours": hours}])


async def _rules(agent: Agent) -> tuple[str, list[Content]]:
    rows = await agent.rows("list_user_availability_schedules")
    schedule = next(row for row in rows if row.get("default"))
    return schedule["uri"], schedule["rules"]


async def _replaced(agent: Agent, first: date, last: date, intervals: list[Content]) -> None:
    uri, rules = await _rules(agent)
    days = [date.fromordinal(number).isoformat() for number in range(first.toordinal(), last.toordinal() + 1)]
    kept = [rule for rule in rules if rule.get("date") not in days]
    added = [{"type": "date", "date": day, "intervals": intervals} for day in days]
    await agent("update_user_availability_schedule", schedule=uri, rules=[*kept, *added])


async def friday(agent: Agent) -> object:
    await _changed(agent, agent.day(4).isoformat(), "09:00-12:00")
    return _dates(agent)


async def friday_plainly(agent: Agent) -> object:
    await _replaced(agent, agent.day(4), agent.day(4), MORNING)
    return _dates(agent)


async def block_tomorrow(agent: Agent) -> object:
    await _changed(agent, agent.day(1).isoformat(), "none")
    return _dates(agent)


async def block_tomorrow_plainly(agent: Agent) -> object:
    await _replaced(agent, agent.day(1), agent.day(1), OFF)
    return _dates(agent)


async def vacation(agent: Agent) -> object:
    await _changed(agent, f"{VACATION[0]}/{VACATION[1]}", "none")
    return _dates(agent)


async def vacation_plainly(agent: Agent) -> object:
    await _replaced(agent, *VACATION, OFF)
    return _dates(agent)


async def undo(agent: Agent) -> object:
    blocked = await _changed(agent, agent.day(1).isoformat(), "none")
    put_back: Any = blocked["undo"]
    await agent("change_working_hours", **put_back)
    return _dates(agent)


async def undo_plainly(agent: Agent) -> object:
    uri, rules = await _rules(agent)
    await _replaced(agent, agent.day(1), agent.day(1), OFF)
    await agent("update_user_availability_schedule", schedule=uri, rules=rules)
    return _dates(agent)


HOURS_TASKS: Final = (
    Task(words="On Friday I work from nine to twelve only.", freely=friday, plainly=friday_plainly),
    Task(words="Block tomorrow.", freely=block_tomorrow, plainly=block_tomorrow_plainly),
    Task(words="I am away from 20 December to 3 January.", freely=vacation, plainly=vacation_plainly),
    Task(words="Block tomorrow. No, undo that.", freely=undo, plainly=undo_plainly),
)
"""What no agent could do before: each takes two calls at most, beside the question."""
