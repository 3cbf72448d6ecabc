"""What a person reads before something is written."""

import re
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from calendly.errors import Conflict, PermissionDenied
from calendly.third_party_text import shown
from sandbox.records.identifiers import fixed_id
from tests.sandbox.api import MONDAY, Api, iso
from tests.tools.agent import Agent
from tests.tools.conftest import AgentOf
from tools.toolset.errors import ArgumentError, TooLate

NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_canceling_names_the_meeting_the_time_the_person_and_the_addresses(agent: Agent, api: Api) -> None:
    body = await api.booking("Design review", event_guests=["sam@acme.example"], location={"kind": "zoom_conference"})
    invitee = await api.book("Design review", **body)
    question = await agent.ask("cancel_scheduled_event", scheduled_event=invitee["event"], reason="Ill,\nsorry")
    assert question == (
        "Cancel a meeting. This cannot be undone.\n"
        "Meeting: “Design review”\n"
        "When: Mon 23 Nov 2026, 09:00 (Europe/Berlin; 03:00 America/New_York for the invitee)\n"
        "Invitees: “Lee Park”\n"
        "Calendly will e-mail: “lee@acme.example” and “sam@acme.example”\n"
        "Reason that they read (typed by the agent): “Ill, sorry”"
    )


@pytest.mark.requirement("error-conflict")
async def test_nobody_is_asked_to_cancel_what_is_canceled_or_past(agent: Agent, api: Api) -> None:
    canceled = (await api.book())["event"]
    await api.post(f"{canceled}/cancellation")
    past = next(event for event in await api.read("/scheduled_events", user=(await api.me())["uri"], status="active"))
    assert past["end_time"] < iso(MONDAY)
    agent.asked = {"canceling"}
    for event, said in ((canceled, "canceled already"), (past["uri"], "is over")):
        with pytest.raises(TooLate, match=said):
            await agent.call("cancel_scheduled_event", scheduled_event=event)
    assert agent.questions == []
    agent.off = {"scheduled_events"}
    with pytest.raises(Conflict):
        await agent.call("cancel_scheduled_event", scheduled_event=canceled)
    assert len(agent.questions) == 1


async def test_what_may_not_be_read_is_named_by_its_identifier(agent: Agent, api: Api) -> None:
    event, invitation, hook = map(fixed_id, ("event odd", "invitation pending", "webhook northlight"))
    kind = (await api.event_type("Intro call"))["uri"].rpartition("/")[2]
    tomas = (await api.me("admin"))["uri"]
    membership = (await api.read("/organization_memberships", user=tomas))[0]["uri"].rpartition("/")[2]
    agent.off = {"scheduled_events", "invitee_data", "event_types", "users", "organization", "webhooks"}
    assert await agent.ask("cancel_scheduled_event", scheduled_event=event) == (
        f"Cancel a meeting. This cannot be undone.\nMeeting: {event}\nCalendly will e-mail: the invitees"
    )
    for name, line, target in (
        ("create_single_use_scheduling_link", "Event type", {"owner": kind}),
        ("remove_organization_membership", "Member", {"membership": membership}),
        ("revoke_organization_invitation", "Invitation", {"invitation": invitation}),
        ("delete_webhook_subscription", "Webhook subscription", {"webhook_subscription": hook}),
    ):
        assert f"\n{line}: {next(iter(target.values()))}" in await agent.ask(name, **target)


async def test_nobody_is_asked_about_what_certainly_fails(agent: Agent, api: Api) -> None:
    mine = await api.read("/organization_memberships", user=(await api.me())["uri"])
    with pytest.raises(ArgumentError, match="owner of the organization") as refused:
        await agent.ask("remove_organization_membership", membership=mine[0]["uri"])
    assert (refused.value.next_step or "").startswith("Do not call again")
    with pytest.raises(TooLate, match="accepted already"):
        await agent.ask("revoke_organization_invitation", invitation=fixed_id("invitation accepted"))


async def test_whoever_cannot_remove_themselves_is_not_asked(agent_of: AgentOf, api: Api) -> None:
    own = (await api.read("/organization_memberships", user=(await api.me("admin"))["uri"]))[0]["uri"]
    with pytest.raises(ArgumentError, match="nobody can remove themselves"):
        await agent_of("admin").ask("remove_organization_membership", membership=own)
    with pytest.raises(PermissionDenied):  # who may not read a membership may not end it
        await agent_of("member").ask("remove_organization_membership", membership=own)


async def test_booking_names_the_time_in_the_persons_own_zone_whatever_zone_it_was_written_in(
    agent: Agent, api: Api
) -> None:
    question = await agent.ask(
        "create_event_invitee",
        event_type=(await api.event_type("Intro call"))["uri"],
        start_time="2026-12-01T04:00:00-05:00",
        invitee={"first_name": "Lee", "last_name": "Park", "email": "lee@acme.example", "timezone": "Asia/Tokyo"},
        event_guests=["sam@acme.example"],
    )
    assert question == (
        "Book a meeting.\n"
        "Event type: “Intro call”\n"
        "When: Tue 1 Dec 2026, 10:00 (Europe/Berlin; 18:00 Asia/Tokyo for the invitee)\n"
        "Invitee (typed by the agent): “Lee Park”\n"
        "Calendly will e-mail (typed by the agent): “lee@acme.example” and “sam@acme.example”"
    )


