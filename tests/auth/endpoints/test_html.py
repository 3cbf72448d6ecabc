import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typing_extensions import override

from auth.access.choices import CAUTIOUS
from auth.access.levels import UNLIMITED
from auth.access.offers import Offer, levels_within, offer, offer_presets, preselect, presets
from auth.endpoints import html
from auth.endpoints.html import Back, Consent, Pages, breakable
from tests.auth.site import OFFERED, OPERATIONS
from tests.cases import each

LEVELS = levels_within(OFFERED, UNLIMITED, OPERATIONS)
STYLE = (Path(html.__file__).parents[1] / "templates" / "style.css").read_text()
CONSENT = Consent(
    name="Agent",
    publisher="client.example",
    destination="agent.example",
    only_loopback=True,
    presets=offer_presets(presets(OFFERED, OFFERED, LEVELS), preselect(OFFERED, OFFERED, LEVELS, None, {})),
    offer=offer(LEVELS, LEVELS, CAUTIOUS, LEVELS),
    secret="s" * 43,
    form_action=("'self'",),
)
BACK = Back("Agent", "https://agent.example/callback?error=x&state=y")


def pages() -> dict[str, str]:
    made = Pages()
    return {
        "consent": bytes(made.consent(CONSENT).body).decode(),
        "error": bytes(made.error("It went wrong.", status=400, back=BACK).body).decode(),
        "error without a way back": bytes(made.error("It went wrong.", status=400).body).decode(),
        "result": bytes(made.result("Nothing was allowed", "No access.", BACK).body).decode(),
    }


class Outline(HTMLParser):
    """What a page is made of, and which of its inputs stand in a label."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.unlabelled: list[str] = []
        self.feed(page)

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag == "input" and attributes.get("type") != "hidden" and "label" not in self.open:
            self.unlabelled.append(str(attributes.get("name")))
        if tag not in {"input", "meta", "br"}:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def count(self, tag: str) -> int:
        """Count the elements of a name."""
        return [name for name, _ in self.tags].count(tag)


@pytest.mark.requirement("pages-accessible")
@each("name", pages())
def test_a_page_is_well_formed_and_says_what_it_is(name: str) -> None:
    outline = Outline(pages()[name])
    assert outline.open == []
    assert ("html", {"lang": "en"}) in outline.tags
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in outline.tags
    assert [outline.count(tag) for tag in ("title", "h1", "main")] == [1, 1, 1]


@pytest.mark.requirement("pages-accessible")
def test_every_choice_has_a_label_and_every_group_a_legend() -> None:
    outline = Outline(pages()["consent"])
    assert outline.unlabelled == []
    assert outline.count("fieldset") == outline.count("legend") == len(LEVELS) + 1
    options = [attributes for _, attributes in outline.tags if attributes.get("type") == "radio"]
    assert {str(option["name"]).removeprefix("level-") for option in options} == {"preset", *LEVELS}
    assert len([option for option in options if "checked" in option]) == len(LEVELS) + 1


@pytest.mark.requirement("pages-accessible")
def test_the_form_works_by_keyboard_and_without_scripts() -> None:
    outline = Outline(pages()["consent"])
    buttons = [attributes for tag, attributes in outline.tags if tag == "button"]
    assert [button["value"] for button in buttons] == ["allow", "deny"]
    assert ("form", {"method": "post", "action": "/consent"}) in outline.tags
    assert not any("tabindex" in attributes or "autofocus" in attributes for _, attributes in outline.tags)
    assert outline.count("script") == 0
    assert "outline: none" not in STYLE
    assert ":focus-visible" in STYLE


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


SCHEMES = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block)) for block in re.findall(r":root \{[^}]*\}", STYLE)]


@pytest.mark.requirement("pages-accessible")
@each("scheme", SCHEMES)
@each(
    "ink, ground",
    [
        ("ink", "card"),
        ("quiet", "card"),
        ("accent", "card"),
        ("on-accent", "accent"),
        ("ink", "ground"),
        ("warn-ink", "warn-ground"),
    ],
)
def test_text_stands_out_from_its_ground_in_light_and_dark(scheme: dict[str, str], ink: str, ground: str) -> None:
    assert contrast(scheme[ink], scheme[ground]) >= 4.5


@pytest.mark.requirement("pages-accessible")
def test_the_style_knows_dark_mode_reduced_motion_and_small_screens() -> None:
    assert len(SCHEMES) == 2
    assert "prefers-color-scheme: dark" in STYLE
    moving = re.sub(r"@media \(prefers-reduced-motion: no-preference\) \{[^}]*\} \}", "", STYLE)
    assert not re.search(r"transition|animation", moving)
    assert "overflow-wrap: anywhere" in STYLE
    assert not re.search(r"(?<!max-)(?<!min-)width: \d{3,}", STYLE)


@pytest.mark.requirement("consent-says-who")
def test_whatever_a_stranger_is_called_is_text_on_the_page() -> None:
    hostile = "<img src=x onerror=alert(1)>\"'&{{ 7*7 }}"
    page = bytes(
        Pages()
        .consent(
            Consent(
                name=hostile,
                publisher=hostile,
                destination=hostile,
                only_loopback=False,
                presets=(),
                offer=Offer((), (), ()),
                secret=hostile,
                form_action=("'self'",),
            )
        )
        .body
    ).decode()
    assert "<img" not in page
    assert "49" not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;&#34;&#39;&amp;{{ 7*7 }}") >= 5
    error = bytes(Pages().error(hostile, status=400, back=Back(hostile, 'javascript:"x')).body).decode()
    assert "<img" not in error
    assert 'href="javascript:&#34;x"' in error


def test_each_page_says_that_a_sandbox_is_one_and_no_other_does() -> None:
    for sandbox in (True, False):
        page = str(Pages(sandbox=sandbox).error("It failed.", status=400).body, "utf-8")
        assert ("nothing reaches Calendly" in page) is sandbox


def test_whoever_has_to_connect_anew_first_is_not_told_to_start_again() -> None:
    for starts_anew in (True, False):
        page = str(Pages().error("It failed.", status=400, starts_anew=starts_anew).body, "utf-8")
        assert ("start the sign-in anew" in page) is starts_anew


def test_an_address_breaks_between_its_parts_and_is_escaped() -> None:
    for text, shown in {
        "maya@northlight.example": "[maya|@northlight|.example]",
        "See https://calendly.com/maya, 3.50 EUR.": "See [https://calendly|.com|/maya,] 3.50 EUR.",
        "10:00 (Europe/Berlin)": "10:00 (Europe/Berlin)",
        "<b>@x.y": "[&lt;b&gt;@x|.y]",
        "a&b@c.d/'e'": "[a&amp;b|@c|.d|/&#39;e&#39;]",
    }.items():
        parts = shown.replace("|", "<wbr>").replace("[", '<span class="address">').replace("]", "</span>")
        assert breakable(text) == parts
