import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select
from typing_extensions import override

from auth.access.levels import UNLIMITED
from auth.access.text import parse_access
from auth.audit.entries import AuditEntry, Redactor
from auth.endpoints.agent_tokens import create
from auth.endpoints.site import MeetingName, NamedCondition, NoNames
from auth.endpoints.sweep import sweep
from auth.tables import agent_restriction, grant, metadata, page_session, upstream_connection, user
from storage.connection import DatabaseConnection
from tests.auth.calendly_side import consent
from tests.auth.site import Browser, Json, Served, serve
from tests.consent_forms import levels_on

UUID = "0b9d9c5e-1111-4222-8333-444455556666"
OTHER = "0b9d9c5e-1111-4222-8333-777788889999"
GONE = "0b9d9c5e-1111-4222-8333-999999999999"


def agents_on(page: httpx2.Response) -> list[str]:
    return re.findall(r'<a class="button" href="/connections/([0-9A-Za-z]+)"', page.text)


def message_on(page: httpx2.Response) -> str:
    found = re.search(r'<p class="done" role="status">([^<]+)</p>', page.text)
    return found[1] if found else ""


async def access_of(served: Served, token: str) -> dict[str, str]:
    called = (await served.call(token)).json()["access"]
    return dict(part.split("=", 1) for part in called.split(","))


async def own_page(served: Served, *, person: int = 0) -> tuple[Browser, httpx2.Response]:
    """Open the page of the one agent that a person has."""
    browser = served.browser()
    (agent,) = agents_on(await browser.sign_in_to(person=person))
    return browser, await browser.see(f"/connections/{agent}")


async def change(browser: Browser, page: httpx2.Response, levels: str, *fields: tuple[str, str]) -> httpx2.Response:
    """Save the page of an agent with these levels changed."""
    shown = levels_on(page.text)
    sent = {f"level-{name}": level for name, level in shown.chosen.items()}
    sent |= {f"level-{name}": allowance.level for name, allowance in parse_access(levels).items()}
    return await browser.send(page, page.url.path, *sent.items(), *fields)


@pytest.mark.requirement("own-agents", "agent-by-agent", "pages-of-the-person")
async def test_a_person_sees_their_own_agents_and_nobody_elses(served: Served) -> None:
    mine, other = await served.register(client_name="Mine"), await served.register(client_name="Other <b>one</b>")
    await served.sign_in(mine)
    await served.sign_in(other, person=1)
    page = (await served.browser().sign_in_to()).text
    assert "<bdi>Mine</bdi>" in page
    assert "not verified" in page
    assert "agent.example" in page
    assert "1 Dec 2026, 10:00" in page  # 09:00 UTC, where the person is
    assert "Europe/Berlin" in page
    assert "Other" not in page
    theirs = (await served.browser().sign_in_to(person=1)).text
    assert "Other &lt;b&gt;one&lt;/b&gt;" in theirs
    assert "Mine" not in theirs


async def test_who_has_no_agent_is_told_how_to_connect_one(served: Served) -> None:
    page = (await served.browser().sign_in_to()).text
    assert "No agent is connected." in page


@pytest.mark.requirement("own-agents", "agent-by-agent")
async def test_a_change_holds_for_live_tokens_at_once_and_in_another_process_too(every_site: Served) -> None:
    served = every_site
    tokens = await served.sign_in()
    replica = serve(served.site, served.calendly)
    browser, page = await own_page(served)
    assert levels_on(page.text).chosen["booking"] == "ask"
    saved = await change(browser, page, "booking=full,canceling=off,users=off")
    assert message_on(saved) == (
        "Your profile is now “No”. Booking is now “Without asking”. Canceling is now “No”. "
        "This holds from its next call on."
    )
    for where in (served, replica):
        access = await access_of(where, tokens.access)
        assert (access["booking"], access["canceling"], access["users"]) == ("full", "off", "off")
    assert message_on(await browser.see(page.url.path)) == ""  # said once
    assert levels_on(saved.text).chosen["canceling"] == "off"


