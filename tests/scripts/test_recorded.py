"""The recorded terminal session: what it is drawn of, and that the one in the documents is that of today's program."""

import re
from typing import Final
from xml.etree import ElementTree as ET

import pytest

from scripts.recorded import COLUMNS, FILE, ROWS, parts, picture
from tests.documents import PAGES, links
from tests.e2e.processes import run

BEGINNING: Final = "A conversation.\n\n1. Who am I?\n   call      get_user   (GET /users/me)\n"
TRANSCRIPT: Final = BEGINNING + "   answer    <Maya> & co\n" * 40
SVG: Final = "{http://www.w3.org/2000/svg}"


def drawn(svg: str) -> ET.Element:
    """Parse a picture."""
    return ET.fromstring(svg)  # noqa: S314 - our own file


def read(svg: str) -> str:
    """Return the words of a picture in their order."""
    return " ".join(" ".join(text.itertext()) for text in drawn(svg).iter(f"{SVG}text"))


def words(text: str) -> str:
    """Return a text with one space between its words."""
    return " ".join(text.split())


def test_every_word_is_drawn_in_its_order_and_part() -> None:
    svg = picture(parts(TRANSCRIPT))
    assert words(read(svg)) == words(f"$ calendly-mcp demo {TRANSCRIPT}")
    groups = {group.get("id"): len([*group]) for group in drawn(svg).iter(f"{SVG}g")}
    assert groups == {"scroll": 3, "p0": 1, "p1": 1, "p2": 83}


def test_what_does_not_fit_into_the_window_scrolls_until_its_last_row_is_there() -> None:
    command, conversation, long = parts(TRANSCRIPT)
    assert (command.first, conversation.first, long.first) == (0, 2, 4)
    assert [part.scrolled for part in (command, conversation, long)] == [0, 0, 4 + 42 - ROWS]
    assert f"translateY({-20 * 19}px)" in picture([command, conversation, long])


@pytest.mark.requirement("demo-transcript", "demo-limits-scopes")
def test_the_recorded_session_says_what_the_program_says_today() -> None:
    said = run("demo").stdout
    shown = words(read(FILE.read_text()))
    # Dates, times and ids are those of the day it was recorded.
    fixed = [words(line) for line in said.splitlines() if line.strip() and not re.search(r"\d", line[2:])]
    assert len(fixed) > 30
    assert [line for line in fixed if line not in shown] == []
    assert max(map(len, said.splitlines())) <= COLUMNS


def test_the_picture_loads_and_runs_nothing_and_says_what_it_is() -> None:
    text = FILE.read_text()
    assert not re.search(r"url\(|@import|@font-face|<script|<image|<foreignObject|<a\b|href|\bon\w+=|<!", text)
    assert re.findall(r"xmlns(?::\w+)?=\"([^\"]+)\"", text) == ["http://www.w3.org/2000/svg"]
    assert drawn(text).findtext(f"{SVG}title") == "A terminal that runs calendly-mcp demo"
    assert "prefers-color-scheme: dark" in text
    assert "prefers-reduced-motion: reduce" in text


def test_the_first_page_shows_it_near_its_top() -> None:
    page = PAGES[0].read_text()
    assert page.index("docs/screenshots/demo.svg") < page.index("\n## ")
    assert [link.image for link in links(PAGES[0]) if link.target == "docs/screenshots/demo.svg"] == [True]
