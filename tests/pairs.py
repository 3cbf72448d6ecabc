"""Few combinations of many factors, such that every two values that can meet do meet in one of them."""

from collections.abc import Callable, Sequence
from itertools import combinations, product

Combination = tuple[object, ...]


def all_pairs(factors: Sequence[Sequence[object]], is_possible: Callable[[Combination], bool]) -> list[Combination]:
    """Choose combinations, one value of each factor, greedily: each time the one with the most pairs that are new.

    Args:
        factors: The values of each.
        is_possible: Says whether a combination can be.
    """
    candidates = [combination for combination in product(*factors) if is_possible(combination)]
    missing: set[tuple[tuple[int, object], ...]] = {pair for candidate in candidates for pair in _pairs(candidate)}
    chosen: list[Combination] = []
    while missing:
        best = max(candidates, key=lambda combination: len(_pairs(combination) & missing))
        chosen.append(best)
        missing -= _pairs(best)
    return chosen


def _pairs(combination: Combination) -> set[tuple[tuple[int, object], ...]]:
    return set(combinations(enumerate(combination), 2))