async def test_saving_a_page_as_it_is_changes_nothing_of_what_is_stored(served: Served) -> None:
    tokens = await served.sign_in(scope="users:read")
    before = await access_of(served, tokens.access)
    assert before["booking"] == "ask"  # open: the client can still ask for the scope
    browser, page = await own_page(served)
    assert levels_on(page.text).chosen["booking"] == "ask"
    assert message_on(await change(browser, page, "")) == "Nothing was changed."
    assert await access_of(served, tokens.access) == before


async def test_what_needs_another_scope_can_be_chosen_and_the_page_says_what_it_takes(served: Served) -> None:
    tokens = await served.sign_in(scope="users:read")
    browser, page = await own_page(served)
    assert "after a new sign-in of the app" in page.text
    saved = await change(browser, page, "booking=full")
    assert message_on(saved).endswith("This holds once the app has signed in again.")
    assert (await access_of(served, tokens.access))["booking"] == "full"
    mixed = message_on(await change(browser, saved, "users=off,booking=ask"))
    assert mixed.endswith("from its next call on, but for Booking once the app has signed in again.")
    assert message_on(await change(browser, saved, "users=read,booking=full")).startswith("Your profile")
    taken_back = await change(browser, await browser.see(page.url.path), "booking=off")
    assert message_on(taken_back) == "Booking is now “No”. This holds from its next call on."
    assert "Booking is now" not in message_on(await change(browser, taken_back, ""))
    assert (await access_of(served, tokens.access))["booking"] == "off"
    assert (await served.call(tokens.access)).json()["scopes"] == "users:read"
    assert (await served.call(tokens.access, **{"X-Needs": "scheduled_events:write"})).status_code == 403


@pytest.mark.requirement("pages-of-the-person")
async def test_an_app_that_has_to_sign_in_again_is_signed_out_and_keeps_what_it_may_do(every_site: Served) -> None:
    served = every_site
    client = await served.register()
    tokens = await served.sign_in(client, scope="users:read")
    browser, page = await own_page(served)
    assert "Save, and have the app sign in again" in page.text
    saved = await change(browser, page, "booking=full", ("then", "sign-in"))
    assert message_on(saved).startswith(
        "Booking is now “Without asking”. This holds once the app has signed in again. It is signed"
    )
    shown = (await browser.see(page.url.path)).text
    assert "“Without asking” is chosen, and holds once the app has signed in again." in shown
    assert '<p class="warning">It is signed out: go to the app, whose next call opens the sign-in.</p>' in shown
    assert (await served.call(tokens.access)).status_code == 401
    assert (await served.try_to_refresh(client, tokens.refresh)).json()["error"] == "invalid_grant"
    served.advance(hours=23)
    await sweep(served.site)
    form = await browser.consent_form(served.request(client))
    assert (form.levels.chosen["booking"], form.levels.chosen["users"]) == ("full", "read")
    again = await served.sign_in(client)
    assert (await served.call(again.access, **{"X-Needs": "scheduled_events:write"})).status_code == 200
    await change(*await own_page(served), "", ("then", "sign-in"))
    served.advance(hours=25)
    await sweep(served.site)
    assert "No agent is connected." in (await served.browser().sign_in_to()).text


@pytest.mark.requirement("own-agents", "never-grows")
async def test_a_form_sets_nothing_that_was_not_offered(served: Served) -> None:
    ceiling = {**UNLIMITED, **parse_access("booking=ask,webhooks=off")}
    served = serve(replace(served.site, ceiling=ceiling), served.calendly)
    tokens = await served.sign_in()
    browser, page = await own_page(served)
    assert "The operator of this server does not allow: Webhooks." in page.text
    sent = [("level-booking", "full"), ("level-webhooks", "full"), ("level-users", "ask"), ("level-x", "full")]
    await browser.send(page, page.url.path, *sent)
    access = await access_of(served, tokens.access)
    assert (access["booking"], access["webhooks"], access["users"]) == ("off", "off", "off")


CONDITIONS = [
    ("event_types-booking", UUID),
    ("event_types-booking", f" {OTHER}, "),
    ("hosts-booking", UUID),
    ("domains-booking", "@Example.com; example.org"),
    ("per_day-booking", "3"),
    ("confirm-canceling", "browser"),
]


