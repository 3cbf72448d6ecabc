"""The rows of the report, and their figures from repeated measurements."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final

ABSENT: Final = "-"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the report.

    Attributes:
        what: What was measured.
        ours: The figure of the product, as text.
        floor: The figure of the floor, as text.
        figure: The figure that is compared with the targets: mostly the product's divided by the floor's.
        unit: The unit of `figure` and its targets, empty for a ratio.
        must: The target that must be met.
        reach: The target to reach for.
        at_least: Whether more is better.
    """

    what: str
    ours: str
    floor: str = ABSENT
    figure: float
    unit: str = ""
    must: float
    reach: float
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """Which target is met."""
        if self._meets(self.reach):
            return "reached"
        return "met" if self._meets(self.must) else "MISSED"

    @property
    def cells(self) -> tuple[str, ...]:
        """The cells in the order of `COLUMNS`."""
        sign = "≥" if self.at_least else "≤"
        figure, must, reach = (f"{written(value)}{self.unit}" for value in (self.figure, self.must, self.reach))
        return (self.what, self.ours, self.floor, figure, f"{sign} {must}", reach, self.verdict)

    def _meets(self, target: float) -> bool:
        figure = round(self.figure, 3)
        return figure >= target if self.at_least else figure <= target


COLUMNS: Final = {"what": 58, "ours": 16, "floor": 16, "figure": 9, "must": 10, "reach for": 10, "verdict": 8}
"""The headings and the widths of their columns."""

Rows = Callable[[], Iterator[Row]]


def line(cells: tuple[str, ...]) -> str:
    """Return a line of the table."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, COLUMNS.values(), strict=True)).rstrip()


def interleaved(rounds: int, *measurements: Callable[[], float]) -> list[list[float]]:
    """Repeat measurements in turn, so that a busy minute of the machine affects all of them alike.

    Returns:
        The values of each, without those of a first round, which fills caches.
    """
    values: list[list[float]] = [[] for _ in measurements]
    for turn in range(rounds + 1):
        order = list(zip(measurements, values, strict=True))
        for measure, kept in order if turn % 2 else reversed(order):
            value = measure()
            if turn:
                kept.append(value)
    return values


def ratio(ours: list[float], floor: list[float]) -> float:
    """Return the median of the ratios within each round, so that a slow round affects both figures."""
    return median(one / other for one, other in zip(ours, floor, strict=True))


def written(value: float) -> str:
    """Return a figure with its significant digits."""
    return f"{value:,.0f}" if value >= 100 or value.is_integer() else f"{value:.3g}"  # noqa: PLR2004 - three digits


def typical(values: list[float], unit: str, *, scale: float = 1.0) -> str:
    """Return the median, and the noise: half the distance between the quartiles in per cent of it."""
    middle = median(values)
    low, _, high = quantiles(values, n=4)
    return f"{written(middle * scale)} {unit} ± {50 * (high - low) / middle:.0f} %"
