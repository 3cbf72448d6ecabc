"""Resource URIs and the ids in them.

Resources are named https://api.calendly.com/... wherever the sandbox listens, and public pages https://calendly.com/...
"""

import hashlib
import re
from dataclasses import dataclass
from typing import ClassVar, Final
from uuid import UUID, uuid4

API: Final = "https://api.calendly.com"
PAGES: Final = "https://calendly.com"

# UUID v4 in newer accounts, 16 upper-case characters in older ones.
_ID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Z0-9]{16}"


def uri(*segments: str) -> str:
    """Name a resource."""
    return "/".join((API, *segments))


def id_of(value: str, collection: str) -> str | None:
    """Take the id out of a URI of that collection; None for anything else."""
    matched = re.fullmatch(rf"{re.escape(API)}/{collection}/({_ID})", value)
    return matched[1] if matched else None


def fixed_id(name: str) -> str:
    """Return the UUID v4 that `name` has at every start."""
    return str(UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


def new_id() -> str:
    """Return an id never seen before."""
    return str(uuid4())


def new_code() -> str:
    """Return a code as it stands in a single-use address, such as cx7-4tq-m2p."""
    letters = uuid4().hex
    return "-".join((letters[:3], letters[3:6], letters[6:9]))


@dataclass
class StoredResource:
    """What has an id and is named by a URI."""

    collection: ClassVar[str]

    id: str

    @property
    def uri(self) -> str:
        """Name it."""
        return uri(self.collection, self.id)
