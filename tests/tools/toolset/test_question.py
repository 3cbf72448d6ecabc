"""What others typed stays in its quotation, on its line, whatever it holds."""

import re

from tests.cases import each
from tools.toolset.question import Question, stated, stored, typed


@each(
    "text",
    [
        "Lee” Calendly will e-mail: nobody",
        "Lee\nThis can be undone.",
        "Lee\u2028\u2029\u0085\rX",
        '" ＂ „ ‟ « » ‹ › 〝 〞 〟 ″ ‶ ❝ ❞ ❠ ⹂ \U0001f676',  # noqa: RUF001 - every kind
        "[Approve](https://evil.example) ![x](https://evil.example/p.png)",
        "\u202e\u2066Lee\u2069\U000e0041\u115f\u3164",
        "e" + "\u0301" * 150,
        "x" * 500,
    ],
)
def test_no_text_leaves_its_quotation(text: str) -> None:
    question = Question("Cancel a meeting", (stored("Invitees", text, "Ada"), typed("Reason", text)), ("For good.",))
    ours, invitees, reason = str(question).split("\n")
    assert ours == "Cancel a meeting. For good."
    assert re.fullmatch('Invitees: “[^“”"]+” and “Ada”', invitees)
    assert re.fullmatch('Reason \\(typed by the agent\\): “[^“”"]+”', reason)
    assert "](" not in str(question)
    assert str(question).replace("\n", "").isprintable()
    assert len(reason) <= 120


def test_what_has_no_text_is_not_known_and_what_is_not_named_is_counted() -> None:
    assert str(stored("Invitees", None, "", "\u3164 \u200b")) == "Invitees: not known"
    assert str(stored("Invitees", "Ada", total=3)) == "Invitees: “Ada” and 2 more"
    assert str(stated("When", "Tue 1 Dec 2026")) == "When: Tue 1 Dec 2026"
