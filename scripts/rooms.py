"""The rooms of docs/architecture.md: what is in each and which others it imports, read from the code.

A room is a folder or a module directly in one of the packages that `pyproject.toml` divides into
rooms.
"""

import ast
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
_CONTRACTS: Final = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
PACKAGES: Final[tuple[str, ...]] = tuple(_CONTRACTS["root_packages"])
DIVIDED: Final = [name for contract in _CONTRACTS["contracts"] for name in contract.get("containers", ())]
"""The packages that have a contract about their rooms."""

Imports = Mapping[str, frozenset[str]]
"""For each room the rooms that it imports."""


def modules(package: str) -> Iterator[tuple[str, Path]]:
    """List the modules of a package with their dotted names; `__init__` has the name of its folder."""
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


@cache
def imported(path: Path) -> list[str]:
    """List the dotted names that a file imports, within functions as well."""
    found: list[str] = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found += (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
    return found


def between_packages() -> Imports:
    """Find which packages import which others."""
    return {
        package: frozenset(
            name.partition(".")[0]
            for _, path in modules(package)
            for name in imported(path)
            if name.partition(".")[0] in PACKAGES and not name.startswith(f"{package}.")
        )
        for package in PACKAGES
    }


def between_rooms(package: str) -> Imports:
    """Find which rooms of a package import which others of it."""
    found: dict[str, set[str]] = {}
    for name, path in modules(package):
        if name == package:
            continue
        room = name.split(".")[1]
        others = {other.split(".")[1] for other in imported(path) if other.startswith(f"{package}.")}
        found.setdefault(room, set()).update(others - {room})
    return {room: frozenset(others & found.keys()) for room, others in found.items()}


def without_detours(imports: Imports) -> Imports:
    """Drop the imports that others imply: a room that imports a second one may import whatever that one does."""

    def below(room: str) -> set[str]:
        found, left = set[str](), {*imports[room]}
        while left:
            one = left.pop()
            found.add(one)
            left |= imports[one] - found
        return found

    return {
        room: frozenset(one for one in others if not any(one in below(other) for other in others - {one}))
        for room, others in imports.items()
    }


def drawing(imports: Imports) -> str:
    """Draw rooms from top to bottom, each above those that it imports."""
    reduced = without_detours(imports)
    alone = [
        f"    {room}" for room in reduced if not reduced[room] and room not in frozenset().union(*reduced.values())
    ]
    arrows = [f"    {room} --> {' & '.join(sorted(others))}" for room, others in reduced.items() if others]
    return "\n".join(["```mermaid", "flowchart TD", *alone, *arrows, "```"])


def purpose(package: str, room: str = "") -> str:
    """Return the first sentence of a room's docstring."""
    path = ROOT / package / room
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    docstring = ast.get_docstring(ast.parse(file.read_text())) or ""
    return " ".join(docstring.partition("\n\n")[0].split()).removesuffix(".")


def table(package: str, rooms: Iterable[str]) -> str:
    """List rooms with what is in them."""
    lines = ["| room | what is in it |", "|---|---|"]
    for room in sorted(rooms):
        shown = f"{package}/{room}/" if (ROOT / package / room).is_dir() else f"{package}/{room}.py"
        lines.append(f"| `{shown}` | {purpose(package, room)} |")
    return "\n".join(lines)


def picture() -> str:
    """Write the generated part of docs/architecture.md."""
    packages = "\n".join(f"| `{package}/` | {purpose(package)} |" for package in PACKAGES)
    parts = [drawing(between_packages()), f"| package | what is in it |\n|---|---|\n{packages}"]
    for package in DIVIDED:
        rooms = between_rooms(package)
        parts += [f"### The rooms of {package}", drawing(rooms), table(package, rooms)]
    return "\n\n".join(["", *parts, ""])
