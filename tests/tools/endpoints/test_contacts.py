"""Contacts, their custom fields, lists and notes, as an agent uses them."""

from typing import Any

import pytest

from calendly.errors import Conflict, NotFound, PermissionDenied
from tests.cases import case, each
from tests.sandbox.api import Api, Json
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError

LEE = "lee@acme.example"


async def lee(api: Api) -> Json:
    return (await api.read("/contacts", email=LEE))[0]


async def fields_of(agent: Agent) -> dict[str, Any]:
    found = await agent.call("get_contact", contact=LEE)
    return {field["label"]: field.get("value") for field in found["custom_fields"]}


async def test_a_note_to_somebody_takes_two_calls_by_whatever_they_are_called(agent: Agent, api: Api) -> None:
    found = await agent.call("list_contacts", name="lee")
    assert {row["name"] for row in found["collection"]} == {"Lee Park", "Sam Lee"}
    uri, page = (await lee(api))["uri"], (await lee(api))["app_url"]
    for named in (
        uri,
        uri.rpartition("/")[2],
        page,
        "Lee Park",
        "lee  PARK",
        LEE,
        LEE.upper(),
        "lee.park@home.example",
    ):
        with case(named):
            made = await agent.call("create_note", contact=named, body=f"Called: {named}")
            assert made["contact"] == uri
            assert (await agent.call("get_note", note=made["uri"]))["body"] == f"Called: {named}"
    listed = await agent.call("list_notes", contact=f"{LEE}, Sam Lee")
    assert len(listed["collection"]) == 10
    assert listed["searched"]["note"] == "Notes that others wrote are not shown."


@each(
    "named, sentence",
    [
        ("Lee", r"contact: No contact of yours has exactly that name. Did you mean .*Lee Park \(lee@acme.example\)"),
        ("Nobody Here", r"contact: No contact of yours has exactly that name\. list_contacts finds a part of a name"),
        (
            "L\u00e9\u00e9 Parkk",
            r"contact: No contact of yours has exactly that name. Did you mean .*Lee Park \(lee@acme",
        ),
        ("gone@acme.example", r"contact: No contact of yours has that e-mail address."),
    ],
)
async def test_a_name_that_is_not_exactly_one_contacts_is_refused_with_whom_it_could_mean(
    agent: Agent, named: str, sentence: str
) -> None:
    with pytest.raises(ArgumentError, match=sentence):
        await agent.call("create_note", contact=named, body="Hello")
    assert all(request.is_read for request in agent.sent)


async def test_of_two_contacts_of_one_name_the_address_tells_which(agent: Agent) -> None:
    twin = await agent.call("create_contact", name="Lee Park", emails=[{"email": "lee@twin.example"}])
    with pytest.raises(ArgumentError, match="Several contacts go by that") as refused:
        await agent.call("get_contact", contact="Lee Park")
    assert all(told in str(refused.value) for told in ("(lee@twin.example)", twin["uri"], LEE))
    assert (await agent.call("get_contact", contact="lee@twin.example"))["uri"] == twin["uri"]
    with pytest.raises(Conflict):
        await agent.call("create_contact", name="Third", emails=[{"email": LEE}])
    with pytest.raises(ArgumentError, match="uuid"):
        await agent.call("delete_contact", contact="Lee Park")
    gone = await agent.call("delete_contact", contact=twin["uri"])
    assert gone == {"uri": twin["uri"], "status": "deleted"}
    with pytest.raises(NotFound):
        await agent.call("get_contact", contact=twin["uri"])


async def test_what_is_left_out_stays_and_the_question_shows_each_change(agent: Agent, api: Api) -> None:
    before = await lee(api)
    changes = {
        "company": "Acme Ltd",
        "emails": [{"email": "lee@new.example"}, {"email": LEE, "is_primary": True}],
        "custom_fields": [{"uuid": "deal size", "value": "90000"}],
    }
    told = (await agent.ask("update_contact", contact=LEE, **changes)).splitlines()
    assert told[0] == "Change a contact. E-mail addresses that are not named then are gone."
    assert {"Contact: “Lee Park (lee@acme.example)”", "Company, now: “Acme”"} <= set(told)
    assert "Company, then (typed by the agent): “Acme Ltd”" in told
    assert "E-mail addresses, now: “lee@acme.example” and “lee.park@home.example”" in told
    assert "E-mail addresses, then (typed by the agent): “lee@acme.example” and “lee@new.example”" in told
    assert "Custom fields, now: “Deal size: 85000”" in told
    assert "Custom fields, then (typed by the agent): “Deal size: 90000”" in told
    await agent.call("update_contact", contact=LEE, **changes)
    after = await lee(api)
    assert {name for name in after if after[name] != before[name]} == {
        *("company", "emails", "custom_fields", "updated_at"),
    }
    assert [row["email"] for row in after["emails"] if row["is_primary"]] == [LEE]


