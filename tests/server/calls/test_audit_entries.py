"""What is recorded of calls: the decision before anything is sent, the end, and a sentence for both."""

import json
from collections.abc import AsyncGenerator, Generator

import anyio
import pytest

from auth.access.levels import LOCAL, Decision, Limits
from auth.audit.entries import AuditEntry, facts
from auth.audit.log import AuditLog, AuditNote
from calendly.errors import NotFound
from calendly.request import Account, PersonalToken, Request
from server.calls.audit_entries import AuditedDecision, CallRecord
from server.calls.principal import AuditedAgent, Principal
from tests.audit_log import NOW, Shelf, audit_log_in_memory
from tests.hostile_upstream import HostileUpstream, answer
from tests.server.desk import EVENT, Era, Person, call, connected, me
from tools import ALL
from tools.endpoints.scheduled_events import cancel_scheduled_event
from tools.toolset.errors import NotRecorded
from tools.toolset.tool import Tool, endpoint_of

LINK = "create_single_use_scheduling_link"
KIND = "https://api.calendly.com/event_types/T1"
MADE = answer(201, {"resource": {"booking_url": "https://calendly.com/d/1"}})
CANCELED = answer(201, {"resource": {"canceled_by": "Ada"}})
ERAS: list[Era] = ["legacy", "2026-07-28"]


@pytest.fixture
async def upstream() -> AsyncGenerator[HostileUpstream]:
    async with HostileUpstream.listen() as upstream:
        yield upstream


@pytest.fixture
def shelf() -> Generator[Shelf]:
    """Where calls are recorded; whatever happens, an entry has a sentence of its own."""
    shelf = Shelf()
    yield shelf
    for entry in shelf.entries:
        assert json.dumps(facts(entry))
        assert entry.sentence[0] != " "
        assert "None" not in entry.sentence


def told(shelf: Shelf) -> list[str]:
    """The sentences, in the order in which they were stored."""
    return [entry.sentence for entry in shelf.entries]


async def test_a_read_is_one_entry_with_what_it_found(upstream: HostileUpstream, shelf: Shelf) -> None:
    upstream.will(me(), answer(200, {"collection": [{"uri": KIND}, {"uri": KIND}], "pagination": {}}))
    async with connected(upstream, shelf=shelf) as client:
        await call(client, "list_event_types")
    (entry,) = shelf.entries
    assert entry.sentence == f"mcp listed the event types of {entry.person}: allowed, 2 found"
    assert entry.organization == "https://api.calendly.com/organizations/O1"
    assert (entry.kind, entry.action, entry.decision, entry.source) == ("ended", "read", "allowed", "operator")
    assert entry.duration is not None


@pytest.mark.requirement("audit-settings")
async def test_no_field_holds_an_address_in_clear_or_what_cannot_be_seen(
    upstream: HostileUpstream, shelf: Shelf
) -> None:
    unseen = "\u202e\x07\u200b\U000e0041"
    upstream.otherwise = answer(200, {"collection": [], "pagination": {}})
    async with connected(upstream, shelf=shelf) as client:
        for tool, arguments in (
            ("get_user", {"user": f"olga{unseen}@b.example"}),
            ("get_user", {"user": "Olga Secret"}),
            ("list_event_types", {"user": "olga@b.example"}),
            ("get_event_type", {"event_type": f"olga@b.example{unseen}"}),
            ("get_scheduled_event", {"scheduled_event": "https://calendly.com/olga%40b.example"}),
            ("list_scheduled_events", {"invitee_email": "olga@b.example", "status": "active"}),
        ):
            await call(client, tool, **arguments)
    log = audit_log_in_memory(shelf)
    await log.note(
        AuditNote(
            action="register",
            told="{agent} registered itself",
            agent=f"Mail{unseen} for olga@b.example",
            rule=f"it came\nfrom olga%40b.example{unseen}",
        )
    )
    assert len(shelf.entries) == 7
    for entry in shelf.entries:
        recorded = json.dumps(facts(entry), ensure_ascii=False).lower()
        assert "olga" not in recorded
        assert recorded.isprintable()


