"""A client's configuration file: read, compared, kept aside, and replaced as a whole or not at all."""

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

# What an entry of ours says in these members may be read by anybody; everything else in them may be a secret.
_ENVELOPES: Final = frozenset({"env", "headers"})
_OPEN: Final = frozenset({TOKEN_FILE, "XDG_DATA_HOME", "DBUS_SESSION_BUS_ADDRESS", "X-MCP-Readonly"})


@dataclass(frozen=True, slots=True)
class Change:
    """What is to become of a file.

    Attributes:
        file: Where it is.
        before: Its text, None where there is none.
        after: Its text afterwards, None where there is still to be none.
        entry: The names that lead to our entry in it.
    """

    file: Path
    before: str | None
    after: str | None
    entry: tuple[str, ...]

    @property
    def found(self) -> jsonc.Json:
        """What stands now where our entry belongs, None where nothing does."""
        return jsonc.find(_unmarked(self.before or ""), self.entry)

    @property
    def is_needed(self) -> bool:
        """Whether anything changes."""
        return self.before != self.after

    def difference(self) -> str:
        """Show the change as a unified diff, in which nothing is told that may be a secret."""
        before, after = (
            jsonc.shown(_unmarked(text), self._visible).splitlines() if text else []
            for text in (self.before, self.after)
        )
        # Only where the two differ: the file of Claude Code may have a hundred thousand lines.
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
        # Of what follows `--header` of mcp-remote, only what limits the server.
        return ":" not in text or "://" in text or ":\\" in text or text.partition(":")[0] in _OPEN


def _alike(one: list[str], other: list[str]) -> int:
    """How many lines both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _moved(line: str, lines: int) -> str:
    """A line of a difference, counted from the beginning of the whole file where it counts."""
    if not line.startswith("@@"):
        return line
    return re.sub(r"(?<=[-+])\d+", lambda number: str(int(number[0]) + lines), line)


def _unmarked(text: str) -> str:
    return text.removeprefix(_MARK)


def read(file: Path) -> str | None:
    """Return the text of a configuration file, None where there is none. Raises CommandError."""
    try:
        return file.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "it is not text"
        raise CommandError(f"{file} cannot be read: {reason}. Nothing was changed.") from None


def with_entry(file: Path, path: tuple[str, ...], entry: jsonc.Json) -> Change:
    """Say what it takes to have our entry in a file, or none where `entry` is None.

    Raises:
        NotJsonError: The file cannot be understood.
        NotAnObjectError: Something else stands where entries should.
        CommandError: The file cannot be read.
    """
    before = read(file)
    text = _unmarked(before or "")
    if jsonc.find(text, path) == entry:
        return Change(file, before, before, path)
    after = jsonc.remove(text, path) if entry is None else jsonc.put(text, path, entry)
    return Change(file, before, (_MARK if before and before.startswith(_MARK) else "") + after, path)


def write(change: Change, now: datetime) -> Path | None:
    """Replace the file with what it is to be, keeping what it was beside it. A link stays one.

    Args:
        change: The change.
        now: Names the copy.

    Returns:
        Where the copy is, None where there was no file.

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
    """Put a file in place of any other, with all of its content or not at all."""
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
