"""The receivers that the documents show, as people run them: each verifies with a library of Standard Webhooks."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.documents import ROOT
from tests.e2e.processes import Program, environment
from tests.interop.node import NODE, PACKAGES

EXAMPLES: Final = ROOT / "docs/examples"


@contextmanager
def receiver(example: str, secret: str, folder: Path, port: str = "0") -> Generator[tuple[Program, str]]:
    """Run an example until the block is left, once it answers.

    Args:
        example: The name of its file.
        secret: What it verifies with.
        folder: Where one in Node is put beside the packages that it needs.
        port: Where it listens, 0 for a free one.

    Returns:
        The program, and the URL to post to.
    """
    process = subprocess.Popen(
        [sys.executable, EXAMPLES / example] if example.endswith(".py") else [NODE, _beside_packages(example, folder)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment({"WEBHOOK_SECRET": secret, "PORT": port}),
    )
    with process:
        try:
            program = Program(process)
            yield program, f"http://127.0.0.1:{program.line('listening on port ')}/hook"
        finally:
            process.kill()


def _beside_packages(example: str, folder: Path) -> Path:
    """Put an example where Node finds the packages of the tests."""
    (folder / "node_modules").symlink_to(PACKAGES)
    copy = folder / example
    copy.write_text((EXAMPLES / example).read_text())
    return copy
