"""`make bench`: measures the figures of docs/performance.md, each beside its floor."""

import argparse
import sys
from typing import Final

from benchmarks import events, hosted, pacing, stdio_call, stdio_start, token_cost
from benchmarks.measure import COLUMNS, Rows, line

MEASUREMENTS: Final[dict[str, Rows]] = {
    "start": stdio_start.rows,
    "call": stdio_call.rows,
    "tokens": token_cost.rows,
    "pacing": pacing.rows,
    "hosted": hosted.rows,
    "events": events.rows,
    "real-time-pacing": pacing.rows_in_real_time,
}

ONLY_WHEN_NAMED: Final = frozenset({"real-time-pacing"})


def main(arguments: list[str]) -> None:
    """Measure the named benchmarks, by default all short ones, and print each row when it is ready."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, help="measure this; may be repeated")
    named: list[str] | None = parser.parse_args(arguments).only
    print(line(tuple(COLUMNS)))
    for name in named or [name for name in MEASUREMENTS if name not in ONLY_WHEN_NAMED]:
        for row in MEASUREMENTS[name]():
            print(line(row.cells), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
