import asyncio
import json
import logging
import traceback

import pytest

from calendly.endpoint import Endpoint, Method
from calendly.errors import (
    CalendlyError,
    InvalidArgument,
    OutcomeUnknown,
    RateLimited,
    Unauthenticated,
    Unreachable,
)
from calendly.request import Request
from tests.calendly.desk import BOOKING, DELETE, READ, WRITE, Desk, open_desk
from tests.calendly.tokens import Token
from tests.hostile_upstream import answer, late, reset, silence
from tests.rate_limited_upstream import RateLimit


async def test_a_read_is_sent_as_described_and_answered_with_calendlys_object(desk: Desk) -> None:
    desk.upstream.will(answer(200, {"resource": {"name": "Dana"}}))
    request = Request(Endpoint("GET", "/users/{user}"), {"user": "U/1"}, {"a": "x y&", "b": None, "c": True})
    assert await desk.send(request) == {"resource": {"name": "Dana"}}
    [sent] = desk.upstream.requests
    assert (sent.method, sent.target, sent.body) == ("GET", "/users/U%2F1?a=x+y%26&c=true", b"")
    assert sent.token == "secret-token"
    assert sent.headers["user-agent"] == "calendly-mcp-server/0"
    assert sent.headers["accept"] == "application/json"


async def test_a_write_carries_its_body_as_json(desk: Desk) -> None:
    await desk.send(Request(Endpoint("POST", "/invitees"), body={"name": "Zo\u00eb", "n": None}))
    [sent] = desk.upstream.requests
    assert json.loads(sent.body) == {"name": "Zo\u00eb", "n": None}
    assert sent.headers["content-type"] == "application/json"


async def test_a_delete_is_answered_with_nothing(desk: Desk) -> None:
    desk.upstream.will(answer(204))
    assert await desk.send(DELETE) == {}
    assert desk.upstream.requests[0].path == "/webhook_subscriptions/W"


async def test_one_connection_serves_many_requests(desk: Desk) -> None:
    for _ in range(5):
        await desk.send()
    assert desk.upstream.connections == 1


@pytest.mark.requirement("identity-everywhere")
async def test_cookies_of_one_user_never_reach_another(desk: Desk) -> None:
    desk.upstream.will(answer(200, {"resource": {}}, set_cookie="session=1; Path=/"))
    await desk.send(user="one")
    await desk.send(user="two")
    assert "cookie" not in desk.upstream.requests[1].headers


# Refreshing the token


@pytest.mark.requirement("connection-401")
@pytest.mark.parametrize("request_", [READ, WRITE, DELETE])
async def test_a_refused_token_is_refreshed_once_and_the_request_sent_again(desk: Desk, request_: Request) -> None:
    desk.credentials = Token("old", ["new"])
    desk.upstream.will(answer(401, {"title": "Unauthenticated"}))
    assert await desk.send(request_) == {"resource": {}}
    assert desk.upstream.tokens == ["old", "new"]


@pytest.mark.requirement("connection-401")
async def test_a_token_that_is_refused_again_is_not_refreshed_again(desk: Desk) -> None:
    token = desk.credentials = Token("old", ["new", "newer"])
    desk.upstream.otherwise = answer(401, {"title": "Unauthenticated", "message": "The access token is invalid"})
    with pytest.raises(Unauthenticated, match="The access token is invalid"):
        await desk.send()
    assert desk.upstream.tokens == ["old", "new"]
    assert token.refreshes == 1


@pytest.mark.requirement("personal-token-401")
async def test_a_personal_token_that_is_refused_is_not_sent_again(desk: Desk) -> None:
    desk.upstream.otherwise = answer(401)
    with pytest.raises(Unauthenticated):
        await desk.send(WRITE)
    assert len(desk.upstream.requests) == 1


@pytest.mark.parametrize("token", ["", " ", "two words", "line\r\nHost: evil.example", "t\u00f6ken", "\x00"])
async def test_an_impossible_token_is_never_sent_and_never_shown(desk: Desk, token: str) -> None:
    desk.credentials = Token(token)
    with pytest.raises(Unauthenticated, match=r"^The access token is empty or has characters that no token has\.$"):
        await desk.send()
    assert desk.upstream.connections == 0


