"""Files that only their owner can read, written whole or not at all."""

import os
from pathlib import Path
from typing import Final

_OTHERS: Final = 0o077


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


def is_open_to_others(path: Path) -> bool:
    """Whether others than its owner may read or write a file. Raises OSError."""
    return os.name == "posix" and bool(path.stat().st_mode & _OTHERS)
