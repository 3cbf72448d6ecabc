import pytest
from hypothesis import given
from hypothesis import strategies as st

from calendly.pacing.fair_queue import FairQueue


def fill(*items: str) -> FairQueue[str]:
    """Queue items whose first letter is their line."""
    queue = FairQueue[str]()
    for item in items:
        queue.push(item[0], item)
    return queue


def drain(queue: FairQueue[str]) -> list[str]:
    served: list[str] = []
    while (item := queue.pop(lambda _: True)) is not None:
        served.append(item)
    return served


def test_lines_are_served_in_turn_and_each_in_order() -> None:
    assert drain(fill("a1", "a2", "a3", "b1", "c1", "c2")) == ["a1", "b1", "c1", "a2", "c2", "a3"]


def test_a_new_line_is_served_after_the_turns_of_the_others() -> None:
    queue = fill("a1", "a2", "a3")
    assert queue.pop(lambda _: True) == "a1"
    queue.push("b", "b1")
    assert drain(queue) == ["a2", "b1", "a3"]


def test_an_item_that_may_not_go_keeps_its_place_and_blocks_no_other_line() -> None:
    queue = fill("a1", "b1", "b2")
    assert queue.pop(lambda item: item != "a1") == "b1"
    assert drain(queue) == ["a1", "b2"]


def test_nothing_is_served_when_nothing_may_go() -> None:
    queue = fill("a1")
    assert queue.pop(lambda _: False) is None
    assert queue


def test_a_removed_item_leaves_no_gap() -> None:
    queue = fill("a1", "a2", "b1")
    queue.remove("a", "a1")
    queue.remove("b", "b1")
    assert drain(queue) == ["a2"]
    assert not queue


def test_an_item_that_is_not_there_cannot_be_removed() -> None:
    with pytest.raises(ValueError, match="not in deque"):
        fill("a1").remove("b", "b1")


items = st.lists(st.from_regex("[abc][0-9]", fullmatch=True), min_size=1, unique=True)


@given(items, st.integers(0, 5))
def test_the_order_and_every_place_are_known_beforehand(queued: list[str], served: int) -> None:
    queue = fill(*queued)
    for _ in range(served):
        queue.pop(lambda _: True)
    order = list(queue)
    for line in {item[0] for item in order}:
        last = [item for item in order if item[0] == line][-1]
        assert queue.place(line) == order.index(last)
    assert drain(queue) == order
