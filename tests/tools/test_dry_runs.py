"""A dry run stops where the call would send, with the very request."""

import pytest

from tests.tools.agent import prepared
from tests.tools.facts import Documented, required_arguments
from tools import ENDPOINTS, EndpointTool
from tools.toolset.effects import DryRun

WRITING = [tool for tool in ENDPOINTS if tool.access == "write"]


@pytest.mark.requirement("parameters-dry-run")
@pytest.mark.parametrize("tool", WRITING, ids=lambda tool: tool.name)
async def test_it_shows_the_request_that_would_be_sent_and_sends_none_of_its_kind(tool: EndpointTool) -> None:
    arguments = {**required_arguments(tool), **({"idempotency_key": "k"} if tool.capability == "booking" else {})}
    tried, done = Documented(), Documented()
    call, values = await prepared(tool, tried, tool.parse({**arguments, "dry_run": True}, ()).values(), dry_run=True)
    with pytest.raises(DryRun) as dry:
        await tool.function(call, **values)
    assert [request for request in tried.sent if not request.is_read] == []
    call, values = await prepared(tool, done, tool.parse(arguments, ()).values())
    await tool.function(call, **values)
    assert list(dry.value.requests) == [request for request in done.sent if not request.is_read]
    assert tried.keys.reserved == []
    assert done.keys.reserved[:1] == (["k"] if tool.capability == "booking" else [])  # then the booking is remembered
