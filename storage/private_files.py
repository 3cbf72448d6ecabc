"""Files that only their owner can read, written whole or not at all, and folders that only their owner can enter."""

import logging
import os
import stat
from pathlib import Path
from typing import Final

_OTHERS: Final = 0o077

_log: Final = logging.getLogger(__name__)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, in place of any other, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)  # of a process that died over it
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)  # which only Windows has and needs
    with os.fdopen(os.open(draft, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    if os.name == "posix":  # the name too has to be on the disk before anybody relies on it
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def make_private_folder(folder: Path, ours: str = "") -> None:
    """Make a folder that only its owner can enter, and narrow one that others can, if nothing of others is in it.

    Args:
        folder: The folder.
        ours: How the names of our files begin. A folder that has others, or that everybody may use, stays as it is.

    Raises:
        OSError: It cannot be made or looked at.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_shared = folder.stat().st_mode & stat.S_ISVTX or not all(file.name.startswith(ours) for file in folder.iterdir())
    if is_open_to_others(folder) and not is_shared:
        try:
            folder.chmod(0o700)
        except PermissionError:
            _log.warning("others can enter the folder %s, and this user may not change that", folder)


def is_open_to_others(path: Path) -> bool:
    """Whether others than its owner may read or write a file, or enter a folder. Raises OSError."""
    return os.name == "posix" and bool(path.stat().st_mode & _OTHERS)


def is_exposed(path: Path) -> bool:
    """Whether a file is this user's and open to others. A file that another user gave us is theirs to close.

    Raises:
        OSError: It cannot be looked at.
    """
    return is_open_to_others(path) and path.stat().st_uid == os.geteuid()
