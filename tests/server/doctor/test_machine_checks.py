"""What `doctor` says of the machine: of disks, open files and folders."""

from pathlib import Path

import pytest

from server.doctor.machine_checks import data_folder, disk, open_files
from server.transports.connections import limit_of_open_files


def test_a_disk_that_is_full_is_named() -> None:
    [full] = disk(Path("/data"), 3 * 1024 * 1024)
    assert full.state == "fix"
    assert full.text.startswith("the disk of /data is full: 3 MiB are free.")
    assert disk(Path("/data"), 1024**3) == []


def test_a_limit_of_open_files_that_is_too_small_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    [small] = open_files(64)
    assert small.state == "fix"
    assert "only 64 files and connections" in small.text
    assert open_files(1024) == open_files(None) == []
    assert limit_of_open_files() is None or (limit_of_open_files() or 0) > 0
    monkeypatch.setitem(__import__("sys").modules, "resource", None)  # as on Windows
    assert limit_of_open_files() is None


def test_a_folder_is_judged_by_what_is_there(tmp_path: Path) -> None:
    assert data_folder(tmp_path)[-1].text.endswith("can be written")
    assert data_folder(tmp_path / "a/b")[-1].text.endswith("will be made when needed")
    (tmp_path / "file").touch()
    assert data_folder(tmp_path / "file/b")[0].state == "fix"
