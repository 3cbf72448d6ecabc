"""Text files as people make them: with any of the encodings and line ends that editors and shells write."""

import codecs
import errno
from pathlib import Path
from typing import Final

_LARGEST: Final = 16 * 1024 * 1024
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),  # what `>` of Windows PowerShell and Notepad's "Unicode" write
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class TextFileError(Exception):
    """The file cannot be read as text. The message says why, as the end of a sentence about it, without a full stop."""


def read_text(file: Path) -> str:
    """Return the text of a file, with line feeds alone as its line ends.

    Raises:
        FileNotFoundError: There is no such file.
        TextFileError: It cannot be read, holds no text, or is empty.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as fault:
        raise TextFileError(_why(fault)) from None
    if len(content) > _LARGEST:
        raise TextFileError("cannot be read: it is too large")
    text = decode(content)
    if not text.strip():
        raise TextFileError("is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def decode(content: bytes) -> str:
    """Return the text in the bytes of a file, without the mark of its encoding. Raises TextFileError."""
    mark, encoding = next((known for known in _MARKS if content.startswith(known[0])), (b"", "utf-8"))
    if not mark and b"\0" in content[:2]:  # UTF-16 without a mark: text begins with an ASCII character here
        encoding = "utf-16-be" if content.startswith(b"\0") else "utf-16-le"
    try:
        text = content.removeprefix(mark).decode(encoding)
    except UnicodeDecodeError:
        raise TextFileError("cannot be read: it is not text in UTF-8 or UTF-16") from None
    if "\0" in text:
        raise TextFileError("cannot be read: it is not text")
    return text


def _why(fault: OSError | ValueError) -> str:
    if isinstance(fault, OSError) and fault.errno == errno.EISDIR:
        return "is a folder"
    reason = fault.strerror if isinstance(fault, OSError) else "its name is none"
    return f"cannot be read: {reason}"
