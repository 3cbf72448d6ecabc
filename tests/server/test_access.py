"""What access does to calls, through a whole server in this process, against the sandbox on a real socket."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from mcp import Client

from tests.sandbox.api import MONDAY, Api, iso
from tests.server.conftest import Connect
from tests.server.desk import Person, call
from tests.tools.facts import required_arguments
from tools import ENDPOINTS, EndpointTool

SECRETS = ("acme.example", "lee@", "Lee ", "/cancellations/", "/reschedulings/")
"""What the answers below would tell about invitees."""


@pytest.fixture
def under(connect: Connect) -> Connect:
    """Connects an agent of the sandbox's owner, under an `--access` of its own."""

    def connected(
        access: str = "", person: Person | None = None, who: str = "owner", **settings: str
    ) -> AbstractAsyncContextManager[Client]:
        return connect(person, who, **({"access": access} if access else {}), **settings)

    return connected


async def writes(api: Api) -> list[dict[str, Any]]:
    """The writing requests that Calendly received."""
    received = (await api.http.get("/_sandbox/requests")).json()
    return [one for one in received if one["method"] != "GET"]


async def a_meeting(api: Api) -> str:
    """Book a meeting with guests and answers, past the agent; its event."""
    body = await api.booking()
    return str((await api.book("Intro call", **body, event_guests=["guest@acme.example"]))["event"])


async def test_where_invitee_data_is_off_no_answer_tells_about_invitees(under: Connect, api: Api) -> None:
    event = await a_meeting(api)
    async with under("invitee_data=off,canceling=full") as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert names.isdisjoint({"list_event_invitees", "get_event_invitee"})
        listed = await call(client, "list_scheduled_events", count=100, detail="full")
        one = await call(client, "get_scheduled_event", scheduled_event=event, detail="full")
        canceled = await call(client, "cancel_scheduled_event", scheduled_event=event)
    for answer in (listed, one, canceled):
        assert answer.kind == "answered"
        assert not [secret for secret in SECRETS if secret in str(answer.content)]
    assert listed.content["withheld"] == one.content["withheld"] == ["invitee_data"]


async def test_where_invitee_data_is_off_a_booking_tells_only_that_it_is_one(under: Connect, api: Api) -> None:
    body = await api.booking()
    async with under("invitee_data=off") as client:
        booked = await call(client, "create_event_invitee", **body)
    assert booked.content["status"] == "active"
    assert booked.content["withheld"] == ["invitee_data"]
    assert not [secret for secret in SECRETS if secret in str(booked.content)]


async def test_where_invitee_data_is_off_nobody_is_searched_for(under: Connect, api: Api) -> None:
    async with under("invitee_data=off") as client:
        refused = await call(client, "list_scheduled_events", invitee_email="lee@acme.example")
    assert refused.kind == "access_denied_by_policy"
    assert refused.error["message"] == (
        "invitee_email searches people, and invitee_data is off: leave it out. "
        "Whoever started this server can change that with --access (CALENDLY_MCP_ACCESS)."
    )
    received = (await api.http.get("/_sandbox/requests")).json()
    assert "/scheduled_events" not in {one["path"] for one in received}


async def test_where_invitee_data_is_off_contacts_go_by_uri_and_nothing_tells_who_they_are(
    under: Connect, api: Api
) -> None:
    lee = (await api.read("/contacts", email="lee@acme.example"))[0]["uri"]
    async with under("invitee_data=off,contacts=ask", toolsets="contacts") as client:
        searched = await call(client, "list_contacts", name="Lee")
        named = [await call(client, "create_note", contact=one, body="x") for one in ("Lee Park", "lee@acme.example")]
        named.append(await call(client, "list_notes", contact=f"{lee},Sam Lee"))
        read = [await call(client, "get_contact", contact=lee, detail="full"), await call(client, "list_contacts")]
        notes = await call(client, "list_notes", contact=lee)
        asked = await call(client, "update_contact", contact=lee, company="Umbrella")
        tried = await call(client, "delete_contact", contact=lee, dry_run=True)
    assert searched.error["message"].startswith("name searches people, and invitee_data is off: leave it out. ")
    for refused in named:
        assert refused.kind == "access_denied_by_policy"
        assert refused.error["message"].startswith("contact names somebody, and invitee_data is off: pass a uuid or")
    assert {one.content["withheld"][0] for one in (*read, notes)} == {"invitee_data"}
    assert asked.kind == "confirmation_required"
    shown = f"{[one.content for one in read]}{notes.content}{asked.content}{tried.content}"
    assert not [secret for secret in ("Lee Park", "@", "Acme", "+1415", "two-year", "85000") if secret in shown]


