"""The levels on our pages, as a browser reads them and as a person chooses among them."""

import re
from dataclasses import dataclass
from typing import Final

from auth.access.text import parse_access

_OPTION: Final = re.compile(r'<input type="radio" name="level-(\w+)" value="(\w+)"( checked)?>')


@dataclass(frozen=True)
class Levels:
    """What a page offers, capability by capability, and what it has chosen already."""

    offered: dict[str, tuple[str, ...]]
    chosen: dict[str, str]

    def fields(self, access: str | None = None) -> list[tuple[str, str]]:
        """Return what a form sends with these levels, whatever was offered; None for those that the page has chosen."""
        if access is None:
            return [(f"level-{capability}", level) for capability, level in self.chosen.items()]
        return [(f"level-{capability}", allowance.level) for capability, allowance in parse_access(access).items()]


def levels_on(page: str) -> Levels:
    """Read a page."""
    offered: dict[str, tuple[str, ...]] = {}
    chosen: dict[str, str] = {}
    for capability, level, checked in _OPTION.findall(page):
        offered[capability] = (*offered.get(capability, ()), level)
        if checked:
            chosen[capability] = level
    return Levels(offered, chosen)
