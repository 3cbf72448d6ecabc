"""The time from the start of a server on stdio to its answer to `tools/list`."""

from collections.abc import Iterator
from functools import partial
from time import perf_counter
from typing import Final

from benchmarks.measure import Row, interleaved, ratio, typical
from benchmarks.processes import FLOOR, PRODUCT, stdio

ROUNDS: Final = 15


def rows() -> Iterator[Row]:
    """Start the product and the floor in turn."""
    ours, floor = interleaved(
        ROUNDS,
        partial(_start, PRODUCT, "stdio"),
        partial(_start, *FLOOR, "stdio"),
    )
    yield Row(
        what="stdio: start to the first tools/list answered",
        ours=typical(ours, "ms", scale=1000),
        floor=typical(floor, "ms", scale=1000),
        figure=ratio(ours, floor),
        must=1.1,
        reach=1.0,
    )


def _start(*command: str) -> float:
    started = perf_counter()
    with stdio(*command) as server:
        server.open()
        server.request("tools/list", {})
        return perf_counter() - started
