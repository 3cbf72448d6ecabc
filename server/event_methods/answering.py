"""How what the methods of events refuse, and what fails in them, is answered."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import mcp_types as types
from mcp.shared.exceptions import MCPError

from events.outgoing.standing import NotNoted
from events.outgoing.wire import EventsRefusal, WireProfile
from storage.errors import StorageUnavailable

_INTERNAL: Final = "Internal error; the log of the server says more."

_log: Final = logging.getLogger(__name__)


@contextmanager
def answering(profile: WireProfile, method: str) -> Generator[None]:
    """Answer refusals and faults of a block with the codes of a profile. Raises MCPError."""
    try:
        yield
    except EventsRefusal as refused:
        raise MCPError(refused.meaning.code(profile), str(refused), dict(refused.data)) from None
    except (NotNoted, StorageUnavailable) as fault:
        _log.warning("%s failed: %s", method, fault)
        raise MCPError(types.INTERNAL_ERROR, _INTERNAL) from None
