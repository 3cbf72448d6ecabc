"""Revision 2026-07-28 by hand: questions are rounds of one call, and their state comes back from the client."""

from typing import Literal

import anyio
import mcp_types as types
import pytest

from tests.e2e.conftest import Connection

pytestmark = pytest.mark.anyio
TOOL = "cancel_scheduled_event"
Action = Literal["accept", "decline", "cancel"]


class Rounds:
    """The 2026-07-28 wire by hand: what a client that means harm could send."""

    def __init__(self, connection: Connection, uri: str) -> None:
        self.connection = connection
        self.uri = uri

    async def call(
        self, state: str | None = None, action: Action | None = None, **arguments: object
    ) -> types.CallToolResult | types.InputRequiredResult:
        """Call the tool with the given state and answer."""
        return await self.connection.client.session.call_tool(
            TOOL,
            {"scheduled_event": self.uri, **arguments},
            input_responses={"confirm": answer(action)} if action else None,
            request_state=state,
            allow_input_required=True,
        )

    async def question(
        self, state: str | None = None, action: Action | None = None, **arguments: object
    ) -> types.InputRequiredResult:
        """Call the tool, which asks."""
        result = await self.call(state, action, **arguments)
        assert isinstance(result, types.InputRequiredResult)
        return result


def answer(action: Action) -> types.ElicitResult:
    return types.ElicitResult(action=action, content={"approve": True} if action == "accept" else None)


def text(question: types.InputRequiredResult) -> str:
    assert question.input_requests is not None
    request = question.input_requests["confirm"]
    assert isinstance(request, types.ElicitRequest)
    return request.params.message


@pytest.fixture
async def rounds(modern: Connection) -> Rounds:
    """Speak about one meeting."""
    meeting, *_ = await modern.meetings()
    return Rounds(modern, meeting["uri"])


async def test_an_answer_without_its_sealed_state_is_worth_nothing(rounds: Rounds) -> None:
    state = (await rounds.question()).request_state
    assert state is not None
    for forged in (None, "", "A" * 72, state[::-1]):
        again = await rounds.question(forged, "accept")
        assert text(again).startswith("The confirmation was not given for this very call. Cancel ")
    assert "not given for this very call" in text(await rounds.question(state, "accept", reason="Another."))
    assert rounds.connection.cancellations() == 0


async def test_an_answer_is_good_for_one_call(rounds: Rounds) -> None:
    state = (await rounds.question()).request_state
    assert isinstance(await rounds.call(state, "accept"), types.CallToolResult)
    assert "was used already" in text(await rounds.question(state, "accept"))
    assert rounds.connection.cancellations() == 1


async def test_a_refusal_cannot_be_turned_into_consent(rounds: Rounds) -> None:
    state = (await rounds.question()).request_state
    await anyio.sleep(0.6)  # what is answered sooner, no person has read
    refused = await rounds.call(state, "decline")
    assert isinstance(refused, types.CallToolResult)
    assert "was used already" in text(await rounds.question(state, "accept"))
    assert rounds.connection.cancellations() == 0


async def test_the_state_of_a_question_is_no_token_for_the_agent(rounds: Rounds) -> None:
    state = (await rounds.question()).request_state
    assert "not given for this very call" in text(await rounds.question(confirmation=state))
    assert rounds.connection.cancellations() == 0


async def test_a_state_without_an_answer_is_asked_about_again(rounds: Rounds) -> None:
    state = (await rounds.question()).request_state
    assert text(await rounds.question(state)).startswith("Cancel ")
    assert rounds.connection.cancellations() == 0