async def test_the_token_appears_in_no_error_and_no_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    desk.upstream.will(reset, reset, reset, answer(500), answer(401), answer(302, location="/elsewhere"))
    shown: list[str] = []
    for request in (READ, WRITE, WRITE, WRITE):
        with pytest.raises(CalendlyError) as raised:
            await desk.send(request)
        shown += [repr(raised.value), str(raised.value), *traceback.format_exception(raised.value)]
    assert "secret-token" not in "".join(shown) + caplog.text
    assert "HTTP Request" in caplog.text


# Shared reads


async def test_identical_reads_in_flight_for_one_user_are_one_request(desk: Desk) -> None:
    desk.upstream.otherwise = late(1.0, answer(200, {"collection": [1]}))
    answers = await asyncio.gather(*(desk.send(agent=f"agent {number}") for number in range(5)))
    assert answers == [{"collection": [1]}] * 5
    assert len(desk.upstream.requests) == 1
    answers[0]["collection"].append(2)
    assert answers[1] == {"collection": [1]}


@pytest.mark.requirement("identity-everywhere")
async def test_reads_that_differ_in_user_or_query_are_requests_of_their_own(desk: Desk) -> None:
    other = Request(READ.endpoint, query={"count": 5})
    await asyncio.gather(desk.send(), desk.send(user="another"), desk.send(other))
    assert len(desk.upstream.requests) == 3


async def test_identical_writes_are_never_shared(desk: Desk) -> None:
    await asyncio.gather(desk.send(WRITE), desk.send(WRITE))
    assert len(desk.upstream.requests) == 2


async def test_a_read_after_the_first_one_is_answered_is_asked_again(desk: Desk) -> None:
    await desk.send()
    await desk.send()
    assert len(desk.upstream.requests) == 2


async def test_a_caller_that_is_cancelled_leaves_the_others_their_answer(desk: Desk) -> None:
    desk.upstream.otherwise = late(1.0, answer(200, {"resource": {"n": 1}}))
    first, second = asyncio.ensure_future(desk.send()), asyncio.ensure_future(desk.send())
    await asyncio.sleep(0.5)
    first.cancel()
    assert await second == {"resource": {"n": 1}}
    assert first.cancelled()
    assert len(desk.upstream.requests) == 1


async def test_cancelling_the_last_caller_ends_the_request(desk: Desk) -> None:
    desk.upstream.otherwise = silence
    callers = [asyncio.ensure_future(desk.send()) for _ in range(2)]
    await asyncio.sleep(0.5)
    assert desk.upstream.open_connections == 1
    for caller in callers:
        caller.cancel()
    await asyncio.sleep(0.1)
    assert desk.upstream.open_connections == 0


async def test_a_read_that_comes_after_all_others_were_cancelled_is_a_new_request(desk: Desk) -> None:
    desk.upstream.will(silence)
    caller = asyncio.ensure_future(desk.send())
    await asyncio.sleep(0.5)
    caller.cancel()
    assert await desk.send() == {"resource": {}}
    assert len(desk.upstream.requests) == 2


async def test_each_caller_of_a_shared_read_keeps_its_own_time_limit(desk: Desk) -> None:
    desk.upstream.otherwise = late(10.0, answer(200, {"resource": {}}))
    hasty, patient = asyncio.ensure_future(desk.send(seconds=5)), asyncio.ensure_future(desk.send(seconds=20))
    with pytest.raises(Unreachable, match="within the time limit"):
        await hasty
    assert desk.now == 5
    assert await patient == {"resource": {}}
    assert len(desk.upstream.requests) == 1


