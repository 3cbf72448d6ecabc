import base64
import hmac
import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from events.outgoing.standard_webhooks import new_secret, secret_key, signed
from events.outgoing.wire import control_message_id, event_message_id
from tests.cases import each
from tests.databases import open_migrated
from tests.events.outgoing.callback_host import Received
from tests.events.outgoing.delivery_world import delivery_world
from tests.interop.node import NODE, SCRIPTS

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


@pytest.fixture
async def posts(tmp_path: Path) -> list[Received]:
    """Post a challenge and an event, and an event while the secret is replaced, now: libraries look at the clock."""
    async with open_migrated() as database, delivery_world(database, tmp_path) as world:
        world.time = datetime.now(UTC)
        for secret in (FORMER, SECRET):
            await world.subscribe(secret=secret)
            await world.book()
            await world.deliver()
        return world.host.received


def verified_in_python(post: Received, secrets: list[str]) -> list[bool]:
    """Say by which secrets a post is signed, as the library of Standard Webhooks in Python finds it."""

    def is_signed(secret: str) -> bool:
        try:
            return bool(Webhook(secret).verify(post.body, post.headers))
        except WebhookVerificationError:
            return False

    return [is_signed(secret) for secret in secrets]


def verified_in_node(post: Received, secrets: list[str]) -> list[bool]:
    """Say by which secrets a post is signed, as the library of Standard Webhooks in Node finds it."""
    told = json.dumps({"headers": post.headers, "body": post.body.decode(), "secrets": secrets})
    script = [NODE, SCRIPTS / "verify_webhook.mjs"]
    done = subprocess.run(script, input=told, stdout=subprocess.PIPE, text=True, check=True)
    found: list[bool] = json.loads(done.stdout)
    return found


@pytest.mark.requirement("mcp-events-delivered", "mcp-events-rotated", "mcp-events-verifiers")
@pytest.mark.parametrize(
    "verified", [verified_in_python, pytest.param(verified_in_node, marks=pytest.mark.needs("node"))]
)
async def test_libraries_of_standard_webhooks_verify_our_posts_also_while_a_secret_is_replaced(
    posts: list[Received], verified: Callable[[Received, list[str]], list[bool]]
) -> None:
    challenge, before, meanwhile = posts
    secrets = [FORMER, SECRET, "whsec_" + base64.b64encode(bytes(32)).decode()]
    assert verified(challenge, secrets) == [True, False, False]
    assert verified(before, secrets) == [True, False, False]
    assert verified(meanwhile, secrets) == [True, True, False]
    changed = replace(meanwhile, body=meanwhile.body.replace(b"pat@", b"tap@"))
    assert verified(changed, secrets) == [False, False, False]


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
