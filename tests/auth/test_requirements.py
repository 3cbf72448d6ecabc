import ast
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
REQUIREMENTS = tomllib.loads((HERE / "requirements.toml").read_text())["requirement"]
RULES = {
    "1 consent",
    "2 redirect URIs",
    "3 PKCE",
    "4 codes",
    "5 tokens",
    "6 refresh tokens",
    "7 connections",
    "8 secrets",
    "9 outbound requests",
    "10 identity",
    "11 limits",
    "12 third-party text",
}
PARTS = {"endpoints", "scopes", "limits of the sign-in surface", "upstream", "tables and lifetimes"}


def marks(node: ast.AST) -> Iterator[str]:
    """Yield the requirements that calls of `pytest.mark.requirement` below a node name."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.requirement":
            yield from (ast.literal_eval(argument) for argument in call.args)


def proofs() -> dict[str, list[str]]:
    """Find which tests prove which requirement."""
    found: dict[str, list[str]] = {}
    folders = (folder for folder in HERE.parent.iterdir() if folder.name != "node")  # 20,000 files of other people
    for path in sorted(path for folder in folders for path in folder.rglob("test_*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign):
                name = node.targets[0] if isinstance(node, ast.Assign) else node.name
                test = name if isinstance(name, str) else ast.unparse(name)
                for requirement in marks(node):
                    found.setdefault(requirement, []).append(f"{os.path.relpath(path, HERE)}::{test}")
    return found


def test_every_requirement_names_the_tests_that_prove_it_and_every_marked_test_is_named() -> None:
    named = {entry["id"]: sorted(entry["tests"]) for entry in REQUIREMENTS}
    assert named == {requirement: sorted(tests) for requirement, tests in proofs().items()}


def test_every_entry_says_once_what_must_be_and_where_it_comes_from() -> None:
    fields = {"id", "section", "must", "source", "tests"}
    assert all(entry.keys() == fields and all(entry.values()) for entry in REQUIREMENTS)
    assert len({entry["id"] for entry in REQUIREMENTS}) == len(REQUIREMENTS)
    assert len({entry["must"] for entry in REQUIREMENTS}) == len(REQUIREMENTS)


def test_every_rule_and_every_part_has_its_requirements() -> None:
    assert {entry["section"] for entry in REQUIREMENTS} == RULES | PARTS


def test_what_proves_is_a_test() -> None:
    tests = [test for found in proofs().values() for test in found]
    assert [test for test in tests if not test.partition("::")[2].lower().startswith("test")] == []