async def test_a_caller_that_joins_a_read_later_gets_its_error_as_well(desk: Desk) -> None:
    desk.upstream.otherwise = late(1.0, answer(400, {"title": "Invalid Argument"}))
    results = await asyncio.gather(*(desk.send() for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [InvalidArgument] * 3
    assert len(desk.upstream.requests) == 1


ME = Request(Endpoint("GET", "/users/me", is_cacheable=True))
EVENT_TYPES = Request(Endpoint("GET", "/event_types", is_cacheable=True), query={"user": "U"})
EVENT_TYPE = Request(Endpoint("GET", "/event_types/{event_type}", is_cacheable=True), {"event_type": "T"})


@pytest.mark.parametrize("request_", [ME, EVENT_TYPES, EVENT_TYPE])
async def test_the_answer_of_a_cacheable_endpoint_is_cached_for_seconds(desk: Desk, request_: Request) -> None:
    first = await desk.send(request_)
    first["changed"] = "by whoever got it"
    assert await desk.send(request_, agent="another") == {"resource": {}}
    assert len(desk.upstream.requests) == 1
    await desk.send(request_, user="another")
    assert len(desk.upstream.requests) == 2
    await asyncio.sleep(6)
    await desk.send(request_)
    assert len(desk.upstream.requests) == 3


async def test_a_write_drops_what_is_cached_for_its_own_user_alone(desk: Desk) -> None:
    await desk.send(ME)
    await desk.send(ME, user="another")
    desk.upstream.will(answer(400))
    with pytest.raises(InvalidArgument):
        await desk.send(WRITE)
    await desk.send(ME)
    await desk.send(ME, user="another")
    assert [request.path for request in desk.upstream.requests] == [
        "/users/me",
        "/users/me",
        "/scheduling_links",
        "/users/me",
    ]


async def test_a_read_from_before_a_write_was_answered_is_neither_cached_nor_shared(desk: Desk) -> None:
    desk.upstream.will(late(3.0, answer(200, {"resource": {"is": "old"}})), late(2.0, answer(200, {"resource": {}})))
    old = asyncio.ensure_future(desk.send(ME))
    await asyncio.sleep(0.5)
    await desk.send(WRITE)
    assert not old.done()
    assert await desk.send(ME) == {"resource": {}}
    assert await old == {"resource": {"is": "old"}}
    assert await desk.send(ME) == {"resource": {}}
    assert len(desk.upstream.requests) == 3


async def test_no_other_answer_is_cached(desk: Desk) -> None:
    await desk.send(READ)
    await desk.send(READ)
    assert len(desk.upstream.requests) == 2


async def test_an_error_is_never_cached(desk: Desk) -> None:
    desk.upstream.will(answer(404))
    with pytest.raises(CalendlyError):
        await desk.send(ME)
    assert await desk.send(ME) == {"resource": {}}


async def test_a_large_answer_is_not_cached(desk: Desk) -> None:
    desk.upstream.otherwise = answer(200, {"collection": ["x" * 100_000]})
    await desk.send(EVENT_TYPES)
    await desk.send(EVENT_TYPES)
    assert len(desk.upstream.requests) == 2


async def test_the_cache_is_bounded() -> None:
    async with open_desk(per_minute=100_000) as desk:
        for number in range(300):
            await desk.send(ME, user=f"user {number}")
        await desk.send(ME, user="user 299")
        assert len(desk.upstream.requests) == 300
        await desk.send(ME, user="user 0")
        assert len(desk.upstream.requests) == 301


# Pacing


@pytest.mark.requirement("every-call-paced")
async def test_300_queued_reads_at_60_a_minute_take_the_ideal_time_without_a_429() -> None:
    async with open_desk(max_wait=600.0) as desk:
        limit = RateLimit(is_aligned=False)
        desk.upstream.otherwise = limit.step
        reads = [Request(READ.endpoint, query={"count": number}) for number in range(300)]
        await asyncio.gather(*(desk.send(read, agent=f"agent {id(read) % 2}", seconds=650) for read in reads))
        assert limit.refused == []
        assert len(desk.upstream.requests) == 300
        assert desk.now <= 1.01 * (60 + (300 - 60) / 1)


@pytest.mark.parametrize("request_", [READ, WRITE])
async def test_a_429_is_waited_for_and_the_request_sent_again(desk: Desk, request_: Request) -> None:
    desk.upstream.will(answer(429, retry_after="7"))
    assert await desk.send(request_) == {"resource": {}}
    assert [round(request.at) for request in desk.upstream.requests] == [0, 7]


@pytest.mark.parametrize("request_", [READ, WRITE])
async def test_a_429_that_lasts_too_long_is_answered_at_once_with_calendlys_words(
    desk: Desk, request_: Request
) -> None:
    desk.upstream.will(answer(429, {"title": "Too Many Requests"}, x_ratelimit_reset="45"))
    with pytest.raises(RateLimited) as refusal:
        await desk.send(request_)
    assert (refusal.value.status, refusal.value.title, refusal.value.retry_after) == (429, "Too Many Requests", 46.0)
    assert desk.now < 1
    assert len(desk.upstream.requests) == 1


@pytest.mark.requirement("reads-repeated")
@pytest.mark.parametrize("request_", [READ, WRITE])
async def test_a_series_of_429_ends_after_three_tries(desk: Desk, request_: Request) -> None:
    desk.upstream.otherwise = answer(429)
    with pytest.raises(RateLimited) as refusal:
        await desk.send(request_)
    assert refusal.value.status == 429
    assert refusal.value.retry_after > 0
    assert len(desk.upstream.requests) == 3


async def test_a_call_that_cannot_start_in_time_is_never_sent(desk: Desk) -> None:
    desk.upstream.otherwise = answer(200, {}, x_ratelimit_limit="60", x_ratelimit_remaining="0", x_ratelimit_reset="55")
    await desk.send()
    with pytest.raises(RateLimited) as refusal:
        await desk.send(WRITE)
    assert (refusal.value.status, round(refusal.value.retry_after)) == (None, 56)
    assert len(desk.upstream.requests) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_query_that_no_address_can_hold_is_refused_and_never_sent(desk: Desk, method: Method) -> None:
    with pytest.raises(InvalidArgument, match="too long"):
        await desk.send(Request(Endpoint(method, "/scheduled_events"), query={"page_token": "x" * 70_000}))
    assert desk.upstream.requests == []
    assert await desk.works()


async def test_a_full_booking_ceiling_holds_back_bookings_before_they_are_sent() -> None:
    async with open_desk(booking_limits="1/h") as desk:
        await desk.send(BOOKING)
        with pytest.raises(RateLimited, match="Bookings have a ceiling of 1 per hour"):
            await desk.send(BOOKING)
        assert await desk.send(WRITE) == {"resource": {}}
        assert [request.path for request in desk.upstream.requests] == ["/invitees", "/scheduling_links"]


async def test_a_waiting_call_is_told_how_long(desk: Desk) -> None:
    desk.upstream.will(answer(200, {}, x_ratelimit_limit="60", x_ratelimit_remaining="0", x_ratelimit_reset="9"))
    told: list[int] = []

    async def waiting(seconds: float) -> None:
        told.append(round(seconds))

    await desk.send()
    await asyncio.gather(desk.send(waiting=waiting), desk.send(waiting=waiting))
    assert told == [9, 9, 4, 4]


async def test_a_caller_whose_progress_fails_affects_no_other(desk: Desk) -> None:
    desk.upstream.will(answer(200, {}, x_ratelimit_limit="60", x_ratelimit_remaining="0", x_ratelimit_reset="9"))

    async def gone(seconds: float) -> None:
        raise ConnectionResetError(seconds)

    await desk.send()
    answers = await asyncio.gather(*(desk.send(waiting=waiting) for waiting in (gone, None)))
    assert answers == [{"resource": {}}] * 2


# Deadlines and cancellation


async def test_a_write_that_was_sent_when_time_ran_out_has_an_unknown_outcome(desk: Desk) -> None:
    desk.upstream.will(silence)
    with pytest.raises(OutcomeUnknown, match=r"within the time limit after the request was sent; whether"):
        await desk.send(WRITE, seconds=10)
    assert desk.now == 10
    assert len(desk.upstream.requests) == 1
    assert await desk.works()


async def test_a_read_without_an_answer_when_time_ran_out_is_unreachable(desk: Desk) -> None:
    desk.upstream.will(silence)
    with pytest.raises(Unreachable, match="within the time limit"):
        await desk.send(seconds=10)
    assert desk.now == 10
    assert await desk.works()


@pytest.mark.parametrize("request_", [READ, WRITE])
async def test_a_call_without_any_time_left_is_never_sent(desk: Desk, request_: Request) -> None:
    with pytest.raises((Unreachable, RateLimited)):
        await desk.send(request_, seconds=-1)
    assert desk.upstream.requests == []


@pytest.mark.parametrize("request_", [READ, WRITE])
async def test_cancelling_a_call_closes_its_connection_and_is_not_turned_into_an_error(
    desk: Desk, request_: Request
) -> None:
    desk.upstream.will(silence)
    call = asyncio.ensure_future(desk.send(request_))
    await asyncio.sleep(1)
    assert desk.upstream.open_connections == 1
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.sleep(0.1)
    assert desk.upstream.open_connections == 0
    assert len(desk.upstream.requests) == 1
    assert await desk.works()
