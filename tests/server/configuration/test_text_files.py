"""Text files as people make them on any system."""

import codecs
from pathlib import Path

import pytest

from server.configuration.text_files import TextFileError, read_text
from tests.cases import each


@each(
    "content",
    [
        b"a\nb\n",
        b"a\r\nb\r\n",
        b"a\rb\r",
        codecs.BOM_UTF8 + b"a\r\nb\n",
        codecs.BOM_UTF16_LE + "a\r\nb\n".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "a\rb\r".encode("utf-16-be"),
        "a\r\nb\r\n".encode("utf-16-le"),
        "a\nb\n".encode("utf-16-be"),
    ],
)
def test_a_text_is_the_same_whatever_wrote_it(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    assert read_text(tmp_path / "file") == "a\nb\n"


@each(
    "content, why",
    [
        (b"", "is empty"),
        (codecs.BOM_UTF8 + b" \r\n", "is empty"),
        (codecs.BOM_UTF16_LE, "is empty"),
        (b"\x89PNG\r\n", "it is not text in UTF-8 or UTF-16"),
        (codecs.BOM_UTF16_LE + b"a", "it is not text in UTF-8 or UTF-16"),
        (b"ab\0cd", "it is not text"),
        (b"x" * (16 * 1024 * 1024 + 1), "it is too large"),
        (None, "is a folder"),
    ],
)
def test_what_holds_no_text_is_called_what_it_is(content: bytes | None, why: str, tmp_path: Path) -> None:
    file = tmp_path if content is None else tmp_path / "file"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(TextFileError, match=why):
        read_text(file)


def test_a_name_that_no_file_can_have_is_no_traceback(tmp_path: Path) -> None:
    with pytest.raises(TextFileError, match="its name is none"):
        read_text(tmp_path / "a\0b")
    with pytest.raises(FileNotFoundError):
        read_text(tmp_path / "missing")
