"""The demonstration, at dates at which something could go wrong."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from server.commands.demo import converse
from tests.dates import DATES
from tests.sandbox.api import Api
from tests.server.conftest import Connect
from tests.server.desk import Person


@pytest.fixture(scope="module", params=DATES.values(), ids=list(DATES))
def moment(request: pytest.FixtureRequest) -> datetime:
    now: datetime = request.param
    return now


@pytest.mark.requirement("demo-transcript")
async def test_it_books_the_first_open_time_and_cancels_it_at_any_date(
    connect: Connect, api: Api, moment: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    person = Person()
    async with connect(person) as client:
        await converse(client, str(api.http.base_url), moment)
    told = " ".join(capsys.readouterr().out.split())
    opens = re.search(r"open times, the first ones on (\S+) at (\d\d:\d\d)", told)
    assert opens is not None
    start = datetime.fromisoformat(f"{opens[1]}T{opens[2]}")
    for words in (
        "answer Maya Lindqvist <maya@northlight.example>, Europe/Berlin",
        "(GET /users/me, scope users:read)",
        f"start_time: {start:%Y-%m-%dT%H:%M} timezone: Europe/Berlin",
        "answer booked; Ada Example can reschedule at https://calendly.com/reschedulings/",
        f"answer Intro call, {start:%a %Y-%m-%d %H:%M}, active",
        "answer canceled by Maya Lindqvist: This was a demonstration.",
        "201 POST /invitees",
        "500 requests a minute for this person",
    ):
        assert words in told
    [question] = person.questions
    theirs = start.replace(tzinfo=ZoneInfo("Europe/Berlin")).astimezone(ZoneInfo("Europe/London"))
    zones = f"Europe/Berlin; {theirs:%H:%M} Europe/London for the invitee"
    when = f"{start:%a} {start.day} {start:%b %Y}, {start:%H:%M} ({zones})"
    assert question.splitlines() == [
        "Cancel a meeting. This cannot be undone.",
        "Meeting: “Intro call”",
        f"When: {when}",
        "Invitees: “Ada Example”",
        "Calendly will e-mail: “ada@example.com”",
        "Reason that they read (typed by the agent): “This was a demonstration.”",
    ]
