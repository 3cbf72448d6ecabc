"""The key ring: seals secrets with AES-256-GCM, each bound to the place where it is stored.

A ring is written `id:base64,id:base64,…`. The first key seals, every key opens. A sealed value is

    0x01 · length of the key id (1 byte) · key id · nonce (12 bytes) · ciphertext and tag

and its associated data is table, row, column and key id, so that a value does not open in another
place.
"""

import base64
import binascii
import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from typing_extensions import override

from storage.errors import KeyRingError, UnreadableSecret

FORMAT: Final = b"\x01"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
KEY_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")

RandomBytes = Callable[[int], bytes]
"""Returns that many unpredictable bytes."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a ring; 32 bytes under a name of 1 to 64 letters, digits, `_` or `-`."""

    id: str
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `id:base64` (either alphabet, padding optional). Raises KeyRingError, which repeats no secret."""
        key_id, separator, encoded = text.strip().partition(":")
        if not separator or not KEY_ID.fullmatch(key_id):
            raise KeyRingError("A key is written id:base64, its id 1 to 64 letters, digits, _ or -.")
        try:
            standard = encoded.rstrip("=").translate(str.maketrans("-_", "+/"))
            secret = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
        except (binascii.Error, ValueError):
            raise KeyRingError(f"The key {key_id} is not base64.") from None
        if len(secret) != KEY_BYTES:
            raise KeyRingError(f"The key {key_id} is {len(secret)} bytes long; it must be {KEY_BYTES}.")
        return cls(key_id, secret)

    @classmethod
    def generate(cls, key_id: str, random: RandomBytes = os.urandom) -> Self:
        """Make a new key."""
        return cls(key_id, random(KEY_BYTES))

    @override
    def __str__(self) -> str:
        """Return the key as `parse` reads it, with the secret in clear."""
        return f"{self.id}:{base64.b64encode(self.secret).decode()}"


class KeyRing:
    """Seals under its first key and opens under any."""

    def __init__(self, keys: Sequence[Key], *, random: RandomBytes = os.urandom) -> None:
        """Raise KeyRingError unless there is a key, and every id once."""
        if not keys:
            raise KeyRingError("The key ring is empty.")
        self._ciphers = {key.id: AESGCM(key.secret) for key in keys}
        if len(self._ciphers) != len(keys):
            raise KeyRingError("The key ring names two keys alike.")
        self._random = random
        self.first = keys[0].id

    @classmethod
    def parse(cls, text: str, *, random: RandomBytes = os.urandom) -> Self:
        """Read `id:base64,id:base64,…`. Raises KeyRingError."""
        return cls([Key.parse(part) for part in text.strip().split(",")], random=random)

    def __contains__(self, key_id: str) -> bool:
        """Say whether values sealed under this key can be opened."""
        return key_id in self._ciphers

    def seal(self, plaintext: bytes, *, table: str, row: str, column: str) -> bytes:
        """Encrypt under the first key for one place. `row` is the primary key of the row."""
        nonce = self._random(NONCE_BYTES)
        place = _place(table, row, column, self.first)
        header = FORMAT + bytes([len(self.first)]) + self.first.encode()
        return header + nonce + self._ciphers[self.first].encrypt(nonce, plaintext, place)

    def open(self, sealed: bytes, *, table: str, row: str, column: str) -> bytes:
        """Decrypt what `seal` made for this place. Raises UnreadableSecret."""
        key_id = sealing_key(sealed)
        cipher = self._ciphers.get(key_id or "")
        if key_id is None or cipher is None:
            missing = "It is damaged." if key_id is None else f"The key ring has no key {key_id}."
            raise UnreadableSecret(f"A value in {table}.{column} cannot be opened. {missing}")
        body = sealed[2 + len(key_id) :]
        try:
            return cipher.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], _place(table, row, column, key_id))
        except (InvalidTag, ValueError):
            reason = f"It was changed or moved, or the key {key_id} is another one."
            raise UnreadableSecret(f"A value in {table}.{column} cannot be opened. {reason}") from None


def sealing_key(sealed: bytes) -> str | None:
    """Return the id of the key that a sealed value needs, None for any other value."""
    if sealed[:1] != FORMAT or len(sealed) < len(FORMAT) + 1:
        return None
    key_id = sealed[2 : 2 + sealed[1]].decode("latin-1")
    return key_id if KEY_ID.fullmatch(key_id) else None


def _place(table: str, row: str, column: str, key_id: str) -> bytes:
    """Return the associated data: a JSON array, so that no two places have the same."""
    return json.dumps([table, row, column, key_id]).encode()
