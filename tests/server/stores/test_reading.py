"""A database on a disk that can only be read: it is read from a copy."""

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from server.configuration.loading import load
from server.configuration.terminal import CommandError
from server.stores.database import open_store, settings_to_read


def contents(folder: Path) -> dict[str, bytes]:
    """Read every file of a folder; nothing where it is gone."""
    return {file.name: file.read_bytes() for file in folder.glob("*")}


async def test_a_record_on_a_disk_that_can_only_be_read_is_read_from_a_copy(tmp_path: Path) -> None:
    settings = load("audit", {"database_url": f"sqlite:///{tmp_path}/record"}, environ={})
    async with AsyncExitStack() as stack:
        await open_store(settings, stack)
        assert settings_to_read(settings, stack) == settings
        before = contents(tmp_path)
        copied = settings_to_read(settings, stack, is_writable=lambda path: path.name != tmp_path.name)
        assert copied.database_url is not None
        assert copied.database_url != settings.database_url
        store = await open_store(copied, stack)
        assert [fault async for fault in store.archive.verify()] == []
        assert contents(tmp_path) == before
    assert not contents(Path(copied.database_url.removeprefix("sqlite:///")).parent)


async def test_one_that_cannot_even_be_copied_is_named(tmp_path: Path) -> None:
    (tmp_path / "record").mkdir()
    settings = load("audit", {"database_url": f"sqlite:///{tmp_path}/record"}, environ={})
    async with AsyncExitStack() as stack:
        with pytest.raises(CommandError, match="can only be read, and cannot be copied to be read"):
            settings_to_read(settings, stack, is_writable=lambda _: False)
