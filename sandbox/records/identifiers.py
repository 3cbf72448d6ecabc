"""Resource URIs and the ids in them.

Whatever the sandbox's own address is, resources are named https://api.calendly.com/... and public
pages https://calendly.com/...
"""

import hashlib
import re
from dataclasses import dataclass
from functools import cache
from typing import ClassVar, Final
from uuid import UUID, uuid4

API: Final = "https://api.calendly.com"
PAGES: Final = "https://calendly.com"

# A UUID v4 in newer accounts, 16 upper-case characters in older ones.
_ID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[A-Z0-9]{16}"


def uri(*segments: str) -> str:
    """Return the URI of a resource."""
    return "/".join((API, *segments))


def id_of(value: str, collection: str) -> str | None:
    """Return the id in a URI of `collection`, None for anything else."""
    matched = re.fullmatch(rf"{re.escape(API)}/{collection}/({_ID})", value)
    return matched[1] if matched else None


@cache  # a sandbox is reset often
def fixed_id(name: str) -> str:
    """Return the UUID v4 that belongs to `name` at every start."""
    return str(UUID(bytes=hashlib.sha256(name.encode()).digest()[:16], version=4))


def new_id() -> str:
    """Return a new id."""
    return str(uuid4())


def new_code() -> str:
    """Return a new code for a single-use link, such as cx7-4tq-m2p."""
    letters = uuid4().hex
    return "-".join((letters[:3], letters[3:6], letters[6:9]))


@dataclass
class StoredResource:
    """A resource with a URI.

    Attributes:
        collection: The collection in its URI.
        id: Its own id, the last segment of its URI.
    """

    collection: ClassVar[str]

    id: str

    @property
    def uri(self) -> str:
        """The resource URI."""
        return uri(self.collection, self.id)