async def test_a_time_without_offset_is_shown_as_it_will_be_sent(agent: Agent, api: Api) -> None:
    question = await agent.ask(
        "create_event_invitee",
        event_type=(await api.event_type("Intro call"))["uri"],
        start_time="2026-12-01T10:00",
        invitee={"name": "Lee", "email": "lee@acme.example", "timezone": "Asia/Tokyo"},
        timezone="Europe/Berlin",
    )
    assert "Event type: “Intro call”\nWhen: Tue 1 Dec 2026, 10:00 (Europe/Berlin; 18:00 Asia/Tokyo for the " in question


async def test_who_has_no_known_zone_reads_utc(agent_of: AgentOf) -> None:
    question = await agent_of("noscopes").ask(
        "create_event_invitee",
        event_type=NOBODY,
        start_time="2026-12-01T10:00:00+01:00",
        invitee={"name": "Lee", "email": "lee@acme.example", "timezone": "Asia/Tokyo"},
    )
    assert "Tue 1 Dec 2026, 09:00 (UTC; 18:00 Asia/Tokyo for the invitee)" in question


async def test_everybody_affected_reads_the_time_on_their_own_clock(agent_of: AgentOf, api: Api) -> None:
    lee = {**(await api.booking())["invitee"], "timezone": "Asia/Tokyo"}
    old = await api.book("Intro call", invitee=lee, start_time="2026-11-23T15:30:00Z")
    asked = await agent_of("admin").ask("cancel_scheduled_event", scheduled_event=old["event"])
    assert (
        "When: Mon 23 Nov 2026, 10:30 (America/New_York; 16:30 Europe/Berlin for a host; "
        "Tue 24 Nov 2026, 00:30 Asia/Tokyo for the invitee)\n" in asked
    )
    asked = await agent_of("member").ask("create_event_invitee", **await api.booking())
    assert "When: Mon 23 Nov 2026, 13:30 (Asia/Kolkata; 03:00 America/New_York for the invitee)\n" in asked


async def test_all_who_host_together_read_the_time_on_their_own_clock(agent_of: AgentOf, api: Api) -> None:
    kinds = await api.read("/event_types", "untidy", user=(await api.me("untidy"))["uri"], count=100)
    panel = next(kind["uri"] for kind in kinds if kind["pooling_type"] == "collective")
    lee = {"name": "Lee", "email": "lee@acme.example", "timezone": "Asia/Tokyo"}
    booking = {"event_type": panel, "start_time": "2026-12-01T15:00:00Z", "invitee": lee}
    asked = await agent_of("untidy").ask("create_event_invitee", **booking)
    assert "15:00 (Europe/London; 10:00 America/New_York for a host; Wed 2 Dec 2026, 00:00 Asia/Tokyo for" in asked


async def test_whoever_reads_the_same_clock_is_not_told_it_again(agent: Agent, api: Api) -> None:
    body = await api.booking(invitee={"name": "Lee", "email": "lee@acme.example", "timezone": "Europe/Stockholm"})
    assert "09:00 (Europe/Berlin)\n" in await agent.ask("create_event_invitee", **body)


async def test_the_other_writing_tools_say_whom_they_concern(agent: Agent, api: Api) -> None:
    tomas = (await api.me("admin"))["uri"]
    setting = {"type": "days_in_future", "days": 3, "only_weekdays": True}
    made = {"name": "Review", "duration": 45, "date_setting": setting}
    assert await agent.ask("create_one_off_event_type", **made, host=tomas) == (
        "Create a one-off event type.\nName (typed by the agent): “Review”\nDuration: 45 minutes\nHost: “Tomás Herrera”"
    )
    assert "Host: you" in await agent.ask("create_one_off_event_type", **made)
    membership = await agent.call("list_organization_memberships", email="priya@northlight.example")
    assert await agent.ask("remove_organization_membership", membership=membership["collection"][0]["uri"]) == (
        "Remove a member from the organization. Their access ends at once.\n"
        "Member: “Priya Raman”\n"
        "E-mail address: “priya@northlight.example”"
    )
    assert await agent.ask("create_organization_invitation", email="new@northlight.example") == (
        "Invite somebody to join an organization. It does so at once.\n"
        "Organization: your own\n"
        "Calendly will e-mail (typed by the agent): “new@northlight.example”"
    )
    assert "Organization: ORG1" in await agent.ask(
        "create_organization_invitation", email="new@northlight.example", organization="ORG1"
    )
    assert await agent.ask("revoke_organization_invitation", invitation=fixed_id("invitation pending")) == (
        "Revoke an invitation to the organization. The link in the e-mail stops working.\n"
        "Invited: “new.hire@northlight.example”"
    )
    assert await agent.ask("delete_invitee_data", emails=["a@b.example", "c@d.example"]) == (
        "Delete for good all that Calendly stores in the organization about people. This cannot be undone.\n"
        "E-mail addresses (typed by the agent): “a@b.example” and “c@d.example”"
    )


