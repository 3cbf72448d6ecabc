"""Long texts and long lists inside a value: a part of each, and how much there is. Pure."""

from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar, cast

T = TypeVar("T")

_ALWAYS_WHOLE: Final = 256
"""The length up to which a text is whole: addresses and identifiers are no longer."""

_ALL: Final = 1_000_000_000
_MOST_FIELDS: Final = 100
_OF_ITEMS: Final = " items"


@dataclass(frozen=True, slots=True)
class Extent:
    """How much of a value is shown.

    Attributes:
        characters: Of each text.
        items: Of each list.
    """

    characters: int = _ALL
    items: int = _ALL


_OF_TEXTS: Final = (*map(Extent, (24_000, 12_000, 6_000, 3_000)),)

OF_ROW: Final = (Extent(1_000), *(Extent(_ALWAYS_WHOLE, items) for items in (100, 10, 1)), Extent(32, 1))
"""What to try with a row of a list that is too large: from whole texts of some lines to almost nothing."""

OF_OBJECT: Final = (Extent(), *_OF_TEXTS, *OF_ROW)
"""What to try with an object."""


@dataclass(frozen=True, slots=True)
class Shortened(Generic[T]):
    """A value that was shortened.

    Attributes:
        value: What is left of it.
        told: What was shortened, by dotted path, such as `characters 0-1000 of 300000`.
        extent: How much is shown.
        goes_on: A text has more after the part that is shown.
    """

    value: T
    told: dict[str, str]
    extent: Extent
    goes_on: bool = False


def shortened(value: T, extent: Extent, offset: int = 0) -> Shortened[T]:
    """Return a value with no more than `extent` of it.

    Args:
        value: Anything that JSON can hold.
        extent: How much to show.
        offset: The character with which the part of each long text begins.
    """
    walk = _Walk(extent, offset)
    return Shortened(cast("T", walk.of(value, "")), walk.told, extent, walk.goes_on)


@dataclass(slots=True)
class _Walk:
    extent: Extent
    offset: int
    told: dict[str, str] = field(default_factory=dict[str, str])
    goes_on: bool = False

    def of(self, value: object, path: str) -> object:
        if isinstance(value, str):
            return self._text(value, path)
        if isinstance(value, list):
            return self._list(cast("list[object]", value), path)
        if isinstance(value, dict):
            return self._object(cast("dict[str, object]", value), path)
        return value

    def _text(self, text: str, path: str) -> str:
        end = self.offset + self.extent.characters
        if len(text) <= min(_ALWAYS_WHOLE, self.extent.characters) or (self.offset == 0 and len(text) <= end):
            return text
        begin = min(self.offset, len(text))
        part = text[begin:end]
        self.told[path] = f"characters {begin}-{begin + len(part)} of {len(text)}"
        self.goes_on = self.goes_on or end < len(text)
        return part

    def _list(self, items: list[object], path: str) -> list[object]:
        kept = items[: self.extent.items]
        if len(kept) < len(items):
            self.told[path] = f"{len(kept)} of {len(items)}{_OF_ITEMS}"
        return [self.of(item, _joined(path, str(number))) for number, item in enumerate(kept)]

    def _object(self, fields: dict[str, object], path: str) -> dict[str, object]:
        kept = list(fields.items())[: _ALL if self.extent.items == _ALL else _MOST_FIELDS]
        if len(kept) < len(fields):
            self.told[path] = f"{len(kept)} of {len(fields)} fields"
        part = {name: self.of(item, _joined(path, name)) for name, item in kept}
        for name in part:
            if self.told.get(_joined(path, name), "").endswith(_OF_ITEMS):
                self._recount(part, name, path)
        return part

    def _recount(self, part: dict[str, object], name: str, path: str) -> None:
        """Correct the numbers that stand beside a list that was cut, and what is told of it."""
        shown = len(cast("list[object]", part[name]))
        if f"{name}_shown" in part:
            part[f"{name}_shown"] = shown
        if total := part.get(f"{name}_total"):
            self.told[_joined(path, name)] = f"{shown} of {total}{_OF_ITEMS}"


def _joined(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step
