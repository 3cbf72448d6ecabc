"""What is left of a delivery once it is checked; the checks themselves are tried at the endpoint. Pure."""

import json

from events.incoming.calendly_signature import is_verified
from events.incoming.incoming import ReceiverFacts, read_delivery
from tests.events.incoming.posts import BODY, NOW, OWN, PERSON, header


def test_what_cannot_be_written_again_is_replaced() -> None:
    body = BODY.replace(b'"name"', b'"half": "\\ud83d!", "huge": 1e999, "name"')
    payload = read_delivery(body, [header(body)], ReceiverFacts(PERSON, [OWN]), NOW).payload
    assert payload["half"] == "\N{REPLACEMENT CHARACTER}!"
    assert payload["huge"] is None
    assert json.dumps(payload, ensure_ascii=False).encode()


def test_without_keys_and_in_other_digits_nothing_is_verified() -> None:
    assert is_verified([header(BODY)], BODY, [OWN], NOW)
    assert not is_verified([header(BODY)], BODY, [], NOW)
    assert not is_verified([header(BODY, time="١٧٦٤٠٠٠٠٠٠")], BODY, [OWN], NOW)
