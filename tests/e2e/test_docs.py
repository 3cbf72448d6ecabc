"""Every command line in the documents, executed as it stands there.

tests/e2e/reader.py says what takes the place of what, and which programs cannot run here. What the documents name is
checked by tests/repository/test_docs.py.
"""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from tests.documents import Block, blocks
from tests.e2e.conftest import Sandbox
from tests.e2e.hosting import Agent, hosted, upstream_settings
from tests.e2e.reader import Reader


@dataclass(frozen=True)
class Kept:
    """What is kept of a hosted endpoint where somebody has signed in."""

    data: Path
    site: str
    agent: str


@pytest.fixture(scope="module")
def kept(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Let somebody sign in at a hosted endpoint."""
    data = tmp_path_factory.mktemp("data")
    agent = Agent()
    with hosted(XDG_DATA_HOME=str(data), **upstream_settings(sandbox.url)) as site:
        anyio.run(agent.sign_in, site)
    return Kept(data, site.url, agent.client_id)


@pytest.fixture
def reader(sandbox: Sandbox, kept: Kept, tmp_path: Path) -> Generator[Reader]:
    """A person who has the program."""
    (tmp_path / ".calendly-token").write_text("sandbox-pat-owner\n")
    (tmp_path / "secret").write_text("sandbox-secret\n")
    reader = Reader(sandbox.url, tmp_path, kept.data, kept.site, kept.agent)
    with reader.serving:
        yield reader


def settings_above(block: Block) -> str:
    """Return the file of settings that a page shows last before a block."""
    shown = [other.text for other in blocks("toml") if other.page == block.page and other.line < block.line]
    return "".join(shown[-1:])


@pytest.mark.parametrize("block", blocks("console"), ids=str)
def test_every_command_does_what_it_is_there_for(block: Block, reader: Reader) -> None:
    (reader.home / "settings.toml").write_text(settings_above(block))
    for line in block.text.splitlines():
        reader.do(line)


def test_a_command_that_nobody_has_dealt_with_is_a_failure(reader: Reader) -> None:
    with pytest.raises(KeyError, match="rm"):
        reader.do("rm -rf data")
    with pytest.raises(AssertionError, match='there is no command "sandboxes"; did you mean sandbox'):
        reader.do("calendly-mcp sandboxes")
