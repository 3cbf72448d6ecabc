"""Trying a writing call: the very bytes that would be sent, and nothing done."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx2
import pytest

from tests.cases import each
from tests.hostile_upstream import HostileUpstream, Received, Wire, answer
from tests.server.desk import Era, Person, call, connected, me
from tests.tools.facts import FACTS, fact_of, required_arguments, shape
from tools import ENDPOINTS, EndpointTool

WRITING = [tool for tool in ENDPOINTS if tool.access == "write"]
BOOKING: dict[str, Any] = {
    "event_type": "https://api.calendly.com/event_types/E1",
    "start_time": "2026-12-01T10:00:00Z",
    "invitee": {"name": "Zoë \U0001f98a", "email": "zoe@example.com", "timezone": "Europe/London"},
    "event_guests": ["guest@example.com"],
}
CANCEL = "cancel_scheduled_event"


async def examples(request: Received, wire: Wire) -> None:
    """Answer as Calendly's documentation has it; the caller is somebody else than in its examples."""
    if request.path == "/users/me":
        await me()(request, wire)
        return
    for fact in FACTS:
        if fact["method"] == request.method and _fits(shape(fact["path"]), request.path):
            await answer(fact["success_status"], fact["example_response"] or {})(request, wire)
            return
    await answer(404, {"title": "Resource Not Found"})(request, wire)


def _fits(template: str, path: str) -> bool:
    parts, given = template.split("/"), path.split("/")
    return len(parts) == len(given) and all(part in ("{}", one) for part, one in zip(parts, given, strict=True))


@pytest.fixture
async def upstream() -> AsyncGenerator[HostileUpstream]:
    async with HostileUpstream.listen() as upstream:
        upstream.otherwise = examples
        yield upstream


def written(upstream: HostileUpstream) -> list[Received]:
    return [request for request in upstream.requests if request.method != "GET"]


@pytest.mark.requirement("parameters-dry-run")
@each("tool", WRITING)
async def test_what_is_shown_is_what_is_then_asked_and_sent_byte_for_byte(
    upstream: HostileUpstream, tool: EndpointTool
) -> None:
    upstream.requests.clear()
    person = Person()
    arguments = BOOKING if tool.capability == "booking" else required_arguments(tool)
    async with connected(upstream, person=person, toolsets="all") as client:
        tried = await call(client, tool.name, **arguments, dry_run=True)
        assert tried.kind == "answered", tried.content
        assert (written(upstream), person.questions) == ([], [])
        await call(client, tool.name, **arguments)
    [sent] = written(upstream)
    text: Any = tried.result.content[0]
    shown = json.loads(text.text)["dry_run"]
    as_shown = httpx2.Request(shown["method"], f"{upstream.origin}{shown['path']}", json=shown["body"])
    assert (sent.method, sent.target) == (as_shown.method, as_shown.url.raw_path.decode())
    assert sent.body == (b"" if shown["body"] is None else as_shown.content)
    assert (shown["body"] is None) == (fact_of(tool)["body"] is None)
    assert tried.content["dry_run"] == shown
    assert bool(person.questions) == shown["must_be_confirmed"]
    if person.questions:
        assert shown["effects"] == f"Unless Calendly refuses it, this call would: {person.questions[0]}"


@pytest.mark.parametrize("era", ["legacy", "2026-07-28"])
async def test_nobody_is_asked_and_no_confirmation_is_spent(upstream: HostileUpstream, era: Era) -> None:
    person = Person()
    arguments = {"scheduled_event": "E1", "reason": "Ill."}
    async with connected(upstream, era, person=person) as client:
        tried = await call(client, CANCEL, **arguments, dry_run=True)
    assert tried.content["dry_run"]["must_be_confirmed"] is True
    assert person.questions == []
    async with connected(upstream, era) as client:
        token = (await call(client, CANCEL, **arguments)).error["confirmation"]
        for _ in range(2):
            await call(client, CANCEL, **arguments, confirmation=token, dry_run=True)
        assert written(upstream) == []
        assert (await call(client, CANCEL, **arguments, confirmation=token)).kind == "answered"
    assert len(written(upstream)) == 1


async def test_effects_promise_nothing(upstream: HostileUpstream) -> None:
    async with connected(upstream) as client:
        tried = await call(client, "create_event_invitee", **BOOKING, dry_run=True)
    assert tried.content["dry_run"]["effects"].startswith("Unless Calendly refuses it, this call would: Book ")
    assert tried.content["dry_run"]["must_be_confirmed"] is False


