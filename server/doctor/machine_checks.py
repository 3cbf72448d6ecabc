"""The checks of `doctor` on what this machine gives a server: its disk, open files and data folder."""

import os
import shutil
from pathlib import Path
from typing import Final

from server.doctor.diagnosis import Finding

_LEAST_FREE: Final = 64 * 1024 * 1024
_LEAST_OPEN: Final = 256
_MEBIBYTE: Final = 1024 * 1024


def open_files(limit: int | None) -> list[Finding]:
    """Judge how many files and connections a process may have open; None where there is no such limit."""
    if limit is None or limit >= _LEAST_OPEN:
        return []
    return [
        Finding(
            "machine",
            "fix",
            f"a process may open only {limit} files and connections here, too few to serve: `ulimit -n 4096` raises it "
            "in this shell, and the limit of the service or container where one starts the server",
        )
    ]


def data_folder(folder: Path) -> list[Finding]:
    """Check whether the folder of our data can be written, and has room."""
    there = next(place for place in (folder, *folder.parents) if place.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        return [
            Finding(
                "data",
                "fix",
                f"{folder} cannot be written. Without an audit log nothing is written to Calendly: give yourself the "
                "right to it, or set XDG_DATA_HOME",
            )
        ]
    return [*disk(folder, shutil.disk_usage(there).free), _writable(folder, is_there=there == folder)]


def disk(folder: Path, free: int) -> list[Finding]:
    """Judge the bytes that are free on the disk of a folder."""
    if free >= _LEAST_FREE:
        return []
    return [
        Finding(
            "data",
            "fix",
            f"the disk of {folder} is full: {free // _MEBIBYTE} MiB are free. Without room for the audit log nothing "
            "is written to Calendly: make room, or set XDG_DATA_HOME",
        )
    ]


def _writable(folder: Path, *, is_there: bool) -> Finding:
    return Finding("data", "ok", f"{folder} " + ("can be written" if is_there else "will be made when needed"))
