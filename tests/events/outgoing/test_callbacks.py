import json
import ssl
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from auth.grants.public_network import resolve
from events.outgoing.callback_urls import CallbackRules, CallbackUrl, callback_hosts
from events.outgoing.callbacks import Addressee
from events.outgoing.wire import EventsRefusal
from tests.cases import each
from tests.events.outgoing.callback_host import DRIPS, HOST, CallbackHost, answer, callback_host
from tests.public_host import NEVER_ENDS

SECRET = "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
TO = Addressee(CallbackRules().check(f"https://{HOST}/hook?a=b%20c"), [SECRET], "sub_1")


@pytest.fixture
async def host(tmp_path: Path) -> AsyncGenerator[CallbackHost]:
    async with callback_host(tmp_path) as running:
        yield running


async def test_a_post_says_what_it_is_and_reaches_the_target_as_it_was_sent(host: CallbackHost) -> None:
    answered = await host.poster().post(TO, "evt_1", b'{"eventId":"evt_1"}')

    assert (answered.status, answered.error, answered.body) == (200, None, b"")
    [received] = host.received
    assert received.target == "/hook?a=b%20c"
    assert received.body == b'{"eventId":"evt_1"}'
    told = {name: value for name, value in received.headers.items() if name not in {"host", "webhook-signature"}}
    assert told == {
        "content-type": "application/json",
        "user-agent": "calendly-mcp/0",
        "x-mcp-subscription-id": "sub_1",
        "webhook-id": "evt_1",
        "webhook-timestamp": "1796083200",
        "content-length": "19",
    }
    assert host.connected_to == ["93.184.216.34:443"]


async def test_a_callback_passes_by_answering_what_it_is_sent(host: CallbackHost) -> None:
    await host.poster().challenge(TO)

    [received] = host.received
    assert received.content == {"type": "verification", "challenge": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}
    assert received.headers["webhook-id"] == "msg_verification_000102030405060708090a0b0c0d0e0f"


GOOD = b'{"challenge": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}'


@each(
    "answered, reason",
    [
        (answer(b"{}"), "challenge_failed"),
        (answer(b'{"challenge": "AAEC"}'), "challenge_failed"),
        (answer(b'["AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"]'), "challenge_failed"),
        (answer(b'{"challenge": null}'), "challenge_failed"),
        (answer(b"[" * 4000), "challenge_failed"),
        (answer(b"\xff"), "challenge_failed"),
        (answer(b"\x1f\x8b\x08\x00", more=["Content-Encoding: gzip"]), "challenge_failed"),
        (answer(b" " * 5000 + GOOD), "challenge_failed"),
        (answer(GOOD, "302 Found", ["Location: http://127.0.0.1/"]), "http_4xx"),
        (answer(GOOD, "404 Not Found"), "http_4xx"),
        (answer(GOOD, "410 Gone"), "http_4xx"),
        (answer(GOOD, "500 Internal Server Error"), "http_5xx"),
        (b"nothing of HTTP\r\n\r\n", "connection_refused"),
        (b"", "connection_refused"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 30_000, "connection_refused"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + DRIPS, "challenge_failed"),
    ],
)
async def test_a_callback_that_does_not_answer_its_challenge_is_refused_in_one_word(
    host: CallbackHost, answered: bytes, reason: str
) -> None:
    host.answers = lambda _: answered

    with pytest.raises(EventsRefusal) as refused:
        await host.poster().challenge(TO)

    assert refused.value.data == {"reason": reason}
    assert refused.value.meaning.code("chatgpt") == -32015


@each("answered", [NEVER_ENDS, b"HTTP/1.1 200 OK\r\nX: " + DRIPS, b"HTTP/1.1 200 OK\r\n\r\n{" + NEVER_ENDS])
async def test_a_callback_that_takes_too_long_is_not_waited_for(host: CallbackHost, answered: bytes) -> None:
    host.answers = lambda _: answered

    with pytest.raises(EventsRefusal) as refused:
        await host.poster(patience=0.1).challenge(TO)

    assert refused.value.data == {"reason": "timeout"}


