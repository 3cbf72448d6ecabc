from typing import Any

import pytest

from calendly.errors import InvalidArgument, RateLimited, Unreachable
from calendly.paging import walk
from calendly.request import JSON


class Book:
    """Pages by token. An exception in the place of a page is raised."""

    def __init__(self, pages: dict[str | None, JSON | Exception]) -> None:
        self.pages = pages
        self.asked: list[str | None] = []

    async def page(self, token: str | None) -> JSON:
        """Return a page."""
        self.asked.append(token)
        page = self.pages[token]
        if isinstance(page, Exception):
            raise page
        return page


def page(*rows: int, then: str | None = None, **more: Any) -> JSON:  # noqa: ANN401 - anything may be in a pagination
    return {"collection": list(rows), "pagination": {"count": len(rows), "next_page_token": then, **more}}


async def test_one_page_is_the_page_as_calendly_sent_it() -> None:
    book = Book({None: page(1, 2, then="b", next_page="https://api.calendly.com/x?page_token=b", count=20)})
    answer: dict[str, Any] = {**await walk(book.page, None, 1)}
    assert answer == book.pages[None]
    assert book.asked == [None]


async def test_pages_are_put_together_with_the_pagination_of_the_last() -> None:
    book = Book({"a": page(1, 2, then="b"), "b": page(3, then="c"), "c": page(4)})
    assert await walk(book.page, "a", 2) == {
        "collection": [1, 2, 3],
        "pagination": {"count": 3, "next_page_token": "c"},
    }


async def test_the_previous_page_is_that_of_the_first_page() -> None:
    first = page(1, then="b", previous_page="https://api.calendly.com/x?page_token=0", previous_page_token="0")
    second = page(2, then="c", previous_page="https://api.calendly.com/x?page_token=a", previous_page_token="a")
    book = Book({None: page(0, then="b"), "a": first, "b": second})
    pagination = (await walk(book.page, "a", 2))["pagination"]
    assert pagination["previous_page"] == "https://api.calendly.com/x?page_token=0"
    assert (pagination["previous_page_token"], pagination["next_page_token"]) == ("0", "c")
    from_the_first = (await walk(book.page, None, 2))["pagination"]
    assert not {"previous_page", "previous_page_token"} & from_the_first.keys()


async def test_the_walk_ends_where_the_list_ends() -> None:
    book = Book({None: page(1, then="b"), "b": page(2)})
    assert (await walk(book.page, None, 50))["collection"] == [1, 2]
    assert book.asked == [None, "b"]


async def test_older_bodies_give_the_token_only_inside_a_url_whose_host_is_never_asked() -> None:
    first = {
        "collection": [1],
        "pagination": {"count": 1, "next_page": "https://evil.example/steal?count=1&page_token=b%3D"},
    }
    book = Book({None: first, "b=": page(2)})
    assert (await walk(book.page, None, 5))["collection"] == [1, 2]
    assert (await walk(book.page, None, 1))["pagination"]["next_page_token"] == "b="


@pytest.mark.parametrize("loop", ["a", "b"])
async def test_a_repeated_token_ends_the_walk_and_is_not_passed_on(loop: str) -> None:
    book = Book({"a": page(1, then="b"), "b": page(2, then=loop, next_page="https://api.calendly.com/loop")})
    answer = await walk(book.page, "a", 50)
    assert book.asked == ["a", "b"]
    assert answer["pagination"] == {"count": 2, "next_page_token": None, "next_page": None}


async def test_endless_tokens_end_at_the_asked_number_of_pages() -> None:
    asked: list[str | None] = []

    async def endless(token: str | None) -> JSON:
        asked.append(token)
        return page(len(asked), then=f"t{len(asked)}")

    answer = await walk(endless, None, 50)
    assert len(asked) == len(answer["collection"]) == 50
    assert answer["pagination"]["next_page_token"] == "t50"


@pytest.mark.parametrize("odd", [None, "", 7, ["b"], {"token": "b"}, True])
async def test_a_token_of_another_type_is_no_token(odd: object) -> None:
    book = Book({None: {"collection": [1], "pagination": {"next_page_token": odd}}})
    assert (await walk(book.page, None, 5))["collection"] == [1]


@pytest.mark.parametrize("odd", [None, "next", [], 5])
async def test_a_pagination_of_another_type_is_none(odd: object) -> None:
    book = Book({None: {"collection": [1], "pagination": odd}})
    answer = await walk(book.page, None, 5)
    assert (answer["collection"], answer["pagination"]) == ([1], {})


async def test_a_broken_url_gives_no_token() -> None:
    book = Book({None: {"collection": [], "pagination": {"next_page": "https://[::1/x?page_token=b"}}})
    assert await walk(book.page, None, 5) == {
        "collection": [],
        "pagination": {"next_page": "https://[::1/x?page_token=b", "next_page_token": None},
    }


@pytest.mark.parametrize("failure", [RateLimited("Later.", retry_after=9), Unreachable("No answer.")])
async def test_when_time_runs_out_the_pages_so_far_say_where_to_go_on(failure: Exception) -> None:
    book = Book({None: page(1, then="b"), "b": page(2, then="c"), "c": failure})
    answer = await walk(book.page, None, 50)
    assert answer == {"collection": [1, 2], "pagination": {"count": 2, "next_page_token": "c"}}


async def test_a_refused_later_page_is_an_error() -> None:
    book = Book({None: page(1, then="b"), "b": InvalidArgument("No.", status=400)})
    with pytest.raises(InvalidArgument):
        await walk(book.page, None, 50)


async def test_a_failing_first_page_is_an_error() -> None:
    with pytest.raises(Unreachable):
        await walk(Book({None: Unreachable("No answer.")}).page, None, 50)
