"""Prompts, resources and completions through a whole server in this process, against the sandbox on a real socket."""

import json
from typing import Any

import mcp_types as types
import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from server.calls.prompts_and_resources import REFUSED
from tests.audit_log import Shelf
from tests.hostile_upstream import HostileUpstream, answer, silence
from tests.sandbox.api import Api
from tests.server.conftest import Connect
from tests.server.desk import connected, me
from tests.virtual_time import VIRTUAL_TIME, Backend
from tools.apps import MIME_TYPE, SLOT_PICKER

EVENT_TYPES = types.PromptReference(name="book_meeting")
DATES = types.ResourceTemplateReference(uri="calendly://agenda/{date}")
KINDS = types.ResourceTemplateReference(uri="calendly://event_types/{event_type}")
BOOKINGS = types.ResourceTemplateReference(uri="calendly://scheduled_events/{scheduled_event}")
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def anyio_backend() -> Backend:
    return VIRTUAL_TIME


async def read(client: Client, uri: str) -> dict[str, Any]:
    """Read a resource, which is JSON."""
    [contents] = (await client.read_resource(uri)).contents
    assert isinstance(contents, types.TextResourceContents)
    assert (contents.uri, contents.mime_type) == (uri, "application/json")
    found: dict[str, Any] = json.loads(contents.text)
    return found


async def refused(client: Client, uri: str) -> types.ErrorData:
    """Why a resource is not given."""
    with pytest.raises(MCPError) as fault:
        await client.read_resource(uri)
    return fault.value.error


async def completed(
    client: Client, ref: types.PromptReference | types.ResourceTemplateReference, name: str, typed: str = ""
) -> types.Completion:
    """What can be filled in."""
    return (await client.complete(ref, {"name": name, "value": typed})).completion


async def prompt(client: Client, name: str, **arguments: str) -> str:
    """The text of a prompt."""
    [message] = (await client.get_prompt(name, arguments)).messages
    assert isinstance(message.content, types.TextContent)
    return message.content.text


async def listed(client: Client) -> tuple[set[str], set[str]]:
    """The names of prompts, and the URIs and templates of resources."""
    prompts = {one.name for one in (await client.list_prompts()).prompts}
    resources = {one.uri for one in (await client.list_resources()).resources}
    return prompts, resources | {
        one.uri_template for one in (await client.list_resource_templates()).resource_templates
    }


async def requests(api: Api) -> list[str]:
    """The paths that Calendly received."""
    return [one["path"] for one in (await api.http.get("/_sandbox/requests")).json()]


async def test_what_is_off_is_neither_listed_nor_read_and_the_refusal_says_who_decides(
    connect: Connect, api: Api
) -> None:
    async with connect(access="scheduled_events=off") as client:
        prompts, resources = await listed(client)
        assert prompts == {"book_meeting", "clear_my_time", "holiday_mode", "whats_new"}
        assert not [uri for uri in resources if "agenda" in uri or uri.endswith("{scheduled_event}")]
        before = await requests(api)
        for uri in ("calendly://agenda/today", f"calendly://scheduled_events/{NOBODY}"):
            error = await refused(client, uri)
            assert error.code == REFUSED
            assert error.data["error"]["kind"] == "access_denied_by_policy"
            assert "--access (CALENDLY_MCP_ACCESS)" in error.message
        assert (await completed(client, BOOKINGS, "scheduled_event")).values == []
        assert await requests(api) == before
        with pytest.raises(MCPError, match="needs list_scheduled_events, which is off here") as fault:
            await prompt(client, "prepare_today")
        assert fault.value.code == types.INVALID_PARAMS


async def test_tools_that_are_left_out_take_their_resources_and_prompts_with_them(connect: Connect) -> None:
    async with connect(tools="get_current_user,list_event_types,list_event_type_available_times") as client:
        assert await listed(client) == ({"book_meeting"}, {"calendly://me", "calendly://event_types", SLOT_PICKER.uri})
        assert "give me the scheduling_url" in await prompt(client, "book_meeting")
        assert (await refused(client, "calendly://agenda/today")).code == REFUSED


