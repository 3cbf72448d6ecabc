"""Rows of lean lists, in the sandbox's answers to every list: nothing that is told twice."""

import json
import re
from itertools import permutations
from typing import Any
from zoneinfo import ZoneInfo

from tests.sandbox.api import Api
from tests.tools.agent import TOOLS, Agent
from tools.answers.shown import shown

LISTS: dict[str, dict[str, Any]] = {
    "list_scheduled_events": {"count": 100},
    "list_event_types": {},
    "list_organization_memberships": {"role": "user"},
    "list_organization_invitations": {},
    "list_webhook_subscriptions": {"scope": "organization"},
    "list_user_availability_schedules": {},
    "list_user_busy_times": {"start_time": "2026-11-24T00:00Z", "end_time": "2026-11-28T00:00Z"},
    "get_agenda": {"date": "2026-11-01", "days": 40},
    "find_bookings": {"domain": "acme.example"},
}
_ADDRESS = re.compile(r'https://[^"]+|[\w.]+@[\w.]+')


async def test_no_row_tells_an_address_twice_or_inside_another(agent: Agent, api: Api) -> None:
    meeting = (await api.read("/scheduled_events", user=(await api.me())["uri"]))[0]["uri"]
    for name, arguments in {**LISTS, "list_event_invitees": {"scheduled_event": meeting}}.items():
        answer: Any = shown(TOOLS[name].shape, await agent.call(name, **arguments), ZoneInfo("Europe/Berlin"))
        for row in answer["collection"]:
            addresses = _ADDRESS.findall(json.dumps(row))
            begun = [one for one, other in permutations(addresses, 2) if f"{other}/".startswith(f"{one}/")]
            assert begun == [], name
