"""Calendly's signature of a webhook delivery, checked. Pure.

`Calendly-Webhook-Signature: t=UNIX SECONDS,v1=HEX`, where v1 is the HMAC-SHA256 of `t` + `.` + the raw
body under the signing key as text (developer.calendly.com, "Webhook signatures").
"""

import hmac
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

HEADER: Final = "Calendly-Webhook-Signature"

TOLERANCE: Final = 180
"""How far the time in a signature may be from ours, in seconds. Calendly's sample code has the same."""

_LONGEST: Final = 512
"""In bytes, of the header."""

_MOST_SIGNATURES: Final = 4
_TIME: Final = re.compile(r"[0-9]{1,12}")
_SIGNATURE: Final = re.compile(r"[0-9A-Fa-f]{64}")


@dataclass(frozen=True, slots=True)
class _Signed:
    """A header as it was read.

    Attributes:
        time: The digits of `t`.
        signatures: The values of `v1`, in lower case.
    """

    time: str
    signatures: Sequence[str]


def is_verified(headers: Sequence[str], body: bytes, keys: Collection[str], now: float) -> bool:
    """Say whether a delivery was signed under one of the keys, and just now.

    Args:
        headers: All values of the header.
        body: The bytes that were received.
        keys: The accepted keys. Each is compared with each signature, in constant time.
        now: Unix seconds.
    """
    signed = _read(headers[0]) if len(headers) == 1 else None
    if signed is None or abs(now - int(signed.time)) > TOLERANCE:
        return False
    message = f"{signed.time}.".encode() + body
    expected = [hmac.digest(key.encode(), message, "sha256").hex() for key in keys]
    matches = [hmac.compare_digest(ours, theirs) for ours in expected for theirs in signed.signatures]
    return any(matches)


def _read(header: str) -> _Signed | None:
    """Read a header. None unless it has one time and one to four signatures; other names are passed over."""
    if len(header.encode(errors="surrogatepass")) > _LONGEST:
        return None
    pairs = [pair.partition("=") for pair in header.split(",")]
    if not all(separator for _, separator, _ in pairs):
        return None
    times = [value for name, _, value in pairs if name == "t"]
    signatures = [value.lower() for name, _, value in pairs if name == "v1"]
    well_formed = len(times) == 1 and 1 <= len(signatures) <= _MOST_SIGNATURES
    if not well_formed or not _TIME.fullmatch(times[0]) or not all(map(_SIGNATURE.fullmatch, signatures)):
        return None
    return _Signed(times[0], signatures)
