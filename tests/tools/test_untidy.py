"""The untidy account, asked as people ask."""

import pytest

from sandbox.seed.untidy import DISCOVERY, ODD_EVENT_TYPES
from sandbox.seed.untidy_meetings import ODD_INVITEES
from tests.cases import each
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf


@pytest.fixture
def untidy(agent_of: AgentOf) -> Agent:
    return agent_of("untidy")


@pytest.mark.requirement("sandbox-untidy")
@each("name", (DISCOVERY, *ODD_EVENT_TYPES))
async def test_every_event_type_is_found_by_its_name_and_the_active_one_of_twins(untidy: Agent, name: str) -> None:
    found = await untidy.call("get_event_type", event_type=name)
    assert (found["name"], found["active"]) == (name, True)


WRITTEN = [
    *((name, number) for number, name in enumerate(ODD_INVITEES)),
    *(('"Bob" O\u2019Brien', 0), ("Zoe\u0308", 1), ("zoe", 1), ("jean luc picard", 2), ("evil", 4)),
]
"""Names of invitees as Calendly has them and as people write them, with the number of whose it is."""


@each("name, number", WRITTEN)
async def test_every_invitee_is_found_by_their_name_however_it_is_written(
    untidy: Agent, name: str, number: int
) -> None:
    found = await untidy.call("find_bookings", invitee_name=name, columns=["email"])
    assert found["rows"] == [[f"odd.{number}@elsewhere.example"]]
