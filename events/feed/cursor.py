"""Cursors: where a reader of a feed is. Opaque to clients; the same for all agents of a person. Pure."""

import re
from dataclasses import dataclass
from typing import Final, NamedTuple, Self

from typing_extensions import override

_FORM: Final = re.compile(r"c1-([0-9a-f]{8})-([0-9]{1,10})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a feed: after the event at `position`.

    Attributes:
        epoch: 8 hexadecimal digits that are made with the feed.
        position: 0 before the first event.
    """

    epoch: str
    position: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read what `str` writes, None for anything else."""
        found = _FORM.fullmatch(text)
        return cls(found[1], int(found[2])) if found else None

    @override
    def __str__(self) -> str:
        return f"c1-{self.epoch}-{self.position}"


class Place(NamedTuple):
    """Where reading goes on.

    Attributes:
        position: After this one.
        is_truncated: Something between the cursor and this place may be lost, or was never before it.
    """

    position: int
    is_truncated: bool


def place_of(text: str, *, epoch: str, head: int, oldest: int | None) -> Place:
    """Find where to go on from a cursor.

    One that is unreadable, of another feed, beyond the head or before the oldest payload goes on from the oldest.

    Args:
        text: The cursor.
        epoch: That of the feed.
        head: The last position of the feed.
        oldest: The first position whose payload is kept, None where none is.
    """
    start = head if oldest is None else oldest - 1
    cursor = _read(text, epoch=epoch, head=head)
    if cursor is None or cursor.position < start:
        return Place(start, is_truncated=True)
    return Place(cursor.position, is_truncated=False)


def is_of_feed(text: str, *, epoch: str, head: int) -> bool:
    """Say whether a feed can have given a cursor, however long ago."""
    return _read(text, epoch=epoch, head=head) is not None


def _read(text: str, *, epoch: str, head: int) -> Cursor | None:
    """Return a cursor of a feed, None where it is none of it."""
    cursor = Cursor.parse(text)
    return cursor if cursor and cursor.epoch == epoch and cursor.position <= head else None
