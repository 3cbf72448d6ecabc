"""Event types and people named as people name them: found in Calendly's own lists, or refused with what there is."""

import unicodedata
from typing import Any

import pytest

from calendly.identifiers import EventTypeId, OrganizationId, UserId
from sandbox.serving import RunningSandbox
from tests.cases import case, each
from tests.sandbox.api import Api, Json
from tests.tools.agent import TOOLS, Agent, prepared
from tests.tools.conftest import AgentOf
from tools import ALL
from tools.fields import Reference
from tools.references import resolved
from tools.toolset.errors import ArgumentError, DeniedByPolicy

BOOKING = {
    "start_time": "2026-12-01T09:00:00Z",
    "invitee": {"name": "Lee", "email": "lee@acme.example", "timezone": "Europe/Berlin"},
}
TOMORROW = {"start_time": "2026-12-01T00:00:00Z", "end_time": "2026-12-02T00:00:00Z"}


PAGE = "calendly.com/maya-lindqvist/intro-call"


@pytest.mark.parametrize(
    "named",
    [
        *("Intro call", "intro CALL", "intro-call", " Intro\u00a0call ", "INTRO CALL\u200b", "Intro\u2009call"),
        *(f"https://{PAGE}", f"http://{PAGE}", f"https://www.{PAGE}", PAGE, f"www.{PAGE}/", f"https://{PAGE}/"),
        *(f"HTTPS://Calendly.com{PAGE[12:]}", f"https://{PAGE}?month=2026-12&date=2026-12-01", f"{PAGE}#book"),
        f"https://{PAGE}/2026-11-23T08:00:00Z?month=2026-11&date=2026-11-23",
        f"https://{PAGE}/2026-11-23T08%3A00%3A00%2B01%3A00",
    ],
)
async def test_an_event_type_goes_by_its_name_slug_and_booking_page(agent: Agent, api: Api, named: str) -> None:
    uri = (await api.event_type("Intro call"))["uri"]
    assert (await agent.call("get_event_type", event_type=named))["uri"] == uri
    link = await agent.call("create_single_use_scheduling_link", owner=named)
    assert link["owner"] == uri


async def test_a_slots_own_address_is_its_event_type(agent: Agent, api: Api) -> None:
    kind = await api.event_type("Intro call")
    span = {"event_type": kind["uri"], "start_time": "2026-11-23T07:00:00Z", "end_time": "2026-11-24T07:00:00Z"}
    slot = (await api.read("/event_type_available_times", **span))[0]
    assert (await agent.call("get_event_type", event_type=slot["scheduling_url"]))["uri"] == kind["uri"]


async def make(agent: Agent, name: str) -> str:
    """Make an event type with a name."""
    setting = {"type": "date_range", "start_date": "2026-12-07", "end_date": "2026-12-11"}
    made = await agent.call("create_one_off_event_type", name=name, duration=30, date_setting=setting)
    return str(made["uri"])


NAMES = [
    *("1:1 with the team", "Intro / Discovery Call", "Intro/Discovery", "Demo | Acme", "Q&A?", "#general chat"),
    *("50% review", "Sales [EMEA]", "Kick-off: phase 2", "Café with José", "<b>Call</b> {x} ^_^ `a`", "☕️ break"),
    *("a@b sync", "日本語の会議", "\u0410 \u0441\u0430\u043b\u043b", "C++ = fun * 2", 'What\'s "up"?', "..or later"),
]


async def test_any_name_that_a_person_can_give_finds_the_event_type(agent: Agent) -> None:
    made = {name: await make(agent, name) for name in NAMES}
    for name, uri in made.items():
        for written in (
            *(name, f"{name} ", name.upper().casefold(), unicodedata.normalize("NFD", name)),
            *(unicodedata.normalize("NFC", name), name.replace("'", "\u2019").replace("-", "\u2011")),
        ):
            with case(name, written):
                assert (await agent.call("get_event_type", event_type=written))["uri"] == uri


