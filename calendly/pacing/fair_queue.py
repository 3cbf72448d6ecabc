"""A queue in which every line is served in turn, and within a line whoever came first."""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items waiting in lines; an empty line leaves nothing behind."""

    def __init__(self) -> None:
        self._lines: OrderedDict[Hashable, deque[T]] = OrderedDict()

    def push(self, line: Hashable, item: T) -> None:
        """Put `item` at the end of its line."""
        self._lines.setdefault(line, deque()).append(item)

    def pop(self, may_go: Callable[[T], bool]) -> T | None:
        """Serve the first of the lines, in turn, whose first item may go; None when no such item is there."""
        for line, items in self._lines.items():
            if may_go(items[0]):
                item = items.popleft()
                self._lines.move_to_end(line)
                self._clear(line)
                return item
        return None

    def remove(self, line: Hashable, item: T) -> None:
        """Take out an item that waits no more. Raises ValueError when it is not there."""
        items = self._lines.get(line, deque[T]())
        items.remove(item)
        self._clear(line)

    def place(self, line: Hashable) -> int:
        """Count the items that will be served before the last one of `line`."""
        rounds = len(self._lines[line]) - 1
        before, passed = rounds, False
        for other, items in self._lines.items():
            if other == line:
                passed = True
            else:
                before += min(len(items), rounds if passed else rounds + 1)
        return before

    def _clear(self, line: Hashable) -> None:
        if not self._lines[line]:
            del self._lines[line]

    def __iter__(self) -> Iterator[T]:
        """Go through the items in the order they will be served."""
        lines = list(self._lines.values())
        for place in range(max(map(len, lines), default=0)):
            yield from (items[place] for items in lines if place < len(items))

    def __bool__(self) -> bool:
        return bool(self._lines)