async def test_a_callback_whose_certificate_nobody_vouches_for_is_sent_nothing(host: CallbackHost) -> None:
    with pytest.raises(EventsRefusal) as refused:
        await host.poster(ssl.create_default_context()).challenge(TO)

    assert refused.value.data == {"reason": "tls_error"}
    assert host.received == []


async def test_an_answer_counts_by_its_status_however_its_body_goes_on(host: CallbackHost) -> None:
    host.answers = lambda _: b"HTTP/1.1 204 No Content\r\nContent-Length: 900000\r\n\r\n" + NEVER_ENDS

    assert (await host.poster().post(TO, "evt_1", b"{}")).status == 204


async def test_a_failed_post_says_why_and_when_it_wants_to_be_tried_again(host: CallbackHost) -> None:
    host.answers = lambda _: answer(status="503 Busy", more=["Retry-After: 120"])

    failed = await host.poster().post(TO, "evt_1", b"{}")

    assert (failed.status, failed.error) == (503, "http_5xx")
    assert failed.asked_for is not None
    assert failed.asked_for.total_seconds() == 120


NOT_PUBLIC = [
    ["127.0.0.1"],
    ["127.1.2.3"],
    ["10.0.0.1"],
    ["172.16.0.1"],
    ["192.168.0.1"],
    ["169.254.169.254"],
    ["100.64.0.1"],
    ["0.0.0.0"],  # noqa: S104 - an address to refuse
    ["192.0.2.1"],
    ["198.18.0.1"],
    ["224.0.0.1"],
    ["255.255.255.255"],
    ["240.0.0.1"],
    ["::1"],
    ["::"],
    ["fe80::1"],
    ["fc00::1"],
    ["ff02::1"],
    ["::ffff:127.0.0.1"],
    ["::ffff:8.8.8.8"],
    ["64:ff9b::7f00:1"],
    ["64:ff9b:1::1"],
    ["2002:7f00:1::"],
    ["2001:0:7f00:1::"],
    ["2001:db8::1"],
    ["100::1"],
    ["93.184.216.34", "127.0.0.1"],
    ["127.0.0.1", "93.184.216.34"],
    ["93.184.216.34", "::1"],
    [],
]


@pytest.mark.requirement("mcp-events-network")
@each("addresses", NOT_PUBLIC)
async def test_nothing_connects_to_an_address_that_is_not_public(host: CallbackHost, addresses: list[str]) -> None:
    host.addresses = [addresses]

    refused = await host.poster().post(TO, "evt_1", b"{}")

    assert (refused.status, refused.error) == (None, "connection_refused")
    assert (host.connected_to, host.received) == ([], [])