async def test_where_invitee_data_is_off_a_question_that_the_agent_reads_names_nobody(under: Connect, api: Api) -> None:
    event = await a_meeting(api)
    async with under("invitee_data=off") as client:
        asked = await call(client, "cancel_scheduled_event", scheduled_event=event)
        tried = await call(client, "cancel_scheduled_event", scheduled_event=event, dry_run=True)
    assert asked.kind == "confirmation_required"
    assert "Calendly will e-mail: the invitees" in asked.error["message"]
    assert "Calendly will e-mail: the invitees" in tried.content["dry_run"]["effects"]
    assert not [secret for secret in SECRETS if secret in f"{asked.content}{tried.content}"]


@pytest.mark.parametrize("tool", [tool for tool in ENDPOINTS if tool.access == "write"], ids=lambda tool: tool.name)
async def test_what_a_dry_run_shows_is_what_the_call_then_sends(under: Connect, api: Api, tool: EndpointTool) -> None:
    name = tool.name
    arguments = {**required_arguments(tool), **await arguments_of(api, name)}
    person, before = Person(), len(await writes(api))
    token = "enterprise" if tool.plan == "enterprise" else "owner"
    async with under("", person, token, toolsets="all") as client:
        tried = await call(client, name, **arguments, dry_run=True)
        assert tried.kind == "answered", tried.content
        shown = tried.content["dry_run"]
        assert len(await writes(api)) == before
        assert person.questions == []
        done = await call(client, name, **arguments)
        assert done.kind == "answered", done.content
    (sent,) = (await writes(api))[before:]
    assert (sent["method"], sent["path"]) == (shown["method"], shown["path"].partition("?")[0])
    assert bool(person.questions) == shown["must_be_confirmed"]
    if person.questions:
        assert shown["effects"] == f"Unless Calendly refuses it, this call would: {person.questions[0]}"


@pytest.mark.parametrize("access", ["booking=off", "booking=full:event_types=E1", "booking=full:domains=example.org"])
async def test_a_dry_run_is_refused_where_the_call_would_be(under: Connect, api: Api, access: str) -> None:
    body = await api.booking()
    async with under(access) as client:
        assert (await call(client, "create_event_invitee", **body, dry_run=True)).kind == "access_denied_by_policy"


async def test_arguments_of_a_dry_run_are_checked_as_ever(under: Connect, api: Api) -> None:
    wrong = {**await api.booking(), "invitee": {"name": "Lee", "email": "lee", "timezone": "Europe/Berlin"}}
    async with under() as client:
        assert (await call(client, "create_event_invitee", **wrong, dry_run=True)).kind == "invalid_argument"


async def test_a_dry_run_takes_no_idempotency_key_and_no_part_of_a_daily_limit(under: Connect, api: Api) -> None:
    body = await api.booking()
    async with under("booking=full:per_day=1") as client:
        for _ in range(3):
            tried = await call(client, "create_event_invitee", **body, idempotency_key="k", dry_run=True)
            assert tried.content["dry_run"]["path"] == "/invitees"
        booked = await call(client, "create_event_invitee", **body, idempotency_key="k")
        again = await call(client, "create_event_invitee", **body, idempotency_key="k")
        assert booked.content["uri"] == again.content["uri"]
        other = await api.booking()
        full = await call(client, "create_event_invitee", **other)
    assert full.kind == "access_denied_by_policy"
    assert full.error["message"].startswith(
        "This call is outside what is allowed: booking is limited to 1 within 24 hours; the next one is possible at 20"
    )
    assert len(await writes(api)) == 1


async def test_a_booking_that_calendly_refused_does_not_count(under: Connect, api: Api) -> None:
    body = await api.booking()
    async with under("booking=full:per_day=1") as client:
        taken = {**body, "start_time": "2026-11-24T03:00:00Z"}
        assert (await call(client, "create_event_invitee", **taken)).result.is_error
        assert (await call(client, "create_event_invitee", **body)).kind == "answered"


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        ("event_types={event_type}", "answered"),
        ("event_types=E1+{event_type}", "answered"),
        ("event_types=E1", "access_denied_by_policy"),
        ("hosts={user}", "answered"),
        ("hosts=U1", "access_denied_by_policy"),
        ("domains=acme.example", "answered"),
        ("domains=example.com", "access_denied_by_policy"),
    ],
)
@pytest.mark.parametrize("name", ["create_event_invitee", "cancel_scheduled_event"])
async def test_a_condition_lets_pass_what_is_within_it(
    under: Connect, api: Api, name: str, condition: str, kind: str
) -> None:
    arguments = await arguments_of(api, name)
    event_type = (await api.event_type("Intro call"))["uri"].rpartition("/")[2]
    user = (await api.me())["uri"].rpartition("/")[2]
    capability = "booking" if name == "create_event_invitee" else "canceling"
    before = len(await writes(api))
    async with under(f"{capability}=full:{condition.format(event_type=event_type, user=user)}") as client:
        assert (await call(client, name, **arguments)).kind == kind
    assert len(await writes(api)) - before == (kind == "answered")


