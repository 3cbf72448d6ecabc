"""docs/adding-a-tool.md, followed to the letter in a copy without its tool: green at its end, red without any step."""

import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from shutil import copytree, ignore_patterns
from typing import Final, NamedTuple

import pytest

from scripts import generated
from tests.cases import ONLY, each
from tests.documents import ROOT, Block, blocks

NAME: Final = "delete_scheduled_event_data"
PATH: Final = "/data_compliance/deletion/events"
BLOCKS: Final = [block for block in blocks("python", "console") if block.page.name == "adding-a-tool.md"]
STEPS: Final = [block for block in BLOCKS if block.text.startswith("# ")]
"""The blocks that say where they go."""

COMMANDS: Final = {
    ".venv/bin/ruff check --fix": ("-m", "ruff", "check", "--fix", "--quiet"),
    ".venv/bin/ruff format": ("-m", "ruff", "format", "--quiet"),
    "make docs": ("scripts/generated.py",),
}
"""What the page has one type, each as a Python program; the gate itself stands in the tests."""

PLACE: Final = re.compile(r"# (?P<file>\S+\.py)(?:, (?P<how>above|in) (?P<table>\w+))?\n")
IMPORTS: Final = re.compile(r"(?:(?:from|import) .*\n)*")


def applied(block: Block, source: str) -> str:
    """Put a block into a file: its imports to the top, the rest to the end, above a table or into it."""
    place = PLACE.match(block.text)
    assert place is not None
    text = block.text[place.end() :]
    imports = IMPORTS.match(text)
    assert imports is not None
    rest = text[imports.end() :].strip("\n")
    where = {"in": rf"(?<=^{place['table']}).*?\n(?=    \}}\n|\)\n)", "above": rf"^(?={place['table']}\b)"}
    ends = {"in": ",\n", "above": "\n\n\n"}
    if place["how"] is None:
        source = f"{source}\n\n{rest}\n"
    else:
        pattern = re.compile(where[place["how"]], re.MULTILINE | re.DOTALL)
        source = pattern.sub(lambda found: f"{found[0]}{rest}{ends[place['how']]}", source, count=1)
    return re.sub(r"^(?=from |import )", lambda _: imports[0], source, count=1, flags=re.MULTILINE)


def without(block: Block, source: str) -> str:
    """Take a block out of a file, which has it exactly once; its imports may stay."""
    place = PLACE.match(block.text)
    assert place is not None
    imports = IMPORTS.match(block.text, place.end())
    assert imports is not None
    words = r"\s+".join(map(re.escape, block.text[imports.end() :].split()))
    rest, found = re.subn(rf"\s*^ *{words},?$", "", source, flags=re.MULTILINE)
    assert found == 1, f"{file_of(block)} has not what docs/adding-a-tool.md shows"
    return rest


def file_of(block: Block) -> str:
    """Name the file that a block goes into."""
    return block.text.partition("\n")[0].removeprefix("# ").partition(",")[0]


class Copy(NamedTuple):
    """A copy of the repository.

    Attributes:
        root: Where it is.
        bare: The files that steps go into, as they are without the tool.
    """

    root: Path
    bare: Mapping[str, str]

    def follow(self, steps: Iterable[Block]) -> None:
        """Apply steps to the files without the tool."""
        for file in self.bare:
            source = self.bare[file]
            for step in steps:
                source = applied(step, source) if file_of(step) == file else source
            (self.root / file).write_text(source)


def without_the_tool(root: Path) -> Copy:
    """Take the tool out of a copy of the repository."""
    files = list(dict.fromkeys(map(file_of, STEPS)))
    for file in files:
        source = (root / file).read_text()
        for step in STEPS:
            source = without(step, source) if file_of(step) == file else source
        (root / file).write_text(source)
    assert run(root, "-m", "ruff", "check", "--fix", "--quiet", *files) is None
    bare = {file: (root / file).read_text() for file in files}
    assert [file for file, source in bare.items() if NAME in source and not file.startswith("tests/")] == []
    return Copy(root, bare)


