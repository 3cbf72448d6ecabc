"""What is said of a release, out of the changelog."""

import re
import subprocess
from pathlib import Path

from server.commands.cli import COMMANDS

ROOT = Path(__file__).parents[2]


def notes(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "scripts/release-notes", *words], capture_output=True, text=True, check=False)


def test_the_notes_of_a_version_are_its_part_of_the_changelog() -> None:
    told = notes()
    assert told.returncode == 0
    assert told.stdout.startswith("### ")
    assert told.stdout.strip() in (ROOT / "CHANGELOG.md").read_text()
    assert "## [" not in told.stdout.replace("### ", "")


def test_every_command_is_told_of() -> None:
    told = set(re.findall(r"\w+", notes().stdout))
    assert {command for command in COMMANDS if command not in told} == {"demo", "whoami"}  # as old as the first tool


def test_a_version_that_is_not_there_has_none() -> None:
    told = notes("9.9.9")
    assert (told.returncode, told.stdout) == (1, "")
    assert "no version 9.9.9" in told.stderr