async def test_the_decision_about_a_write_is_stored_before_anything_is_sent(
    upstream: HostileUpstream, shelf: Shelf
) -> None:
    upstream.otherwise = MADE
    async with connected(upstream, shelf=shelf) as client:
        await call(client, LINK, owner=KIND)
    assert told(shelf) == [
        "mcp began to create a single-use link for the event type T1: allowed",
        "mcp created a single-use link for the event type T1: allowed",
    ]
    begun, ended = shelf.entries
    assert (begun.kind, ended.kind) == ("begun", "ended")
    assert begun.request_id == ended.request_id
    assert ended.resource == KIND


async def test_what_cannot_be_recorded_is_not_sent(upstream: HostileUpstream, shelf: Shelf) -> None:
    shelf.fault = "The disk is full."
    upstream.otherwise = MADE
    async with connected(upstream, shelf=shelf) as client:
        refused = await call(client, LINK, owner=KIND)
        assert refused.kind == "access_denied_by_policy"
        assert "The disk is full." in refused.error["message"]
        assert all(request.method == "GET" for request in upstream.requests)
        shelf.fault = None
        assert (await call(client, LINK, owner=KIND)).kind == "answered"
    assert told(shelf)[0].endswith("T1: refused, the audit log cannot be written")


async def test_a_booking_that_could_not_be_recorded_can_be_made_with_the_same_key_later(
    upstream: HostileUpstream, shelf: Shelf
) -> None:
    booking = {
        "event_type": KIND,
        "start_time": "2027-01-01T10:00:00Z",
        "invitee": {"name": "Anna", "email": "anna@b.example", "timezone": "Europe/Berlin"},
        "idempotency_key": "k1",
    }
    upstream.otherwise = answer(201, {"resource": {"uri": f"{EVENT}/invitees/I1"}})
    async with connected(upstream, shelf=shelf) as client:
        shelf.fault = "The disk is full."
        assert (await call(client, "create_event_invitee", **booking)).kind == "access_denied_by_policy"
        shelf.fault = None
        assert (await call(client, "create_event_invitee", **booking)).kind == "answered"
    assert [request.method for request in upstream.requests].count("POST") == 1


@pytest.mark.parametrize("era", ERAS)
async def test_a_call_that_a_person_confirmed_says_so(upstream: HostileUpstream, shelf: Shelf, era: Era) -> None:
    upstream.otherwise = CANCELED
    async with connected(upstream, era, person=Person(hesitates=2), shelf=shelf) as client:
        await call(client, "cancel_scheduled_event", scheduled_event=EVENT, reason="Ill.")
    assert told(shelf)[-1] == "mcp canceled the scheduled event E1: allowed, confirmed by a person"
    assert shelf.entries[-1].rule == "canceling is ask"
    asked = [entry for entry in shelf.entries if entry.decision == "asked"]
    assert len(asked) == (era == "2026-07-28")


async def test_a_call_that_a_person_declined_says_so(upstream: HostileUpstream, shelf: Shelf) -> None:
    upstream.otherwise = CANCELED
    async with connected(upstream, person=Person("decline"), shelf=shelf) as client:
        await call(client, "cancel_scheduled_event", scheduled_event=EVENT)
    told_of = "mcp tried to cancel the scheduled event E1: a person was asked and did not agree"
    assert (told(shelf), shelf.entries[0].decision) == ([told_of], "declined")


async def test_the_word_of_an_agent_is_told_from_a_persons(upstream: HostileUpstream, shelf: Shelf) -> None:
    upstream.otherwise = CANCELED
    async with connected(upstream, shelf=shelf) as client:
        first = await call(client, "cancel_scheduled_event", scheduled_event=EVENT)
        token = first.error["confirmation"]
        await call(client, "cancel_scheduled_event", scheduled_event=EVENT, confirmation=token)
    assert told(shelf)[0].endswith("E1: a person is to be asked first, canceling is ask")
    assert told(shelf)[-1].endswith("E1: allowed, confirmed by the agent's word")
    assert all(token not in json.dumps(facts(entry)) for entry in shelf.entries)


