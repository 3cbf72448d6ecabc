"""The extension for Claude Desktop: what its maker's own tool says of it, and that it starts as its manifest says."""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from scripts.bundle import needed, pack, stage
from scripts.distribution import PROJECT, ROOT
from tests.e2e.processes import environment, program
from tests.interop.node import NODE, SCRIPTS
from tests.server.desk import ON, call

pytestmark = pytest.mark.needs("node")

CONFIGURE: Final = SCRIPTS / "mcpb-config.mjs"
MCPB: Final = SCRIPTS / "node_modules/@anthropic-ai/mcpb/dist/cli/cli.js"


def mcpb(*words: str | Path) -> str:
    """Run the maker's tool, which has to succeed; what it said."""
    ended = subprocess.run([NODE, MCPB, *words], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pack the extension, and unpack it again with the tool of its maker."""
    folder = tmp_path_factory.mktemp("bundle")
    file = pack(folder)
    assert [*folder.glob("*.mcpb")] == [file]
    assert file.name == f"calendly-mcp-server-{PROJECT['version']}.mcpb"
    mcpb("unpack", file, folder / "unpacked")
    return folder / "unpacked"


def configured(bundle: Path, chosen: Mapping[str, object]) -> dict[str, Any]:
    """What a host starts, by the code of the format's makers, when a person has chosen this."""
    ended = subprocess.run(
        [NODE, CONFIGURE, bundle, json.dumps(chosen)], capture_output=True, text=True, check=True, cwd=SCRIPTS
    )
    config: dict[str, Any] = json.loads(ended.stdout)
    return config


def started(bundle: Path, chosen: Mapping[str, object]) -> StdioServerParameters:
    """How a host starts the server. Python of the tests stands in for uv, which would need the network."""
    config = configured(bundle, chosen)
    assert (config["command"], config["args"]) == ("uv", ["run", "--no-dev", "--directory", str(bundle), "main.py"])
    env = environment(config["env"])
    return StdioServerParameters(command=sys.executable, args=["main.py"], cwd=bundle, env=env)


def test_its_manifest_is_valid_to_the_letter(tmp_path: Path) -> None:
    stage(tmp_path / "staged")
    assert "Manifest schema validation passes!" in mcpb("validate", tmp_path / "staged")


def test_it_holds_the_sources_the_icon_and_what_they_require_and_nothing_else(bundle: Path) -> None:
    rooms = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    rest = {"manifest.json", "icon.png", "main.py", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"}
    rest.add("calendly_mcp_server.py")
    assert {path.name for path in bundle.iterdir()} == rooms | rest
    for room in rooms:
        assert _files(bundle / room) == _files(ROOT / room)


def _files(folder: Path) -> set[tuple[str, bytes]]:
    paths: Iterable[Path] = folder.rglob("*")
    return {
        (str(path.relative_to(folder)), path.read_bytes())
        for path in paths
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_it_requires_what_the_package_requires_and_nothing_of_the_repository(bundle: Path) -> None:
    text = (bundle / "pyproject.toml").read_text()
    assert "dependency-groups" not in text
    assert "tool.ruff" not in text
    assert needed(text) == text
    for line in ('name = "calendly-mcp-server"', '"mcp>=2.3,<3",', 'build-backend = "hatchling.build"'):
        assert line in text


@pytest.mark.anyio
async def test_a_host_starts_it_with_what_was_chosen_for_the_sandbox_to_be_read(bundle: Path) -> None:
    async with Client(stdio_client(started(bundle, {"sandbox": True, "read_only": True})), mode="legacy") as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == [
            tool.name for tool in ON if tool.access == "read"
        ]
        assert (await call(client, "get_current_user")).content["name"] == "Maya Lindqvist"


@pytest.mark.parametrize(("token", "status"), [("", 2), ("s3cr3t", 0)])
def test_an_empty_token_is_no_token_and_a_filled_one_is_used(bundle: Path, token: str, status: int) -> None:
    chosen = configured(bundle, {"access_token": token} if token else {})["env"]
    assert chosen["CALENDLY_ACCESS_TOKEN"] == token
    with program(**chosen) as server:  # as main.py starts it
        ended = server.end()
    assert ended.status == status
    assert "s3cr3t" not in ended.stderr
    assert ("no access token is set" in ended.stderr) is (status == 2)


def test_the_token_is_kept_as_a_secret_and_nothing_has_to_be_filled_in() -> None:
    manifest = json.loads((ROOT / "mcpb/manifest.json").read_text())
    assert manifest["user_config"]["access_token"]["sensitive"] is True
    assert all(option["required"] is False and "default" in option for option in manifest["user_config"].values())
    assert manifest["server"]["type"] == "uv"
    assert manifest["version"] == PROJECT["version"]
    assert (ROOT / "mcpb/icon.png").read_bytes()[16:24] == (512).to_bytes(4) * 2
