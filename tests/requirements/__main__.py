"""Prints the gaps of the contract and how many requirements there are; `all` prints each with its tests.

Exits with 1 where requirements and marks disagree.
"""

import sys

from tests.requirements.manifest import Requirement, faults, proofs, requirements


def _show(entry: Requirement, tests: list[str]) -> None:
    print(f"{entry.chapter}/{entry.section}/{entry.id}: {entry.must}")
    for line in [f"gap: {entry.gap}"] if entry.gap else tests:
        print(f"    {line}")


def main() -> int:
    """Print what was asked for and return the exit status."""
    listed, proved = requirements(), proofs()
    gaps = [entry for entry in listed if entry.gap]
    for entry in listed if sys.argv[1:] == ["all"] else gaps:
        _show(entry, proved.get(entry.id, []))
    wrong = faults(listed, proved)
    for fault in wrong:
        print(fault, file=sys.stderr)
    print(f"{len(listed)} requirements, {len(gaps)} of them gaps, {len(wrong)} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