async def test_phone_numbers_are_taken_out_by_name_since_an_empty_list_is_absence(agent: Agent, api: Api) -> None:
    told = (await agent.ask("update_contact", contact=LEE, clear=["phone_numbers"])).splitlines()
    assert {"Phone numbers, now: “+14155551234”", "Phone numbers, then: nothing"} <= set(told)
    await agent.call("update_contact", contact=LEE, phone_numbers=[], clear=["phone_numbers"])
    assert agent.sent[-1].body == {"phone_numbers": []}
    assert (await lee(api))["phone_numbers"] == []
    with pytest.raises(ArgumentError, match="clear: phone_numbers is given too"):
        await agent.call("update_contact", contact=LEE, phone_numbers=["+1 415"], clear=["phone_numbers"])


@each(
    "label, value, kept",
    [
        ("Deal size", "12500.50", 12500.5),
        ("Seats", 40, 40),
        ("Segment", "enterprise", "Enterprise"),
        ("Renewal", "2027-01-31", "2027-01-31"),
        ("Interests", "pricing, security", ["pricing", "security"]),
        ("Interests", ["a, b"], ["a, b"]),
        ("Background", "12", "12"),
        ("Newsletter", "Yes", True),
        ("Newsletter", False, False),
        ("Deal size", "", None),
    ],
)
async def test_a_custom_field_is_set_by_its_label_to_what_its_type_wants(
    agent: Agent, label: str, value: object, kept: object
) -> None:
    await agent.call("update_contact", contact=LEE, custom_fields=[{"uuid": label, "value": value}])
    assert (await fields_of(agent))[label] == kept


@each(
    "arguments, sentence",
    [
        ({}, "contact: Name something to change: name, emails"),
        ({"custom_fields": [{"uuid": "Size", "value": "1"}]}, "custom_fields.0.uuid: .* there are: Deal size, Segment"),
        ({"custom_fields": [{"uuid": "Deal size", "value": "a lot"}]}, "custom_fields.0.value: Expected a number"),
        ({"custom_fields": [{"uuid": "Seats", "value": True}]}, "custom_fields.0.value: Expected a number"),
        ({"custom_fields": [{"uuid": "Renewal", "value": "soon"}]}, "custom_fields.0.value: Expected a date"),
        ({"custom_fields": [{"uuid": "Newsletter", "value": "maybe"}]}, "custom_fields.0.value: Expected true or"),
        ({"custom_fields": [{"uuid": "Segment", "value": "Huge"}]}, r"There is no such option; there are: Small busi"),
        ({"custom_fields": [{"uuid": "Seats", "value": {"a": 1}}]}, "custom_fields.0.value: Expected a text, a num"),
        ({"country": "Germany"}, "country: Expected a country by its two letters"),
        (
            {"emails": [{"email": "a@b.example", "is_primary": True}, {"email": "c@d.example", "is_primary": True}]},
            "emails: Mark only one address",
        ),
        ({"emails": ["a@b.example", "A@B.example"]}, "emails: Must have each address once"),
    ],
)
async def test_what_calendly_would_refuse_is_refused_in_words(
    agent: Agent, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ArgumentError, match=sentence):
        await agent.call("update_contact", contact=LEE, **arguments)
    assert all(request.is_read for request in agent.sent)


async def test_a_list_row_is_what_the_next_step_needs_and_a_contact_by_itself_has_the_rest(agent: Agent) -> None:
    (row,) = (await agent.call("list_contacts", email=LEE))["collection"]
    whole = await agent.call("get_contact", contact=LEE)
    bare = await agent.call("get_contact", contact=LEE, exclude="custom_fields")
    assert whole["app_url"].startswith("https://calendly.com/app/contacts/")
    assert "custom_fields" not in bare
    assert row["uri"] == whole["uri"]
    (member, *_) = (await agent.call("list_contact_lists", type="static_list"))["collection"]
    members = await agent.call("list_contacts", contact_list=member["uri"], sort="created_at:desc")
    assert len(members["collection"]) == member["contact_count"] == 2
    empty = await agent.call("list_contacts", company="Nowhere")
    assert empty["empty_because"] == "Nothing matches company; without that there may be some."


