"""Asking a person before a call is sent, on every wire.

On 2026-07-28 the question is an input-required result, and the client repeats the call with the answer. An older client
on stdio is sent an elicitation request in the middle of the call. A client that cannot ask gets the question and a
one-time token, for its agent to come back with once the user has agreed; where people sign in, it also gets the address
of a page on which the person answers, and a capability may take that answer and no other. Whatever comes back counts
only with our seal, bound to this very call (`server.stores.confirmations`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from server.calls.revisions import asks, form_request
from server.stores.proof import Unproven
from tools.toolset.effects import Effects
from tools.toolset.errors import ConfirmationRequired, Declined, TooLate
from tools.toolset.question import Question

if TYPE_CHECKING:
    from server.stores.confirmations import Confirmations

Context = ServerRequestContext[Any, Any]

_ANSWER: Final = "confirm"
"""The key of our one question in the requests and responses of the 2026-07-28 wire."""

_BY_PERSON: Final = "answered by a person"
_BY_AGENT: Final = "passed on by an agent"

BY_PERSON: Final = "by a person"
AT_ONCE: Final = "by the client, sooner than a person can read"
BY_AGENT: Final = "by the agent's word"
ON_PAGE: Final = "by a person on the page"
"""How a call was confirmed, in the words of the audit log."""

_FIELDS: Final = "calendly/question"
"""The key in `_meta` under which the question stands in fields, for clients with a layout of their own."""

_APPROVE: Final = "approve"
# A client that accepts any form without fields on its own has no value for this one.
_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "properties": {
        _APPROVE: {"type": "boolean", "title": "Approve", "description": "Yes does it. No changes nothing."}
    },
    "required": [_APPROVE],
}
_READING: Final = timedelta(seconds=0.5)
"""No person reads a question and answers it in less time than this."""


class NotShown(Unproven):
    """The client answered a question that its user has not seen."""

    def __init__(self) -> None:
        super().__init__("This client did not show the question to its user.")


class ConfirmPage(Protocol):
    """The page on which the person approves a call of one agent: `server.hosted.confirm_page`."""

    async def open(self, token: str, question: Question) -> str:
        """Have the call of a token wait for the person's answer; the address of the page. Raises Unreachable."""
        ...

    async def address(self, token: str) -> str | None:
        """Return the address of the page of a token's call, None when it does not wait any more. Raises Unreachable."""
        ...

    async def answer(self, token: str) -> bool | None:
        """Return the person's answer, None if there is none yet. Raises Unreachable."""
        ...

    async def take(self, token: str) -> bool | None:
        """Return the person's answer, None if there is none, and accept none from then on. Raises Unreachable."""
        ...


class InputRequired(Exception):
    """The client asks its user and then repeats the call. Not an error: `result` is the answer to this round."""

    def __init__(self, result: types.InputRequiredResult) -> None:
        super().__init__("The user has to be asked.")
        self.result = result


