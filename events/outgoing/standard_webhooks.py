"""Signatures of outgoing posts, as Standard Webhooks describes them (standardwebhooks.com, HMAC-SHA256).

What is signed is `id.timestamp.body`, the body as the exact bytes that are sent. While a secret is
being replaced, a post carries a signature by each.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from events.outgoing.wire import ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER

_PREFIX: Final = "whsec_"
_LEAST: Final = 24
_MOST: Final = 64


def secret_key(secret: str) -> bytes:
    """Return the key that a secret stands for: `whsec_` and the base64 of 24 to 64 bytes.

    Raises ValueError for any other text, also for base64 that no encoder writes.
    """
    encoded = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (UnicodeEncodeError, binascii.Error):
        raise ValueError("not base64") from None
    if not secret.startswith(_PREFIX) or base64.b64encode(key).decode() != encoded or not _LEAST <= len(key) <= _MOST:
        raise ValueError("not a secret of Standard Webhooks")
    return key


def new_secret(random: Callable[[int], bytes]) -> str:
    """Make a secret of 32 random bytes."""
    return _PREFIX + base64.b64encode(random(32)).decode()


def signed(message: str, timestamp: int, body: bytes, secrets: Iterable[str]) -> Mapping[str, str]:
    """Return the headers that sign a post.

    Args:
        message: The id of the message, without a full stop.
        timestamp: When it is sent, in Unix seconds.
        body: The exact bytes that are sent.
        secrets: The subscription's, the present one first.
    """
    content = f"{message}.{timestamp}.".encode() + body
    signatures = (base64.b64encode(hmac.digest(secret_key(secret), content, "sha256")).decode() for secret in secrets)
    return {
        ID_HEADER: message,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join(f"v1,{signature}" for signature in signatures),
    }
