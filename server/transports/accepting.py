"""Answers each client in a form that it takes: as JSON, or as a stream of events (RFC 9110, 12.5.1)."""

from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Receive, Scope, Send

_JSON: Final = frozenset({"application/json", "application/*", "*/*"})
_EVENTS: Final = frozenset({"text/event-stream", "text/*", "*/*"})


def accepting(streaming: ASGIApp, plain: ASGIApp) -> ASGIApp:
    """Choose between two applications by the Accept header.

    MCP asks clients to accept both forms, and the SDK refuses those that do not say so. No header means
    any form. A client that takes neither is left to the SDK, which refuses it.

    Args:
        streaming: May answer with a stream of events.
        plain: Answers with JSON only.
    """

    async def endpoint(scope: Scope, receive: Receive, send: Send) -> None:
        accepted = _accepted(Headers(scope=scope))
        takes_events = bool(accepted & _EVENTS)
        if takes_events or accepted & _JSON:
            scope = {**scope, "headers": [*scope["headers"]]}
            # Who takes no stream of events cannot listen (`subscriptions/listen`), and the SDK says so.
            MutableHeaders(scope=scope)["accept"] = f"application/json{', text/event-stream' * takes_events}"
        await (streaming if takes_events else plain)(scope, receive, send)

    return endpoint


def _accepted(headers: Headers) -> frozenset[str]:
    """Return the media ranges that a request accepts, in lower case; those with a weight of 0 are none."""
    given = ",".join(headers.getlist("accept")) or "*/*"
    ranges = (entry.lower().replace(" ", "").split(";") for entry in given.split(","))
    return frozenset(media for media, *parameters in ranges if not any(map(_is_refusal, parameters)))


def _is_refusal(parameter: str) -> bool:
    name, _, weight = parameter.partition("=")
    return name == "q" and not weight.strip("0.")
