"""Runs the end-to-end tests against the wheel, installed alone in an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.wheels import PROGRAM, ROOT, build, install_alone


def main(words: Sequence[str]) -> int:
    """Run pytest with these arguments. Returns its exit status."""
    with TemporaryDirectory() as folder:
        [wheel] = build(Path(folder), "wheel")
        program = install_alone(wheel, Path(folder) / "environment") / "calendly-mcp"
        print(f"testing {wheel.name}", flush=True)
        where = [] if any(not word.startswith("-") for word in words) else ["tests/e2e"]
        command = [sys.executable, "-m", "pytest", "--numprocesses=auto", "--dist=worksteal", *words, *where]
        tested = {**os.environ, PROGRAM: str(program)}
        return subprocess.run(command, cwd=ROOT, env=tested, check=False).returncode  # noqa: S603 - our own tests


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
