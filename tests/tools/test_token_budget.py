"""What agents pay in tokens (o200k), with budgets a little above what it is now: growth is a decision, no accident.

`docs/performance.md` has the figures; `python -m benchmarks` measures them through the whole product.
"""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import toktok  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # the wheel has no types

from server.app import instructions
from tests.cases import each
from tests.sandbox.api import MONDAY, Api, iso
from tests.tools.agent import TOOLS, Agent
from tools import ALL, EVENTS, GUIDE_TOOLS, WORKFLOWS, Tool
from tools.answers.shown import shown
from tools.prompts import PROMPTS

BERLIN = ZoneInfo("Europe/Berlin")


def tokens(*values: object) -> int:
    texts = [
        value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
        for value in values
    ]
    return int(sum(toktok.batch_count(texts, "o200k_base")))


def listed(tools: Iterable[Tool]) -> int:
    """What an agent reads of tools."""
    return tokens(
        *({"name": one.name, "description": one.description, "inputSchema": one.input_schema} for one in tools)
    )


@each("tools, most", [(GUIDE_TOOLS, 170), (WORKFLOWS, 330), (EVENTS, 190)])
def test_the_tools_stay_within_their_budget_on_average(tools: tuple[Tool, ...], most: int) -> None:
    cost = listed(tools) / len(tools)
    assert cost <= most, "Shorten what agents read of the tools, or decide that they may cost more."
    assert cost > most * 0.9, "The budget is far above what it holds: lower it."


def test_the_list_that_agents_read_by_default_stays_within_its_budget() -> None:
    assert listed(GUIDE_TOOLS) <= 5_000
    assert listed((*GUIDE_TOOLS, *WORKFLOWS, *EVENTS)) <= 8_000
    assert tokens(*(one.output_schema for one in (*GUIDE_TOOLS, *WORKFLOWS, *EVENTS))) <= 13_260


@each("tool", ALL)
def test_no_single_tool_is_a_book(tool: Tool) -> None:
    assert listed([tool]) <= (640 if "extended" in tool.toolsets else 540)


def test_what_every_agent_is_told_at_the_start_stays_short() -> None:
    assert tokens(instructions([])) <= 180
    assert all(tokens(prompt.description) <= 30 for prompt in PROMPTS)


async def _weighed(agent: Agent, name: str, raw: object, **arguments: object) -> float:
    answer = shown(TOOLS[name].shape, await agent.call(name, **arguments), BERLIN)
    return tokens(answer) / tokens(raw)


async def test_a_page_of_meetings_costs_at_most_28_hundredths_of_calendlys_own(agent: Agent, api: Api) -> None:
    user = (await api.me())["uri"]
    raw: Any = (await api.get("/scheduled_events", user=user, count=100)).json()
    assert await _weighed(agent, "list_scheduled_events", raw, user=user, count=100) <= 0.28


async def test_a_month_of_open_times_costs_at_most_an_eighth_of_calendlys_own(agent: Agent, api: Api) -> None:
    kind = (await api.event_type("Intro call"))["uri"]
    span = {"start_time": iso(MONDAY + timedelta(minutes=1)), "end_time": iso(MONDAY + timedelta(days=30))}
    raw: Any = (await api.get("/event_type_available_times", event_type=kind, **span)).json()
    assert await _weighed(agent, "list_event_type_available_times", raw, event_type=kind, **span) <= 0.08
    whole = await _weighed(agent, "find_meeting_times", raw, event_types=[kind], count=100, per_day=100, **span)
    assert whole <= 0.08


async def test_a_week_with_who_comes_costs_less_than_the_meetings_alone_at_calendly(agent: Agent, api: Api) -> None:
    me = (await api.me())["uri"]
    span = {"min_start_time": "2026-11-23T23:00:00Z", "max_start_time": "2026-11-30T23:00:00Z", "status": "active"}
    raw: Any = (await api.get("/scheduled_events", user=me, count=100, **span)).json()
    assert await _weighed(agent, "get_agenda", raw, date="2026-11-24", days=7) <= 0.85