async def test_lists_are_made_and_renamed_and_the_view_of_all_contacts_keeps_its_name(agent: Agent) -> None:
    made = await agent.call("create_contact_list", name="Expansion")
    assert (made["contact_count"], made["type"]) == (0, "static_list")
    told = await agent.ask("rename_contact_list", contact_list=made["uri"], name="Growth")
    assert told.splitlines()[1:] == ["Name, now: “Expansion”", "Name, then (typed by the agent): “Growth”"]
    await agent.call("rename_contact_list", contact_list=made["uri"], name="Growth")
    assert (await agent.call("get_contact_list", contact_list=made["uri"]))["name"] == "Growth"
    with pytest.raises(Conflict):
        await agent.call("create_contact_list", name=" grówth ")
    views = (await agent.call("list_contact_lists", type="dynamic_view"))["collection"]
    everybody = await agent.call("list_contacts", contact_list=views[0]["uri"])
    assert everybody["collection"] == (await agent.call("list_contacts"))["collection"] != []
    assert [view["contact_count"] for view in views] == [None]
    with pytest.raises(Conflict):
        await agent.call("rename_contact_list", contact_list=views[0]["uri"], name="Everybody")


async def test_a_custom_field_is_made_once_and_asks_for_what_its_type_needs(agent: Agent) -> None:
    options = ["North", "South"]
    told = await agent.ask(
        "create_contact_custom_field_definition", label="Region", field_type="single_select", options=options
    )
    assert "Calendly's API cannot change or delete it." in told
    assert "Options (typed by the agent): “North” and “South”" in told
    made = await agent.call(
        "create_contact_custom_field_definition", label="Region", field_type="single_select", options=options
    )
    found = await agent.call("get_contact_custom_field_definition", custom_field_definition=made["uri"])
    assert [option["label"] for option in found["options"]] == ["North", "South"]
    labels = [row["label"] for row in (await agent.call("list_contact_custom_field_definitions"))["collection"]]
    assert "Region" in labels
    with pytest.raises(Conflict):
        await agent.call("create_contact_custom_field_definition", label="region", field_type="text")
    for field_type, lacks in (("single_select", "options"), ("currency", "currency")):
        with pytest.raises(ArgumentError, match=f"{lacks}: A field of type {field_type} needs it"):
            await agent.call("create_contact_custom_field_definition", label="X", field_type=field_type)
    twice = {"label": "X", "field_type": "single_select", "options": ["North", "north"]}
    with pytest.raises(ArgumentError, match="options: Must have each label once"):
        await agent.call("create_contact_custom_field_definition", **twice)


async def test_the_question_for_a_note_says_what_becomes_of_it_and_a_reminder_is_in_the_persons_zone(
    agent: Agent, agent_of: AgentOf, api: Api
) -> None:
    reminder = {"contact": "Lee Park", "title": "Renewal", "body": "Yes.\nApproved", "remind_at": "2026-12-10T09:00"}
    told = (await agent.ask("create_note", **reminder)).splitlines()
    assert told[0] == "Create a note about a contact. Only you see it. Calendly's API cannot change or delete it."
    assert "Text (typed by the agent): “Yes. Approved”" in told
    assert "Reminder: Thu 10 Dec 2026, 09:00 (Europe/Berlin)" in told
    assert (await agent.call("create_note", **reminder))["remind_at"] == "2026-12-10T08:00:00.000000Z"
    with pytest.raises(ArgumentError, match="is past: name a time to come"):
        await agent.call("create_note", **{**reminder, "remind_at": "2026-11-01T09:00"})
    for arguments, sentence in (
        ({"title": " "}, "title: Must not be empty"),
        ({}, "body: Write a body or a title"),
        ({"title": "🙂" * 128}, "title: Must have at most 255 characters; an emoji counts as two"),
    ):
        with pytest.raises(ArgumentError, match=sentence):
            await agent.call("create_note", contact=LEE, **arguments)
    other = agent_of("admin")
    note = (await agent.call("list_notes", contact=LEE))["collection"][0]["uri"]
    with pytest.raises(NotFound):
        await other.call("get_note", note=note)
    with pytest.raises(PermissionDenied):
        await other.call("list_notes", contact=(await lee(api))["uri"])
