"""The secrets that we issue: opaque, easy to find for secret scanners, and stored only as their SHA-256.

A secret is a prefix such as `cmcp_at_`, 43 letters and digits (256 random bits), and 6 letters and digits of the CRC-32
of both. So a scanner recognises a leaked token by itself, and the database is not asked about malformed ones.
"""

import hashlib
import re
import string
import zlib
from collections.abc import Callable
from typing import Final

Random = Callable[[int], bytes]
"""Returns the given number of unpredictable bytes."""

ACCESS_TOKEN: Final = "cmcp_at_"  # noqa: S105 - a prefix, no secret
REFRESH_TOKEN: Final = "cmcp_rt_"  # noqa: S105 - a prefix, no secret
AGENT_TOKEN: Final = "cmcp_ag_"  # noqa: S105 - a prefix, no secret
CODE: Final = "cmcp_ac_"
CLIENT_SECRET: Final = "cmcp_cs_"  # noqa: S105 - a prefix, no secret

_ALPHABET: Final = string.digits + string.ascii_letters
_RANDOM_BYTES: Final = 32
_RANDOM_DIGITS: Final = 43  # 62 ** 43 > 2 ** 256
_CHECKSUM_DIGITS: Final = 6  # 62 ** 6 > 2 ** 32
_BODY: Final = re.compile(f"[0-9A-Za-z]{{{_RANDOM_DIGITS + _CHECKSUM_DIGITS}}}")


def mint(prefix: str, random: Random) -> str:
    """Make a secret with a prefix."""
    secret = prefix + nonce(random)
    return secret + _checksum(secret)


def nonce(random: Random) -> str:
    """Make a secret that only browsers and Calendly get: 43 letters and digits."""
    return _digits(int.from_bytes(random(_RANDOM_BYTES)), _RANDOM_DIGITS)


def is_well_formed(text: str, prefix: str) -> bool:
    """Say whether `text` has the form of a secret with that prefix. Whether it is valid is in the database."""
    if not text.startswith(prefix) or not _BODY.fullmatch(text, len(prefix)):
        return False
    return text[-_CHECKSUM_DIGITS:] == _checksum(text[:-_CHECKSUM_DIGITS])


def digest(secret: str) -> str:
    """Return the SHA-256 of a secret in 64 hexadecimal digits, as it is stored.

    Secrets are long and random, so neither a salt nor a slow hash would make them harder to guess.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(text: str) -> str:
    return _digits(zlib.crc32(text.encode()), _CHECKSUM_DIGITS)


def _digits(number: int, length: int) -> str:
    digits: list[str] = []
    for _ in range(length):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
