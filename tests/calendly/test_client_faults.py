"""Reads and writes to an upstream that misbehaves, over real sockets.

Two things hold for every fault: no write reaches the upstream twice unless Calendly refused it, and the
next call works.
"""

from pathlib import Path

import pytest

from calendly.errors import CalendlyError, InvalidArgument, OutcomeUnknown, Unreachable, UpstreamError
from calendly.paging import walk
from calendly.request import JSON, Request
from tests.calendly.desk import BOOKING, DELETE, READ, WRITE, Desk, open_desk
from tests.certificates import self_signed
from tests.hostile_upstream import (
    HostileUpstream,
    Step,
    answer,
    close_in_the_body,
    drip,
    flood,
    gzip_bomb,
    head,
    raw,
    reset,
    reset_in_the_body,
    silence,
    silence_in_the_body,
)

MiB = 1024 * 1024
PAGE = b"<html><body>Bad gateway</body></html>"

# How often a read is sent, and how it ends.
REPEATED = (3, Unreachable)
REPEATED_AND_REFUSED = (3, UpstreamError)
UNREADABLE = (1, UpstreamError)

FAULTS: dict[str, tuple[Step, tuple[int, type[CalendlyError]]]] = {
    "reset after the request was read": (reset, REPEATED),
    "reset in the body": (reset_in_the_body, REPEATED),
    "closed in the body": (close_in_the_body, REPEATED),
    "closed without an answer": (raw(b""), REPEATED),
    "closed in the headers": (raw(b"HTTP/1.1 200 OK\r\nContent-Le"), REPEATED),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), REPEATED),
    "headers without end": (raw(b"HTTP/1.1 200 OK\r\n" + b"X-Pad: y\r\n" * 50_000), REPEATED),
    "a length that is none": (answer(200, b"{}", content_length="-5"), REPEATED),
    "500 as HTML": (answer(500, PAGE, content_type="text/html"), REPEATED_AND_REFUSED),
    "502 as HTML": (answer(502, PAGE, content_type="text/html"), REPEATED_AND_REFUSED),
    "503 with an empty body": (answer(503), REPEATED_AND_REFUSED),
    "504 as HTML": (answer(504, PAGE, content_type="text/html"), REPEATED_AND_REFUSED),
    "501": (answer(501, PAGE), UNREADABLE),
    "520": (answer(520, PAGE), UNREADABLE),
    "200 as HTML": (answer(200, PAGE, content_type="text/html"), UNREADABLE),
    "200 with an empty body": (answer(200), UNREADABLE),
    "truncated JSON": (answer(200, b'{"resource": {"name": "Da'), UNREADABLE),
    "a list": (answer(200, []), UNREADABLE),
    "an answer beyond 4 MiB": (answer(200, b'{"a": "' + b"x" * (4 * MiB) + b'"}'), UNREADABLE),
    "a flood without end": (flood, UNREADABLE),
    "a gzip bomb": (gzip_bomb(200 * MiB), UNREADABLE),
    "a body that is not gzip": (answer(200, b"plain", content_encoding="gzip"), UNREADABLE),
    "a redirect": (answer(302, location="/users/me"), UNREADABLE),
    "a redirect of the method": (answer(307, location="/invitees"), UNREADABLE),
    "a redirect to nowhere": (answer(301), UNREADABLE),
}


def name(request: Request) -> str:
    return str(request.endpoint)


faults = pytest.mark.parametrize("fault", FAULTS)


@faults
async def test_a_read_is_retried_after_a_passing_fault_and_ends_in_a_clear_error(desk: Desk, fault: str) -> None:
    step, (tries, kind) = FAULTS[fault]
    desk.upstream.will(*[step] * tries)
    with pytest.raises(CalendlyError) as raised:
        await desk.send()
    assert type(raised.value) is kind
    assert len(desk.upstream.requests) == tries
    assert await desk.works()


@faults
async def test_a_read_is_answered_as_soon_as_the_fault_has_passed(desk: Desk, fault: str) -> None:
    step, (tries, _) = FAULTS[fault]
    if tries > 1:
        desk.upstream.will(step, step)
        assert await desk.send() == {"resource": {}}
        assert len(desk.upstream.requests) == 3
        assert desk.now < 2


@pytest.mark.requirement("error-outcome-unknown")
@faults
@pytest.mark.parametrize("request_", [WRITE, BOOKING, DELETE], ids=name)
async def test_a_write_is_sent_once_and_its_outcome_is_unknown(desk: Desk, fault: str, request_: Request) -> None:
    if fault == "200 with an empty body" and request_ is DELETE:
        return  # the answer of a good DELETE
    step, _ = FAULTS[fault]
    desk.upstream.will(step)
    with pytest.raises(OutcomeUnknown):
        await desk.send(request_)
    assert len(desk.upstream.requests) == 1
    assert await desk.works()


@pytest.mark.parametrize("step", [silence, silence_in_the_body], ids=["silence", "silence in the body"])
async def test_silence_ends_a_try_after_30_seconds_and_a_read_is_tried_again(desk: Desk, step: Step) -> None:
    desk.upstream.will(step)
    assert await desk.send() == {"resource": {}}
    assert [int(request.at) for request in desk.upstream.requests] == [0, 30]
    desk.upstream.will(step)
    with pytest.raises(OutcomeUnknown):
        await desk.send(WRITE)
    assert len(desk.upstream.requests) == 3
    assert await desk.works()


