"""How several processes share the tests: how many they are, what they start together, and who begins with what."""

import os
import shlex
from collections.abc import Generator, Iterable

import pytest
from execnet import XSpec

from tests.quick import APART
from tests.warm import share, warm


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> Generator[None, int, int]:
    """Have two processes for each core: while one waits for a program that it started, the other works."""
    cores = yield
    return cores if config.option.quick else 2 * cores


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: list[XSpec]) -> None:
    """Fork the processes from one that has loaded the product, and let them share what forks programs for the tests."""
    if config.option.quick:
        return
    measured = os.environ.get("COVERAGE")
    share(None)
    share(measured)
    for spec in specs:
        spec.python = shlex.join(warm(measured))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if processes := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
        items[:] = _dealt(items, int(processes))


def _dealt(items: Iterable[pytest.Item], processes: int) -> list[pytest.Item]:
    """Deal the tests into as many even parts as there are processes, each of which begins with one.

    A part begins with files whose tests start programs, each file whole, and those that need a browser together. Files
    of few tests come first: theirs are the longest. So programs that several tests share are started once, and what is
    left for others to take at the end is small.
    """
    short: list[pytest.Item] = []
    long: dict[object, list[pytest.Item]] = {}
    for item in items:
        group = "chromium" if _needs_chromium(item) else item.path
        (long.setdefault(group, []) if item.path.parent.name in APART else short).append(item)
    parts: list[list[pytest.Item]] = [[] for _ in range(processes)]
    for tests in sorted(long.values(), key=len, reverse=True):
        min(parts, key=len)[:0] = tests
    for number, part in enumerate(parts):
        missing = max(0, (len(short) + sum(map(len, parts[number:]))) // (processes - number) - len(part))
        part.extend(short[:missing])
        del short[:missing]
    return [test for part in parts for test in part]


def _needs_chromium(item: pytest.Item) -> bool:
    return any("chromium" in marker.args for marker in item.iter_markers("needs"))
