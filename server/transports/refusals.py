"""Logs requests that are refused: what was asked for, why it was refused, and by which client.

Nothing of a person is logged: no address, no query, no segment of a path that could be a secret or an id.
"""

import logging
import re
from collections.abc import Callable
from http import HTTPStatus
from time import monotonic
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REFUSAL: Final = "refusal"
"""The key of the reason in the state of a request."""

AGENT: Final = "agent"
"""The key of the client's name in the state of a request, where it is known."""

_ALWAYS: Final = frozenset({401, 403, 404, 405, 408, 413, 421, 429, 431})
"""The statuses that are logged even without a reason of ours."""

_MOST: Final = 60
"""How many lines a minute may have; a flood is counted."""

_MINUTE: Final = 60.0
_PLAIN: Final = re.compile(r"[a-z._-]{1,40}")
_PRODUCT: Final = re.compile(r"[!-~]{1,60}")
_LONGEST: Final = 200

_log: Final = logging.getLogger(__name__)


class Refusals:
    """ASGI middleware that logs refused requests at `info`."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = monotonic) -> None:
        self._app = app
        self._clock = clock
        self._began = float("-inf")
        self._lines = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log its answer if that is a refusal."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state: dict[str, object] = scope.setdefault("state", {})

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and (message["status"] in _ALWAYS or REFUSAL in state):
                self._tell(scope, state, message["status"])
            await send(message)

        await self._app(scope, receive, watched)

    def _tell(self, scope: Scope, state: dict[str, object], status: int) -> None:
        if not self._has_room():
            return
        reason = str(state.get(REFUSAL) or HTTPStatus(status).phrase)[:_LONGEST]
        agent = state.get(AGENT) or _product(Headers(scope=scope).get("user-agent", ""))
        _log.info("refused %s %s: %d %s [%s]", scope["method"], _path(scope["path"]), status, reason, agent)

    def _has_room(self) -> bool:
        now = self._clock()
        if now - self._began >= _MINUTE:
            if self._lines > _MOST:
                _log.info("%d more requests were refused in that minute", self._lines - _MOST)
            self._began, self._lines = now, 0
        self._lines += 1
        return self._lines <= _MOST


def _path(path: str) -> str:
    """Return a path as far as it is words; what could be a secret or an id becomes an ellipsis."""
    return "/".join(segment if _PLAIN.fullmatch(segment) else "…" if segment else "" for segment in path.split("/"))


def _product(user_agent: str) -> str:
    """Return the first product of a User-Agent, which is a program's name."""
    found = _PRODUCT.match(user_agent)
    return found[0] if found else "no name"