async def test_conditions_are_stored_shown_and_taken_away_again(served: Served) -> None:
    tokens = await served.sign_in()
    browser, page = await own_page(served)
    saved = await change(browser, page, "", *CONDITIONS)
    access = await access_of(served, tokens.access)
    assert access["booking"] == (
        f"ask:event_types={UUID}+{OTHER}:hosts={UUID}:domains=example.com+example.org:per_day=3"
    )
    assert access["canceling"] == "ask:confirm=browser"
    assert "Booking: only 2 event types, only meetings of certain hosts" in message_on(saved)
    for shown in ('value="example.com, example.org"', f'value="{UUID}, {OTHER}"', 'value="3"', "<details open>"):
        assert shown in saved.text
    assert 'name="confirm-canceling" value="browser" checked' in saved.text
    await change(browser, saved, "")
    access = await access_of(served, tokens.access)
    assert (access["booking"], access["canceling"]) == ("ask", "ask")


async def test_a_condition_that_cannot_be_read_changes_nothing_and_is_named(served: Served) -> None:
    tokens = await served.sign_in()
    before = await access_of(served, tokens.access)
    browser, page = await own_page(served)
    for field, value, said in (
        ("domains-booking", "nonsense", "Booking, e-mail domains:"),
        ("domains-booking", "a.example:confirm=browser", "Booking, e-mail domains:"),
        ("domains-booking", "a.example,canceling=full", "Booking, e-mail domains:"),
        ("per_day-booking", "many", "Booking, bookings a day:"),
        ("per_day-booking", "1+1", "Booking, bookings a day:"),
        ("event_types-canceling", "a/b", "Canceling, event types:"),
        ("hosts-scheduling_links", "them", "Scheduling links, hosts:"),
        ("confirm-webhooks", "yes", "Webhooks, the page to confirm on:"),
    ):
        refused = await change(browser, page, "users=off", (field, value))
        assert refused.status_code == 400
        assert f"Nothing was changed. {said}" in refused.text
        assert await access_of(served, tokens.access) == before


NO: dict[str, Any] = {"decision": "refused", "outcome": "access_denied_by_policy"}
LUNCH = "“Lunch” (1 Dec 2026, 12:00)"
LIMIT = f"booking is limited to the event types {UUID}"
TOLD: list[tuple[str, dict[str, Any], str]] = [
    ("read the profile of ME: allowed", {}, "Read your profile"),
    (
        "listed the active scheduled events of ME, 1 to 7 Dec 2026: allowed, 20 found",
        {},
        "Listed your active meetings, 1 to 7 Dec 2026: 20",
    ),
    (
        f"canceled the scheduled event {UUID}: allowed, confirmed by a person",
        {"confirmed": "by a person"},
        f"Canceled {LUNCH}, after you said yes",
    ),
    (
        f"tried to cancel the scheduled event {OTHER}: a person is to be asked first, canceling is ask",
        {"decision": "asked", "outcome": "confirmation_required"},
        "Asked to cancel a meeting: needs your approval",
    ),
    (
        f"tried to cancel the scheduled event {UUID}: a person was asked and did not agree",
        {"decision": "declined", "outcome": "declined"},
        f"Tried to cancel {LUNCH}: you did not agree",
    ),
    (
        f"tried to read the event type {OTHER}: refused, event_types is off (the person's choice)",
        {**NO, "source": "person", "rule": "event_types is off"},
        "Tried to read an event type: not allowed by you",
    ),
    (
        f"tried to book a meeting of the event type {OTHER} with #12: refused, {LIMIT} (the person's choice)",
        {**NO, "source": "person", "rule": LIMIT},
        "Tried to book a meeting of an event type with #12: outside the conditions set by you",
    ),
    (
        "tried to list the event types of ME: refused, event_types is off (the operator's rule)",
        {**NO, "source": "operator", "rule": "event_types is off"},
        "Tried to list your event types: the operator of this server does not allow it",
    ),
    (
        f"rescheduled the scheduled event {UUID} to another time on 2 Dec 2026, 10:00 UTC: allowed",
        {},
        f"Rescheduled {LUNCH} to another time on 2 Dec 2026, 11:00",
    ),
    (
        f"tried to read the invitee {OTHER} of the event {UUID}: allowed, not found (404)",
        {"outcome": "not_found", "status": 404},
        f"Tried to read an invitee of {LUNCH}: Calendly knows no such thing",
    ),
    (
        f"tried out to cancel the scheduled event {OTHER}: nothing was sent",
        {"decision": "tried"},
        "Tried out to cancel a meeting: nothing was sent",
    ),
]
"""What is recorded after the agent's name, with which fields, and what its page says."""


