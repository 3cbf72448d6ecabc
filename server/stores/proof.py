"""What a confirmation token proves, known without the database: `server.stores.confirmations` issues and takes them."""

import hashlib
import json
from datetime import timedelta
from typing import Final

LIFETIME: Final = timedelta(minutes=10)
"""How long a token is good: long enough for a person to read, short enough that a forgotten one is of no use."""


class Unproven(Exception):
    """The token proves nothing; the message is a sentence that says why."""


def digest(*parts: object) -> bytes:
    """Reduce JSON values to a few bytes; equal values give equal bytes."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).digest()
