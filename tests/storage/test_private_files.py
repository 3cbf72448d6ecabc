import stat
from pathlib import Path

import pytest

from storage.database import open_database
from storage.private_files import is_open_to_others, make_private_folder, write_private


def test_a_file_is_for_its_owner_only_whatever_was_there(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(b"before")
    path.chmod(0o644)
    assert is_open_to_others(path)
    write_private(path, b"\r\n\x00after")
    assert path.read_bytes() == b"\r\n\x00after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not is_open_to_others(path)


def test_what_a_process_that_died_left_half_written_is_written_anew(tmp_path: Path) -> None:
    (tmp_path / "secret.new").write_bytes(b"hal")
    write_private(tmp_path / "secret", b"whole")
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("secret", b"whole")]


def test_a_file_that_cannot_be_written_leaves_the_one_there_was(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"before")
    (tmp_path / "secret.new").mkdir()
    with pytest.raises(OSError, match=r"secret\.new"):
        write_private(tmp_path / "secret", b"after")
    assert (tmp_path / "secret").read_bytes() == b"before"


@pytest.mark.requirement("folder-private")
def test_a_folder_that_others_can_enter_is_narrowed_unless_it_holds_what_is_not_ours(tmp_path: Path) -> None:
    def mode(name: str, before: int | None, *files: str, ours: str = "") -> int:
        folder = tmp_path / name
        if before is not None:
            folder.mkdir()
            folder.chmod(before)
        for file in files:
            (folder / file).touch()
        make_private_folder(folder, ours)
        return stat.S_IMODE(folder.stat().st_mode)

    assert mode("new", None) == 0o700
    assert mode("open", 0o755, "database", "login") == 0o700
    assert mode("database", 0o777, "d.sqlite3", "d.sqlite3-wal", "d.sqlite3.keys", ours="d.sqlite3") == 0o700
    assert mode("project", 0o755, "d.sqlite3", "README.md", ours="d.sqlite3") == 0o755
    assert mode("temporary", 0o1777, "d.sqlite3", ours="d.sqlite3") == 0o1777


@pytest.mark.requirement("folder-private")
async def test_the_folder_of_a_database_is_for_its_owner_only(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o755)
    async with open_database(f"sqlite:///{folder / 'd.sqlite3'}"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
