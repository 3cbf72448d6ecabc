"""What pyproject.toml says agrees with itself, the folders, the imports and the locks."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TOOL = PROJECT["tool"]
ROOMS = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
LOCK_LINE = re.compile(r"[a-z0-9-]+==[^ ]+( ; .*)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?")
LOCKS = sorted((ROOT / "requirements").glob("*.lock"))


def locked(lock: str) -> dict[str, str]:
    """Read a lock file. Returns the version of each distribution."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (ROOT / "requirements" / lock).read_text(), re.MULTILINE))


def requirements(group: str) -> list[Requirement]:
    """Read the requirements of a group of pyproject.toml; "runtime" is the project's own."""
    lines = PROJECT["project"]["dependencies"] if group == "runtime" else PROJECT["dependency-groups"][group]
    return [Requirement(line) for line in lines if isinstance(line, str)]


def imports(path: Path) -> set[str]:
    """List the top-level modules a file imports from anywhere outside its own package."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {module.partition(".")[0] for module in found}


@pytest.mark.requirement("package-folders", "package-events")
@pytest.mark.parametrize(
    "listed",
    [
        [one for one in TOOL["hatch"]["build"]["targets"]["wheel"]["packages"] if one != "calendly_mcp_server.py"],
        TOOL["slipcover"]["source"],
        TOOL["importlinter"]["root_packages"],
    ],
    ids=["wheel", "coverage", "import contracts"],
)
def test_every_package_is_listed_and_nothing_else(listed: list[str]) -> None:
    assert sorted(listed) == ROOMS


@pytest.mark.parametrize("checker", [TOOL["mypy"]["files"], TOOL["basedpyright"]["include"]], ids=["mypy", "pyright"])
def test_the_type_checkers_read_every_package_and_the_tests(checker: list[str]) -> None:
    assert {*ROOMS, "tests"} <= set(checker)


def test_every_third_party_import_of_the_product_is_a_declared_requirement() -> None:
    used = {module for room in ROOMS for path in (ROOT / room).rglob("*.py") for module in imports(path)}
    distributions = packages_distributions()
    others = used - {*ROOMS, *sys.stdlib_module_names, "_typeshed"}  # which only type checkers have
    third_party = {canonicalize_name(distributions[module][0]) for module in others}
    assert third_party <= {canonicalize_name(requirement.name) for requirement in requirements("runtime")}


@pytest.mark.parametrize("group", ["runtime", "build", "dev", "clients"])
def test_the_lock_satisfies_what_is_declared(group: str) -> None:
    versions = locked(f"{group}.lock")
    unmet = [
        str(requirement)
        for requirement in requirements(group)
        if not requirement.specifier.contains(versions.get(canonicalize_name(requirement.name), "0"))
    ]
    assert unmet == []


def test_development_runs_on_the_versions_that_are_shipped() -> None:
    assert (locked("runtime.lock") | locked("build.lock")).items() <= locked("dev.lock").items()


@pytest.mark.requirement("lock-hashes")
@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_holds_versions_and_hashes_and_no_address(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    assert "://" not in "".join(lines)
    assert [line for line in lines if not LOCK_LINE.fullmatch(line)] == []


@pytest.mark.requirement("lock-hashes")
@pytest.mark.parametrize("folder", ["tests/node", "tests/clients/codex"])
def test_the_lock_of_npm_holds_what_is_declared_with_hashes_and_no_address(folder: str) -> None:
    text = (ROOT / folder / "packages.lock").read_text()
    root, *packages = json.loads(text)["packages"].values()
    assert root["dependencies"] == json.loads((ROOT / folder / "package.json").read_text())["dependencies"]
    assert [package for package in packages if not package.get("integrity", "").startswith("sha512-")] == []
    assert "://" not in text


@pytest.mark.requirement("sandbox-own-code")
def test_the_sandbox_imports_no_package_of_the_product() -> None:
    assert {module for path in (ROOT / "sandbox").rglob("*.py") for module in imports(path)} & {*ROOMS} == {"sandbox"}


@pytest.mark.requirement("make-targets")
@pytest.mark.parametrize(
    ("target", "lock", "command"),
    [
        ("demo", "runtime", ".venv/bin/calendly-mcp demo"),
        ("test", "dev", "scripts/check"),
        ("check", "dev", "scripts/check --no-tests"),
    ],
)
def test_make_installs_from_a_lock_with_hashes_and_runs_one_command(target: str, lock: str, command: str) -> None:
    make = ["make", "--directory", str(ROOT), "--dry-run", "--always-make", "--no-print-directory", target]
    steps = subprocess.run(make, capture_output=True, text=True, check=True).stdout.splitlines()
    [install] = [step for step in steps if "--require-hashes" in step and f"requirements/{lock}.lock" in step]
    assert steps.index(install) < steps.index(command)