class Names(NoNames):
    """A Calendly that knows names of one person."""

    @override
    async def event_types(self, person: str) -> Mapping[str, str]:
        return {UUID: f"Intro <call> of {person[-3:]}"}

    @override
    async def colleagues(self, person: str) -> Mapping[str, str]:
        return {person.rpartition("/")[2]: "themselves", OTHER: "Priya <Raman>"}

    @override
    async def meetings(self, person: str, uuids: Collection[str]) -> Mapping[str, MeetingName]:
        return {uuid: MeetingName("Lunch", datetime(2026, 12, 1, 11, tzinfo=UTC)) for uuid in uuids if uuid == UUID}

    @override
    async def missing(self, person: str, kind: NamedCondition, uuids: Collection[str]) -> Collection[str]:
        return [uuid for uuid in uuids if uuid == GONE]


async def test_event_types_and_hosts_are_chosen_by_name_where_they_can_be_had(served: Served) -> None:
    served = serve(replace(served.site, names=Names()), served.calendly)
    tokens = await served.sign_in()
    browser, page = await own_page(served)
    assert "Intro &lt;call&gt; of " in page.text
    assert "Priya &lt;Raman&gt;" in page.text
    assert "By their ids" not in page.text
    assert "by the ids of their users" not in page.text
    named = await change(browser, page, "", ("event_types-booking", UUID), ("hosts-booking", OTHER))
    assert "Booking: only “Intro &lt;call&gt; of " in named.text
    assert "”, only meetings of “Priya &lt;Raman&gt;”. This holds" in named.text
    saved = await change(browser, named, "", ("event_types-booking", UUID), ("event_types-booking", OTHER))
    assert (await access_of(served, tokens.access))["booking"] == f"ask:event_types={UUID}+{OTHER}"
    assert f'name="event_types-booking" value="{UUID}" checked' in saved.text
    assert f'name="event_types-booking" value="{OTHER}"' in saved.text  # which has no name any more


async def test_a_condition_takes_a_name_and_nothing_that_is_not_there(served: Served) -> None:
    served = serve(replace(served.site, names=Names()), served.calendly)
    tokens = await served.sign_in()
    browser, page = await own_page(served)
    named = [
        ("event_types-booking", "intro <CALL> of " + (await _last_three(served, tokens.access))),
        ("hosts-booking", "me"),
    ]
    await change(browser, page, "", *named)
    own = (await served.call(tokens.access)).json()["person"].rpartition("/")[2]
    kept = f"ask:event_types={UUID}:hosts={own}"
    assert (await access_of(served, tokens.access))["booking"] == kept
    for field, value, said in (
        ("event_types-booking", "Deep dive", "Booking, event types: there is no &#34;Deep dive&#34;."),
        ("hosts-booking", "Nobody, Priya <Raman>", "Booking, hosts: there is no &#34;Nobody&#34;."),
        ("event_types-booking", GONE, f"Booking, event types: Calendly shows you none with the id {GONE}."),
        ("hosts-booking", GONE, f"Booking, hosts: Calendly shows you none with the id {GONE}."),
    ):
        refused = await change(browser, page, "", (field, value))
        assert said in refused.text
        assert (await access_of(served, tokens.access))["booking"] == kept
    served = serve(replace(served.site, names=NoNames()), served.calendly)
    browser, page = await own_page(served)
    refused = await change(browser, page, "", ("event_types-booking", "Deep dive"))
    assert "Their names cannot be read now, so only ids can stand there." in refused.text


async def _last_three(served: Served, token: str) -> str:
    return str((await served.call(token)).json()["person"])[-3:]


