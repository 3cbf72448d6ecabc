"""Groups of tests that need something a machine may lack, marked `@pytest.mark.needs("node")`.

Where it is missing the group is left out and named in the last lines of the run. In CI nothing may be missing, so
there a group left out fails the run. Where several processes share the tests, each finds out for itself and tells the
one that prints.
"""

import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Protocol

import pytest

from tests import image
from tests.postgresql import programs


@dataclass(frozen=True)
class Group:
    """What a group needs: whether it is there, given the repository's folder, and how to get it."""

    is_there: Callable[[Path], bool]
    remedy: str


def _has_packages(root: Path) -> bool:
    """Whether npm came to its end; `make` notes that, since one that was cut off leaves some of the packages."""
    return (root / "tests/node/node_modules/installed").is_file()


def _has_ipv6() -> bool:
    """Whether something can listen on ::1; containers often have IPv4 alone."""
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


GROUPS = {
    "node": Group(
        is_there=_has_packages,
        remedy="npm has not installed the packages of tests/node",
    ),
    "clients": Group(
        is_there=lambda _: (Path(sys.prefix) / "clients/installed").is_file(),
        remedy="pip has not installed requirements/clients.lock",
    ),
    "chromium": Group(
        is_there=lambda root: which("chromium") is not None and _has_packages(root),
        remedy="no Chromium is installed, or not the packages of tests/node; on Debian and Ubuntu: "
        "apt-get install chromium",
    ),
    "image": Group(
        is_there=lambda _: image.is_possible(),
        remedy="the steps of the Dockerfile are done by root on Debian or Ubuntu",
    ),
    "hadolint": Group(
        is_there=lambda _: image.hadolint() is not None,
        remedy="hadolint is one of the development requirements on Linux with an x86-64 processor, and nowhere else",
    ),
    "ipv6": Group(
        is_there=lambda _: _has_ipv6(),
        remedy="this machine has no address ::1",
    ),
    "postgresql": Group(
        is_there=lambda _: programs() is not None,
        remedy="no PostgreSQL server is installed; on Debian and Ubuntu: apt-get install postgresql",
    ),
}


class Worker(Protocol):
    """One of several processes that share the tests, as pytest-xdist shows it to the one that prints."""

    config: pytest.Config
    workeroutput: dict[str, dict[str, int]]


LEFT_OUT = pytest.StashKey[dict[str, int]]()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"needs(group): a test of a group; the groups are {', '.join(GROUPS)}")
    config.stash[LEFT_OUT] = {}


def missing_group(item: pytest.Item) -> str | None:
    """Name the first group whose need the machine lacks, or None. Raises KeyError for a group that is not in GROUPS."""
    for marker in item.iter_markers("needs"):
        name = str(marker.args[0])
        if not GROUPS[name].is_there(item.config.rootpath):
            return name
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    missing = {item: name for item in items if (name := missing_group(item))}
    for name in missing.values():
        config.stash[LEFT_OUT][name] = config.stash[LEFT_OUT].get(name, 0) + 1
    config.hook.pytest_deselected(items=list(missing))
    items[:] = [item for item in items if item not in missing]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Worker) -> None:
    node.config.stash[LEFT_OUT] = node.workeroutput["left_out"]


def pytest_sessionfinish(session: pytest.Session) -> None:
    left_out = session.config.stash[LEFT_OUT]
    told: dict[str, dict[str, int]] | None = getattr(session.config, "workeroutput", None)
    if told is not None:
        told["left_out"] = left_out
    elif left_out and os.environ.get("CI"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for name, count in config.stash[LEFT_OUT].items():
        terminalreporter.write_line(f"left out: {name}, {count} tests ({GROUPS[name].remedy})")
