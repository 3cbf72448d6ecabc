"""What access does to calls, through a whole server in this process, against the sandbox on a real socket."""

from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from mcp import Client

from tests.sandbox.api import Api
from tests.server.conftest import Connect
from tests.server.desk import Person, call

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
    arguments = await api.booking() if name == "create_event_invitee" else {"scheduled_event": await a_meeting(api)}
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
