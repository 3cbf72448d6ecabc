import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendly.third_party_text import shown, visible


@pytest.mark.requirement("third-party-text")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Claude Code (calendly)", "Claude Code (calendly)"),
        ("a\nb\r\n\tc", "a b c"),
        ("a\u2028b\u2029c", "a b c"),
        ("\u202eevil\u202c", "evil"),
        ("\u2066a\u2069\u200e\u200f\u061c", "a"),
        ("a\U000e0041\U000e007f", "a"),
        ("\ufeffa\u200bb\u00ad\x00\x1b[31m", "ab[31m"),
        ("\ue000\uffff", ""),
        ("  a   b ", "a b"),
        ("\U0001f469\u200d\U0001f4bb", "\U0001f469\u200d\U0001f4bb"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("", ""),
    ],
)
def test_characters_that_hide_reorder_or_forge_text_are_removed_and_joiners_stay(text: str, expected: str) -> None:
    assert shown(text) == expected


@given(st.text())
def test_what_is_shown_is_one_line_that_stays_as_it_is(text: str) -> None:
    once = shown(text)
    assert shown(once) == once
    assert len(once.splitlines()) <= 1


@given(st.text())
def test_what_is_visible_keeps_its_lines_and_stays_as_it_is(text: str) -> None:
    once = visible(text)
    assert visible(once) == once
    assert once.count("\n") == text.count("\n")