async def test_a_read_only_server_offers_a_prompt_as_far_as_it_goes(connect: Connect) -> None:
    async with connect(read_only="true") as client:
        assert (await listed(client))[0].isdisjoint({"clear_my_time", "holiday_mode"})
        assert "You may not book here" in await prompt(client, "book_meeting")
        assert "give me the reschedule_url" in await prompt(client, "reschedule_meeting")


async def test_where_invitee_data_is_off_no_resource_and_no_prompt_tells_about_invitees(
    connect: Connect, api: Api
) -> None:
    event = (await api.book(event_guests=["guest@acme.example"]))["event"].rpartition("/")[2]
    async with connect(access="invitee_data=off") as client:
        assert "calendly://scheduled_events/{scheduled_event}/invitees" not in (await listed(client))[1]
        booking = await read(client, f"calendly://scheduled_events/{event}")
        assert booking["withheld"] == ["invitee_data"]
        assert "acme.example" not in str(booking)
        assert (await refused(client, f"calendly://scheduled_events/{event}/invitees")).code == REFUSED
        assert "You may not see who comes" in await prompt(client, "prepare_today")
        assert (await completed(client, BOOKINGS, "scheduled_event")).values != []


async def test_a_token_without_scopes_is_told_which_it_needs_and_completes_nothing(connect: Connect) -> None:
    async with connect(who="noscopes") as client:
        error = await refused(client, "calendly://event_types")
        assert error.code == REFUSED
        assert error.data["error"]["kind"] == "insufficient_scope"
        assert (await completed(client, EVENT_TYPES, "event_type")).values == []
        assert (await completed(client, DATES, "date")).values == []
        assert "Find out my time zone and today's date first" in await prompt(client, "weekly_summary")


async def test_what_there_is_not_is_an_error_of_the_parameters(connect: Connect) -> None:
    async with connect() as client:
        for uri in ("calendly://nothing", f"calendly://scheduled_events/{NOBODY}", "calendly://agenda/never"):
            assert (await refused(client, uri)).code == types.INVALID_PARAMS
        with pytest.raises(MCPError, match="There is no prompt book_everything") as fault:
            await prompt(client, "book_everything")
        assert fault.value.code == types.INVALID_PARAMS
        for ref, name in (
            (types.PromptReference(name="book_everything"), "event_type"),
            (EVENT_TYPES, "meeting"),
            (DATES, "event_type"),
            (types.ResourceTemplateReference(uri="calendly://me"), "date"),
            (types.ResourceTemplateReference(uri="calendly://agenda/today"), "date"),
        ):
            with pytest.raises(MCPError) as fault:
                await completed(client, ref, name)
            assert fault.value.code == types.INVALID_PARAMS


@pytest.mark.parametrize(
    "value",
    [
        "..%2f..%2fusers%2fme",
        "https:%2f%2fevil.example%2fevent_types%2fT1",
        "%00",
        "%ff",
        "a" * 1_900,
        "%0a%0dX",
        "%E2%80%AEx%3Cscript%3E",
    ],
)
async def test_a_hostile_variable_is_refused_before_anything_is_sent_for_it(
    connect: Connect, api: Api, value: str
) -> None:
    async with connect() as client:
        for uri in (f"calendly://event_types/{value}", f"calendly://scheduled_events/{value}/invitees"):
            error = await refused(client, uri)
            assert error.code == types.INVALID_PARAMS
            assert error.data["error"]["kind"] == "invalid_argument"
        assert set(await requests(api)) <= {"/users/me", "/event_types"}


@pytest.mark.parametrize("value", ["a\nb", "x" * 501, "\ud800"])
async def test_a_hostile_argument_of_a_prompt_is_refused_by_name(connect: Connect, value: str) -> None:
    async with connect() as client:
        with pytest.raises((MCPError, UnicodeEncodeError), match=r"when|surrogates"):
            await prompt(client, "book_meeting", when=value)
        assert (await prompt(client, "book_meeting")).startswith("Book a Calendly meeting for me.")


