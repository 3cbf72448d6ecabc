"""Packs the extension for Claude Desktop: an MCP bundle of type `uv`, the sources and their requirements.

The host installs it with uv, so the bundle is a project. Its pyproject.toml is ours without what
only the repository needs, as uv would install a group of development requirements too.
"""

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile

from scripts.distribution import PROJECT, ROOT
from server.configuration.terminal import DISTRIBUTION

NEEDED: Final = ("[build-system]", "[project]", "[project.scripts]", "[tool.hatch")
COMPILED: Final = shutil.ignore_patterns("__pycache__")


def stage(folder: Path) -> None:
    """Copy what is packed into a new folder."""
    shutil.copytree(ROOT / "mcpb", folder, ignore=COMPILED)
    text = (ROOT / "pyproject.toml").read_text()
    (folder / "pyproject.toml").write_text(needed(text))
    for name in ("README.md", "LICENSE", "CHANGELOG.md", "calendly_mcp_server.py"):
        shutil.copy(ROOT / name, folder)
    for room in sorted(path.parent for path in ROOT.glob("*/__init__.py")):
        shutil.copytree(room, folder / room.name, ignore=COMPILED)


def needed(pyproject: str) -> str:
    """Return the tables of a pyproject.toml that build and run the project."""
    tables = re.split(r"^(?=\[)", pyproject, flags=re.MULTILINE)
    return "".join(table for table in tables if table.startswith(NEEDED))


def pack(to: Path) -> Path:
    """Pack the extension, a ZIP archive, into a folder. Returns its path."""
    to.mkdir(exist_ok=True)
    with TemporaryDirectory() as parent:
        folder = Path(parent) / DISTRIBUTION
        stage(folder)
        target = to / f"{DISTRIBUTION}-{PROJECT['version']}.mcpb"
        with ZipFile(target, "w", ZIP_DEFLATED) as archive:  # hosts read no entries of folders
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                archive.write(file, file.relative_to(folder))
        return target


def main(arguments: Sequence[str]) -> int:
    """Pack, or with --stage FOLDER only copy. Returns the exit status."""
    match arguments:
        case ["--stage", folder]:
            stage(Path(folder))
            return 0
        case []:
            print(f"Written: {pack(ROOT / 'dist').relative_to(ROOT)}")
            return 0
        case _:
            print("usage: scripts/extension [--stage FOLDER]", file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
