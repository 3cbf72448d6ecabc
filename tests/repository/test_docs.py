"""What the documents name is there: files, headings, settings, commands, flags, tools, programs and configurations.

The commands in their blocks are executed by tests/e2e/test_docs.py.
"""

import ast
import json
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import jsonschema
import pytest

from events.kinds import KINDS
from server.commands.cli import COMMANDS, declaration
from server.configuration.loading import load
from server.configuration.settings import SETTINGS
from server.installing.clients import CLIENTS, Local, Remote, ServerEntry
from server.installing.starting import Start
from tests.cases import each
from tests.documents import PAGES, ROOT, Block, anchors, blocks, code, links, name
from tools import ALL
from tools.prompts import PROMPTS

LANGUAGES: Final = {"console", "json", "toml", "python", "javascript", "text", "mermaid"}

HOSTS: Final = {"modelcontextprotocol.io", "cursor.com", "vscode.dev", "docs.astral.sh", "developer.calendly.com"}
"""Where links lead outside. No package registry is among them, and none may come."""

OTHERS_FLAGS: Final = {"--no-tests", "--quick", "--stage", "--check", "--only", "--import-mode"}
"""Flags in the text that belong to other programs than ours."""

NO_TOOLS: Final = {"cancel_url", "reschedule_url", "get_well_known_url", *(prompt.name for prompt in PROMPTS)}
"""What is called as a tool might be, and is none."""

METHODS: Final = {
    "tools/list",
    "events/list",
    "events/subscribe",
    "events/unsubscribe",
    "events/poll",
    "subscriptions/listen",
}
NO_FILES: Final = {"server/mcp.py", "server/logging.py", *METHODS}
"""What looks like a file: names that a decision rules out, and methods of MCP."""

FILE: Final = re.compile(
    r"(?:auth|benchmarks|calendly|docs|events|mcpb|sandbox|scripts|server|storage|tests|tools)/[\w./*-]*"
)
FUNCTION: Final = re.compile(r"`(?:(\w+)\.)?(\w+)` in\s+`([\w/]+\.py)`")

VARIABLE: Final = re.compile(r"CALENDLY_[A-Z_]+[A-Z]")
VERBS: Final = "|".join(sorted({tool.name.partition("_")[0] for tool in ALL}))
TOOL: Final = re.compile(rf"(?:{VERBS})(?:_[a-z]+)+")


def variables() -> set[str]:
    """List the names of all settings."""
    named = {setting.variable for setting in SETTINGS.values() if setting.variable}
    return named | {f"{setting.variable}_FILE" for setting in SETTINGS.values() if setting.secret}


def flags() -> set[str]:
    """List the flags of all commands."""
    declared = [declaration(name) for name in COMMANDS]
    options = [one.options for one in declared] + [one.options for all_ in declared for one in all_.actions.values()]
    own = {flag for named in options for flag in named}
    return own | {setting.flag for setting in SETTINGS.values() if setting.flag} | {"--config", "--help", "--version"}


@each("page", PAGES)
def test_every_link_within_the_repository_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    broken: list[str] = []
    for link in links(page):
        address = urlsplit(link.target)
        if address.scheme:
            continue
        file = (page.parent / unquote(address.path)).resolve() if address.path else page
        if not file.exists() or (address.fragment and address.fragment not in anchors(file)):
            broken.append(link.target)
    assert broken == []


@each("page", PAGES)
def test_links_lead_to_few_hosts_none_of_them_a_registry_and_no_picture_comes_from_outside(page: Path) -> None:
    outside = [link for link in links(page) if urlsplit(link.target).netloc]
    assert [link.target for link in outside if link.image] == []
    assert {urlsplit(link.target).netloc for link in outside} <= HOSTS


def test_every_page_can_be_reached_from_the_first_one() -> None:
    reached, coming = set[Path](), [ROOT / "README.md"]
    while coming:
        page = coming.pop()
        reached.add(page)
        targets = {(page.parent / urlsplit(link.target).path).resolve() for link in links(page) if not link.image}
        coming += [target for target in targets if target in PAGES and target not in reached]
    decisions = {page for page in PAGES if page.parent.name == "decisions"}  # README.md links their folder
    assert [name(page) for page in PAGES if page not in reached | decisions | {ROOT / "CHANGELOG.md"}] == []


@pytest.mark.requirement("readme-only-what-works")
def test_what_works_only_once_it_is_published_stands_in_one_place_and_never_by_a_strangers_name() -> None:
    readme = (ROOT / "README.md").read_text()
    place = readme.partition("### Once it is published")[2].partition("\n## ")[0]
    pages = {page: page.read_text().replace(place, "") for page in PAGES if "decisions" not in page.parts}
    ways = re.compile(r"`?(?:uvx|pipx run|pip install) calendly-mcp|cursor\.com/install-mcp|vscode\.dev/redirect")
    assert len(ways.findall(place)) == 6
    assert {name(page): found for page, text in pages.items() if (found := ways.findall(text))} == {}
    assert re.findall(r"(?:uvx|run|install) calendly-mcp(?!-server)\b", readme) == []


@each("page", [page for page in PAGES if "decisions" not in page.parts and page.name != "CHANGELOG.md"])
def test_every_command_is_written_as_it_is_typed_after_make_demo(page: Path) -> None:
    lines = [line for block in blocks("console") if block.page == page for line in block.text.splitlines()]
    assert [line for line in [*lines, *code(page)] if re.match(r"calendly-mcp [a-z-]", line)] == []


