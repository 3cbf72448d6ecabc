"""One-time tokens that prove an earlier step of the same call: sealed under our own key, timed by our own clock.

A token says nothing to its holder. It is bound to a purpose and to what it was issued for, works once, and expires.
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from typing import Final

LIFETIME: Final = 600.0
"""Seconds; long enough for a person to read, short enough that a forgotten token is of no use."""

_ID, _TIME = 14, 8  # with the MAC a multiple of three, so that the token needs no padding
_MILLISECONDS: Final = 1000
_MOST_SPENT: Final = 10_000


class Unproven(Exception):
    """The token proves nothing; the message is a sentence that says why."""


def digest(*parts: object) -> bytes:
    """Reduce what a token is bound to, JSON values, to a few bytes; equal values give equal bytes."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).digest()


class Seal:
    """Issues tokens and takes each of them once.

    Args:
        key: At least 32 secret bytes.
        clock: Seconds that only grow.
        random_bytes: Gives so many unpredictable bytes.
    """

    def __init__(self, key: bytes, clock: Callable[[], float], random_bytes: Callable[[int], bytes]) -> None:
        self._key = key
        self._clock = clock
        self._random_bytes = random_bytes
        self._spent: dict[bytes, int] = {}

    def issue(self, purpose: str, bound_to: bytes) -> str:
        """Make a token that `redeem` takes once, for the same purpose and the same `bound_to`."""
        expiry = int((self._clock() + LIFETIME) * _MILLISECONDS)
        public = self._random_bytes(_ID) + expiry.to_bytes(_TIME, "big")
        return urlsafe_b64encode(public + self._mac(purpose, public, bound_to)).decode()

    def check(self, token: str, purpose: str, bound_to: bytes) -> None:
        """Check that a token could be taken, unless it was before. Raises Unproven."""
        self._opened(token, purpose, bound_to)

    async def redeem(self, token: str, purpose: str, bound_to: bytes) -> None:
        """Take a token, so that it never works again.

        Raises:
            Unproven: It is not ours, was issued for something else, has expired, or was taken before.
        """
        identity, expiry = self._opened(token, purpose, bound_to)
        now = int(self._clock() * _MILLISECONDS)
        if identity in self._spent:
            raise Unproven("The confirmation was used already; each is good for one call.")
        if len(self._spent) >= _MOST_SPENT:
            self._spent = {spent: until for spent, until in self._spent.items() if until > now}
        if len(self._spent) >= _MOST_SPENT:
            raise Unproven("Too many calls were confirmed within a few minutes.")
        self._spent[identity] = expiry

    def _opened(self, token: str, purpose: str, bound_to: bytes) -> tuple[bytes, int]:
        """Return the id of a token and when it ends. Raises Unproven."""
        try:
            raw = urlsafe_b64decode(token)
        except (NotBase64, ValueError):
            raw = b""
        public, mac = raw[: _ID + _TIME], raw[_ID + _TIME :]
        if not hmac.compare_digest(mac, self._mac(purpose, public, bound_to)):
            raise Unproven("The confirmation was not given for this very call.")
        identity, expiry = public[:_ID], int.from_bytes(public[_ID:], "big")
        if expiry <= int(self._clock() * _MILLISECONDS):
            raise Unproven("The confirmation has expired.")
        return identity, expiry

    def _mac(self, purpose: str, public: bytes, bound_to: bytes) -> bytes:
        return hmac.digest(
            self._key, b"\0".join((purpose.encode(), public.hex().encode(), bound_to.hex().encode())), "sha256"
        )