async def test_webhooks_say_what_goes_where_and_never_the_key(agent: Agent, api: Api) -> None:
    asked: dict[str, Any] = {
        "url": "https://hooks.example/x",
        "events": ["invitee.created", "contact.created"],
        "signing_key": "s3cret-key",
    }
    mine = await agent.ask("create_webhook_subscription", **asked)
    assert mine == (
        "Have what happens posted to a web address from now on. Names and e-mail addresses are in it.\n"
        "Web address (typed by the agent): “https://hooks.example/x”\n"
        "Events (typed by the agent): “invitee.created” and “contact.created”\n"
        "Of: you"
    )
    assert "s3cret-key" not in mine
    tomas = (await api.me("admin"))["uri"]
    assert "Of: “Tomás Herrera”" in await agent.ask("create_webhook_subscription", **asked, user=tomas)
    assert "Of: everybody in the organization" in await agent.ask(
        "create_webhook_subscription", **asked, scope="organization"
    )
    group = fixed_id("group support")
    of_a_group = await agent.ask("create_webhook_subscription", **asked, scope="group", group=group)
    assert f"Of: the group {group}" in of_a_group
    question = await agent.ask("delete_webhook_subscription", webhook_subscription=fixed_id("webhook northlight"))
    assert question == (
        "Delete a webhook subscription. Nothing is posted to its address any more.\n"
        "Web address: “https://hooks.northlight.example/calendly”\n"
        "Events: “invitee.created” and “invitee.canceled”"
    )


async def test_everybody_whom_a_booking_reaches_is_named(agent: Agent, api: Api) -> None:
    guests = [f"guest{number}@acme.example" for number in range(10)]
    asked = await agent.ask("create_event_invitee", **await api.booking(), event_guests=guests)
    assert all(address in asked for address in ("lee@acme.example", *guests))


async def test_of_more_invitees_than_can_be_named_the_number_is_calendlys_own(agent: Agent, api: Api) -> None:
    event = (await api.book())["event"]
    crowd = {**await api.read(event), "invitees_counter": {"total": 400, "active": 400, "limit": 500}}
    path = event.removeprefix("https://api.calendly.com")
    await api.fail(path, status=200, times=2, body={"resource": crowd})
    asked = await agent.ask("cancel_scheduled_event", scheduled_event=event)
    assert "“lee@acme.example” and 399 more" in asked


async def test_the_clocks_of_a_crowd_are_those_of_everybody_and_not_of_a_page(agent_of: AgentOf) -> None:
    untidy = agent_of("untidy")
    span = {"start_time": "2026-11-24", "end_time": "2027-01-31", "organization": "mine"}
    webinar = await untidy.call("find_bookings", event_type="webinar", **span)
    event = webinar["collection"][0]["uri"]
    people = await untidy.call("list_event_invitees", scheduled_event=event, status="active", count=100, max_pages=5)
    zones = Counter(invitee["timezone"] for invitee in people["collection"])
    assert zones.total() == 230
    asked = await untidy.ask("cancel_scheduled_event", scheduled_event=event)
    told = {zone: int(count) for zone, count in re.findall(r"([\w/]+) for (\d+) invitees", asked)}
    assert told == {zone: zones[zone] for zone in told}
    assert len(told) > 1


async def test_other_peoples_texts_are_short_and_on_one_line_of_visible_characters(agent: Agent) -> None:
    odd = await agent.ask("cancel_scheduled_event", scheduled_event=fixed_id("event odd"))
    assert [shown(line) for line in odd.splitlines()] == odd.splitlines()
    assert "Zoe" in odd
    agent.off = {"scheduled_events", "invitee_data"}
    long = await agent.ask("cancel_scheduled_event", scheduled_event=fixed_id("event odd"), reason="Yes.\n\n" * 1_000)
    *_, reason = long.splitlines()
    assert (len(long.splitlines()), len(reason)) == (4, 246)
    many = await agent.ask("delete_invitee_data", emails=[f"a{number}@b.example" for number in range(40)])
    assert "“a11@b.example” and 28 more" in many


async def test_the_person_is_asked_once_and_right_before_anything_is_written(agent: Agent, api: Api) -> None:
    agent.asked = {"canceling"}
    event = next(iter(await api.read("/scheduled_events", user=(await api.me())["uri"], min_start_time=iso(MONDAY))))
    await agent.call("cancel_scheduled_event", scheduled_event=event["uri"])
    (question,) = agent.questions
    assert f"Meeting: “{event['name']}”\nWhen: " in question
    assert agent.sent[-1].endpoint.method == "POST"


async def test_an_event_whose_time_cannot_be_read_is_named_without_it(agent: Agent, api: Api) -> None:
    broken = {"resource": {"uri": "x", "name": "Lunch", "start_time": "noon", "event_guests": None}}
    await api.fail("/scheduled_events/*", status=200, times=2, body=broken)
    question = await agent.ask("cancel_scheduled_event", scheduled_event=fixed_id("event odd"))
    assert "Meeting: “Lunch”\nInvitees: “Zoe" in question
    assert str(MONDAY + timedelta(days=3)) not in question
