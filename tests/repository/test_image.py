"""The image: what the Dockerfile says done step by step, and then run as a container would be."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.certificates import OUTSIDE
from tests.image import ROOT, VOLUME, Container, Stage, build, container, hadolint
from tests.ports import kept_port

UV = Path(sys.executable).with_name("uv")
HOSTED = {"CALENDLY_MCP_PORT": "0", "CALENDLY_CLIENT_ID": "app", "CALENDLY_CLIENT_SECRET": "secret"}

needs_image = pytest.mark.needs("image")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stage]:
    work = tmp_path_factory.mktemp("image")
    work.chmod(0o755)
    yield build((ROOT / "Dockerfile").read_text(), work)
    shutil.rmtree(work)


def ready(one: Container) -> str:
    """Wait until a server says that it answers; where."""
    assert one.process.stderr is not None
    said: list[str] = []
    for line in one.process.stderr:
        said.append(line)
        if line.startswith("ready: "):
            return line.removeprefix("ready: ").strip()
    raise AssertionError("".join(said))


def size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink() and path.is_file())


@needs_image
def test_every_step_comes_to_its_end_and_leaves_no_tools_behind(image: Stage) -> None:
    ours = image.root / "opt"
    assert sorted(path.name for path in ours.iterdir()) == ["calendly-mcp"]
    assert not [path for path in (ours / "calendly-mcp").rglob("*") if path.name in {"pip", "hatchling"}]
    assert size(ours) < 150 * 2**20


@needs_image
def test_nothing_in_it_can_be_written_by_its_user_but_the_volume(image: Stage) -> None:
    user, group = image.user.split(":")
    words = ["find", "/", "-xdev", "(", "-type", "f", "-o", "-type", "d", ")", "-writable", "-print"]
    found = subprocess.run(
        ["/usr/sbin/chroot", f"--userspec={user}:{group}", str(image.root), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    places = {path for path in found.stdout.splitlines() if not re.match(r"/(proc|dev|sys)(/|$)", path)}
    assert places - {"/tmp", "/var/tmp", "/run/lock", "/var/lock"} == {f"/{VOLUME}"}  # noqa: S108 - everybody's, on any Debian


@needs_image
def test_the_default_command_speaks_mcp_over_stdio_on_a_read_only_file_system(image: Stage) -> None:
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    with container(image, CALENDLY_MCP_SANDBOX="true") as one:
        answered, _ = one.process.communicate(json.dumps(message) + "\n", timeout=60)
        assert one.process.returncode == 0
    assert json.loads(answered.splitlines()[0])["result"]["serverInfo"]["name"] == "calendly"


@needs_image
def test_the_hosted_server_is_well_keeps_its_data_in_the_volume_and_ends_when_it_is_asked(image: Stage) -> None:
    with kept_port() as silent, container(image, "http", **HOSTED) as one:
        address = urlsplit(ready(one))
        assert (address.hostname, address.path) == ("127.0.0.1", "/mcp")
        assert httpx2.get(f"http://{address.netloc}/readyz").status_code == 200
        assert one.inside("env", f"CALENDLY_MCP_PORT={address.port}", *image.check).returncode == 0
        unwell = one.inside("env", f"CALENDLY_MCP_PORT={silent}", *image.check)
        assert (unwell.returncode, "no answer on port" in unwell.stderr) == (1, True)
        assert one.inside("id", "--user").stdout.strip() == image.user.partition(":")[0]
        assert "Read-only file system" in one.inside("touch", "/tmp/file").stderr  # noqa: S108 - that is the point
        kept = one.inside("find", f"/{VOLUME}", "-type", "f", "-name", "*.sqlite3").stdout.split()
        assert len(kept) == 1
        assert one.stop() == 0


@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28"])
def test_every_requirement_has_a_wheel_for_the_processor(platform: str, tmp_path: Path) -> None:
    words = ["pip", "install", "--dry-run", "--no-config", "--python-version=3.13", f"--python-platform={platform}"]
    only_wheels = ["--only-binary=:all:", "--require-hashes", "--requirement=requirements/runtime.lock"]
    command = [str(UV), *words, *only_wheels, f"--target={tmp_path}"]
    ended = subprocess.run(command, cwd=ROOT, env=OUTSIDE, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.needs("hadolint")
def test_hadolint_finds_nothing_to_object_to() -> None:
    program = hadolint()
    assert program is not None
    ended = subprocess.run([program, "Dockerfile"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.stdout == ""
    assert ended.returncode == 0
