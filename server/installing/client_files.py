"""A client's configuration file: read, compared, copied, and replaced as a whole or not at all."""

import difflib
import os
import re
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from server.configuration.settings import TOKEN_FILE
from server.configuration.terminal import CommandError
from server.configuration.text_files import TextFileError, decode
from server.installing.clients import ClientProgram, Form, ServerEntry
from server.installing.jsonc import Json

_PRIVATE: Final = 0o600
_CONTEXT: Final = 3

# In these members of our entry only known names are shown; any other value may be a secret.
_ENVELOPES: Final = frozenset({"env", "headers", "http_headers"})
_OPEN: Final = frozenset(
    {
        TOKEN_FILE,
        "CALENDLY_API_URL",
        "XDG_DATA_HOME",
        "DBUS_SESSION_BUS_ADDRESS",
        "X-MCP-Readonly",
        "X-MCP-Toolsets",
        "X-MCP-Tools",
    }
)


@dataclass(frozen=True, slots=True)
class FileChange:
    """A change of a file.

    Attributes:
        file: The file.
        content: What is in it; None if there is no file.
        after: Its new text; None if there is still to be no file.
        entry: The path of object members to our entry.
        form: The form of the file.
    """

    file: Path
    content: bytes | None
    after: str | None
    entry: tuple[str, ...]
    form: Form

    @property
    def before(self) -> str | None:
        """Its text; None if there is no file."""
        return None if self.content is None else decode(self.content)

    @property
    def found(self) -> Json:
        """The current value at our entry's path, None if there is none."""
        return self.form.find(self.before or "", self.entry)

    @property
    def is_needed(self) -> bool:
        """Whether anything changes."""
        return self.content != (None if self.after is None else self.after.encode())

    def difference(self) -> str:
        """Return the change as a unified diff that hides everything that may be a secret."""
        before, after = (
            self.form.shown(text, self._visible).splitlines() if text else [] for text in (self.before, self.after)
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
        # Of the headers that mcp-remote is given, only those that limit the server; levels have their = first.
        before = text.partition(":")[0]
        return ":" not in text or "://" in text or ":\\" in text or before in _OPEN or "=" in before


def _alike(one: list[str], other: list[str]) -> int:
    """Count the equal lines at the beginning."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (left, right) in pairs if left != right), min(len(one), len(other)))


def _moved(line: str, lines: int) -> str:
    """Shift the line numbers of a diff's hunk header; other lines stay as they are."""
    if not line.startswith("@@"):
        return line
    return re.sub(r"(?<=[-+])\d+", lambda number: str(int(number[0]) + lines), line)


def read(file: Path) -> bytes | None:
    """Return what is in a configuration file, None if there is none. Raises CommandError if it is no text."""
    try:
        content = file.read_bytes()
        decode(content)
    except FileNotFoundError:
        return None
    except OSError as fault:
        raise CommandError(f"{file} cannot be read: {fault.strerror}. Nothing was changed.") from None
    except TextFileError as fault:
        raise CommandError(f"{file} {fault}. Nothing was changed.") from None
    return content


def with_entry(client: ClientProgram, file: Path, name: str, make: Callable[[Json], ServerEntry | None]) -> FileChange:
    """Return the change that puts our entry into a file, and takes out what the client could not read.

    Args:
        client: Whose file it is.
        file: The file.
        name: The name of the entry.
        make: Makes the entry out of that which is there; None takes it out.

    Raises:
        UnreadableError: The file cannot be parsed.
        NotAnObjectError: A member on the path is not an object.
        CommandError: The file cannot be read.
    """
    content, path = read(file), (client.key, name)
    text = decode(content or b"")
    found = client.form.find(text, path)
    entry = make(found)
    if entry is None and found is None:
        return FileChange(file, None, None, path, client.form)
    edited = client.form.remove(text, path) if entry is None else client.form.put(text, path, {**entry})
    return FileChange(file, content, client.readable(edited), path, client.form)


def write(change: FileChange, now: datetime) -> Path | None:
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
    if read(file) != change.content:
        raise CommandError(f"{change.file} has changed meanwhile, so nothing was written; try again.")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = _PRIVATE if change.content is None else file.stat().st_mode & 0o777
        copy = None
        if change.content is not None:
            copy = change.file.with_name(f"{change.file.name}.{now:%Y%m%d-%H%M%S-%f}.bak")
            _put(copy, change.content, mode)
        _put(file, (change.after or "").encode(), mode)
    except OSError as fault:
        raise CommandError(f"{change.file} cannot be written: {fault.strerror}. It is as it was.") from None
    return copy


def _put(file: Path, content: bytes, mode: int) -> None:
    """Write a file whole or not at all, by renaming a draft."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        Path(draft).chmod(mode)
        Path(draft).replace(file)
    except OSError:
        with suppress(OSError):
            Path(draft).unlink()
        raise
