"""A question to a person before a call that writes: our words, and apart from them what others typed. Pure.

No sentence of ours contains a text that an agent or a stranger typed: it could go on with a sentence of its own. Such a
text is a fact with a label, in quotation marks that it cannot contain itself:

    Cancel a meeting. This cannot be undone.
    Meeting: “Intro call”
    When: Tue 1 Dec 2026, 10:00 (Europe/Berlin)
    Reason that they read (typed by the agent): “I am ill”
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

from typing_extensions import override

from tools.toolset.wording import LONGEST, one_line

Author = Literal["server", "agent", "calendly"]
"""Who words a fact: we do, the agent typed it, or Calendly has it from whoever booked, or from its own user."""

_QUOTES: Final = re.compile('["“”„‟«»‹›〝〞〟＂″‶❝❞❠⹂\U0001f676-\U0001f678]')  # noqa: RUF001 - so that no text ends its own
_MOST_NAMED: Final = 12
"""Enough for the eleven people of the largest booking."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a question.

    Attributes:
        label: Our word for it.
        texts: What it is; several, such as addresses.
        author: Who worded it.
        more: How many more there are than `texts` names.
    """

    label: str
    texts: tuple[str, ...]
    author: Author = "server"
    more: int = 0

    @property
    def said(self) -> str:
        """The texts on one line, quoted unless they are our own."""
        texts = self.texts if self.author == "server" else tuple(f"“{text}”" for text in self.texts)
        named = [*texts, *([f"{self.more} more"] if self.more else [])] or ["not known"]
        return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)

    @override
    def __str__(self) -> str:
        by = " (typed by the agent)" if self.author == "agent" else ""
        return f"{self.label}{by}: {self.said}"


@dataclass(frozen=True, slots=True)
class Question:
    """What a person is asked.

    Attributes:
        asks: What would be done, without its facts: `Cancel a meeting`.
        facts: To what, when and with whom.
        notes: What else to know, in sentences of ours.
        doubt: Why it is asked again, a sentence; None where it is asked for the first time.
    """

    asks: str
    facts: tuple[Fact, ...] = ()
    notes: tuple[str, ...] = ()
    doubt: str | None = None

    @override
    def __str__(self) -> str:
        """Return it as text: a line of ours, then a line for each fact."""
        ours = " ".join(filter(None, (self.doubt, f"{self.asks}.", *self.notes)))
        return "\n".join([ours, *map(str, self.facts)])

    def fields(self) -> dict[str, Any]:
        """Return it as JSON values, each text apart."""
        facts = [
            {"label": fact.label, "texts": list(fact.texts), "author": fact.author, "more": fact.more}
            for fact in self.facts
        ]
        return {"doubt": self.doubt, "asks": self.asks, "notes": list(self.notes), "facts": facts}


def stated(label: str, text: str) -> Fact:
    """Return a fact in our words."""
    return Fact(label, (text,))


def typed(label: str, *texts: str | None, most: int = LONGEST) -> Fact:
    """Return a fact that the agent typed."""
    return _quoted(label, texts, "agent", most=most)


def stored(label: str, *texts: str | None, most: int = LONGEST, total: int = 0) -> Fact:
    """Return a fact as Calendly has it; `total` of them where `texts` are not all."""
    return _quoted(label, texts, "calendly", most=most, total=total)


def _quoted(label: str, texts: Iterable[str | None], author: Author, *, most: int, total: int = 0) -> Fact:
    lines = [line for text in texts if (line := _visible(text or "", most))]
    named = tuple(lines[:_MOST_NAMED])
    return Fact(label, named, author, max(len(lines), total if named else 0) - len(named))


def _visible(text: str, most: int) -> str:
    """Return a text on one line that neither ends its quotation nor is a link where a client renders Markdown."""
    return _QUOTES.sub("'", one_line(text, most)).replace("](", "] (")