@pytest.mark.parametrize("code", ["abc-def-ghi", "cq8h-9gh-t2r"])
async def test_a_page_with_a_code_is_its_event_types_or_is_explained(agent: Agent, api: Api, code: str) -> None:
    kind = {**await api.event_type("Intro call"), "scheduling_url": f"https://calendly.com/d/{code}/intro-call"}
    body: Json = {"collection": [kind], "pagination": {}}
    await api.fail("/event_types", status=200, body=body)
    page = f"https://calendly.com/d/{code}/intro-call?month=2026-12"
    assert (await agent.call("get_event_type", event_type=page))["uri"] == kind["uri"]


async def test_a_colleagues_page_finds_the_event_type_of_that_person(agent: Agent) -> None:
    for page in ("https://calendly.com/priya-raman/coaching-session", "calendly.com/Priya-Raman/coaching-session?a=b"):
        for name, arguments in (("get_event_type", {}), ("list_event_type_available_times", TOMORROW)):
            assert await agent.call(name, event_type=page, **arguments)
        assert (await agent.call("get_event_type", event_type=page))["profile"]["name"] == "Priya Raman"
    with pytest.raises(ArgumentError, match=r"No event type of Priya Raman \(.*; there are: Coaching session"):
        await agent.call("get_event_type", event_type="https://calendly.com/priya-raman/something-else")


@each("token", ["owner", "member"])
async def test_a_page_of_nobody_one_can_see_is_not_taken_for_ones_own(agent_of: AgentOf, token: str) -> None:
    agent = agent_of(token)
    with pytest.raises(ArgumentError, match="has this booking page, nor one of a colleague") as refused:
        await agent.call("get_event_type", event_type="https://calendly.com/some-body/intro-call")
    assert "Did you mean" not in str(refused.value)
    assert "list_event_types" not in str(refused.value)


async def test_a_colleagues_page_that_one_may_not_read_is_to_be_opened(agent: Agent, api: Api) -> None:
    body = {"title": "Permission Denied", "message": "You do not have permission"}
    none: Json = {"collection": [], "pagination": {}}
    for status, said in ((200, none), (403, body)):
        await api.fail("/event_types", status=status, body=said)
    with pytest.raises(
        ArgumentError, match=r"You may not read the event types of Priya Raman .* opens the page itself"
    ):
        await agent.call("get_event_type", event_type="https://calendly.com/priya-raman/coaching-session")


async def test_a_single_use_link_is_explained_and_its_event_type_offered(agent: Agent, api: Api) -> None:
    link = (await agent.call("create_single_use_scheduling_link", owner="Intro call"))["booking_url"]
    with pytest.raises(ArgumentError, match=r"Did you mean: Intro call \(active, 30 min.*single-use link") as refused:
        await agent.call("get_event_type", event_type=link)
    assert (await api.event_type("Intro call"))["uri"] in str(refused.value)


@pytest.mark.parametrize(
    ("part", "offered"),
    [
        ("Intro", "Intro call"),
        ("intro c", "Intro call"),
        ("review", "Design review"),
        ("Introductory call", "Intro call"),
        ("desing review", "Design review"),
        ("board-brief", "Board briefing"),
    ],
)
async def test_a_part_of_a_name_is_offered_and_not_taken(agent: Agent, part: str, offered: str) -> None:
    with pytest.raises(ArgumentError, match=f"Did you mean: (.*; )?{offered} \\(active, [0-9]+ min, of Maya"):
        await agent.call("list_event_type_available_times", event_type=part, **TOMORROW)
    assert "/event_type_available_times" not in {request.path for request in agent.sent}


