"""Proof Key for Code Exchange (RFC 7636) with S256, for our clients and for Calendly."""

import re
from typing import Any, Final

from authlib.oauth2 import rfc7636

from auth.protocol.errors import InvalidRequest

# Authlib has no type hints for it.
_AUTHLIB: Final[Any] = rfc7636

# RFC 7636, 4.1 and 4.2. A challenge is the base64url of a SHA-256, which has 43 characters.
_VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def s256(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636, 4.2)."""
    challenge: str = _AUTHLIB.create_s256_code_challenge(verifier)
    return challenge


def check_challenge(challenge: str | None, method: str | None) -> str:
    """Return the challenge of an authorization request. Both parameters are required, and the method is S256.

    Raises:
        InvalidRequest: One is missing or not valid (RFC 7636, 4.4.1).
    """
    if challenge is None:
        raise InvalidRequest("code_challenge is missing: every client needs PKCE.")
    if method != "S256":
        raise InvalidRequest("code_challenge_method must be S256.")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequest("code_challenge must be 43 characters of base64url: an S256 challenge.")
    return challenge


def is_proof(verifier: str, challenge: str) -> bool:
    """Say whether a verifier is well formed and matches the challenge (RFC 7636, 4.6)."""
    return _VERIFIER.fullmatch(verifier) is not None and s256(verifier) == challenge
