import pytest

from server.calls.recent import Recent


class Source:
    """Something that is found out, at a time that a test says."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[str] = []
        self.recent: Recent[str, str] = Recent(15, lambda: self.now)

    async def of(self, key: str) -> str:
        """Ask the memory."""

        async def find() -> str:
            self.asked.append(key)
            return f"{key} at {self.now:g}"

        return await self.recent.of(key, find)


async def test_what_was_found_out_is_kept_for_its_time_and_no_longer() -> None:
    source = Source()
    assert await source.of("a") == "a at 0"
    source.now = 14.9
    assert await source.of("a") == "a at 0"
    source.now = 15
    assert await source.of("a") == "a at 15"


async def test_when_it_is_full_the_oldest_goes() -> None:
    source = Source()
    for number in range(257):
        await source.of(f"{number}")
    await source.of("1")
    await source.of("0")
    assert source.asked == [*(f"{number}" for number in range(257)), "0"]


async def test_what_could_not_be_found_out_is_asked_again() -> None:
    source = Source()

    async def fail() -> str:
        raise LookupError("not now")

    with pytest.raises(LookupError):
        await source.recent.of("a", fail)
    assert await source.of("a") == "a at 0"
