"""The estimate against the vocabulary itself: never too low, whatever is typed."""

import json
import random
import string
from typing import Any

import pytest
import toktok  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # the wheel has no types
from hypothesis import given
from hypothesis import strategies as st

from calendly import models
from tools.answers.estimate import estimate
from tools.answers.views import VIEWS
from tools.toolset.shapes import fields_of

EVENT = {
    "uri": "https://api.calendly.com/scheduled_events/51b24bd1-7444-416a-8732-3d28b4a0ca39",
    "name": "Intro call",
    "start_time": "2026-06-01T08:00:00Z",
    "local_start": "Mon 2026-06-01 10:00",
}
TEXT = {"answer": "I would like to talk about the new release, and whether it fits our plans for the summer."}
SLOTS = {"date": "2026-12-01", "timezone": "Europe/Berlin", "times": ["09:00", "09:30", "10:00", "10:30"]}
FOREIGN = {"answer": "新しいリリースについて話したいです。", "name": "Jürgen Müßig", "note": "Привет, как дела?"}

LETTERS = [
    *(string.ascii_letters, string.digits + string.ascii_lowercase, string.punctuation, string.printable),
    *("qjzxvwkg", "QJqjZz", "GJ", '"\\\n\t', "!?.,:; ", '{}[]":,', "\u200d\ufe0f👩🏽‍💻🏳🌈", "\u0ccf\u0cb0\u0cc2"),
    "".join(map(chr, range(0x1F300, 0x1F6FF))),
    "".join(map(chr, range(0x20000, 0x20100))),
    *(
        "".join(map(chr, range(block, block + 0x100)))
        for block in (*range(0x80, 0xD700, 0x100), 0xE000, 0xFB00, 0xFF00)
    ),
]
"""Alphabets, and what is none."""


def written(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def tokens(text: str) -> int:
    return sum(toktok.batch_count([text], "o200k_base"))


@pytest.mark.parametrize("row", [EVENT, TEXT, SLOTS, FOREIGN], ids=["event", "text", "slots", "foreign"])
def test_it_is_never_too_low_and_close_for_what_nobody_types(row: dict[str, Any]) -> None:
    text = written([row] * 50)
    assert tokens(text) <= estimate(text) <= (1.5 if row in (EVENT, SLOTS) else 3.5) * tokens(text)


def test_no_alphabet_makes_more_tokens_than_it_says() -> None:
    dice = random.Random(20_000)  # noqa: S311 - texts to try, not secrets
    for letters in LETTERS:
        for most in (1, 2, 5, len(letters)):
            some = dice.sample(letters, min(most, len(letters)))
            text = written({"answer": "".join(dice.choice(some) for _ in range(300)), "name": "".join(some)[:9]})
            assert tokens(text) <= estimate(text), text[:80]


@given(st.dictionaries(st.sampled_from(["name", "answer", "reason"]), st.text(max_size=200)))
def test_no_text_makes_more_tokens_than_it_says(fields: dict[str, str]) -> None:
    text = written(fields)
    assert tokens(text) <= estimate(text)


def test_no_name_of_a_field_costs_more_than_it_says() -> None:
    shapes = [*VIEWS, models.User, models.SchedulingLink, models.AvailabilitySchedule]
    for name in {name for shape in shapes for name in fields_of(shape)}:
        text = written({name: name})
        assert tokens(text) <= estimate(text), name