@pytest.mark.requirement("readme-only-what-works")
@each("page", PAGES)
def test_every_setting_command_flag_and_tool_that_is_named_exists(page: Path) -> None:
    spans = [*code(page)]
    assert set(VARIABLE.findall(page.read_text())) <= variables()
    words = {span: span.split() for span in spans}
    named = {span: said[1] for span, said in words.items() if said[0].endswith("calendly-mcp") and len(said) > 1}
    assert {
        span for span, word in named.items() if not word.startswith(("-", "…", "X")) and word not in COMMANDS
    } == set()
    assert {word.partition("=")[0] for said in words.values() for word in said if re.match("--[a-z]", word)} <= (
        flags() | OTHERS_FLAGS
    )
    tools = {tool.name for tool in ALL} | NO_TOOLS
    assert {found for span in spans if (found := span) and TOOL.fullmatch(span)} <= tools


@each("page", PAGES)
def test_every_file_and_folder_that_is_named_exists(page: Path) -> None:
    named = {span for span in code(page) if FILE.fullmatch(span)} - NO_FILES
    assert {file for file in named if not [*ROOT.glob(file)]} == set()


def defined(file: str) -> set[tuple[str, str]]:
    """List the functions of a file, each with its class or an empty name."""
    tree = ast.parse((ROOT / file).read_text())
    classes = [(node.name, node.body) for node in tree.body if isinstance(node, ast.ClassDef)]
    functions = ast.FunctionDef, ast.AsyncFunctionDef
    return {
        (owner, node.name)
        for owner, body in [("", tree.body), *classes]
        for node in body
        if isinstance(node, functions)
    }


def test_the_way_of_a_call_has_at_most_twelve_steps_each_naming_one_function_that_exists() -> None:
    way = (ROOT / "docs/architecture.md").read_text().partition("## The way of one call")[2].partition("\n## ")[0]
    steps = re.split(r"^\d+\. ", way, flags=re.MULTILINE)[1:]
    assert 0 < len(steps) <= 12
    assert {step: len(FUNCTION.findall(step)) for step in steps if len(FUNCTION.findall(step)) != 1} == {}
    named = FUNCTION.findall(way)
    assert [found for found in named if found[:2] not in defined(found[2])] == []


def test_fifteen_likely_changes_each_begin_in_a_file() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where do I change what")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) == 15
    assert [row[1] for row in rows if not FILE.search(row[2])] == []


@pytest.mark.requirement("make-targets")
@each("page", PAGES)
def test_every_program_of_the_repository_and_every_target_that_is_named_exists(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^(\w+):", makefile, re.MULTILINE)
    made = [span.split() for span in code(page) if span.startswith("make ")]
    assert {word for words in made for word in words[1:] if "=" not in word} <= {*targets}
    programs = {span.split()[0] for span in code(page) if span.startswith("scripts/")}
    assert {program for program in programs if not (ROOT / program).is_file()} == set()


def test_every_block_says_what_it_is() -> None:
    assert {str(block): block.language for block in blocks() if block.language not in LANGUAGES} == {}


def configured(entry: dict[str, Any]) -> Local | Remote:
    """Read an entry of a client back as what it was made of."""
    if "command" in entry:
        return Local(Start(entry["command"], tuple(entry.get("args", ()))), entry.get("env", {}))
    return Remote(entry.get("url") or entry["serverUrl"], entry.get("headers", {}))


def written(server: Local | Remote, key: str) -> list[ServerEntry]:
    """List what `install` would write of a server into the files of the clients that have such a key."""
    of_key = [client for client in CLIENTS if client.key == key]
    return [client.local(server) if isinstance(server, Local) else client.remote(server) for client in of_key]


@each("block", blocks("json"))
def test_json_parses_and_a_clients_configuration_is_one_that_install_would_write(block: Block) -> None:
    content: dict[str, Any] = json.loads(block.text)
    for key in {client.key for client in CLIENTS} & content.keys():
        for entry in content[key].values():
            assert entry in written(configured(entry), key)
            assert set(entry.get("env", {})) <= variables()


def test_an_event_that_is_shown_is_one_that_could_be_posted() -> None:
    page = ROOT / "docs/tasks/start-a-program.md"
    [shown] = [json.loads(block.text) for block in blocks("json") if block.page == page]
    jsonschema.validate(shown["data"], KINDS[shown["name"]].payload_schema)
    assert shown["data"].keys() <= KINDS[shown["name"]].payload_schema["properties"].keys()
    assert re.fullmatch("evt_[0-9a-f]{32}", shown["eventId"])


@each("block", blocks("toml"))
def test_toml_is_a_file_of_settings(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(block.text)
    assert load("http", {}, config=file, environ={}) != load("http", {}, environ={})


@each("block", blocks("javascript", "python"))
def test_a_program_is_a_passage_of_the_code(block: Block) -> None:
    rooms = [*(room.parent for room in ROOT.glob("*/__init__.py")), ROOT / "docs/examples"]
    sources = (path.read_text() for room in rooms for ending in ("py", "mjs") for path in room.rglob(f"*.{ending}"))
    is_applied = block.page.name == "adding-a-tool.md" and FILE.match(block.text.removeprefix("# "))
    assert is_applied or any(block.text in source for source in sources)
