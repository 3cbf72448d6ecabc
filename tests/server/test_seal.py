import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import pytest

from server.seal import LIFETIME, Seal, Unproven, digest

KEY = b"k" * 32
CALL = digest("cancel_scheduled_event", {"scheduled_event": "E"}, "person", "agent")


@dataclass
class Time:
    """A clock that is set by hand."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def numbered() -> Callable[[int], bytes]:
    """Bytes that are different every time."""
    numbers = count()
    return lambda size: hashlib.sha256(str(next(numbers)).encode()).digest()[:size]


@dataclass
class Desk:
    """A seal and its clock."""

    time: Time = field(default_factory=Time)
    seal: Seal = field(init=False)

    def __post_init__(self) -> None:
        self.seal = Seal(KEY, self.time, numbered())


@pytest.fixture
def desk() -> Desk:
    return Desk()


def refusal(seal: Seal, token: str, purpose: str = "purpose", bound_to: bytes = CALL) -> str:
    with pytest.raises(Unproven) as refused:
        seal.redeem(token, purpose, bound_to)
    return str(refused.value)


def test_a_token_is_taken_once(desk: Desk) -> None:
    token = desk.seal.issue("purpose", CALL)
    desk.seal.redeem(token, "purpose", CALL)
    assert "was used already" in refusal(desk.seal, token)


def test_a_token_can_be_copied_by_hand(desk: Desk) -> None:
    assert desk.seal.issue("purpose", CALL).replace("-", "").replace("_", "").isalnum()


def test_a_token_expires(desk: Desk) -> None:
    token = desk.seal.issue("purpose", CALL)
    desk.time.now += LIFETIME
    assert refusal(desk.seal, token) == "The confirmation has expired."


def test_a_token_lives_until_it_expires_and_what_was_spent_is_forgotten_then(desk: Desk) -> None:
    first = desk.seal.issue("purpose", CALL)
    desk.seal.redeem(first, "purpose", CALL)
    desk.time.now += LIFETIME - 0.01
    assert "was used already" in refusal(desk.seal, first)
    desk.time.now += 0.02
    assert "has expired" in refusal(desk.seal, first)


@pytest.mark.parametrize(
    "other",
    [
        digest("create_event_invitee", {"scheduled_event": "E"}, "person", "agent"),
        digest("cancel_scheduled_event", {"scheduled_event": "F"}, "person", "agent"),
        digest("cancel_scheduled_event", {"scheduled_event": "E", "reason": None}, "person", "agent"),
        digest("cancel_scheduled_event", {"scheduled_event": "E"}, "somebody", "agent"),
        digest("cancel_scheduled_event", {"scheduled_event": "E"}, "person", "another"),
    ],
    ids=["tool", "argument", "further argument", "person", "agent"],
)
def test_a_token_is_for_one_call_of_one_agent_of_one_person(desk: Desk, other: bytes) -> None:
    assert "not given for this very call" in refusal(desk.seal, desk.seal.issue("purpose", CALL), bound_to=other)


def test_a_token_for_one_purpose_proves_nothing_for_another(desk: Desk) -> None:
    assert "not given for this very call" in refusal(desk.seal, desk.seal.issue("purpose", CALL), purpose="other")


def test_a_token_of_another_process_proves_nothing(desk: Desk) -> None:
    token = Seal(b"o" * 32, desk.time, numbered()).issue("purpose", CALL)
    assert "not given for this very call" in refusal(desk.seal, token)


def test_a_token_that_was_changed_proves_nothing(desk: Desk) -> None:
    token = desk.seal.issue("purpose", CALL)
    for changed in (token[::-1], f"A{token[1:]}", token[:-1], f"{token}AAAA", token[4:]):
        assert "not given for this very call" in refusal(desk.seal, changed)


@pytest.mark.parametrize("nonsense", ["", "x", "é", "\x00" * 72, "A" * 1024, "A" * 72])
def test_what_is_no_token_proves_nothing(desk: Desk, nonsense: str) -> None:
    assert "not given for this very call" in refusal(desk.seal, nonsense)


def test_there_is_an_end_to_what_is_remembered(desk: Desk) -> None:
    for _ in range(10_000):
        desk.seal.redeem(desk.seal.issue("purpose", CALL), "purpose", CALL)
    assert "Too many calls were confirmed" in refusal(desk.seal, desk.seal.issue("purpose", CALL))
    desk.time.now += LIFETIME
    desk.seal.redeem(desk.seal.issue("purpose", CALL), "purpose", CALL)


def test_arguments_in_another_order_are_the_same_call() -> None:
    assert digest({"a": 1, "b": [1, 2]}) == digest({"b": [1, 2], "a": 1})
    assert digest({"a": 1, "b": [1, 2]}) != digest({"a": 1, "b": [2, 1]})