async def test_of_equal_names_the_active_one_is_meant(agent: Agent, api: Api) -> None:
    kinds = await api.read("/event_types", user=(await api.me())["uri"], count=100)
    intro = next(kind for kind in kinds if kind["name"] == "Intro call")
    twin = {**intro, "uri": f"{intro['uri'][:-4]}0000", "active": False}
    body = {"collection": [twin, *kinds], "pagination": {"count": 1}}
    await api.fail("/event_types", status=200, body=body)
    assert (await agent.call("get_event_type", event_type="intro call"))["uri"] == intro["uri"]


async def test_names_are_those_of_the_organization_that_is_named(agent: Agent, api: Api) -> None:
    coaching = (await api.event_type("Coaching session", "member"))["uri"]
    organization = (await api.me())["current_organization"]
    with pytest.raises(ArgumentError, match="No event type of yours"):
        await agent.call("find_bookings", event_type="Coaching session")
    await agent.call("find_bookings", event_type="coaching session", organization=organization)
    named = {"event_type": Reference(EventTypeId, "coaching session")}
    call, _ = await prepared(TOOLS["find_bookings"], agent, {})
    found = await resolved(call, {**named, "organization": OrganizationId.parse(organization)})
    assert found["event_type"].uri == coaching


async def test_names_are_those_of_the_user_that_is_named_else_ones_own(agent: Agent, api: Api) -> None:
    coaching = (await api.event_type("Coaching session", "member"))["uri"]
    user = (await api.me("member"))["name"]
    for name in ("find_bookings", "summarize_bookings"):
        await agent.call(name, event_type="coaching session", user=user)
        assert agent.sent[-1].endpoint.path != "/event_types"
    call, _ = await prepared(TOOLS["find_bookings"], agent, {})
    named = {"event_type": Reference(EventTypeId, "coaching session"), "user": Reference(UserId, user)}
    assert (await resolved(call, named))["event_type"].uri == coaching
    own = {**named, "event_type": Reference(EventTypeId, "board briefing")}
    assert (await resolved(call, own))["event_type"].uri == (await api.event_type("Board briefing"))["uri"]


async def test_what_is_certainly_an_id_is_not_looked_up(agent: Agent, api: Api) -> None:
    uri = (await api.event_type("Intro call"))["uri"]
    await agent.call("get_event_type", event_type=uri.rpartition("/")[2])
    await agent.call("get_event_type", event_type=uri)
    await agent.call("get_user", user="me")
    assert [request.endpoint.path for request in agent.sent] == [
        "/event_types/{event_type}",
        "/event_types/{event_type}",
        "/users/{user}",
    ]


@pytest.mark.parametrize("name", ["Zumba, weekly", "Foobar", "Check-in", "Zumba2", "b7e2c4d1"])
@pytest.mark.parametrize(
    ("tool", "parameter", "more"),
    [
        ("list_event_type_available_times", "event_type", TOMORROW),
        ("summarize_bookings", "event_type", {"user": "Jonas Weber"}),
        ("find_bookings", "event_type", {}),
        ("create_single_use_scheduling_link", "owner", {}),
        ("create_event_invitee", "event_type", BOOKING),
        ("find_meeting_times", "event_types", TOMORROW),
    ],
)
async def test_a_name_that_nothing_goes_by_is_refused_with_what_there_is(
    agent: Agent, tool: str, parameter: str, more: dict[str, Any], name: str
) -> None:
    named = [name] if parameter == "event_types" else name
    with pytest.raises(ArgumentError, match=r"No event type of .* goes by that name; there are: .+") as no:
        await agent.call(tool, **{parameter: named, **more})
    assert str(no.value.faults[0].get("parameter")).partition(".")[0] == parameter
    assert {request.path for request in agent.sent} <= {"/users/me", "/event_types", "/organization_memberships"}


async def test_a_name_of_nothing_is_answered_with_each_name_once_and_the_way_to_those_of_colleagues(
    agent_of: AgentOf,
) -> None:
    with pytest.raises(ArgumentError) as no:
        await agent_of("untidy").call("list_event_type_available_times", event_type="Product demo", **TOMORROW)
    told = no.value.faults[0]["message"]
    names = told.partition("there are: ")[2].partition(" and ")[0].split(", ")
    assert "" not in names
    assert len(set(names)) == len(names) == 10
    assert told.endswith("A colleague's goes by uuid or URI: list_event_types has it, with user.")


