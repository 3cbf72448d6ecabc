"""The documents as people read them: pages, fenced blocks, links, headings, and the words that are set as code."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Final

from typing_extensions import override

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)

_FENCE: Final = re.compile(
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$", re.DOTALL | re.MULTILINE
)
_CODE: Final = re.compile(r"(`+)(.+?)\1")
_LINK: Final = re.compile(r"(?P<image>!?)\[(?:[^\[\]]|!\[[^\]]*\]\([^)]*\))*\]\((?P<target>[^)\s]+)\)")
_HTML: Final = re.compile(r'<(?P<tag>\w+)[^>]*? (?:src|srcset|href)="(?P<target>[^"]+)"')
_HEADING: Final = re.compile(r"^#+ (.+)$", re.MULTILINE)


def name(page: Path) -> str:
    """Name a page as people find it."""
    return str(page.relative_to(ROOT))


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: The page it is on.
        line: The line of its fence.
        language: What its fence says.
        text: What is in it.
    """

    page: Path
    line: int
    language: str
    text: str

    @override
    def __str__(self) -> str:
        """Say where it is."""
        return f"{name(self.page)}:{self.line}"


@dataclass(frozen=True)
class Link:
    """A link or a picture.

    Attributes:
        target: Where it leads.
        image: Whether it is shown in place.
    """

    target: str
    image: bool


def blocks(*languages: str) -> list[Block]:
    """List the blocks of all pages in some languages, or in any."""
    return [
        Block(page, text.count("\n", 0, fence.start()) + 1, fence["language"], dedent(fence["text"]))
        for page in PAGES
        for text in [page.read_text()]
        for fence in _FENCE.finditer(text)
        if not languages or fence["language"] in languages
    ]


def prose(page: Path) -> str:
    """Return a page without its blocks."""
    return _FENCE.sub("", page.read_text())


def code(page: Path) -> Iterator[str]:
    """List what is set as code within the text of a page."""
    return (span[2].strip() for span in _CODE.finditer(prose(page)))


def links(page: Path) -> Iterator[Link]:
    """List the links and pictures of a page; a picture inside a link is one of its own."""
    text = _CODE.sub("", prose(page))
    for found in _LINK.finditer(text):
        yield Link(found["target"], image=bool(found["image"]))
        yield from (Link(inner["target"], image=True) for inner in _LINK.finditer(found[0], 1) if inner["image"])
    yield from (Link(found["target"], image=found["tag"] != "a") for found in _HTML.finditer(text))


def anchors(page: Path) -> set[str]:
    """List the anchors that GitHub gives the headings of a page."""
    seen = Counter[str]()
    found: set[str] = set()
    for heading in _HEADING.findall(prose(page)):
        slug = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).strip().lower()).replace(
            " ", "-"
        )
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found