async def test_a_dry_run_is_told_from_a_write(upstream: HostileUpstream, shelf: Shelf) -> None:
    async with connected(upstream, shelf=shelf) as client:
        await call(client, LINK, owner=KIND, dry_run=True)
    (entry,) = shelf.entries
    assert (entry.action, entry.decision, entry.outcome) == ("dry_run", "tried", "answered")
    assert entry.sentence == "mcp tried out to create a single-use link for the event type T1: nothing was sent"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"access": "canceling=off"}, "event: refused, canceling is off (the operator's rule)"),
        ({"read_only": "true"}, "event: refused, the server is read-only (the operator's rule)"),
        ({"access": "canceling=full"}, "allowed, not found (404)"),
    ],
)
async def test_refusals_and_failures_say_why(
    upstream: HostileUpstream, shelf: Shelf, settings: dict[str, str], sentence: str
) -> None:
    upstream.otherwise = answer(404, {"title": "Not Found"})
    async with connected(upstream, "legacy", person=None, shelf=shelf, **settings) as client:
        await call(client, "cancel_scheduled_event", scheduled_event=EVENT)
    assert told(shelf)[-1].endswith(sentence)


async def test_a_fault_of_ours_and_a_call_that_is_canceled_are_recorded(shelf: Shelf) -> None:
    audit_log = audit_log_in_memory(shelf)
    broken, left = call_record(audit_log, tool("get_user")), call_record(audit_log, tool("get_user"))
    broken.failed(ZeroDivisionError())
    broken.close()
    left.close()
    await audit_log.recent()
    assert [entry.outcome for entry in shelf.entries] == ["internal_error", "canceled"]


def tool(name: str) -> Tool:
    """A tool."""
    return next(tool for tool in ALL if tool.name == name)


def call_record(audit_log: AuditLog, called: Tool) -> CallRecord:
    """The audit entries of a call."""
    account = Account("https://api.calendly.com/users/U1", "", PersonalToken("secret"))
    return CallRecord(
        audit_log=audit_log,
        request_id="the call",
        time=NOW,
        tool=called,
        principal=Principal(
            account=account, limits=Limits(ceiling=LOCAL), agent=AuditedAgent("Claude", "registered", "g1")
        ),
        transport="http",
        clock=lambda: 0.0,
        started=0.0,
        identity=lambda: None,
    )


async def written(audit_log: AuditLog, fails: type[Exception] | None = None) -> None:
    """A write made from inside another tool."""
    cancel = tool("cancel_scheduled_event")
    outer = call_record(audit_log, tool("get_user"))
    outer.decided(AuditedDecision(cancel, Decision("ask", "canceling is ask", "person"), "by a person"))
    async with outer.sending(
        Request(endpoint_of(cancel_scheduled_event).endpoint, {"scheduled_event": "E1"}, body={"reason": "Ill."})
    ):
        if fails is not None:
            raise fails("There is none.")
    outer.close()


def of_cancellation(shelf: Shelf) -> list[AuditEntry]:
    """The entries of the write."""
    return [entry for entry in shelf.entries if entry.tool == "cancel_scheduled_event"]


async def test_a_write_from_inside_another_tool_has_entries_of_its_own(shelf: Shelf) -> None:
    audit_log = audit_log_in_memory(shelf)
    await written(audit_log)
    await audit_log.recent()
    begun, ended = of_cancellation(shelf)
    assert begun.request_id == ended.request_id != "the call"
    assert begun.sentence == "Claude began to cancel the scheduled event E1: allowed, confirmed by a person"
    assert ended.sentence == "Claude canceled the scheduled event E1: allowed, confirmed by a person"
    assert (ended.resource, ended.grant, ended.rule) == ("E1", "g1", "canceling is ask")
    assert shelf.entries[-1].tool == "get_user"


async def test_a_write_from_inside_another_tool_that_fails_says_so(shelf: Shelf) -> None:
    audit_log = audit_log_in_memory(shelf)
    with pytest.raises(NotFound):
        await written(audit_log, NotFound)
    await audit_log.recent()
    assert of_cancellation(shelf)[-1].sentence.endswith("confirmed by a person, not found")


async def test_a_write_from_inside_another_tool_that_cannot_be_recorded_is_not_sent(shelf: Shelf) -> None:
    shelf.fault = "The disk is full."
    with pytest.raises(NotRecorded, match=r"^Nothing was sent, .* The disk is full\.$"):
        await written(audit_log_in_memory(shelf))
    await anyio.lowlevel.checkpoint()
    assert shelf.entries == []
