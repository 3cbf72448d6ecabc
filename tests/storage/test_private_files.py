import stat
from pathlib import Path

import pytest

from storage.private_files import is_open_to_others, write_private


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
