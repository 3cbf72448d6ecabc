"""How many posts of a process are under way."""

import asyncio

from events.outgoing.posts_in_flight import PostsInFlight
from tests.cases import each


@each(
    "hosts, most",
    [(["a"] * 6, 4), ([f"h{number}" for number in range(20)], 16), (["a"] * 6 + ["b"] * 2, 6), (["a"] * 4, 4)],
)
async def test_posts_wait_until_there_is_room_in_the_process_and_for_their_host(hosts: list[str], most: int) -> None:
    posts, under_way, peaks, done = PostsInFlight(), list[str](), list[int](), list[str]()

    async def post(host: str) -> None:
        async with posts.one(host):
            under_way.append(host)
            peaks.append(len(under_way))
            await asyncio.sleep(0)  # lets the others begin
            await asyncio.sleep(0)
            under_way.remove(host)
            done.append(host)

    await asyncio.gather(*map(post, hosts))
    assert max(peaks) == most
    assert sorted(done) == sorted(hosts)
    assert posts.room.left == 16
