"""What is wrong with an entry of a client before its server is started."""

from pathlib import Path
from typing import Final

from server.doctor.installed_clients import InstalledEntry, faults_of
from server.installing.configuring import client_named
from server.installing.jsonc import Json

CURSOR: Final = client_named("cursor")


def told(entry: dict[str, Json], home: Path) -> list[str]:
    """The faults of an entry, where every program is there."""
    return [fault.text for fault in faults_of(InstalledEntry(CURSOR, "calendly", entry, home), lambda name: name)]


def test_a_folder_in_which_nothing_can_be_started_is_named(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "file").touch()
    assert told({"command": "calendly-mcp", "cwd": "here"}, tmp_path) == []
    assert told({"command": "calendly-mcp"}, tmp_path) == []
    for cwd in ("gone", "file"):
        assert told({"command": "calendly-mcp", "cwd": cwd}, tmp_path) == [
            f'Cursor: "calendly" is started in {tmp_path / cwd} (cwd), which is no folder; correct its cwd'
        ]
    assert told({"url": "https://calendly.example.com/mcp", "cwd": "gone"}, tmp_path) == []