async def test_guests_of_another_domain_are_outside_too(under: Connect, api: Api) -> None:
    event = await a_meeting(api)
    async with under("canceling=full:domains=acme.example,booking=full:domains=acme.example") as client:
        body = {**await api.booking(), "event_guests": ["guest@example.com"]}
        assert (await call(client, "create_event_invitee", **body)).kind == "access_denied_by_policy"
        assert (await call(client, "cancel_scheduled_event", scheduled_event=event)).kind == "answered"


async def arguments_of(api: Api, name: str) -> dict[str, Any]:
    """Arguments with which a writing tool does something in the sandbox; empty where any will do."""
    organization = (await api.me())["current_organization"]
    members = await api.read("/organization_memberships", organization=organization)
    recaps = await api.read("/meeting_recaps")
    hooks = await api.read("/webhook_subscriptions", organization=organization, scope="organization")
    invitations = await api.read(f"{organization}/invitations")
    arguments: dict[str, dict[str, Any]] = {
        "create_one_off_event_type": {
            "name": "Catch up",
            "duration": 30,
            "date_setting": {"type": "date_range", "start_date": "2026-12-07", "end_date": "2026-12-11"},
        },
        "cancel_scheduled_event": {"scheduled_event": await a_meeting(api)} if name.startswith("cancel") else {},
        "create_event_invitee": await api.booking(),
        "create_single_use_scheduling_link": {"owner": (await api.event_type("Intro call"))["uri"]},
        "remove_organization_membership": {
            "membership": next(member["uri"] for member in members if member["role"] == "user")
        },
        "create_organization_invitation": {"email": "new@northlight.example"},
        "revoke_organization_invitation": {
            "invitation": next(one["uri"] for one in invitations if one["status"] == "pending")
        },
        "create_webhook_subscription": {"url": "http://127.0.0.1:9/hook", "events": ["invitee.created"]},
        "delete_webhook_subscription": {"webhook_subscription": hooks[0]["uri"]},
        "update_meeting_recap": {"meeting_recap": recaps[0]["uri"], "summary_md": "Prices."},
        "delete_meeting_recap": {"meeting_recap": recaps[0]["uri"]},
        "delete_invitee_data": {"emails": ["nobody@acme.example"]},
        **(await _about_contacts(api) if "contact" in name or name == "create_note" else {}),
        "update_event_type_availability_schedules": {"event_type": (await api.event_type("Intro call"))["uri"]},
        "update_user_availability_schedule": {
            "schedule": (await api.read("/user_availability_schedules", user=(await api.me())["uri"]))[0]["uri"]
        },
        "create_share": {"event_type": (await api.event_type("Intro call"))["uri"], "duration": 15},
        **(await _about_a_share(api) if name.endswith("_share") else {}),
        **(await _about_past_meetings(api) if name.endswith("no_show") else {}),
        "update_event_type": {"event_type": (await api.event_type("Intro call"))["uri"], "duration": 20},
    }
    return arguments.get(name, {})


async def _about_contacts(api: Api) -> dict[str, dict[str, Any]]:
    """Arguments for tools that change contacts and what belongs to them."""
    lee = (await api.read("/contacts", email="lee@acme.example"))[0]["uri"]
    listed = (await api.read("/contact_lists", type="static_list"))[0]["uri"]
    return {
        "create_contact": {"name": "Ola Nord", "emails": ["ola@nord.example"]},
        "update_contact": {"contact": "Lee Park", "custom_fields": [{"uuid": "Segment", "value": "Enterprise"}]},
        "delete_contact": {"contact": lee},
        "create_note": {"contact": "lee@acme.example", "body": "Prefers mornings."},
        "create_contact_list": {"name": "Expansion"},
        "rename_contact_list": {"contact_list": listed, "name": "Growth"},
        "create_contact_custom_field_definition": {"label": "Region"},
    }


async def _about_a_share(api: Api) -> dict[str, dict[str, Any]]:
    """Arguments for tools that change or delete a share."""
    made = await api.post("/shares", {"event_type": (await api.event_type("Intro call"))["uri"]}, "owner")
    share = made.json()["resource"]["uri"]
    return {"update_share": {"share": share, "name": "Lee", "reset": []}, "delete_share": {"share": share}}


async def _about_past_meetings(api: Api) -> dict[str, dict[str, Any]]:
    """Arguments for tools that mark an invitee as a no-show, or take the mark back."""
    user = (await api.me())["uri"]
    past = await api.read("/scheduled_events", user=user, status="active", max_start_time=iso(MONDAY), count="100")
    invitees = [invitee for event in past for invitee in await api.read(f"{event['uri']}/invitees")]
    missed = next(invitee["no_show"] for invitee in invitees if invitee["no_show"])
    came = next(invitee["uri"] for invitee in invitees if not invitee["no_show"] and invitee["status"] == "active")
    return {"create_invitee_no_show": {"invitee": came}, "delete_invitee_no_show": {"no_show": missed["uri"]}}