@pytest.mark.parametrize(("request_", "kind"), [(READ, Unreachable), (WRITE, OutcomeUnknown)])
async def test_a_slow_drip_ends_with_the_time_limit(desk: Desk, request_: Request, kind: type[CalendlyError]) -> None:
    desk.upstream.will(drip(5.0))
    with pytest.raises(kind):
        await desk.send(request_)
    assert desk.now == 50
    assert len(desk.upstream.requests) == 1
    assert await desk.works()


@pytest.mark.parametrize("request_", [READ, WRITE, DELETE], ids=name)
async def test_a_refused_connection_is_tried_again_and_then_unreachable(request_: Request) -> None:
    async with HostileUpstream.listen() as gone:
        nobody = gone.origin
    async with open_desk(origin=nobody) as desk:
        with pytest.raises(Unreachable, match=r"^The connection to Calendly failed\.$"):
            await desk.send(request_)
        assert 0 < desk.now < 2


async def test_an_unknown_host_name_is_unreachable() -> None:
    async with open_desk(origin="http://calendly.invalid") as desk:
        with pytest.raises(Unreachable):
            await desk.send()


@pytest.mark.parametrize("request_", [READ, WRITE], ids=name)
async def test_no_request_is_sent_to_an_untrusted_certificate(request_: Request, tmp_path: Path) -> None:
    async with HostileUpstream.listen(self_signed(tmp_path)) as impostor, open_desk(origin=impostor.origin) as desk:
        with pytest.raises(Unreachable):
            await desk.send(request_)
        assert impostor.requests == []


@pytest.mark.parametrize("step", [reset, answer(502, PAGE), silence], ids=["reset", "502", "silence"])
async def test_nothing_is_sent_through_a_proxy_that_does_not_connect(
    monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    async with HostileUpstream.listen() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.origin)
        proxy.otherwise = step
        async with open_desk(origin="https://api.calendly.com") as desk:
            with pytest.raises(Unreachable):
                await desk.send(WRITE, seconds=100)
        assert {request.method for request in proxy.requests} == {"CONNECT"}
        assert "secret-token" not in str(proxy.requests)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
async def test_addresses_of_this_machine_are_reached_without_the_proxy(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    async with HostileUpstream.listen() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.origin)
        async with open_desk(origin=f"http://{host}:1") as desk:
            with pytest.raises(Unreachable):
                await desk.send()
        assert proxy.connections == 0
        async with open_desk(origin="http://calendly.example") as desk:
            assert await desk.send() == {"resource": {}}
        assert proxy.connections == 1


async def test_a_connection_reset_before_the_request_was_read_is_an_unknown_outcome_of_a_write(desk: Desk) -> None:
    desk.upstream.will_reset_on_connect(1)
    with pytest.raises(OutcomeUnknown):
        await desk.send(WRITE)
    assert desk.upstream.connections == 1
    desk.upstream.will_reset_on_connect(2)
    assert await desk.send() == {"resource": {}}
    assert desk.upstream.connections == 4


async def test_a_connection_closed_while_idle_is_replaced_silently(desk: Desk) -> None:
    desk.upstream.will(answer(200, {"resource": {}}, connection="close"))
    assert await desk.send() == {"resource": {}}
    assert await desk.send(WRITE) == {"resource": {}}
    assert desk.upstream.connections == 2


@pytest.mark.requirement("outbound-redirects")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("request_", [READ, WRITE, DELETE], ids=name)
async def test_a_redirect_to_another_host_is_never_followed(desk: Desk, status: int, request_: Request) -> None:
    async with HostileUpstream.listen() as elsewhere:
        desk.upstream.will(answer(status, location=f"{elsewhere.origin}/users/me"))
        with pytest.raises((UpstreamError, OutcomeUnknown)):
            await desk.send(request_)
        assert elsewhere.connections == 0
        assert len(desk.upstream.requests) == 1


async def test_a_refusal_with_a_truncated_body_is_still_a_refusal(desk: Desk) -> None:
    desk.upstream.will(raw(head(400, {"Content-Length": "1000"}) + b'{"title": "Inva'))
    with pytest.raises(InvalidArgument):
        await desk.send(WRITE)
    assert await desk.works()


async def test_json_is_read_whatever_it_is_labelled(desk: Desk) -> None:
    desk.upstream.will(answer(200, {"resource": {"n": 1}}, content_type="text/html; charset=latin-1"))
    assert await desk.send() == {"resource": {"n": 1}}


async def test_an_honest_gzip_answer_is_read(desk: Desk) -> None:
    desk.upstream.will(gzip_bomb(1_000))
    assert await desk.send() == {"resource": "a" * 1_000}


async def test_interim_responses_are_skipped(desk: Desk) -> None:
    desk.upstream.will(
        raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + head(200, {"Content-Length": "2"}) + b"{}")
    )
    assert await desk.send() == {}


@pytest.mark.requirement("outbound-identifiers")
async def test_endless_pages_that_point_elsewhere_stay_at_calendly_and_end_as_asked(desk: Desk) -> None:
    async with HostileUpstream.listen() as elsewhere:
        pages = range(1, 60)
        urls = [f"{elsewhere.origin}/scheduled_events?page_token=p{page}" for page in pages]
        desk.upstream.will(*(answer(200, {"collection": [url], "pagination": {"next_page": url}}) for url in urls))

        async def page(token: str | None) -> JSON:
            return await desk.send(Request(READ.endpoint, query={"user": "U", "page_token": token}))

        walked = await walk(page, None, 20)
        assert elsewhere.connections == 0
    assert walked["collection"] == urls[:20]
    assert walked["pagination"]["next_page_token"] == "p20"
    targets = [request.target for request in desk.upstream.requests]
    assert targets == [
        "/scheduled_events?user=U",
        *(f"/scheduled_events?user=U&page_token=p{page}" for page in range(1, 20)),
    ]
