"""Calls through a whole server in this process, in virtual time, against an upstream that does what it is told."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from server.calls.caller import LEAST_LIMIT
from server.stores.proof import LIFETIME
from tests.audit_log import Shelf
from tests.hostile_upstream import HostileUpstream, Received, Wire, answer, drip, silence
from tests.rate_limited_upstream import RateLimit
from tests.server.desk import EVENT, Era, Form, Person, call, connected, me
from tests.virtual_time import VIRTUAL_TIME, Backend

ERAS: list[Era] = ["legacy", "2026-07-28"]
ASKING = "cancel_scheduled_event"
CANCELLATION = "POST /scheduled_events/E1/cancellation"
UNSHOWN = "This client did not show the question to its user. Cancel "


@pytest.fixture(scope="module")
def anyio_backend() -> Backend:
    return VIRTUAL_TIME


@pytest.fixture
async def upstream() -> AsyncGenerator[HostileUpstream]:
    async with HostileUpstream.listen() as upstream:
        yield upstream


def now() -> float:
    return asyncio.get_running_loop().time()


def sent(upstream: HostileUpstream) -> list[str]:
    return [f"{request.method} {request.path}" for request in upstream.requests]


@pytest.mark.requirement("time-limit")
@pytest.mark.parametrize("name", ["get_user", "create_single_use_scheduling_link"])
async def test_a_call_is_answered_within_its_limit_whatever_calendly_does(upstream: HostileUpstream, name: str) -> None:
    upstream.otherwise = drip(1.0)
    arguments = {"user": "U1"} if name == "get_user" else {"owner": "https://api.calendly.com/event_types/E1"}
    async with connected(upstream) as client:
        started = now()
        failed = await call(client, name, **arguments)
    assert now() - started <= LEAST_LIMIT
    assert failed.kind == ("upstream_unreachable" if name == "get_user" else "outcome_unknown")


@pytest.mark.requirement("time-limit-raised")
async def test_a_call_may_wait_longer_where_the_operator_allows_it(upstream: HostileUpstream) -> None:
    upstream.otherwise = RateLimit(limit=1).step
    async with connected(upstream, rate_limit="1", max_wait="600") as client:
        answers = [await call(client, "get_user", user=f"U{number}") for number in range(3)]
    assert [each.kind for each in answers] == ["answered"] * 3
    assert now() > LEAST_LIMIT


@pytest.mark.requirement("max-wait-setting")
async def test_a_call_that_cannot_start_in_time_is_told_when_to_come_back(upstream: HostileUpstream) -> None:
    upstream.otherwise = RateLimit(limit=1).step
    async with connected(upstream, rate_limit="1", max_wait="5") as client:
        await call(client, "get_user", user="U1")
        refused = await call(client, "get_user", user="U2")
    assert refused.kind == "rate_limited"
    assert refused.error["retry_after"] > 5
    assert "status" not in refused.error


@pytest.mark.requirement("progress")
@pytest.mark.parametrize("era", ERAS)
async def test_a_call_that_waits_reports_progress(upstream: HostileUpstream, era: Era) -> None:
    upstream.otherwise = RateLimit(limit=1).step
    heard: list[tuple[float, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        assert total is not None
        assert progress <= total
        heard.append((progress, message))

    async with connected(upstream, era, rate_limit="1", max_wait="90") as client:
        await client.call_tool("get_user", {"user": "U1"})
        await client.call_tool("get_user", {"user": "U2"}, progress_callback=hear)
    steps = [progress for progress, _ in heard]
    assert len(steps) > 3
    assert steps == sorted(set(steps))
    assert all("for a turn under Calendly's rate limit" in str(message) for _, message in heard)


@pytest.mark.requirement("defaults-person")
async def test_whose_the_token_is_is_asked_once(upstream: HostileUpstream) -> None:
    upstream.will(me())
    upstream.otherwise = answer(200, {"collection": [], "pagination": {}})
    async with connected(upstream) as client:
        for _ in range(3):
            await call(client, "list_scheduled_events")
            await asyncio.sleep(60)
    assert sent(upstream) == ["GET /users/me", *["GET /scheduled_events"] * 3]


@pytest.mark.requirement("defaults-unknown")
async def test_a_token_that_may_not_say_whose_it_is_is_answered_with_what_to_pass(upstream: HostileUpstream) -> None:
    upstream.otherwise = answer(
        403, {"title": "Insufficient scope", "message": "Not yours.", "required_scopes": ["users:read"]}
    )
    async with connected(upstream) as client:
        refused = await call(client, "list_scheduled_events")
    assert refused.kind == "insufficient_scope"
    assert refused.error["required_scopes"] == ["users:read"]
    assert "pass `user` and `organization`" in str(refused.result.content)


@pytest.mark.parametrize(
    "body", [{}, {"resource": []}, {"resource": {}}, {"resource": {"uri": "https://evil.example"}}]
)
async def test_an_answer_that_does_not_say_whose_the_token_is_is_an_error_of_calendlys(
    upstream: HostileUpstream, body: object
) -> None:
    upstream.otherwise = answer(200, body)
    async with connected(upstream) as client:
        assert (await call(client, "list_scheduled_events")).kind == "upstream_error"


@pytest.mark.requirement("asked-first", "error-switched-off", "every-call-decided")
async def test_a_tool_that_is_off_is_refused_by_its_capability_before_anything_is_sent(
    upstream: HostileUpstream,
) -> None:
    async with connected(upstream, access="canceling=off") as client:
        refused = await call(client, ASKING, scheduled_event=EVENT)
    assert refused.kind == "access_denied_by_policy"
    assert "canceling is off" in refused.error["message"]
    assert upstream.requests == []


async def test_a_question_says_less_where_reading_is_off(upstream: HostileUpstream) -> None:
    person = Person("decline")
    async with connected(upstream, person=person, access="scheduled_events=off,invitee_data=off") as client:
        assert (await call(client, ASKING, scheduled_event=EVENT)).kind == "declined"
    assert "Meeting: E1" in person.questions[0]
    assert [request.path for request in upstream.requests] == ["/scheduled_events/E1"]  # whether there is one


async def test_a_level_of_full_asks_nobody(upstream: HostileUpstream) -> None:
    person = Person()
    async with connected(upstream, person=person, access="canceling=full") as client:
        await call(client, ASKING, scheduled_event=EVENT)
    assert person.questions == []
    assert sent(upstream) == [CANCELLATION]


async def test_a_person_who_does_not_answer_leaves_time_for_an_error(upstream: HostileUpstream) -> None:
    person = Person(hesitates=3600)
    async with connected(upstream, person=person) as client:
        started = now()
        unanswered = await call(client, ASKING, scheduled_event=EVENT)
    assert unanswered.kind == "confirmation_required"
    assert now() - started <= LEAST_LIMIT
    assert CANCELLATION not in sent(upstream)


@pytest.mark.parametrize("era", ERAS)
async def test_a_confirmation_expires(upstream: HostileUpstream, era: Era) -> None:
    async with connected(upstream, era) as client:
        token = (await call(client, ASKING, scheduled_event=EVENT)).error["confirmation"]
        await asyncio.sleep(LIFETIME.total_seconds() + 1)
        late = await call(client, ASKING, scheduled_event=EVENT, confirmation=token)
    assert late.kind == "confirmation_required"
    assert late.error["message"].startswith("The confirmation has expired. Cancel ")
    assert late.error["confirmation"] != token
    assert CANCELLATION not in sent(upstream)


async def test_a_person_who_answers_too_late_is_asked_again(upstream: HostileUpstream) -> None:
    person = Person(hesitates=LIFETIME.total_seconds() + 1)
    async with connected(upstream, "2026-07-28", person=person) as client:
        with pytest.raises(RuntimeError, match="InputRequired"):
            await client.call_tool(ASKING, {"scheduled_event": EVENT})
    assert len(person.questions) > 1
    assert person.questions[1].startswith("The confirmation has expired. ")
    assert CANCELLATION not in sent(upstream)


async def test_a_call_that_the_client_cancels_is_cancelled_upstream(upstream: HostileUpstream) -> None:
    came, gone = asyncio.Event(), asyncio.Event()

    async def watched(request: Received, wire: Wire) -> None:
        came.set()
        await silence(request, wire)
        gone.set()

    upstream.otherwise = watched
    async with connected(upstream) as client:
        calling = asyncio.create_task(client.call_tool("get_user", {"user": "U1"}))
        await came.wait()
        calling.cancel()
        await gone.wait()


async def test_a_look_up_waits_as_long_as_the_call_may_take(upstream: HostileUpstream) -> None:
    upstream.will_to_writes(answer(500, b"<html>"))
    upstream.otherwise = answer(404, {})
    async with connected(upstream, access="booking=full") as client:
        unknown = await call(
            client,
            "create_event_invitee",
            event_type="https://api.calendly.com/event_types/E1",
            start_time="2026-12-01T10:00:00Z",
            invitee={"name": "Ada", "email": "ada@example.com", "timezone": "Europe/London"},
        )
    assert unknown.kind == "outcome_unknown"
    assert sent(upstream).count("POST /invitees") == 1
    assert 5 < now() <= LEAST_LIMIT


@pytest.mark.requirement("asked-first")
@pytest.mark.parametrize("era", ERAS)
async def test_only_the_affirmative_choice_of_the_form_is_consent(upstream: HostileUpstream, era: Era) -> None:
    forms: list[Form | None] = [
        None,
        {},
        {"approve": None},
        {"approve": "true"},
        {"approve": 1},
        {"approve": True, "more": 1},
    ]
    for content in forms:
        person = Person(content=content, hesitates=2)
        async with connected(upstream, era, person=person) as client:
            told = await call(client, ASKING, scheduled_event=EVENT)
        assert told.kind == "confirmation_required", content
        assert told.error["message"].startswith(UNSHOWN)
    async with connected(upstream, era, person=Person(content={"approve": False}, hesitates=2)) as client:
        assert (await call(client, ASKING, scheduled_event=EVENT)).kind == "declined"
    assert CANCELLATION not in sent(upstream)


@pytest.mark.requirement("asked-first")
@pytest.mark.parametrize("era", ERAS)
async def test_a_no_that_no_person_had_the_time_to_read_is_the_clients_and_told_so(
    upstream: HostileUpstream, era: Era, shelf: Shelf
) -> None:
    for person in (
        Person("decline", hesitates=0.4),
        Person("cancel", hesitates=0.4),
        Person(content={"approve": False}, hesitates=0.4),
    ):
        async with connected(upstream, era, person=person, shelf=shelf) as client:
            told = await call(client, ASKING, scheduled_event=EVENT)
            assert told.kind == "confirmation_required"
            assert told.error["message"].startswith(UNSHOWN)
            again = await call(client, ASKING, scheduled_event=EVENT, confirmation=told.error["confirmation"])
            assert again.kind != "confirmation_required"


@pytest.mark.requirement("asked-first")
@pytest.mark.parametrize("era", ERAS)
async def test_the_audit_log_tells_a_person_a_client_and_an_agent_apart(
    upstream: HostileUpstream, era: Era, shelf: Shelf
) -> None:
    async with connected(upstream, era, person=Person(hesitates=2), shelf=shelf) as client:
        await call(client, ASKING, scheduled_event=EVENT)
    async with connected(upstream, era, person=Person(hesitates=0), shelf=shelf) as client:
        await call(client, ASKING, scheduled_event=EVENT)
    async with connected(upstream, era, person=Person("decline", hesitates=0.1), shelf=shelf) as client:
        await call(client, ASKING, scheduled_event=EVENT)
    confirmed = [entry.confirmed for entry in shelf.entries if entry.confirmed]
    assert set(confirmed) == {"by a person", "by the client, sooner than a person can read"}
    assert any("the client did not show the question" in entry.sentence for entry in shelf.entries)


async def test_a_person_without_an_organization_is_answered_where_none_is_needed(upstream: HostileUpstream) -> None:
    empty: dict[str, object] = {"collection": [], "pagination": {}}
    upstream.will(me(current_organization=None))
    upstream.otherwise = answer(200, empty)
    async with connected(upstream) as client:
        for name in ("get_agenda", "list_scheduled_events", "list_event_types", "list_organization_memberships"):
            assert (await call(client, name)).kind == "answered"
        needed = await call(client, "list_event_types", organization="mine")
    assert needed.kind == "invalid_argument"
    assert "organization: Calendly names no organization of this person: pass its URI." in str(needed.error)
