"""A machine whose clock is off: answers go by Calendly's clock, and say that the machine's is off."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.audit_log import NOW
from tests.hostile_upstream import HostileUpstream, answer
from tests.server.desk import call, connected

USER = {"resource": {"uri": "https://api.calendly.com/users/U1", "timezone": "UTC"}}
EMPTY: dict[str, object] = {"collection": [], "pagination": {}}


def date_of(off: timedelta) -> str:
    return format_datetime(datetime.now(UTC) - off, usegmt=True)


@pytest.mark.requirement("answer-clock")
async def test_an_answer_that_depends_on_the_time_goes_by_calendlys_clock_and_says_so() -> None:
    off = timedelta(days=1)
    async with HostileUpstream.listen() as upstream, connected(upstream) as client:
        upstream.otherwise = answer(200, USER, date=date_of(off))
        me = await call(client, "get_current_user")
        assert f"{NOW - off:%a %Y-%m-%d}" in me.content["local_time"]
        assert "machine's clock is 24 hours ahead of Calendly's" in me.content["clock"]
        assert "This answer goes by Calendly's clock." in me.content["clock"]
        upstream.otherwise = answer(200, EMPTY, date=date_of(off))
        today = await call(client, "get_agenda", timezone="UTC")
        assert today.content["searched"]["start_time"].startswith(f"{NOW - off:%Y-%m-%d}")


async def test_an_answer_that_was_begun_by_a_clock_that_turns_out_to_be_off_says_so() -> None:
    async with HostileUpstream.listen() as upstream, connected(upstream) as client:
        upstream.otherwise = answer(200, {**USER, **EMPTY}, date=date_of(timedelta(hours=-5)))
        today = await call(client, "get_agenda", timezone="UTC")
        assert "5 hours behind Calendly's" in today.content["clock"]
        assert "call again" in today.content["clock"]


async def test_of_a_right_clock_and_where_no_time_matters_nothing_is_said() -> None:
    async with HostileUpstream.listen() as upstream, connected(upstream) as client:
        upstream.otherwise = answer(200, USER, date=date_of(timedelta(seconds=20)))
        assert "clock" not in (await call(client, "get_current_user")).content
        upstream.otherwise = answer(200, EMPTY, date=date_of(timedelta(days=3)))
        listed = await call(client, "list_event_invitees", scheduled_event="E1")
        assert "clock" not in listed.content
