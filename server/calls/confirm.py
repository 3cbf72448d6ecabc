"""Asking a person before a call is sent, on every wire.

On 2026-07-28 the question is an input-required result, and the client repeats the call with the answer. An older client
on stdio is sent an elicitation request in the middle of the call. A client that cannot ask gets the question and a
one-time token, for its agent to come back with once the user has agreed; where people sign in, it also gets the address
of a page on which the person answers, and a capability may take that answer and no other. Whatever comes back counts
only with our seal, bound to this very call (`server.stores.confirmations`).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from server.stores.proof import Unproven
from tools.toolset.effects import Effects
from tools.toolset.errors import ConfirmationRequired, Declined, TooLate

if TYPE_CHECKING:
    from server.stores.confirmations import Confirmations

Context = ServerRequestContext[Any, Any]

_ANSWER: Final = "confirm"
"""The key of our one question in the requests and responses of the 2026-07-28 wire."""

_BY_PERSON: Final = "answered by a person"
_BY_AGENT: Final = "passed on by an agent"

BY_PERSON: Final = "by a person"
BY_AGENT: Final = "by the agent's word"
ON_PAGE: Final = "by a person on the page"
"""How a call was confirmed, in the words of the audit log."""

# Accepting is the whole answer, so the form has no fields.
_SCHEMA: Final[dict[str, Any]] = {"type": "object", "properties": {}}


class ConfirmPage(Protocol):
    """The page on which the person approves a call of one agent: `server.hosted.confirm_page`."""

    async def open(self, token: str, question: str) -> str:
        """Have the call of a token wait for the person's answer; the address of the page. Raises Unreachable."""
        ...

    async def address(self, token: str) -> str | None:
        """Return the address of the page of a token's call, None when it does not wait any more. Raises Unreachable."""
        ...

    async def answer(self, token: str) -> bool | None:
        """Return what the person said, None when nothing yet. Raises Unreachable."""
        ...

    async def take(self, token: str) -> bool | None:
        """Return what the person said, None when nothing; nothing can be said from then on. Raises Unreachable."""
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
        """Return once a person, or an agent that was told to ask one, has agreed to this very call: how.

        Raises:
            InputRequired: The client has to ask and repeat the call.
            ConfirmationRequired: The client cannot ask.
            Declined: The person said no, or dismissed the question.
            TooLate: There is nothing to ask about.
        """
        doubt = ""
        try:
            how = await self._given()
            if how is not None:
                return how
        except Unproven as unproven:
            doubt = f"{unproven} "
        can_ask = self._can_ask() and not self.only_page
        text = doubt + await _worded(effects.question, is_repeat=bool(doubt))
        if can_ask and self.context.protocol_version in MODERN_PROTOCOL_VERSIONS:
            raise InputRequired(await self._round(text))
        if can_ask and self.context.session.can_send_request and await self._elicit(text):
            return BY_PERSON
        token = (await self.confirmations()).issue(_BY_AGENT, self.bound_to)
        url = await self._open(token, effects, is_repeat=bool(doubt))
        raise ConfirmationRequired(text, token, url, only_page=self.only_page)

    async def _open(self, token: str, effects: Effects, *, is_repeat: bool) -> str | None:
        if self.page is None:
            return None
        return await self.page.open(token, await _worded(effects.question_for_person, is_repeat=is_repeat))

    async def _given(self) -> str | None:
        """Return how this round was approved, None when it brought no approval.

        Raises:
            Unproven: It brought something that is none.
            Declined: It brought a refusal.
            ConfirmationRequired: The person has not answered on the page yet, and nothing else counts.
        """
        if self.confirmation is not None:
            return await self._given_with(self.confirmation)
        answer = (self.params.input_responses or {}).get(_ANSWER)
        if self.only_page or not isinstance(answer, types.ElicitResult):
            return None
        await (await self.confirmations()).redeem(self.params.request_state or "", _BY_PERSON, self.bound_to)
        _require_consent(answer)
        return BY_PERSON

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
        return elicitation is not None and (elicitation.form is not None or elicitation.url is None)

    async def _round(self, text: str) -> types.InputRequiredResult:
        params = types.ElicitRequestFormParams(message=text, requested_schema=_SCHEMA)
        return types.InputRequiredResult(
            input_requests={_ANSWER: types.ElicitRequest(params=params)},
            request_state=(await self.confirmations()).issue(_BY_PERSON, self.bound_to),
        )

    async def _elicit(self, text: str) -> bool:
        """Ask in the middle of the call. False when no answer came: in time, or at all."""
        try:
            with anyio.fail_after(self.patience()):
                answer = await self.context.session.elicit_form(text, _SCHEMA, self.context.request_id)
        except (TimeoutError, MCPError, ValueError):  # also: refused by the client, gone, or not an answer
            return False
        _require_consent(answer)
        return True


async def _worded(question: Callable[[], Awaitable[str]], *, is_repeat: bool) -> str:
    """Word the question. Whoever repeats a call with a confirmation that does not count is told that, even too late."""
    try:
        return await question()
    except TooLate as late:
        if not is_repeat:
            raise
        return late.question


def _require_consent(answer: types.ElicitResult) -> None:
    if answer.action == "decline":
        raise Declined("The user was asked and said no.")
    if answer.action == "cancel":
        raise Declined("The user was asked and closed the question without an answer.")
