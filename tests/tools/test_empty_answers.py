"""An empty list says what it looked at: every list of Calendly's, and whatever a tool asks for by itself."""

import inspect

import pytest
from typing_extensions import override

from calendly.request import JSON, Request
from tests.cases import each
from tests.sandbox.api import Json
from tests.tools.agent import prepared
from tests.tools.facts import Documented, required_arguments
from tools import ENDPOINTS, EndpointTool

HOW: frozenset[str] = frozenset({"sort", "count", "max_pages"})
"""Parameters that narrow nothing."""

LISTS = [tool for tool in ENDPOINTS if tool.name.startswith("list_")]


class Empty(Documented):
    """Calendly where every list is empty."""

    @override
    async def send(self, request: Request) -> JSON:
        answer = await super().send(request)
        return {**answer, "collection": []} if "collection" in answer else answer


async def answer_of(tool: EndpointTool, **arguments: object) -> Json:
    call, values = await prepared(tool, Empty(), tool.parse({**required_arguments(tool), **arguments}, ()).values())
    return await tool.run(call, values)


@pytest.mark.requirement("answer-empty")
@each("tool", LISTS)
async def test_an_empty_list_says_why_and_which_of_its_defaults_narrowed_it(tool: EndpointTool) -> None:
    found = await answer_of(tool)
    told = f"{found['searched']} {found['empty_because']}"
    assert found["empty_because"].endswith(".")
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(tool.function).parameters.items()
        if name not in HOW and parameter.default is not inspect.Parameter.empty and parameter.default is not None
    }
    for name, value in defaults.items():
        assert f"{name} {value}" in told, name
    if found["searched"]["whose"] == "you" and {"organization"} & set(tool.model.model_fields):
        assert "Only your own were looked for" in told or "other scopes" in told


@each(
    "name, arguments, filters",
    [
        ("list_organization_memberships", {"role": "admin"}, {"role": "admin"}),
        ("list_contacts", {"company": "Acme", "city": "Oslo"}, {"company": "Acme", "city": "Oslo"}),
        ("list_event_types", {"admin_managed": False, "count": 5}, {"admin_managed": "false"}),
        ("list_event_invitees", {"email": "lee@acme.example"}, {"email": "lee@acme.example"}),
        ("list_contacts", {"count": 5}, None),
    ],
)
async def test_what_narrowed_a_list_is_told(name: str, arguments: Json, filters: Json | None) -> None:
    (tool,) = (tool for tool in LISTS if tool.name == name)
    assert (await answer_of(tool, **arguments))["searched"].get("filters") == filters


async def test_recaps_of_another_status_are_named_where_none_is_available() -> None:
    (tool,) = (tool for tool in LISTS if tool.name == "list_meeting_recaps")
    assert (await answer_of(tool))["empty_because"] == (
        "The list is empty. Only those with status available were looked for; status=processing and status=unavailable "
        "list the others."
    )


async def test_the_range_of_a_log_and_of_links_is_told() -> None:
    ranges = {
        "list_activity_log_entries": "occurred_at",
        "list_outgoing_communications": "created_at",
        "list_shares": "created_at",
    }
    for tool in LISTS:
        if field := ranges.get(tool.name):
            found = await answer_of(tool, **{f"min_{field}": "2026-11-01", f"max_{field}": "2026-11-02T00:00:00Z"})
            assert found["searched"]["start_time"] == "2026-11-01T00:00:00+00:00"
            assert found["searched"]["end_time"].startswith("2026-11-02T00:00:00")