async def test_a_name_that_several_go_by_is_refused_with_the_candidates(agent: Agent) -> None:
    uris = [await make(agent, "Catch up") for _ in range(2)]
    with pytest.raises(ArgumentError, match="Several event types go by that name, so pass the URI of one: ") as refused:
        await agent.call("get_event_type", event_type="catch up")
    for uri in uris:
        assert f"Catch up (active, 30 min, of Maya Lindqvist, {uri})" in refused.value.faults[0]["message"]


async def test_who_may_not_see_event_types_cannot_name_one(agent: Agent) -> None:
    agent.off = {"event_types"}
    with pytest.raises(DeniedByPolicy, match="event_types"):
        await agent.call("list_event_type_available_times", event_type="Intro call", **TOMORROW)
    assert {request.path for request in agent.sent} <= {"/users/me"}


async def test_a_person_goes_by_e_mail(agent: Agent, agent_of: AgentOf) -> None:
    owner = await agent.call("get_user", user="Maya@Northlight.example")
    assert owner["name"] == "Maya Lindqvist"
    colleague = await agent.call("get_user", user="priya@northlight.example")
    assert colleague["name"] == "Priya Raman"
    member = agent_of("member")
    assert (await member.call("get_user", user="priya@northlight.example"))["uri"] == colleague["uri"]


@pytest.mark.requirement("people-by-name")
@pytest.mark.parametrize("name", ["Tomás Herrera", "tomás  herrera", "TOMA\u0301S HERRERA", "tomas@northlight.example"])
async def test_a_person_goes_by_name_however_it_is_composed(agent: Agent, api: Api, name: str) -> None:
    tomas = (await api.me("admin"))["uri"]
    assert (await agent.call("get_user", user=name))["uri"] == tomas
    agenda = await agent.call("get_agenda", date="2026-11-24", user=name)
    assert agenda["searched"]["whose"] == "Tomás Herrera (tomas@northlight.example)"
    times = await agent.call("find_meeting_times", users=[name, "me"], start_time="2026-11-30", end_time="2026-12-04")
    zones = {
        "Tomás Herrera (tomas@northlight.example)": "America/New_York",
        "Maya Lindqvist (maya@northlight.example)": "Europe/Berlin",
    }
    assert {row["user"]: row["timezone"] for row in times["working_hours"]} == zones


async def test_of_several_people_of_one_name_one_has_to_be_chosen_by_address(
    agent: Agent, sandbox: RunningSandbox
) -> None:
    for user in sandbox.sandbox.records.users.values():
        if user.slug in {"priya-raman", "jonas-weber"}:
            user.name = "Robin Ray"
    with pytest.raises(ArgumentError, match="user: Several people go by that name") as refused:
        await agent.call("get_user", user="Robin Ray")
    assert "priya@northlight.example" in str(refused.value)
    assert "jonas@northlight.example" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Tomas Herera", r"did you mean Tomás Herrera \(tomas@northlight.example\)\?"),
        ("jonas", r"did you mean Jonas Weber \(jonas@northlight.example\)\?"),
        ("Jonnas", r"did you mean Jonas Weber \(jonas@northlight.example\)\?"),
        ("Zebulon Quux", r"there are: .*Maya Lindqvist.*Priya Raman"),
    ],
)
async def test_a_name_of_nobody_is_refused_with_the_nearest_and_a_part_is_offered_and_not_taken(
    agent: Agent, name: str, told: str
) -> None:
    with pytest.raises(ArgumentError, match=f"user: Nobody in the organization has that name; {told}"):
        await agent.call("list_user_availability_schedules", user=name)


