"""POST /webhooks/calendly/{receiver}: where Calendly posts what happens. It stands outside the bearer check."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from auth.audit.log import AuditLog, AuditNote
from events.incoming.calendly_signature import HEADER
from events.incoming.incoming import (
    RETRY_AFTER,
    SLOWEST_BODY,
    Refused,
    check_head,
    check_length,
    check_method,
    cut_short,
    too_slow,
)
from events.incoming.receiver import Accepted, Receiver, Room
from events.incoming.webhooks import PATH
from events.kinds import KINDS
from server.transports.refusals import REFUSAL

_KNOWN: Final = frozenset(name for kind in KINDS.values() for name in kind.told_by)
_MOST_NOTED: Final = 60
"""How many refusals at unknown addresses get an entry of their own in a minute."""

_MINUTE: Final = 60.0
_CLOSING: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})


@dataclass(slots=True, kw_only=True)
class ReceiverEndpoint:
    """The ASGI application behind the addresses of receivers.

    Attributes:
        receiver: Takes deliveries.
        audit_log: Where each is noted.
        clock: Seconds that only grow.
        slowest: How long a body may take to arrive, in seconds.
    """

    receiver: Receiver
    audit_log: AuditLog
    clock: Callable[[], float]
    slowest: float = SLOWEST_BODY
    _room: Room = field(default_factory=Room)
    _began: float = float("-inf")
    _strangers: int = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        try:
            check_method(request.method)
            async with self._room.place():
                accepted = await self._take(request)
        except Refused as refusal:
            self._note_refusal(refusal)
            scope.setdefault("state", {})[REFUSAL] = refusal.sentence
            await _answer(refusal)(scope, receive, send)
            return
        self._note(accepted)
        await Response(status_code=HTTPStatus.NO_CONTENT)(scope, receive, send)

    async def _take(self, request: Request) -> Accepted:
        headers = request.headers
        check_head(headers.getlist("content-length"), headers.getlist("content-encoding"))
        body = await self._body(request)
        return await self.receiver.receive(request.path_params["receiver"], headers.getlist(HEADER), body)

    async def _body(self, request: Request) -> bytes:
        """Read the body. Raises Refused."""
        body = bytearray()
        try:
            async with asyncio.timeout(self.slowest):
                async for chunk in request.stream():
                    body += chunk
                    check_length(len(body))
        except TimeoutError:
            raise too_slow() from None
        except ClientDisconnect:
            raise cut_short() from None
        return bytes(body)

    def _note(self, accepted: Accepted) -> None:
        event = f"'{accepted.event}'" if accepted.event in _KNOWN else "an event of another name"
        again = "" if accepted.is_new else " which was known"
        told = f"Calendly told {event} of {{person}}{again}"
        self.audit_log.jot(AuditNote(action="receive_event", told=told, person=accepted.person))

    def _note_refusal(self, refusal: Refused) -> None:
        told = "somebody posted to the receiver of {person}"
        if refusal.person is None:
            if not self._is_noted():
                return
            told = "somebody posted to an address of receivers"
        note = AuditNote(
            action="receive_event",
            told=told,
            person=refusal.person,
            decision="refused",
            rule=refusal.sentence.rstrip("."),
            source="server",
        )
        self.audit_log.jot(note)

    def _is_noted(self) -> bool:
        """Say whether a refusal at an unknown address gets an entry; the others of a minute are counted."""
        now = self.clock()
        if now - self._began >= _MINUTE:
            if self._strangers > _MOST_NOTED:
                told = f"{self._strangers - _MOST_NOTED} more posts to addresses of receivers in a minute"
                self.audit_log.jot(AuditNote(action="receive_event", told=told, decision="refused"))
            self._began, self._strangers = now, 0
        self._strangers += 1
        return self._strangers <= _MOST_NOTED


def receiver_route(endpoint: ReceiverEndpoint) -> Route:
    """Make the route of all receivers."""
    return Route(f"{PATH}/{{receiver}}", endpoint)


def _answer(refusal: Refused) -> Response:
    headers = {"Connection": "close"} if refusal.status in _CLOSING else {}
    if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = "POST"
    if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(RETRY_AFTER)
    return PlainTextResponse(f"{refusal.sentence}\n", refusal.status, headers)