async def test_completion_narrows_with_what_was_typed_and_says_when_there_is_more(connect: Connect) -> None:
    async with connect() as client:
        assert (await completed(client, EVENT_TYPES, "event_type", "int")).values == ["Intro call"]
        one = await completed(client, DATES, "date", "2026-12-0")
        assert one.values == [f"2026-12-0{day}" for day in range(1, 10)]
        assert (one.total, one.has_more) == (9, False)
        every = await completed(client, DATES, "date")
        assert every.values[0] == "2026-11-23"
        assert (len(every.values), every.total, every.has_more) == (100, 397, True)
        weeks = await completed(client, types.PromptReference(name="weekly_summary"), "week", "n")
        assert weeks.values == ["next"]
        assert (await completed(client, EVENT_TYPES, "invitee", "a")).values == []


async def test_more_values_than_a_completion_holds_are_counted() -> None:
    rows = [
        {"uri": f"https://api.calendly.com/event_types/T{number}", "name": f"Kind {number}"} for number in range(150)
    ]
    listing = answer(200, {"collection": rows[:100], "pagination": {"next_page_token": "more"}})
    async with HostileUpstream.listen() as upstream, connected(upstream) as client:
        upstream.will(me(), listing, answer(200, {"collection": rows[100:], "pagination": {}}))
        found = await completed(client, EVENT_TYPES, "event_type", "kind")
        assert (len(found.values), found.total, found.has_more) == (100, 150, True)


async def test_typing_on_asks_calendly_once(connect: Connect, api: Api) -> None:
    async with connect() as client:
        for typed in ("", "i", "in", "int"):
            await completed(client, EVENT_TYPES, "event_type", typed)
        await completed(
            client, types.ResourceTemplateReference(uri="calendly://event_types/{event_type}"), "event_type"
        )
        assert (await requests(api)).count("/event_types") == 1


async def test_whoever_types_does_not_wait_for_a_calendly_that_is_silent() -> None:
    async with HostileUpstream.listen() as upstream, connected(upstream) as client:
        upstream.otherwise = silence
        assert (await completed(client, EVENT_TYPES, "event_type")).values == []
        assert "Find out my time zone" in await prompt(client, "book_meeting")


async def test_a_reading_is_recorded_as_a_call_of_its_tool(connect: Connect, shelf: Shelf) -> None:
    async with connect(access="webhooks=off", agent_name="Desk") as client:
        await read(client, "calendly://event_types")
        await refused(client, f"calendly://scheduled_events/{NOBODY}")
    [listing, missing] = shelf.entries
    assert (listing.tool, listing.endpoint, listing.decision) == ("list_event_types", "GET /event_types", "allowed")
    assert listing.sentence.startswith("Desk listed the event types")
    assert (missing.tool, missing.outcome, missing.resource) == (
        "get_scheduled_event",
        "not_found",
        f"https://api.calendly.com/scheduled_events/{NOBODY}",
    )


async def test_an_app_is_listed_and_read_as_html_without_asking_calendly(connect: Connect, api: Api) -> None:
    async with connect() as client:
        before = await requests(api)
        [listed_app] = [one for one in (await client.list_resources()).resources if one.uri == SLOT_PICKER.uri]
        assert (listed_app.mime_type, listed_app.meta) == (MIME_TYPE, SLOT_PICKER.meta)
        assert listed_app.annotations == types.Annotations(audience=["user"])
        [contents] = (await client.read_resource(SLOT_PICKER.uri)).contents
        assert isinstance(contents, types.TextResourceContents)
        assert (contents.uri, contents.mime_type, contents.meta) == (SLOT_PICKER.uri, MIME_TYPE, SLOT_PICKER.meta)
        assert contents.text == SLOT_PICKER.html
        assert await requests(api) == before


@pytest.mark.parametrize(
    ("setting", "value"),
    [("access", "availability=off"), ("exclude_tools", "list_event_type_available_times"), ("toolsets", "webhooks")],
)
async def test_an_app_is_there_while_a_tool_is_whose_answers_it_shows(
    connect: Connect, setting: str, value: str
) -> None:
    async with connect(**{setting: value}) as client:
        assert SLOT_PICKER.uri not in (await listed(client))[1]
        error = await refused(client, SLOT_PICKER.uri)
        assert error.code == types.INVALID_PARAMS
        assert error.message == "Slot picker needs list_event_type_available_times, which is off here."
