"""Asking a person before a meeting is canceled, on every wire."""

import re
from typing import Literal

import pytest

from tests.e2e.conftest import Connection
from tests.server.desk import Answer, Person, call

pytestmark = pytest.mark.anyio
TOOL = "cancel_scheduled_event"


def asked(connection: Connection, action: Literal["accept", "decline", "cancel"] = "accept") -> Person:
    """The person behind a client, who will answer like this."""
    assert connection.person is not None
    connection.person.action = action
    connection.person.questions.clear()
    return connection.person


@pytest.mark.requirement("asked-first")
async def test_a_call_is_sent_once_the_person_agreed_to_its_effects(connection: Connection) -> None:
    person = asked(connection)
    meeting, *_ = await connection.meetings()
    canceled = await call(connection.client, TOOL, scheduled_event=meeting["uri"], reason="Ill.")
    if connection.can_ask:
        assert canceled.content["reason"] == "Ill."
        assert connection.cancellations() == 1
        [question] = person.questions
    else:
        assert connection.cancellations() == 0
        question = canceled.error["message"]
    assert f"\nMeeting: “{meeting['name']}”\nWhen: " in question
    assert re.search(r", \d\d:\d\d \(Europe/Berlin(; \d\d:\d\d \S+ for [^;]+)*\)\nInvitees: ", question)
    assert "Calendly will e-mail" in question


@pytest.mark.requirement("asked-first")
@pytest.mark.parametrize(("action", "word"), [("decline", "said no"), ("cancel", "closed the question")])
async def test_a_call_is_not_sent_when_the_person_did_not_agree(
    connection: Connection, action: Literal["decline", "cancel"], word: str
) -> None:
    person = asked(connection, action)
    meeting, *_ = await connection.meetings()
    refused = await call(connection.client, TOOL, scheduled_event=meeting["uri"])
    assert refused.kind == ("declined" if connection.can_ask else "confirmation_required")
    assert (word in refused.error["message"]) == connection.can_ask
    assert connection.cancellations() == 0
    assert len(person.questions) == connection.can_ask


async def confirmed(connection: Connection, first: Answer, **arguments: object) -> Answer:
    """Call again with the token of an earlier answer."""
    return await call(connection.client, TOOL, **arguments, confirmation=first.error["confirmation"])


@pytest.mark.requirement("parameters-confirmation")
async def test_an_agent_whose_client_cannot_ask_comes_back_with_a_token_that_works_once(mute: Connection) -> None:
    meeting, *_ = await mute.meetings()
    first = await call(mute.client, TOOL, scheduled_event=meeting["uri"])
    assert first.kind == "confirmation_required"
    assert first.error["confirmation"] in str(first.result.content)
    assert mute.cancellations() == 0

    second = await confirmed(mute, first, scheduled_event=meeting["uri"])
    assert second.kind == "answered"
    assert mute.cancellations() == 1

    third = await confirmed(mute, first, scheduled_event=meeting["uri"])
    assert third.kind == "confirmation_required"
    assert third.error["message"].startswith("The confirmation was used already")
    assert mute.cancellations() == 1


@pytest.mark.requirement("parameters-confirmation")
async def test_a_token_is_for_the_very_arguments_that_were_asked_about(mute: Connection) -> None:
    one, other, *_ = await mute.meetings()
    first = await call(mute.client, TOOL, scheduled_event=one["uri"])
    for arguments in ({"scheduled_event": other["uri"]}, {"scheduled_event": one["uri"], "reason": "Ha."}):
        refused = await confirmed(mute, first, **arguments)
        assert refused.kind == "confirmation_required"
        assert refused.error["message"].startswith("The confirmation was not given for this very call. Cancel ")
        assert refused.error["confirmation"] != first.error["confirmation"]
    assert mute.cancellations() == 0


async def test_a_made_up_token_is_worth_nothing(mute: Connection) -> None:
    meeting, *_ = await mute.meetings()
    refused = await call(mute.client, TOOL, scheduled_event=meeting["uri"], confirmation="A" * 72)
    assert refused.kind == "confirmation_required"
    assert mute.cancellations() == 0
