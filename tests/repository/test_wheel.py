"""What is handed out: what is in it, and that it works where nothing else is."""

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client
from mcp.client.stdio import stdio_client
from packaging.requirements import Requirement

from tests.e2e.hosting import Agent, coming_meeting, hosted
from tests.e2e.processes import NOBODY, parameters
from tests.server.desk import Person, call
from tests.wheels import PROGRAM, ROOMS, ROOT, build, install_alone, stub

UV: Final = Path(sys.executable).with_name("uv")


def pythons() -> list[str]:
    """Find the interpreters of this machine for which the package is."""
    finding: list[str | Path] = [UV, "python", "find", "--offline", "--no-config"]
    found = [
        subprocess.run([*finding, version], capture_output=True, text=True, check=False)
        for version in ("3.11", "3.12", "3.13")
    ]
    return [one.stdout.strip() for one in found if one.returncode == 0]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Build the wheel and the source distribution."""
    wheel, sdist = build(tmp_path_factory.mktemp("dist"), "wheel", "sdist")
    return wheel, sdist


@pytest.fixture(scope="module")
def programs(built: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone; the folder of its programs."""
    return install_alone(built[0], tmp_path_factory.mktemp("alone") / "environment")


def files(room: str) -> set[str]:
    paths = (path for path in (ROOT / room).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {str(path.relative_to(ROOT)) for path in paths}


def about(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name))


def run(*words: str | Path, **environ: str) -> str:
    """Run a program to its good end, from where the repository is not on its path; what it wrote."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CALENDLY_", "PYTHON", "UV_"))}
    ended = subprocess.run(words, capture_output=True, text=True, check=False, cwd="/", env=clean | NOBODY | environ)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.mark.requirement("package-folders")
def test_the_wheel_holds_the_packages_with_their_data_and_nothing_else(built: tuple[Path, Path]) -> None:
    names = set(zipfile.ZipFile(built[0]).namelist())
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == {"calendly_mcp_server.py", *(name for room in ROOMS for name in files(room))}
    assert {f"{room}/py.typed" for room in ROOMS} <= inside
    assert {name.rpartition(".dist-info/")[2] for name in names - inside} == {
        *("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    }


def test_the_source_distribution_builds_the_same_wheel(built: tuple[Path, Path], tmp_path: Path) -> None:
    with tarfile.open(built[1]) as archive:
        data_only: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # since 3.11.4
        archive.extractall(tmp_path, **data_only)  # noqa: S202 - our own archive
    [source] = tmp_path.iterdir()
    assert {path.name for path in source.iterdir()} == {
        *(*ROOMS, "calendly_mcp_server.py"),
        *("CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"),
    }
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    [again] = tmp_path.glob("*.whl")
    assert again.read_bytes() == built[0].read_bytes()


def test_both_pass_the_check_of_the_tool_that_uploads_and_the_readme_renders(built: tuple[Path, Path]) -> None:
    said = run(sys.executable, "-m", "twine", "--no-color", "check", "--strict", *built)
    assert said.count("PASSED") == 2


@pytest.mark.requirement("package-facts")
def test_it_says_for_which_python_it_is_under_which_licence_and_whose(built: tuple[Path, Path]) -> None:
    facts = about(built[0])
    assert (facts["Requires-Python"], facts["License-Expression"]) == ("<3.14,>=3.11", "MIT")
    assert facts["License-File"] == "LICENSE"
    assert f"mcp-name: {json.loads((ROOT / 'server.json').read_text())['name']}" in str(facts.get_payload())
    assert built[0].name.endswith("-py3-none-any.whl")


def test_every_python_that_is_here_compiles_it(built: tuple[Path, Path], tmp_path: Path) -> None:
    found = pythons()
    assert found
    for number, python in enumerate(found):
        folder = tmp_path / str(number)
        run(sys.executable, "-m", "zipfile", "-e", built[0], folder)
        run(python, "-W", "error", "-m", "compileall", "-q", folder)


@pytest.mark.requirement("program-names")
def test_the_wheel_alone_gives_a_working_program_under_both_names(programs: Path) -> None:
    assert run(programs / "calendly-mcp-server", "--version").startswith("calendly-mcp ")
    told = run(programs / "calendly-mcp", "doctor", "--sandbox", HOME="/nonexistent")
    assert "the token works; it belongs to Maya Lindqvist" in told


def test_a_client_is_told_to_start_the_program_of_that_environment(programs: Path, tmp_path: Path) -> None:
    run(programs / "calendly-mcp", "install", "cursor", "--sandbox", "--yes", HOME=str(tmp_path))
    entry = json.loads((tmp_path / ".cursor/mcp.json").read_text())["mcpServers"]["calendly"]
    assert entry == {"command": str(programs / "calendly-mcp"), "args": ["--sandbox"]}


@pytest.mark.anyio
async def test_the_wheel_alone_signs_in_and_asks_over_each_transport(
    programs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It takes the database and the pages: what is in the wheel is what the other tests start, as is proved above. The
    # whole of tests/e2e takes minutes: scripts/try-wheel runs it.
    monkeypatch.setenv(PROGRAM, str(programs / "calendly-mcp"))
    person, agent = Person(), Agent()
    async with Client(stdio_client(parameters(["--sandbox"], {})), elicitation_callback=person.answer) as client:
        assert await _canceled(client) == "answered"
    with hosted("--sandbox") as site:
        async with agent.connect(site.endpoint, "2026-07-28", person) as client:
            assert await _canceled(client) == "answered"
    assert (len(agent.browser.consents), len(person.questions)) == (1, 2)


async def _canceled(client: Client) -> str:
    """Cancel a meeting; how that ended."""
    return (await call(client, "cancel_scheduled_event", scheduled_event=await coming_meeting(client))).kind


def test_uvx_runs_it_by_the_name_of_the_package_and_is_what_clients_are_told_to_start(
    built: tuple[Path, Path], programs: Path, tmp_path: Path
) -> None:
    # Stubs stand for the requirements, whose content comes from the environment of the wheel: there is no network.
    for line in about(built[0]).get_all("Requires-Dist", []):
        requirement = Requirement(line)
        lowest = next(part.version for part in requirement.specifier if part.operator == ">=")
        stub(requirement.name, lowest, tmp_path)
    [site] = (programs.parent / "lib").glob("python*/site-packages")
    (tmp_path / built[0].name).symlink_to(built[0])
    uvx = UV.with_name("uvx")
    offline: list[str | Path] = ["--offline", "--no-index", "--find-links", tmp_path, "--python", sys.executable]
    environ = {"UV_CACHE_DIR": str(tmp_path / "cache"), "PYTHONPATH": str(site), "HOME": str(tmp_path)}
    assert run(uvx, *offline, "calendly-mcp-server", "--version", **environ).startswith("calendly-mcp ")
    run(uvx, *offline, "calendly-mcp-server", "install", "cursor", "--sandbox", "--yes", **environ)
    entry = json.loads((tmp_path / ".cursor/mcp.json").read_text())["mcpServers"]["calendly"]
    assert entry["args"] == ["calendly-mcp-server", "--sandbox"]
    assert Path(entry["command"]).samefile(uvx)
