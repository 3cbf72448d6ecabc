"""A client's configuration file: read, compared, copied, and replaced as a whole or not at all."""

import difflib
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from server.configuration.settings import TOKEN_FILE
from server.configuration.terminal import CommandError
from server.installing import jsonc

_MARK: Final = "\ufeff"
_PRIVATE: Final = 0o600
_CONTEXT: Final = 3

# In these members of our entry only known names are shown; any other value may be a secret.
_ENVELOPES: Final = frozenset({"env", "headers"})
_OPEN: Final = frozenset({TOKEN_FILE, "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS", "X-MCP-Readonly"})


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a file.

    Attributes:
        file: The file.
        before: Its text; None if there is no file.
        after: Its new text; None if there is still to be no file.
        entry: The path of object members to our entry.
    """

    file: Path
    before: str | None
    after: str | None
    entry: tuple[str, ...]

    @property
    def found(self) -> jsonc.Json:
        """The current value at our entry's path, None if there is none."""
        return jsonc.find(_unmarked(self.before or ""), self.entry)

    @property
    def is_needed(self) -> bool:
        """Whether anything changes."""
        return self.before != self.after

    def difference(self) -> str:
        """Return the change as a unified diff that hides everything that may be a secret."""
        before, after = (
            jsonc.shown(_unmarked(text), self._visible).splitlines() if text else []
            for text in (self.before, self.after)
        )
        # Only the part that differs: Claude Code's file may have a hundred thousand lines.
        first = max(0, _alike(before, after) - _CONTEXT)
        last = max(0, _alike(before[first:][::-1], after[first:][::-1]) - _CONTEXT)
        old, new = before[first : len(before) - last], after[first : len(after) - last]
        lines = [*difflib.unified_diff(old, new, lineterm="", n=_CONTEXT)][2:]
        head = [f"--- {self.file}", f"+++ {self.file}"]
        return "".join(f"{_moved(line, first)}\n" for line in [*head, *lines])

    def _visible(self, path: tuple[str, ...], text: str) -> bool:
        inside = path[len(self.entry) :]
        if path[: len(self.entry)] != self.entry or not inside:
            return False
        if inside[0] in _ENVELOPES:
            return inside[-1] in _OPEN
        # Of the headers that mcp-remote is given, only those that limit the server.
        return ":" not in text or "://" in text or ":\\" in text or text.partition(":")[0] in _OPEN


def _alike(one: list[str], other: list[str]) -> int:
    """Count the equal lines at the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _moved(line: str, lines: int) -> str:
    """Shift the line numbers of a diff's hunk header; other lines stay as they are."""
    if not line.startswith("@@"):
        return line
    return re.sub(r"(?<=[-+])\d+", lambda number: str(int(number[0]) + lines), line)


def _unmarked(text: str) -> str:
    return text.removeprefix(_MARK)


def read(file: Path) -> str | None:
    """Return the text of a configuration file, None if there is none. Raises CommandError."""
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not text"
        raise CommandError(f"{file} cannot be read: {reason}. Nothing was changed.") from None


def with_entry(file: Path, path: tuple[str, ...], entry: jsonc.Json) -> Change:
    """Return the change that puts our entry into a file, or takes it out if `entry` is None.

    Raises:
        NotJsonError: The file cannot be parsed.
        NotAnObjectError: A member on the path is not an object.
        CommandError: The file cannot be read.
    """
    before = read(file)
    text = _unmarked(before or "")
    if jsonc.find(text, path) == entry:
        return Change(file, before, before, path)
    after = jsonc.remove(text, path) if entry is None else jsonc.put(text, path, entry)
    return Change(file, before, (_MARK if before and before.startswith(_MARK) else "") + after, path)


def write(change: Change, now: datetime) -> Path | None:
    """Make a change, with a copy of the old file beside the new one. A symbolic link stays one.

    Args:
        change: The change.
        now: The time, which names the copy.

    Returns:
        The path of the copy, None if there was no file.

    Raises:
        CommandError: The file has changed meanwhile, or cannot be written.
    """
    file = change.file.resolve()
    if read(file) != change.before:
        raise CommandError(f"{change.file} has changed meanwhile, so nothing was written; try again.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = _PRIVATE if change.before is None else file.stat().st_mode & 0o777
        copy = None
        if change.before is not None:
            copy = change.file.with_name(f"{change.file.name}.{now:%Y%m%d-%H%M%S-%f}.bak")
            _put(copy, change.before, mode)
        _put(file, change.after or "", mode)
    except OSError as fault:
        raise CommandError(f"{change.file} cannot be written: {fault.strerror}. It is as it was.") from None
    return copy


def _put(file: Path, text: str, mode: int) -> None:
    """Write a file whole or not at all, by renaming a draft."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).chmod(mode)
        Path(draft).replace(file)
    except OSError:
        with suppress(OSError):
            Path(draft).unlink()
        raise
