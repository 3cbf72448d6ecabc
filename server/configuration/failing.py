"""How a failed command ends: one line for the person, and an exit status."""

import errno
import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from server.configuration.terminal import CommandError, UsageError

_log: Final = logging.getLogger(__name__)

_REMEDIES: Final[Mapping[int, str]] = MappingProxyType(
    {
        errno.ENOSPC: "the disk is full: make room, and try again.",
        errno.EDQUOT: "your share of the disk is full: make room, and try again.",
        errno.EROFS: "the disk can only be read.",
        errno.EMFILE: "this process may open too few files; `ulimit -n 4096` raises that in this shell.",
        errno.ENFILE: "this machine has too many files open: end some programs, and try again.",
        errno.EPIPE: "",
    }
)


class Ending(NamedTuple):
    """What a person reads, nothing where nobody reads on, and the exit status."""

    line: str
    status: int


def ending(fault: Exception) -> Ending:
    """Return how a command ends after an exception."""
    fault = _innermost(fault)
    if isinstance(fault, UsageError):
        return Ending(str(fault), 2)
    if isinstance(fault, CommandError):
        return Ending(str(fault), 1)
    if isinstance(fault, OSError) and fault.errno is not None:
        named = f"{fault.filename}: " if isinstance(fault.filename, str) else ""
        remedy = _REMEDIES.get(fault.errno, f"{fault.strerror}.")
        return Ending(f"{named}{remedy}" if remedy else "", 1)
    _log.debug("the command failed", exc_info=fault)
    told = " ".join(str(fault).split()) or "no more is known"
    return Ending(
        f"this is a fault of the program: {type(fault).__name__}: {told}. CALENDLY_MCP_LOG_LEVEL=debug shows where.", 1
    )


def _innermost(fault: Exception) -> Exception:
    """Return the first exception that task groups have wrapped."""
    wrapped: Sequence[Exception] = getattr(fault, "exceptions", ())
    return _innermost(wrapped[0]) if wrapped else fault
