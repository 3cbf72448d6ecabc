"""The requirements of this folder's TOML files, and the tests that prove them.

A file is a chapter. Each of its tables is `[section.id]`, with these keys:

must    the requirement, one plain sentence
source  what it follows from besides our own design, such as an RFC (optional)
gap     why no test proves it (optional)

A test names what it proves with the mark `requirement("id", ...)`.
"""

import ast
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).parent
_TESTS: Final = _HERE.parent
_NOT_OURS: Final = "node"
"""The folder of tests/ that holds other people's files, thousands of them."""


@dataclass(frozen=True)
class Requirement:
    """One sentence of the contract.

    Attributes:
        id: The name that tests use.
        chapter: The name of its file.
        section: What it belongs to in that chapter.
        must: The requirement.
        source: What it follows from, or "".
        gap: Why no test proves it, or "".
    """

    id: str
    chapter: str
    section: str
    must: str
    source: str = ""
    gap: str = ""


def requirements() -> list[Requirement]:
    """Read every requirement, chapter by chapter. Raises TypeError for a key that is none of an entry's."""
    return [
        Requirement(id=name, chapter=path.stem, section=section, **entry)
        for path in sorted(_HERE.glob("*.toml"))
        for section, entries in tomllib.loads(path.read_text()).items()
        for name, entry in entries.items()
    ]


def _marks(node: ast.AST) -> Iterator[str]:
    """Yield the requirements that calls of `pytest.mark.requirement` below a node name."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.requirement":
            yield from (ast.literal_eval(argument) for argument in call.args)


def proofs() -> dict[str, list[str]]:
    """Find the tests that prove each requirement, as `path::test`, from the marks in the test files."""
    found: dict[str, list[str]] = {}
    folders = (folder for folder in _TESTS.iterdir() if folder.is_dir() and folder.name != _NOT_OURS)
    files = [*_TESTS.glob("test_*.py"), *(path for folder in folders for path in folder.rglob("test_*.py"))]
    for path in sorted(files):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Assign):
                test = ast.unparse(node.targets[0]) if isinstance(node, ast.Assign) else node.name
                for requirement in _marks(node):
                    found.setdefault(requirement, []).append(f"{path.relative_to(_TESTS)}::{test}")
    return found


def faults(listed: Sequence[Requirement], proved: Mapping[str, Sequence[str]]) -> list[str]:
    """Say what is wrong between requirements and marks, one sentence each."""
    gaps = {entry.id: entry.gap for entry in listed}
    wrong = [f"{name}: no test carries this mark" for name, gap in gaps.items() if not gap and name not in proved]
    for name, (test, *_) in proved.items():
        if name not in gaps:
            wrong.append(f"{name}: no requirement, but {test} names it")
        elif gaps[name]:
            wrong.append(f"{name}: called a gap, but {test} proves it")
    return wrong