async def test_a_key_that_stands_for_an_earlier_call_is_said_to_send_nothing(upstream: HostileUpstream) -> None:
    async with connected(upstream) as client:
        await call(client, "create_event_invitee", **BOOKING, idempotency_key="k")
        again = await call(client, "create_event_invitee", **BOOKING, idempotency_key="k", dry_run=True)
        other: dict[str, Any] = {**BOOKING, "event_guests": []}
        taken = await call(client, "create_event_invitee", **other, idempotency_key="k", dry_run=True)
    assert again.content["dry_run"]["effects"].startswith("Nothing would be sent: ")
    assert set(again.content["dry_run"]) == {"effects", "must_be_confirmed"}
    assert taken.kind == "conflict"
    assert len(written(upstream)) == 1


@pytest.mark.parametrize(
    ("access", "read_only", "exclude_tools"), [("canceling=off", "false", ""), ("", "true", ""), ("", "false", CANCEL)]
)
async def test_what_is_off_cannot_be_tried_either(
    upstream: HostileUpstream, access: str, read_only: str, exclude_tools: str
) -> None:
    async with connected(upstream, access=access, read_only=read_only, exclude_tools=exclude_tools) as client:
        assert (await call(client, CANCEL, scheduled_event="E1", dry_run=True)).kind == "access_denied_by_policy"
    assert upstream.requests == []


async def test_a_day_that_is_full_is_told_to_whoever_tries_and_nobody_is_asked(upstream: HostileUpstream) -> None:
    person = Person()
    async with connected(upstream, person=person, access="booking=ask:per_day=1") as client:
        assert (await call(client, "create_event_invitee", **BOOKING)).kind == "answered"
        tried = await call(client, "create_event_invitee", **BOOKING, dry_run=True)
        asked = await call(client, "create_event_invitee", **BOOKING)
    assert tried.kind == asked.kind == "access_denied_by_policy"
    assert "booking is limited to 1 within 24 hours; the next one is possible at 20" in asked.error["message"]
    assert "Whoever started this server can change that" in asked.error["message"]
    assert len(person.questions) == len(written(upstream)) == 1


async def test_where_invitee_data_is_off_calendlys_own_words_repeat_no_address(upstream: HostileUpstream) -> None:
    said = {
        "title": "Invalid Argument",
        "message": "lee@acme.example has this slot",
        "details": [{"parameter": "invitee.email", "message": "taken by lee@acme.example"}],
    }
    for access, told in (("invitee_data=read", True), ("invitee_data=off", False)):
        upstream.will_to_writes(answer(400, said))
        async with connected(upstream, access=access) as client:
            refused = await call(client, "create_event_invitee", **BOOKING)
        assert refused.kind == "invalid_argument"
        assert ("lee@acme.example" in f"{refused.content}{refused.result.content}") is told
        assert refused.content.get("withheld") == (None if told else ["invitee_data"])


async def test_a_booking_whose_answer_was_lost_is_found_whatever_the_agent_may_read(upstream: HostileUpstream) -> None:
    event = {
        "uri": "https://api.calendly.com/scheduled_events/E9",
        "event_type": BOOKING["event_type"],
        "start_time": BOOKING["start_time"],
    }
    invitee = {"uri": f"{event['uri']}/invitees/I1", "event": event["uri"], "email": "zoe@example.com", "name": "Zoë"}
    upstream.otherwise = answer(404, {})
    upstream.will_to_writes(answer(500, b""))
    upstream.will(answer(404, {}), answer(404, {}), answer(404, {}), me())
    upstream.will(answer(200, {"collection": [event]}), answer(200, {"collection": [invitee]}))
    off = "invitee_data=off,scheduled_events=off,event_types=off,users=off"
    async with connected(upstream, access=off) as client:
        found = await call(client, "create_event_invitee", **BOOKING)
    unchecked = ["location", "questions", "open times"]
    named = {"uri": invitee["uri"], "event": event["uri"]}
    yours = {"of": "you", "timezone": "Europe/Berlin", "start": "Tue 2026-12-01 11:00"}
    named["scheduled_event"] = {"start_time": BOOKING["start_time"], "local_times": [yours]}
    assert found.content == {**named, "unchecked": unchecked, "withheld": ["invitee_data"]}
