"""A fair queue: its lines are served in turn, and the items of a line in order (round robin)."""

from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class FairQueue(Generic[T]):
    """Items that wait in lines. An empty line takes no memory."""

    def __init__(self) -> None:
        self._lines: OrderedDict[Hashable, deque[T]] = OrderedDict()

    def push(self, line: Hashable, item: T) -> None:
        """Add `item` at the end of its line."""
        self._lines.setdefault(line, deque()).append(item)

    def pop(self, may_go: Callable[[T], bool]) -> T | None:
        """Remove and return the first item of the next line whose first item may go; None if there is none."""
        for line, items in self._lines.items():
            if may_go(items[0]):
                item = items.popleft()
                self._lines.move_to_end(line)
                self._clear(line)
                return item
        return None

    def remove(self, line: Hashable, item: T) -> None:
        """Remove an item that no longer waits. Raises ValueError if it is not there."""
        items = self._lines.get(line, deque[T]())
        items.remove(item)
        self._clear(line)

    def place(self, line: Hashable) -> int:
        """Return how many items are served before the last one of `line`."""
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
        """Iterate over the items in the order in which they are served."""
        lines = list(self._lines.values())
        for place in range(max(map(len, lines), default=0)):
            yield from (items[place] for items in lines if place < len(items))

    def __bool__(self) -> bool:
        return bool(self._lines)
