"""Says where a function has to be added that a table of tools or endpoints names.

Nothing can be loaded without it, so no test would say it.
"""

import ast
import builtins
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_TABLES: Final = ("sandbox/endpoints", "tools/confirming")
"""The folders in which modules have tables of functions."""


def undeclared() -> Iterator[str]:
    """Say where each of them has to be added."""
    for path in [path for folder in _TABLES for path in sorted((ROOT / folder).rglob("*.py"))]:
        file, module = path.relative_to(ROOT), ast.parse(path.read_text())
        for name in sorted(_needed(module) - _declared(path) - vars(builtins).keys()):
            yield f"{file} has no {name}, which a table in it names: add it above the table."
        for node in module.body:
            source = _source(node)
            if source is not None and isinstance(node, ast.ImportFrom):
                for name in sorted({one.name for one in node.names} - _declared(source)):
                    yield f"{source.relative_to(ROOT)} has no {name}, which {file} imports: add it there."


def _source(node: ast.stmt) -> Path | None:
    """Find the module of ours that a statement imports from."""
    if not isinstance(node, ast.ImportFrom) or not node.module:
        return None
    source = (ROOT / node.module.replace(".", "/")).with_suffix(".py")
    return source if source.is_file() else None


def _needed(module: ast.Module) -> set[str]:
    """List the names that a module needs when it is loaded."""
    statements = [one for one in module.body if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    names = (node for one in statements for node in ast.walk(one) if isinstance(node, ast.Name))
    return {name.id for name in names if isinstance(name.ctx, ast.Load)}


@cache
def _declared(path: Path) -> set[str]:
    """List the names that a module binds, wherever in it."""
    found = set[str]()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias):
            found.add(node.asname or node.name.partition(".")[0])
    return found


if __name__ == "__main__":
    said = list(undeclared())
    print("\n".join(said))
    sys.exit(bool(said))
