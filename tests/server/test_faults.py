"""A hostile upstream against a whole server: the right kind of error, no write sent twice, and the next call works."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import pytest

from tests.hostile_upstream import (
    HostileUpstream,
    Step,
    answer,
    close_in_the_body,
    flood,
    raw,
    reset,
    reset_in_the_body,
    silence,
    silence_in_the_body,
)
from tests.server.desk import call, connected
from tests.virtual_time import VIRTUAL_TIME, Backend

TRIES = 3
"""How often a read is tried."""


@pytest.fixture(scope="module")
def anyio_backend() -> Backend:
    return VIRTUAL_TIME


@pytest.fixture
async def upstream() -> AsyncGenerator[HostileUpstream]:
    async with HostileUpstream.listen() as upstream:
        yield upstream


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with every request.

    Attributes:
        step: What the upstream does.
        read: What kind of error a read is answered with.
        write: And a write.
        tries: How often a read is sent.
    """

    step: Step
    read: str
    write: str
    tries: int = 1


HTML = b"<!doctype html><title>Oops</title>"
FAULTS = {
    "reset after the request": Fault(reset, "upstream_unreachable", "outcome_unknown", TRIES),
    "reset in the body": Fault(reset_in_the_body, "upstream_unreachable", "outcome_unknown", TRIES),
    "closed in the body": Fault(close_in_the_body, "upstream_unreachable", "outcome_unknown", TRIES),
    "no answer": Fault(silence, "upstream_unreachable", "outcome_unknown", 2),  # 30 s each, within the limit of 50
    "half an answer": Fault(silence_in_the_body, "upstream_unreachable", "outcome_unknown", 2),
    "no HTTP": Fault(raw(b"220 smtp.example ESMTP\r\n"), "upstream_unreachable", "outcome_unknown", TRIES),
    "an endless answer": Fault(flood, "upstream_error", "outcome_unknown"),
    "500 as HTML": Fault(answer(500, HTML), "upstream_error", "outcome_unknown", TRIES),
    "503 without a body": Fault(answer(503), "upstream_error", "outcome_unknown", TRIES),
    "501": Fault(answer(501, {"title": "Not Implemented"}), "upstream_error", "outcome_unknown"),
    "200 as HTML": Fault(answer(200, HTML), "upstream_error", "outcome_unknown"),
    "200 cut short": Fault(answer(200, b'{"resource": {"name": "Ad'), "upstream_error", "outcome_unknown"),
    "200 with a list": Fault(answer(200, []), "upstream_error", "outcome_unknown"),
    "200 without a resource": Fault(answer(200, {}), "upstream_error", "outcome_unknown"),
    "a redirect": Fault(answer(302, b"", location="https://evil.example/"), "upstream_error", "outcome_unknown"),
    "424": Fault(answer(424, {"title": "External Calendar Error"}), "upstream_error", "upstream_error"),
    "400": Fault(answer(400, {"title": "Invalid Argument"}), "invalid_argument", "invalid_argument"),
    "401": Fault(answer(401, {"title": "Unauthenticated"}), "unauthenticated", "unauthenticated"),
    "403": Fault(answer(403, {"title": "Permission Denied"}), "permission_denied", "permission_denied"),
    "404": Fault(answer(404, {"title": "Resource Not Found"}), "not_found", "not_found"),
    "404 as HTML": Fault(answer(404, HTML), "upstream_unreachable", "upstream_unreachable"),
    "409": Fault(answer(409, {"title": "Already Exists"}), "conflict", "conflict"),
    "418": Fault(answer(418), "invalid_argument", "invalid_argument"),
    "429 for an hour": Fault(answer(429, b"", retry_after="3600"), "rate_limited", "rate_limited"),
}

KIND = "b7e2c4d1-93af-4f08-8e65-1a2b3c4d5e6f"


def sent(upstream: HostileUpstream, method: str) -> int:
    return sum(request.method == method for request in upstream.requests)


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_read_fails_with_the_right_kind_and_the_next_one_works(upstream: HostileUpstream, fault: Fault) -> None:
    upstream.otherwise = fault.step
    async with connected(upstream) as client:
        assert (await call(client, "get_user", user="U1")).kind == fault.read
        assert sent(upstream, "GET") == fault.tries
        upstream.otherwise = answer(200, {"resource": {"name": "Ada"}})
        if fault.read != "rate_limited":
            assert (await call(client, "get_user", user="U1")).content == {"name": "Ada"}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
async def test_a_write_fails_with_the_right_kind_is_sent_once_and_the_next_one_works(
    upstream: HostileUpstream, fault: Fault
) -> None:
    upstream.will_to_writes(fault.step)
    async with connected(upstream) as client:
        assert (await call(client, "create_single_use_scheduling_link", owner=KIND)).kind == fault.write
        assert sent(upstream, "POST") == 1
        upstream.otherwise = answer(201, {"resource": {"booking_url": "https://calendly.com/d/1"}})
        if fault.write != "rate_limited":
            done = await call(client, "create_single_use_scheduling_link", owner=KIND)
            assert done.content == {"booking_url": "https://calendly.com/d/1"}
            assert sent(upstream, "POST") == 2


@pytest.mark.parametrize("name", ["get_user", "create_single_use_scheduling_link"])
async def test_where_nothing_listens_nothing_was_done(name: str) -> None:
    async with HostileUpstream.listen() as gone:
        pass
    async with connected(gone) as client:
        arguments = {"user": "U1"} if name == "get_user" else {"owner": KIND}
        assert (await call(client, name, **arguments)).kind == "upstream_unreachable"


@pytest.mark.parametrize("headers", [{"retry_after": "2"}, {}], ids=["with Retry-After", "without"])
async def test_a_429_is_waited_for_and_even_a_write_is_sent_again(
    upstream: HostileUpstream, headers: dict[str, str]
) -> None:
    made = answer(201, {"resource": {"booking_url": "https://calendly.com/d/1"}})
    upstream.will_to_writes(answer(429, b"", **headers), made)
    async with connected(upstream) as client:
        assert (await call(client, "create_single_use_scheduling_link", owner=KIND)).kind == "answered"
    assert sent(upstream, "POST") == 2


async def test_fields_that_are_new_missing_or_of_another_type_do_no_harm(upstream: HostileUpstream) -> None:
    upstream.otherwise = answer(200, {"resource": {"novelty": {"deep": [None]}, "name": 7, "email": None}})
    async with connected(upstream) as client:
        answered = await call(client, "get_user", user="U1", detail="full")
    assert answered.content["novelty"] == {"deep": [None]}
    assert answered.content["unrecognized"] == {"name": 7}


async def test_pages_without_an_end_end_where_the_agent_said(upstream: HostileUpstream) -> None:
    page = {"collection": [{"name": "Intro"}], "pagination": {"next_page_token": "again"}}
    upstream.otherwise = answer(200, page)
    async with connected(upstream, rate_limit="1000") as client:
        answered = await call(client, "list_event_types", user="U1", max_pages=50)
    assert answered.kind == "answered"
    assert len(upstream.requests) <= 50


async def test_half_a_character_is_passed_on_as_a_whole_one(upstream: HostileUpstream) -> None:
    upstream.otherwise = answer(200, rb'{"resource": {"name": "\ud800"}}')
    async with connected(upstream) as client:
        assert (await call(client, "get_user", user="U1")).content["name"] == "\ufffd"
