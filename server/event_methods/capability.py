"""MCP Events as the SDK's server is told of them: the methods, and the capability in both spellings.

The SDK knows neither, so a middleware writes the capability into what it answers. What the methods
do is loaded with the first of them: a start over stdio is over with the first list of tools.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol, cast

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel import Server
from pydantic import ConfigDict

from events.outgoing.wire import CAPABILITY, EXTENSION, LIST, LISTEN, POLL, SUBSCRIBE, UNSUBSCRIBE
from server.calls.confirm import Context

_LISTS: Final = ("tools", "prompts", "resources")
_SAYING: Final = frozenset({"initialize", "server/discover"})


class EventsMethods(Protocol):
    """Answers the methods: `server.event_methods.methods`."""

    async def answer(self, context: Context) -> dict[str, Any]:
        """Answer a request. Raises MCPError."""
        ...


class _AnyParams(types.RequestParams):
    """Parameters that are read from the request itself, where absent and null can be told apart."""

    model_config = ConfigDict(extra="allow")


Listen = Callable[[Context, types.SubscriptionsListenRequestParams], Awaitable[types.SubscriptionsListenResult]]
"""Answers `subscriptions/listen`: `server.event_methods.listening`."""


def declare_events(server: Server[Any], methods: Callable[[], EventsMethods], listen: Listen | None) -> None:
    """Have a server answer MCP Events, and say so.

    Args:
        server: The server.
        methods: Returns what answers; called with the first request.
        listen: Tells of new events while a client is connected, None where nothing can be pushed.
    """

    async def answered(context: Context, _params: _AnyParams) -> dict[str, Any]:
        return await methods().answer(context)

    for method in (LIST, SUBSCRIBE, UNSUBSCRIBE, POLL):
        server.add_request_handler(method, _AnyParams, answered)
    if listen is not None:
        server.add_request_handler(LISTEN, types.SubscriptionsListenRequestParams, listen)
    server.middleware.append(_with_capability)


async def _with_capability(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Say that there are events. Middleware of the SDK's server."""
    result = await call_next(ctx)
    if ctx.method not in _SAYING or not isinstance(result, dict):
        return result
    told = cast("Mapping[str, Mapping[str, object]]", result.get("capabilities") or {})
    extensions: Mapping[str, object] = {**told.get("extensions", {}), EXTENSION: {}}
    # Where somebody can listen the SDK says of every list that its changes are told. Ours never change.
    lists = {name: {**told[name], "listChanged": False} for name in _LISTS if "listChanged" in told.get(name, {})}
    return {**result, "capabilities": {**told, **lists, CAPABILITY: {}, "extensions": extensions}}