@pytest.mark.requirement("pages-of-the-person")
async def test_what_it_did_is_told_in_plain_words_with_names_and_local_times_and_no_ids(served: Served) -> None:
    served = serve(replace(served.site, names=Names()), served.calendly)
    tokens = await served.sign_in()
    caller = (await served.call(tokens.access)).json()
    person, grant = caller["person"], caller["grant_id"]
    for sentence, rest, _ in TOLD:
        values = {"tool": "x", "decision": "allowed", "outcome": "answered", **rest}

        def draft(redactor: Redactor, sentence: str = sentence, values: dict[str, Any] = values) -> AuditEntry:
            return AuditEntry(
                time=served.clock.now(),
                kind="ended",
                request_id=sentence,
                person=redactor.name(person),
                agent="Agent",
                grant=grant,
                action="read",
                sentence=f"Agent {sentence.replace('ME', redactor.name(person))}",
                **values,
            )

        await served.site.audit_log.keep(draft)
    _, page = await own_page(served)
    said = re.findall(r"</time> ([^<]+)</li>", unescape(page.text))
    assert [words for words in said if not words.startswith(("It ", "You "))] == sorted(
        (words for _, _, words in TOLD), key=said.index
    )
    assert {"You let it in", "It signed in"} <= {*said}


@pytest.mark.requirement("own-agents")
async def test_an_agent_of_somebody_else_is_not_there_to_be_seen_changed_or_ended(served: Served) -> None:
    tokens = await served.sign_in(person=1)
    _, theirs = await own_page(served, person=1)
    browser = served.browser()
    page = await browser.sign_in_to(person=0)
    before = await access_of(served, tokens.access)
    for answer in (
        await browser.see(theirs.url.path),
        await browser.send(page, theirs.url.path, ("level-booking", "full")),
        await browser.send(page, f"{theirs.url.path}/disconnection"),
        await browser.see("/connections/nobody"),
        await browser.send(page, "/connections/all", ("agent", theirs.url.path.rpartition("/")[2])),
    ):
        assert answer.status_code == 404
        assert "There is no such agent among yours" in answer.text
    assert await access_of(served, tokens.access) == before


@pytest.mark.requirement("own-agents", "pages-of-the-person")
async def test_a_disconnected_agent_has_nothing_any_more_and_the_others_stay(served: Served) -> None:
    one, two = await served.register(client_name="One"), await served.register(client_name="Two")
    first = await served.sign_in(one)
    served.advance(minutes=1)
    second = await served.sign_in(two)
    browser = served.browser()
    page = await browser.sign_in_to()
    agents = agents_on(page)
    after = await browser.send(page, f"/connections/{agents[0]}/disconnection")
    assert message_on(after) == "One is disconnected. Its tokens no longer work."
    assert agents_on(after) == agents[1:]
    assert not await served.is_live(first.access)
    assert (await served.try_to_refresh(one, first.refresh)).json()["error"] == "invalid_grant"
    assert await served.is_live(second.access)
    again = await browser.send(after, f"/connections/{agents[0]}/disconnection")
    assert again.status_code == 404
    records = served.calendly.running.sandbox.records
    assert not any(token.revoked for token in records.refresh_tokens.values())
    await browser.send(after, f"/connections/{agents[1]}/disconnection")
    async with served.site.database.read() as connection:
        assert await connection.scalar(select(upstream_connection.c.status)) == "revoked"


@pytest.mark.requirement("own-agents", "retention")
async def test_who_wants_everything_deleted_leaves_nothing_here_and_nothing_at_calendly(every_site: Served) -> None:
    served = every_site
    mine = await served.sign_in()
    others = await served.sign_in(person=1)
    browser, page = await own_page(served)
    await change(browser, page, "booking=off")
    await browser.consent_form(served.request(await served.register()))  # shown to somebody who is known here
    async with served.site.database.read() as connection:
        [person] = (await connection.execute(select(page_session.c.person))).scalars()
        assert sum(map(len, (await _places_of(connection, person)).values())) > 3
    page = await browser.see("/connections")
    refused = await browser.send(page, "/connections")
    assert refused.status_code == 400
    assert await served.is_live(mine.access)
    done = await browser.send(page, "/connections", ("sure", "yes"))
    assert "Everything is deleted" in done.text
    assert not await served.is_live(mine.access)
    assert await served.is_live(others.access)
    assert "Sign in to continue" in (await browser.see("/connections")).text
    async with served.site.database.read() as connection:
        for table in (user, grant, upstream_connection):
            assert await connection.scalar(select(func.count()).select_from(table)) == 1  # the other person's
        for table in (page_session, agent_restriction):
            assert await connection.scalar(select(func.count()).select_from(table)) == 0
        assert await _places_of(connection, person) == {}
    await served.site.departures.finish()
    revoked = [token for token in served.calendly.running.sandbox.records.refresh_tokens.values() if token.revoked]
    assert len(revoked) == 1


