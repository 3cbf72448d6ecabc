"""What every test shares."""

import gc
import os
import re
from typing import Final

import hypothesis
import pytest

from tests.certificates import trust_nobody

pytest_plugins = [
    "tests.groups",
    "tests.migrating",
    "tests.databases",
    "tests.quick",
    "tests.schemas",
    "tests.sharing",
    "tests.task_table",
]

# No wall clock decides here, and a failure found once is found again by everybody.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True)
hypothesis.settings.load_profile("suite")


OF_A_PERSON: Final = re.compile("CALENDLY_.*|.*_proxy|PG[A-Z]+|COLUMNS|LINES", re.IGNORECASE)
"""The variables by which one who runs the tests would change what they see: settings, the proxies of their network (all
that is asked here is on this machine), their PostgreSQL, the width of their terminal."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--bookings",
        type=int,
        default=30,
        help="how many faulty bookings, and reschedulings, tests/e2e/test_soak.py makes",
    )
    parser.addoption(
        "--deliveries",
        type=int,
        default=100,
        help="how many deliveries of Calendly's, each once to three times, tests/e2e/test_soak_events.py posts",
    )


def pytest_configure(config: pytest.Config) -> None:
    for name in [name for name in os.environ if OF_A_PERSON.fullmatch(name)]:
        del os.environ[name]
    os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"  # the package asks for it once in a process
    config.addinivalue_line("markers", "requirement(*ids): proves these entries of tests/requirements")


def pytest_collection_finish() -> None:
    """Leave out of every collection of garbage what was loaded: it stays, and is a hundred times what a test makes."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def trusting_nobody(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Spare every client the certificates of the public web."""
    trust_nobody(tmp_path_factory.mktemp("certificates"))
