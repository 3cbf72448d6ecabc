"""`--quick`: what needs no process, no browser and no database but one in memory, and tries no long table."""

from functools import cache
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest

from tests.databases import FILE

APART = {"e2e", "interop", "repository", "scripts", "requirements"}
"""The folders whose tests start the product, a browser or a build, or read the whole repository."""

LONG = {
    *("test_contract.py", "test_demo.py", "test_reading.py", "test_state_machine.py", "test_hostile_arguments.py"),
    *("test_odd_values.py", "test_known_before_asking.py", "test_far_enough.py", "test_meetings.py", "test_survey.py"),
    *("test_size_limit.py", "test_leaving_texts.py", "test_seed.py", "test_untidy.py", "test_client_faults.py"),
    *("test_pacer.py", "test_refresher.py", "test_start.py", "test_faults.py", "test_access.py", "test_dry_runs.py"),
    *("test_calls.py", "test_hosting.py", "test_entries.py", "test_agent.py", "test_client.py", "test_register.py"),
    *("test_booking_ceilings.py", "test_audit_entries.py", "test_rescheduling.py", "test_create_event_invitee.py"),
}
"""The files that take half of the time: hundreds of cases of one rule, or hundreds of calls in a case."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--quick", action="store_true", help="leave out what starts processes, and try fewer examples")


def pytest_configure(config: pytest.Config) -> None:
    if config.option.quick:
        hypothesis.settings.register_profile("quick", hypothesis.settings.get_profile("suite"), max_examples=10)
        hypothesis.settings.load_profile("quick")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Spare the time that it takes to load what is left out."""
    return True if config.option.quick and _is_left_out(collection_path, config) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.option.quick:
        quick = {item for item in items if is_quick(item)}
        config.hook.pytest_deselected(items=[item for item in items if item not in quick])
        items[:] = [item for item in items if item in quick]


def is_quick(item: pytest.Item) -> bool:
    """Whether a test starts nothing."""
    if _is_left_out(item.path, item.config) or item.get_closest_marker("needs"):
        return False
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    if FILE in parameters.values() or "processes" in item.path.stem:
        return False
    return not (isinstance(item, pytest.Function) and starts_processes(item.module))


def _is_left_out(path: Path, config: pytest.Config) -> bool:
    return path.is_relative_to(config.rootpath) and not (APART | LONG).isdisjoint(
        path.relative_to(config.rootpath).parts
    )


@cache
def starts_processes(module: ModuleType) -> bool:
    """Whether a file of tests has something from one of the modules that start processes."""
    return any(getattr(value, "__module__", "").endswith(".processes") for value in vars(module).values())