@each("name", ["2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "::1", "::ffff:127.0.0.1"])
async def test_a_host_in_whatever_writing_is_where_the_system_finds_it(host: CallbackHost, name: str) -> None:
    try:
        host.addresses = [[str(address) for address in await resolve(name, 443)]]
    except OSError:  # some systems find nothing under such names
        return
    assert (await host.poster().post(TO, "evt_1", b"{}")).error == "connection_refused"
    assert host.connected_to == []


async def test_a_redirect_is_not_followed_and_of_a_huge_answer_little_is_read(host: CallbackHost) -> None:
    host.answers = lambda _: answer(status="307 Temporary Redirect", more=["Location: http://127.0.0.1/inside"])
    assert (await host.poster().post(TO, "evt_1", b"{}")).error == "http_4xx"
    assert host.connected_to == ["93.184.216.34:443"]
    host.answers = lambda _: answer(b"x" * 1_000_000)
    assert len((await host.poster().post(TO, "evt_1", b"{}", reads=True)).body) <= 4096


async def test_a_name_that_changes_its_address_gains_nothing(host: CallbackHost) -> None:
    host.addresses = [["93.184.216.34"], ["127.0.0.1"]]

    first = await host.poster().post(TO, "evt_1", b"{}")
    second = await host.poster().post(TO, "evt_1", b"{}")

    assert (first.status, second.error) == (200, "connection_refused")
    assert host.connected_to == ["93.184.216.34:443"]


@each(
    "url",
    [
        "http://connectors.example/",
        "HTTPS://",
        "https:///path",
        "https://user@connectors.example/",
        "https://user:word@connectors.example/",
        "https://@connectors.example/",
        "https://connectors.example/#part",
        "https://connectors.example/#",
        "https://connectors.example/a b",
        "https://connectors.example/\n",
        " https://connectors.example/",
        "https://connectors.example\\@evil.example/",
        "https://connectors.example:0/",
        "https://connectors.example:65536/",
        "https://connectors.example:x/",
        "https://c%6fnnectors.example/",
        "https://[::1/",
        "https://[::1%25eth0]/",
        "https://bücher.example/",
        "https://-connectors.example/",
        "https://connectors.example../",
        "https://./",
        "https://[:::]/",
        "ftp://connectors.example/",
        "file:///etc/passwd",
        "connectors.example",
        "",
        "https://connectors.example/" + "a" * 2100,
    ],
)
def test_what_is_no_https_address_is_no_callback(url: str) -> None:
    with pytest.raises(EventsRefusal) as refused:
        CallbackRules().check(url)

    assert (refused.value.meaning.code("chatgpt"), refused.value.data) == (-32602, {"field": "delivery.url"})


@each(
    "url, host",
    [
        ("https://connectors.example", "connectors.example"),
        ("HTTPS://Connectors.Example:443/Path?q=%2F&x=[1]", "connectors.example"),
        ("https://connectors.example:8443/", "connectors.example:8443"),
        ("https://[2606:2800:220:1::1]:444/x", "[2606:2800:220:1::1]:444"),
        ("https://connectors.example./", "connectors.example"),
        ("https://[2606:2800:0220:01:0:0:0:1]/", "[2606:2800:220:1::1]"),
        # Decimal and hexadecimal hosts are names here; what they resolve to is not public.
        ("https://2130706433/", "2130706433"),
        ("https://0x7f000001/", "0x7f000001"),
    ],
)
def test_an_https_address_is_kept_as_it_was_sent(url: str, host: str) -> None:
    assert CallbackRules().check(url) == CallbackUrl(url, host, is_listed=False)


def test_the_operator_says_where_callbacks_may_be() -> None:
    hosts = callback_hosts(["n8n.example.com", "127.0.0.1:8123", "[::1]:8123", "10.1.2.3"])
    listed, off = CallbackRules("listed", hosts), CallbackRules("off", hosts)

    for url in (
        *("https://n8n.example.com:444/", "http://127.0.0.1:8123/x", "http://[::1]:8123/", "https://10.1.2.3/"),
        *("https://N8N.example.com./", "http://[0:0:0:0:0:0:0:1]:8123/"),
    ):
        assert listed.check(url).is_listed
        with pytest.raises(EventsRefusal) as refused:
            off.check(url)
        assert refused.value.data == {"reason": "callback"}
    for url in ("https://connectors.example/", "https://127.0.0.1:8124/"):
        with pytest.raises(EventsRefusal) as refused:
            listed.check(url)
        assert (refused.value.meaning.code("chatgpt"), refused.value.data) == (-32012, {"reason": "callback"})
        assert not CallbackRules("public", hosts).check(url).is_listed
    for url in ("http://10.1.2.3/", "http://n8n.example.com/", "http://127.0.0.1:8124/"):
        with pytest.raises(EventsRefusal) as refused:
            listed.check(url)
        assert refused.value.data == {"field": "delivery.url"}


@each("text", ["", "a b", "user@host", "host:0", "host:x", "https://host", "host/path", "host:99999", ".", "host.."])
def test_what_is_no_host_cannot_be_listed(text: str) -> None:
    with pytest.raises(ValueError, match="must be hosts"):
        callback_hosts([text])


async def test_a_listed_callback_may_be_private(host: CallbackHost) -> None:
    host.addresses = [["10.0.0.1"]]
    listed = CallbackRules("listed", callback_hosts([HOST])).check(f"https://{HOST}/")

    answered = await host.poster().post(Addressee(listed, [SECRET], "sub_1"), "evt_1", json.dumps({}).encode())

    assert answered.status == 200