@dataclass(frozen=True, kw_only=True)
class CallConfirmation:
    """How a person confirms one call.

    Attributes:
        confirmations: Gives what issues and takes our tokens. Raises Unreachable.
        context: The request, as the SDK hands it over.
        params: Its parameters.
        confirmation: The token of an earlier `confirmation_required`, None when the agent passed none.
        bound_to: The digest of tool, arguments, person and agent, and of what the names in the arguments stand for.
        page: Where the person can confirm the call without the agent, None where there is no such page.
        only_page: Nothing but that page counts.
        patience: How many seconds are left to wait for an answer.
    """

    confirmations: "Callable[[], Awaitable[Confirmations]]"
    context: Context
    params: types.CallToolRequestParams
    confirmation: str | None
    bound_to: bytes
    page: ConfirmPage | None = None
    only_page: bool = False
    patience: Callable[[], float]

    async def obtain(self, effects: Effects) -> str:
        """Return how this very call was agreed to, once a person, or an agent that was told to ask one, has.

        Raises:
            InputRequired: The client has to ask and repeat the call.
            ConfirmationRequired: The client cannot ask.
            Declined: The person said no, or dismissed the question.
            TooLate: There is nothing to ask about.
        """
        doubt: Unproven | None = None
        try:
            how = await self._given()
        except Unproven as unproven:
            how, doubt = None, unproven
        if how is None and not isinstance(doubt, NotShown):
            try:
                how = await self._asked(effects, doubt)
            except NotShown as unshown:
                doubt = unshown
        if how is not None:
            return how
        token = (await self.confirmations()).issue(_BY_AGENT, self.bound_to)
        question = await _worded(effects.question, doubt)
        url = await self.page.open(token, await _worded(effects.question_for_person, doubt)) if self.page else None
        raise ConfirmationRequired(
            str(question), token, url, only_page=self.only_page, is_unshown=isinstance(doubt, NotShown)
        )

    async def _asked(self, effects: Effects, doubt: Unproven | None) -> str | None:
        """Have the client ask, and return how its user agreed; None when it cannot ask, or no answer came.

        Raises:
            InputRequired: The client has to repeat the call.
            Declined: The person said no, or dismissed the question.
            NotShown: The client answered by itself.
        """
        if self.only_page or not self._can_ask():
            return None
        if self.context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            raise InputRequired(await self._round(await _worded(effects.question, doubt)))
        if not self.context.session.can_send_request:
            return None
        return await self._elicited(await _worded(effects.question, doubt))

    async def _given(self) -> str | None:
        """Return how this round was approved, None when it brought no approval.

        Raises:
            Unproven: It brought something that is none; NotShown where the client answered by itself.
            Declined: It brought a refusal.
            ConfirmationRequired: The person has not answered on the page yet, and nothing else counts.
        """
        if self.confirmation is not None:
            return await self._given_with(self.confirmation)
        answer = (self.params.input_responses or {}).get(_ANSWER)
        if self.only_page or not isinstance(answer, types.ElicitResult):
            return None
        confirmations = await self.confirmations()
        issued = await confirmations.redeem(self.params.request_state or "", _BY_PERSON, self.bound_to)
        return _consent(answer, after=confirmations.now() - issued)

    async def _given_with(self, token: str) -> str:
        confirmations = await self.confirmations()
        confirmations.check(token, _BY_AGENT, self.bound_to)
        if self.page is not None and self.only_page and await self.page.answer(token) is None:
            url = await self.page.address(token)
            if url is None:
                raise Unproven("The question for the user is not open any more.")
            # The token stays good: it is the page that is waited for.
            raise ConfirmationRequired("The user has not answered on the page yet.", token, url, only_page=True)
        await confirmations.redeem(token, _BY_AGENT, self.bound_to)
        # Only now, with the token spent, is the answer final: what is said on the page later is not heard.
        answer = await self.page.take(token) if self.page else None
        if answer is None:
            return BY_AGENT
        if not answer:
            raise Declined("The user was asked on the page and said no.")
        return ON_PAGE

    def _can_ask(self) -> bool:
        capabilities = self.context.session.client_capabilities
        elicitation = capabilities.elicitation if capabilities is not None else None
        # Clients of before 2025-11-25 declare `elicitation: {}`, which means forms: there was nothing else.
        takes_forms = elicitation is not None and (elicitation.form is not None or elicitation.url is None)
        return takes_forms and asks(self.context.protocol_version)

    async def _round(self, question: Question) -> types.InputRequiredResult:
        meta = cast("types.RequestParamsMeta", {_FIELDS: question.fields()})
        params = types.ElicitRequestFormParams(message=str(question), requested_schema=_SCHEMA, _meta=meta)
        return types.InputRequiredResult(
            input_requests={_ANSWER: types.ElicitRequest(params=params)},
            request_state=(await self.confirmations()).issue(_BY_PERSON, self.bound_to),
        )

    async def _elicited(self, question: Question) -> str | None:
        """Ask in the middle of the call. None when no answer came: in time, or at all."""
        now = (await self.confirmations()).now
        asked = now()
        try:
            with anyio.fail_after(self.patience()):
                answer = await self.context.session.send_request(
                    form_request(self.context.protocol_version, str(question), _SCHEMA),
                    types.ElicitResult,
                    metadata=ServerMessageMetadata(related_request_id=self.context.request_id),
                )
        except (TimeoutError, MCPError, ValueError):  # also: refused by the client, gone, or not an answer
            return None
        return _consent(answer, after=now() - asked)


async def _worded(question: Callable[[], Awaitable[Question]], doubt: Unproven | None) -> Question:
    """Word the question. Whoever repeats a call with a confirmation that does not count is told that, even too late."""
    if doubt is None:
        return await question()
    try:
        return replace(await question(), doubt=str(doubt))
    except TooLate as late:
        return replace(late.question, doubt=str(doubt))


def _consent(answer: types.ElicitResult, after: timedelta) -> str:
    """Return how the answer to our form agrees: only one field with the value true does.

    Args:
        answer: What the client says that its user answered.
        after: How long after the question it came.

    Raises:
        Declined: The person said no, or dismissed the question.
        NotShown: The form was accepted without our field, or refused before a person could have read it.
    """
    content = answer.content if answer.action == "accept" else {_APPROVE: False}
    choice = content[_APPROVE] if content and content.keys() == {_APPROVE} else None
    if choice is True:
        return BY_PERSON if after >= _READING else AT_ONCE
    if choice is not False or after < _READING:
        raise NotShown
    if answer.action == "cancel":
        raise Declined("The user was asked and closed the question without an answer.")
    raise Declined("The user was asked and said no.")
