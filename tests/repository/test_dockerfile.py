"""What can be known of the image without building it."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text()
# One instruction per item: comments dropped, continued lines joined.
INSTRUCTIONS = [
    tuple(line.split(maxsplit=1))
    for line in re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
    if line.strip()
]


def arguments(keyword: str) -> list[str]:
    return [instruction[1] for instruction in INSTRUCTIONS if instruction[0] == keyword]


def copied() -> list[str]:
    """List what the image takes from the repository."""
    return [source for line in arguments("COPY") if not line.startswith("--from") for source in line.split()[:-1]]


def test_the_tools_that_build_stay_out_of_the_image_that_runs() -> None:
    build, final = arguments("FROM")
    assert build.endswith("AS build")
    assert final == build.removesuffix(" AS build")


def test_the_server_runs_as_a_numbered_user_that_is_not_root() -> None:
    (user,) = arguments("USER")
    assert int(user.partition(":")[0]) > 0


def test_every_download_by_pip_is_checked_against_a_hash() -> None:
    installs = [step for run in arguments("RUN") for step in run.split("&&") if re.search(r"pip .*\binstall\b", step)]
    assert installs
    assert [step for step in installs if "--require-hashes" not in step and "--no-index" not in step] == []


def test_nothing_is_added_from_an_address() -> None:
    assert arguments("ADD") == []
    assert "://" not in TEXT


def test_health_is_checked_and_the_default_command_is_stdio() -> None:
    assert len(arguments("HEALTHCHECK")) == 1
    assert arguments("ENTRYPOINT") == ['["calendly-mcp"]']
    assert arguments("CMD") == ['["stdio"]']


def test_everything_copied_exists_and_every_package_is_copied() -> None:
    assert [source for source in copied() if not (ROOT / source).exists()] == []
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]
    assert {*hatch["build"]["targets"]["wheel"]["packages"]} <= set(copied())


def test_docker_is_sent_what_is_copied_and_nothing_else() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert "*" in lines
    assert {source.partition("/")[0] if source.endswith(".lock") else source for source in copied()} == allowed