@pytest.mark.requirement("people-by-name")
async def test_ones_own_organization_is_mine_in_every_tool_that_takes_one(agent: Agent, api: Api) -> None:
    own = (await api.me())["current_organization"]
    for name in (
        "list_scheduled_events",
        "list_event_types",
        "list_organization_memberships",
        "list_organization_invitations",
    ):
        assert await agent.call(name, organization="mine") == await agent.call(name, organization=own)
    team = await agent.call("get_agenda", date="2026-11-24", organization="Mine")
    assert {host for row in team["collection"] for host in row["hosts"]} >= {"Maya Lindqvist", "Tomás Herrera"}


@pytest.mark.requirement("people-by-name")
@pytest.mark.parametrize("name", ["Northlight", "me", "our"])
async def test_another_word_for_an_organization_is_answered_with_mine(agent: Agent, name: str) -> None:
    with pytest.raises(ArgumentError, match='organization: Organizations go by no name: "mine" is your own'):
        await agent.call("list_scheduled_events", organization=name)
    assert agent.sent == []


async def test_an_e_mail_address_of_nobody_is_refused(agent: Agent) -> None:
    with pytest.raises(ArgumentError, match="user: Nobody in the organization has that e-mail address"):
        await agent.call("list_user_availability_schedules", user="nobody@northlight.example")


async def test_without_the_organization_only_ones_own_address_is_known(agent: Agent) -> None:
    agent.off = {"organization"}
    assert (await agent.call("get_user", user="maya@northlight.example"))["name"] == "Maya Lindqvist"
    with pytest.raises(DeniedByPolicy, match=r"organization.* user: .* Their uuid or URI will do"):
        await agent.call("get_user", user="priya@northlight.example")


@pytest.mark.parametrize(
    "text",
    [
        *("https://calendly.com.evil.example/maya/intro-call", "https://maya@calendly.com/maya/intro-call"),
        *("https://calendly.com:8443/maya/intro-call", "//calendly.com/maya/x"),
        *("...", "x y" * 19, "Intro\ncall", "\u200b"),
    ],
)
async def test_what_is_neither_an_id_nor_a_name_is_refused_before_anything_is_asked(agent: Agent, text: str) -> None:
    with pytest.raises(ArgumentError, match="Its name, slug or booking page will do too"):
        await agent.call("get_event_type", event_type=text)
    assert agent.sent == []


INVITEE = "9d1e7c52-3a64-4b0f-8f2c-6c1d2e3f4a5b"


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("get_event_type", {"event_type": "calendly.com/maya-lindqvist"}, "a person's or team's page"),
        ("get_event_type", {"event_type": "https://calendly.com/app/login"}, "not the booking page of an event type"),
        ("get_event_type", {"event_type": f"calendly.com/cancellations/{INVITEE}"}, "an invitee cancels a meeting"),
        (
            "get_scheduled_event",
            {"scheduled_event": f"https://calendly.com/cancellations/{INVITEE}"},
            "invitee cancels",
        ),
        ("cancel_scheduled_event", {"scheduled_event": f"calendly.com/reschedulings/{INVITEE}"}, "invitee reschedules"),
        ("get_scheduled_event", {"scheduled_event": "https://calendly.com/maya-lindqvist/intro-call"}, "no meeting"),
        ("get_event_invitee", {"invitee": f"https://calendly.com/cancellations/{INVITEE}"}, "scheduled_event"),
    ],
)
async def test_an_address_at_calendly_that_does_not_name_it_is_explained(
    agent: Agent, tool: str, arguments: dict[str, str], said: str
) -> None:
    with pytest.raises(ArgumentError, match=said):
        await agent.call(tool, **arguments)
    assert agent.sent == []


