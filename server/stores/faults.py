"""What a call is told when the database fails: the one translation of storage faults for tools."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Final

from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from calendly.errors import Unreachable
from storage.errors import StorageError, StorageUnavailable

_log: Final = logging.getLogger(__name__)

_FAILED: Final = (StorageError, IntegrityError)
"""The database cannot be used now, or the agent's grant is gone. Any other error is a fault of this server."""


@asynccontextmanager
async def required(failed: str) -> AsyncGenerator[None]:
    """Stop a call whose block fails on the database, before anything is sent to Calendly.

    Args:
        failed: What failed then, such as "The booking could not be counted".

    Raises:
        Unreachable: The database failed.
    """
    try:
        yield
    except _FAILED as fault:
        _tell(failed, fault)
        raise Unreachable(f"{failed}, so nothing was sent.") from None


@asynccontextmanager
async def best_effort(failed: str) -> AsyncGenerator[None]:
    """Go on when the block fails on the database: Calendly has answered already.

    Args:
        failed: What the log says then.
    """
    try:
        yield
    except (StorageError, SQLAlchemyError) as fault:  # whatever it is, the answer of Calendly must not be lost
        _tell(failed, fault)


def _tell(failed: str, fault: Exception) -> None:
    """Log a failure; where the database does not answer, that has its own warning, once."""
    _log.log(logging.INFO if isinstance(fault, StorageUnavailable) else logging.WARNING, "%s: %s", failed, fault)
