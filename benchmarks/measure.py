"""What a row of the table is, and how its figures come from repeated measurements."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median, quantiles

ABSENT = "-"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the report.

    Attributes:
        what: What was measured.
        ours: The product's own figure, for people.
        floor: The same of what it is held against, for people.
        figure: What is judged: most often ours divided by the floor.
        unit: The unit of `figure` and its targets, empty for a ratio.
        must: The target that has to be met.
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
        """Which of the two targets is met."""
        if self._meets(self.reach):
            return "reached"
        return "met" if self._meets(self.must) else "MISSED"

    @property
    def cells(self) -> tuple[str, ...]:
        """The line as it is printed, in the order of `COLUMNS`."""
        sign = "≥" if self.at_least else "≤"
        figure, must, reach = (f"{written(value)}{self.unit}" for value in (self.figure, self.must, self.reach))
        return (self.what, self.ours, self.floor, figure, f"{sign} {must}", reach, self.verdict)

    def _meets(self, target: float) -> bool:
        figure = round(self.figure, 3)
        return figure >= target if self.at_least else figure <= target


COLUMNS = {"what": 58, "ours": 16, "floor": 16, "figure": 9, "must": 10, "reach for": 10, "verdict": 8}
"""The headings, and how wide their columns are."""

Rows = Callable[[], Iterator[Row]]


def line(cells: tuple[str, ...]) -> str:
    """One line of the table."""
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, COLUMNS.values(), strict=True)).rstrip()


def interleaved(rounds: int, *measurements: Callable[[], float]) -> list[list[float]]:
    """Repeat measurements side by side, so that a busy minute of the machine falls on all of them alike.

    Returns:
        The values of each; those of a first round, which fills caches, are left out.
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
    """The median of the ratios within each round: what slows a whole round down is in both and cancels out."""
    return median(one / other for one, other in zip(ours, floor, strict=True))


def written(value: float) -> str:
    """A figure with as many digits as mean something."""
    return f"{value:,.0f}" if value >= 100 or value.is_integer() else f"{value:.3g}"  # noqa: PLR2004 - three digits


def typical(values: list[float], unit: str, *, scale: float = 1.0) -> str:
    """The median, and half the distance between the quartiles in per cent of it: the noise."""
    middle = median(values)
    low, _, high = quantiles(values, n=4)
    return f"{written(middle * scale)} {unit} ± {50 * (high - low) / middle:.0f} %"