async def test_addresses_that_calendlys_pages_ask_and_join_links_name_the_meeting(agent: Agent, api: Api) -> None:
    invitee = await api.book()
    path = invitee["event"].removeprefix("https://api.calendly.com")
    uuid = path.rpartition("/")[2]
    for address in (
        *(
            f"https://calendly.com/api/v2{path}",
            f"calendly.com/api/v2{path}/?x=1",
            f"https://calendly.com/events/{uuid}",
        ),
        *(f"https://calendly.com/events/{uuid}/zoom_meeting", f"https://calendly.com/api/v2{path}/invitees/{INVITEE}"),
    ):
        with case(address):
            assert (await agent.call("get_scheduled_event", scheduled_event=address))["uri"] == invitee["event"]
    link = invitee["cancel_url"]
    same = await agent.call("get_event_invitee", invitee=link, scheduled_event=f"https://calendly.com/events/{uuid}")
    assert same["uri"] == invitee["uri"]


def test_what_ends_something_is_named_by_its_id_alone() -> None:
    named: dict[str, set[str]] = {}
    for tool in ALL:
        properties: Any = tool.input_schema["properties"]
        for name, schema in properties.items():
            if any(way in str(schema) for way in ("name, e-mail", "name or URI", "booking URL")):
                named.setdefault(tool.name, set()).add(name)
    writing = {tool.name for tool in ALL if tool.access == "write"} & set(named)
    assert writing == {
        *("change_working_hours", "create_event_invitee", "create_note", "create_one_off_event_type", "create_share"),
        *("create_webhook_subscription", "update_contact", "update_event_type", "update_share"),
        *("update_event_type_availability_schedules", "update_user_availability_schedule"),
        "update_user_meeting_limits",
    }
    assert named["create_event_invitee"] == {"event_type"}
    assert not any(tool.destructive for tool in ALL if tool.name in named)


@pytest.mark.requirement("people-by-name")
async def test_schedules_teams_groups_lists_and_forms_go_by_their_name(agent: Agent) -> None:
    lists = {
        "get_user_availability_schedule": ("list_user_availability_schedules", "schedule"),
        "get_team": ("list_teams", "team"),
        "get_group": ("list_groups", "group"),
        "get_contact_list": ("list_contact_lists", "contact_list"),
        "get_routing_form": ("list_routing_forms", "routing_form"),
    }
    for tool, (listing, parameter) in lists.items():
        row = (await agent.call(listing))["collection"][0]
        with case(tool):
            for name in (row["name"], f" {row['name'].upper()} "):
                assert (await agent.call(tool, **{parameter: name}))["uri"] == row["uri"]
            for word in ("Nowhere", "no such thing"):
                with pytest.raises(ArgumentError, match="goes by that name; pass a URI or one of: ") as refused:
                    await agent.call(tool, **{parameter: word})
                assert row["name"] in str(refused.value)


async def test_people_go_by_name_wherever_they_stand(agent: Agent, api: Api) -> None:
    me = await api.me()
    links = await agent.call("list_shares", user=me["name"])
    assert links["searched"]["whose"].startswith(me["name"])
    url = "https://hooks.northlight.example/x"
    made = await agent.call("create_webhook_subscription", url=url, events=["invitee.created"], user=me["email"])
    assert made["user"] == me["uri"]
    rule = {"timezone": "Europe/Rome", "user": me["name"]}
    changed = await agent.call(
        "update_event_type_availability_schedules", event_type="Intro call", availability_rule=rule
    )
    assert changed["availability_rule"]["timezone"] == "Europe/Rome"


@pytest.mark.parametrize(
    ("tool", "parameter"),
    [
        ("get_meeting_recap", "meeting_recap"),
        ("get_webhook_subscription", "webhook_subscription"),
        ("get_scheduled_event", "scheduled_event"),
        ("list_group_relationships", "owner"),
    ],
)
async def test_a_word_where_only_an_id_will_do_is_refused_as_one(agent: Agent, tool: str, parameter: str) -> None:
    with pytest.raises(ArgumentError, match=f"{parameter}: This is a word, and no id of an? .* that a list tells"):
        await agent.call(tool, **{parameter: "standup"})
    assert agent.sent == []
