"""House rules that no linter here knows."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.cases import each

ROOT = Path(__file__).parents[2]
ROOMS = sorted(path.parent for path in ROOT.glob("*/__init__.py"))
PRODUCT = [path for room in ROOMS for path in sorted(room.rglob("*.py"))]
EVERYTHING = [*PRODUCT, *sorted((ROOT / "scripts").glob("*.py")), *sorted((ROOT / "tests").rglob("*.py"))]

NAMES_THAT_SAY_NOTHING = {"base", "common", "helpers", "manager", "misc", "service", "utils"}
SHADOWING = {"logging", "mcp"}
# What no file may hold: the words stand here because this is the list that they are looked for with.
EVASION = re.compile(
    r"pragma: no (cover|branch)|NotImplementedError|unittest\.mock|importorskip|"  # sought here, not used
    r"\b(pytest|unittest)\.(skip|xfail)|\bmark\.(skip|xfail)|_fail\(reason"
)
CAMEL_CASE = re.compile(r"[A-Z]+[a-z0-9]\w*")
SUPPRESSION = re.compile(r"noqa(: *[A-Z]+[0-9]+(, *[A-Z]+[0-9]+)*)?|(type|pyright): *ignore(\[[\w, -]+\])?")


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def code_lines(function: ast.AST) -> int:
    """Count the lines of a function from `def` on, its docstring left aside."""
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    first, last = function.body[0], function.end_lineno
    assert last is not None
    docstring = 0
    if ast.get_docstring(function) is not None and first.end_lineno is not None:
        docstring = first.end_lineno - first.lineno + 1
    return last - function.lineno + 1 - docstring


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def functions() -> dict[str, int]:
    return {
        f"{name(path)}:{node.lineno} {node.name}": code_lines(node)
        for path in PRODUCT
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def comments(path: Path) -> Iterator[tokenize.TokenInfo]:
    """Yield the comments of a file that has a suppression."""
    text = path.read_text()
    tokens = tokenize.generate_tokens(io.StringIO(text).readline) if SUPPRESSION.search(text) else ()
    return (token for token in tokens if token.type == tokenize.COMMENT)


def test_no_function_is_longer_than_sixty_lines() -> None:
    assert {function: lines for function, lines in functions().items() if lines > 60} == {}


def test_ninety_five_functions_in_a_hundred_are_within_thirty_lines() -> None:
    long = {function: lines for function, lines in functions().items() if lines > 30}
    assert len(long) <= 0.05 * len(functions()), long


def test_no_file_of_the_product_is_longer_than_four_hundred_lines() -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in PRODUCT}
    assert {path: lines for path, lines in lengths.items() if lines > 400} == {}


def test_every_module_has_a_name_that_says_what_is_in_it() -> None:
    parts = {name(path): set(path.relative_to(ROOT).with_suffix("").parts) for path in PRODUCT}
    assert [path for path, names in parts.items() if names & (NAMES_THAT_SAY_NOTHING | SHADOWING)] == []


@each("path", [path for path in EVERYTHING if path != Path(__file__)])
def test_nothing_is_skipped_mocked_left_uncounted_or_unwritten(path: Path) -> None:
    lines = enumerate(path.read_text().splitlines(), start=1)
    assert [f"{number}: {line.strip()}" for number, line in lines if EVASION.search(line)] == []


@each("path", EVERYTHING)
def test_no_asynchronous_fixture_outlives_its_module(path: Path) -> None:
    # While one is open, anyio runs every test on its event loop, those that ask for a virtual clock as well.
    assert not re.search(r"""scope="(session|package)"\)\s+async def""", path.read_text())


@each("path", EVERYTHING)
def test_every_suppression_names_its_rule_and_gives_a_reason(path: Path) -> None:
    unexplained = [
        f"{comment.start[0]}: {comment.string}"
        for comment in comments(path)
        if SUPPRESSION.search(comment.string) and not re.search(r"\w+\W+\w+", SUPPRESSION.sub("", comment.string))
    ]
    assert unexplained == []


def type_names(path: Path) -> Iterator[str]:
    """Yield the names of the public classes and type aliases of a module."""
    for node in parsed(path).body:
        targets = (
            [node] if isinstance(node, ast.ClassDef) else getattr(node, "targets", [getattr(node, "target", None)])
        )
        names = (getattr(target, "name", getattr(target, "id", "")) for target in targets)
        yield from filter(CAMEL_CASE.fullmatch, names)


def test_no_type_name_has_two_meanings() -> None:
    modules: dict[str, list[str]] = {}
    for path in PRODUCT:
        for found in type_names(path):
            modules.setdefault(found, []).append(name(path))
    assert {found: paths for found, paths in modules.items() if len(paths) > 1} == {}
