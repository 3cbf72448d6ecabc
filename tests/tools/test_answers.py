"""What a tool makes of an answer that Calendly's documentation does not know."""

import pytest

from calendly.errors import OutcomeUnknown, UpstreamError
from tests.sandbox.api import Api, Json
from tests.tools.agent import Agent

SOMEBODY = "2f1c9a7e-5b0d-4a63-9c31-0d8e6f7a1b22"


async def answers(api: Api, path: str, body: Json, method: str = "GET") -> None:
    await api.fail(path, method, status=200, body=body)


@pytest.mark.requirement("answer-fields-added")
async def test_new_fields_pass_through_and_values_of_new_types_stand_aside(agent: Agent, api: Api) -> None:
    await answers(api, "/users/*", {"resource": {"name": 7, "pronouns": "they", "error": "none"}, "links": []})
    assert await agent.call("get_user", user=SOMEBODY) == {
        "pronouns": "they",
        "unrecognized": {"error": "none", "name": 7},
    }


@pytest.mark.parametrize("body", [{}, {"resource": None}, {"resource": ["x"]}])
async def test_a_read_without_its_resource_is_an_upstream_error(agent: Agent, api: Api, body: object) -> None:
    await answers(api, "/users/*", body)
    with pytest.raises(UpstreamError):
        await agent.call("get_user", user=SOMEBODY)


async def test_a_write_without_its_resource_is_of_unknown_outcome(agent: Agent, api: Api) -> None:
    await answers(api, "/scheduling_links", {}, "POST")
    with pytest.raises(OutcomeUnknown):
        await agent.call("create_single_use_scheduling_link", owner="Intro call")


@pytest.mark.parametrize("body", [{}, {"collection": None}, {"collection": {}}])
async def test_a_list_without_its_rows_is_an_upstream_error(agent: Agent, api: Api, body: object) -> None:
    await answers(api, "/event_types", body)
    with pytest.raises(UpstreamError):
        await agent.call("list_event_types", user=SOMEBODY)


async def test_rows_and_pagination_of_other_shapes_are_read_too(agent: Agent, api: Api) -> None:
    await answers(api, "/event_types", {"collection": [{"name": "Intro"}, None, "x"], "pagination": {"count": "3"}})
    answer = await agent.call("list_event_types", user=SOMEBODY)
    del answer["searched"]
    assert answer == {
        "collection": [{"name": "Intro"}, {"unrecognized": {"": None}}, {"unrecognized": {"": "x"}}],
        "pagination": {"unrecognized": {"count": "3"}},
    }


async def test_a_list_from_before_page_tokens_has_one_page(agent: Agent, api: Api) -> None:
    await answers(api, "/event_types", {"collection": []})
    answer = await agent.call("list_event_types", user=SOMEBODY, max_pages=3)
    assert (answer["collection"], answer["pagination"]) == ([], {})