async def _places_of(connection: DatabaseConnection, person: str) -> dict[str, list[str]]:
    """Find every row of every table that names a person, by URI or by uuid."""
    uuid, found = person.rpartition("/")[2], dict[str, list[str]]()
    for table in metadata.sorted_tables:
        told = [str(tuple(row)) for row in await connection.execute(select(table))]
        naming = [row for row in told if uuid in row]
        if naming:
            found[table.name] = naming
    return found


async def test_a_job_is_an_agent_too_and_offers_what_its_token_can_do(served: Served) -> None:
    await served.sign_in()
    made = await create(served.site, name="nightly", person=None, scopes=["scheduled_events:write"])
    browser = served.browser()
    page = await browser.sign_in_to()
    assert "made by the operator of this server" in page.text
    job = await browser.see(f"/connections/{made.id}")
    assert set(levels_on(job.text).offered) == {"scheduled_events", "invitee_data", "booking", "canceling"}
    assert "new sign-in" not in job.text
    await change(browser, job, "canceling=off")
    assert (await access_of(served, made.secret))["canceling"] == "off"
    await browser.send(job, f"{job.url.path}/disconnection")
    assert not await served.is_live(made.secret)


async def consents_anew(served: Served, browser: Browser, client: Json, levels: str | None = None) -> dict[str, str]:
    back = await browser.sign_in(served.request(client), access=levels)
    return await access_of(served, (await served.redeem(client, back["code"])).access)


@pytest.mark.requirement("restrictions-kept")
async def test_what_a_person_took_from_an_agent_is_not_given_back_by_registering_again(every_site: Served) -> None:
    served = every_site
    first = await served.register()
    await served.sign_in(first)
    browser, page = await own_page(served)
    await change(browser, page, "booking=off,canceling=full", ("domains-canceling", "a.example"))
    elsewhere = served.browser()  # where nobody knows who will sign in
    again = await served.register()
    form = await elsewhere.consent_form(served.request(again))
    assert form.levels.chosen["booking"] == "ask"
    access = await consents_anew(served, elsewhere, again, "booking=full,canceling=full,users=read")
    assert (access["booking"], access["users"]) == ("off", "read")
    assert access["canceling"] == "full:domains=a.example"
    for other in ({"client_name": "Another"}, {"redirect_uris": ["https://elsewhere.example/callback"]}):
        stranger = await served.register(**other)
        assert (await consents_anew(served, served.browser(), stranger))["booking"] == "ask"


@pytest.mark.requirement("restrictions-kept")
async def test_who_is_shown_what_they_took_away_may_give_it_back(served: Served) -> None:
    await served.sign_in()
    browser, page = await own_page(served)  # which knows the person from now on
    await change(browser, page, "booking=off")
    again = await served.register()
    form = await browser.consent_form(served.request(again))
    assert form.levels.chosen["booking"] == "off"
    access = await consents_anew(served, browser, again, "booking=ask,users=read")
    assert access["booking"] == "ask"
    third = await served.register()
    assert (await browser.consent_form(served.request(third))).levels.chosen["booking"] == "ask"


@pytest.mark.requirement("restrictions-kept")
async def test_what_was_shown_to_one_person_does_not_hold_for_another(served: Served) -> None:
    await served.sign_in(person=1)
    browser, page = await own_page(served, person=1)
    await change(browser, page, "booking=off")
    shared = served.browser()
    await shared.sign_in_to(person=0)  # the page is then made for the first person
    again = await served.register()
    form = await shared.consent_form(served.request(again))
    assert form.levels.chosen["booking"] == "ask"
    back = await shared.sign_in(served.request(again), person=1)
    assert (await access_of(served, (await served.redeem(again, back["code"])).access))["booking"] == "off"


