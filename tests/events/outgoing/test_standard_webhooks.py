import base64
import hmac

import pytest

from events.outgoing.standard_webhooks import new_secret, secret_key, signed
from events.outgoing.wire import control_message_id, event_message_id
from tests.cases import each

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
FORMER = "whsec_" + base64.b64encode(bytes(range(32))).decode()


@pytest.mark.requirement("mcp-events-delivered")
def test_a_signature_is_that_of_the_published_example() -> None:
    headers = signed("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [SECRET])

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_replaced_both_sign() -> None:
    body = '{"name":"Zoë"}'.encode()
    signatures = signed("evt_1", 7, body, [SECRET, FORMER])["webhook-signature"].split(" ")

    assert signatures == [
        "v1," + base64.b64encode(hmac.digest(secret_key(secret), b"evt_1.7." + body, "sha256")).decode()
        for secret in (SECRET, FORMER)
    ]


@each("size", [24, 25, 32, 63, 64])
def test_a_secret_stands_for_24_to_64_bytes(size: int) -> None:
    assert secret_key("whsec_" + base64.b64encode(b"k" * size).decode()) == b"k" * size


@each(
    "secret",
    [
        "",
        "whsec_",
        SECRET.removeprefix("whsec_"),
        "WHSEC_" + SECRET.removeprefix("whsec_"),
        SECRET + " ",
        SECRET + "\n",
        " " + SECRET,
        SECRET[:-1],
        SECRET + "=",
        SECRET + "====",
        SECRET[:-1] + "é",
        SECRET.replace("M", "-"),
        "whsec_" + base64.b64encode(b"k" * 23).decode(),
        "whsec_" + base64.b64encode(b"k" * 65).decode(),
        "whsec_" + base64.b64encode(b"k" * 25).decode().rstrip("="),
        # The last digit of 25 bytes has four bits that no encoder sets.
        "whsec_" + base64.b64encode(b"k" * 25).decode()[:-3] + "x==",
        "whsec_" + base64.urlsafe_b64encode(b"\xff" * 24).decode(),
    ],
)
def test_any_other_text_is_no_secret(secret: str) -> None:
    with pytest.raises(ValueError, match=r"base64|Standard Webhooks"):
        secret_key(secret)


def test_a_secret_of_ours_is_one() -> None:
    assert secret_key(new_secret(bytes)) == bytes(32)


def test_the_id_of_a_message_has_no_full_stop_and_stays_with_its_event() -> None:
    assert event_message_id("chatgpt", "evt_1", "0123456789abcdef" * 4) == "evt_1"
    assert event_message_id("sep-3415", "evt_1", "0123456789abcdef" * 4) == "msg_0123456789abcdef0123456789abcdef"
    assert control_message_id("terminated", b"\x01\x02") == "msg_terminated_0102"