def run(repository: Path, *arguments: str) -> str | None:
    """Run a Python program in a repository; what it said where it failed, None where it did not."""
    # Files change within a second: bytecode that was written would pass for that of the changed file.
    environment = {"PYTHONPATH": str(repository), "PYTHONDONTWRITEBYTECODE": "1", ONLY: PATH}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=repository, env=environment, capture_output=True, text=True, check=False
    )
    return f"{done.stdout}{done.stderr}" if done.returncode else None


def check(repository: Path, *selected: str) -> str | None:
    """Run tests in a repository, and of many cases those of the new tool; what they said where one failed."""
    words = ("-q", "-p", "no:cacheprovider", "-k", f"not / or {PATH}")
    return run(repository, "-m", "pytest", *words, *selected)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Return a copy of this repository in which all steps were followed."""
    root = tmp_path_factory.mktemp("copy") / "repository"
    copytree(ROOT, root, ignore=ignore_patterns(".*", "node_modules", "dist", "build", "*.egg-info"))
    copy = without_the_tool(root)
    copy.follow(STEPS)
    (typed,) = (block.text.splitlines() for block in BLOCKS if "make docs" in block.text)
    for line in typed[: typed.index("make check")]:
        assert run(root, *COMMANDS[line]) is None
    return copy


def test_the_page_ends_green(copy: Copy) -> None:
    assert run(copy.root, "-m", "ruff", "check") is None
    assert run(copy.root, "-m", "ruff", "format", "--check") is None
    assert run(copy.root, "scripts/undeclared.py") is None
    files = ("test_inventory", "test_contract", "toolset/test_audit_sentences", "endpoints/test_data_compliance")
    assert check(copy.root, *(f"tests/tools/{file}.py" for file in files), "tests/sandbox/test_contract.py") is None


def test_each_step_that_is_left_out_is_named(copy: Copy) -> None:
    left_out = {
        2: f"{NAME} writes: add its question to EFFECTS in tools/confirming/.",
        4: f"The sandbox does not answer POST {PATH}: add it in sandbox/endpoints/.",
        5: f"No test calls {NAME}: add one to tests/tools/, of what it does that no other tool does.",
    }
    copy.follow([step for number, step in enumerate(STEPS) if number not in left_out])
    said = check(copy.root, "tests/tools/test_inventory.py") or ""
    assert [sentence for sentence in left_out.values() if sentence not in said] == []


@each(
    "step, sentence",
    [
        (
            0,
            f"tools/endpoints/data_compliance.py has no {NAME}, which tools/confirming/administration.py imports: add",
        ),
        (1, "tools/confirming/administration.py has no _delete_event_data, which a table in it names: add it above"),
        (3, f"sandbox/endpoints/data_compliance.py has no {NAME}, which a table in it names: add it above"),
    ],
)
def test_a_function_without_which_nothing_can_be_loaded_is_named(copy: Copy, step: int, sentence: str) -> None:
    copy.follow([one for one in STEPS if one != STEPS[step]])
    assert sentence in (run(copy.root, "scripts/undeclared.py") or "")


def test_a_declaration_without_its_audit_sentence_is_refused(copy: Copy) -> None:
    copy.follow(STEPS)
    file = copy.root / file_of(STEPS[0])
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if 'audit=Sentence("delete", lambda' not in line))
    assert "missing 1 required keyword-only argument: 'audit'" in (run(copy.root, "-c", "import tools") or "")


def test_what_is_not_generated_anew_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    snapshot, wanted = f"tests/snapshots/{NAME}.json", generated.pages()
    wanted[ROOT / snapshot] += "What is new."
    monkeypatch.setattr(generated, "pages", lambda: wanted)
    assert generated.main(["--check"]) == 1
    assert capsys.readouterr().out == f"{snapshot} is stale: `make docs` writes it\n"