@pytest.mark.requirement("restrictions-kept")
async def test_an_app_of_which_nothing_is_left_is_told_so(served: Served) -> None:
    await served.sign_in(scope="users:read")
    browser, page = await own_page(served)
    await change(browser, page, "users=off")
    again = await served.register()
    elsewhere = served.browser()
    response = await elsewhere.approve(served.request(again, scope="users:read"))
    returned = await elsewhere.return_from_calendly(await consent(response))
    assert "Nothing was allowed" in returned.text


async def test_a_step_up_has_chosen_what_the_person_chose_before(served: Served) -> None:
    client = await served.register()
    browser = served.browser()
    await consents_anew(served, browser, client, "users=read,booking=full,canceling=off")
    form = await browser.consent_form(served.request(client, scope="users:read scheduled_events:write webhooks:read"))
    assert form.levels.chosen == {
        "users": "read",
        "scheduled_events": "off",
        "invitee_data": "off",
        "booking": "full",
        "canceling": "off",
        "webhooks": "off",
    }


@pytest.mark.requirement("pages-of-the-person")
async def test_what_was_done_is_in_the_record(served: Served) -> None:
    await served.sign_in()
    browser, page = await own_page(served)
    await change(browser, page, "booking=off")
    await browser.send(page, f"{page.url.path}/disconnection")
    told = [entry.told for entry in await served.site.audit_log.recent()]
    assert any("changed what Agent may do (Booking is now “No”.)" in sentence for sentence in told)
    assert any("disconnected Agent" in sentence for sentence in told)
    assert any("signed in to the pages of this server" in sentence for sentence in told)


@dataclass(frozen=True)
class Owners:
    """The operator's view, and who sees it."""

    served: Served
    browser: Browser
    page: httpx2.Response


@pytest.fixture
async def owners(served: Served) -> Owners:
    """Make the first person an owner, and sign in."""
    email = next(iter(served.calendly.running.sandbox.records.users.values())).email
    served = serve(replace(served.site, owners=frozenset({email})), served.calendly)
    browser = served.browser()
    return Owners(served, browser, await browser.sign_in_to("/connections/all"))


@pytest.mark.requirement("own-agents", "owners-setting")
async def test_an_owner_sees_all_people_and_agents_and_may_end_any(owners: Owners) -> None:
    served, browser = owners.served, owners.browser
    assert "Nobody has connected an agent" in owners.page.text
    tokens = await served.sign_in(person=2)
    page = await browser.see("/connections/all")
    assert "“Priya Raman” let “Agent” in" in page.text
    assert re.search(r'<summary><bdi>Agent</bdi> .*<span class="since">since \d', page.text)  # several look alike
    address = re.search(r'href="(/connections/all\?person=[^"]+)"', page.text)
    assert address
    theirs = await browser.see(address[1])
    assert "What their agents did" in theirs.text
    assert "“Priya Raman” let “Agent” in" in theirs.text
    assert "Maya Lindqvist" not in theirs.text.partition("<footer>")[0]
    assert (await browser.see("/connections/all?person=nobody")).status_code == 404
    found = re.search(r'name="agent" value="(\w+)"', page.text)
    assert found
    after = await browser.send(page, "/connections/all", ("agent", found[1]))
    assert message_on(after) == "Agent is disconnected."
    assert not await served.is_live(tokens.access)
    gone = await browser.send(after, "/connections/all", ("agent", found[1]))
    assert gone.status_code == 404
    assert any(
        "an owner of this server disconnected Agent" in line.told for line in await served.site.audit_log.recent()
    )


@pytest.mark.requirement("own-agents", "owners-setting")
async def test_nobody_else_sees_that_there_is_such_a_view(owners: Owners) -> None:
    browser = owners.served.browser()
    page = await browser.sign_in_to("/connections/all", person=1)
    assert page.status_code == 404
    assert "There is no such agent among yours" in page.text
    own = await browser.see("/connections")
    assert "/connections/all" not in own.text
    assert "/connections/all" in (await owners.browser.see("/connections")).text
    assert (await browser.send(own, "/connections/all", ("agent", "x"))).status_code == 404
