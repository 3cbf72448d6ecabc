"""What each older revision of MCP does not know, taken out of its answers.

The SDK writes every revision before 2026-07-28 as 2025-11-25 has it. Most clients pass over fields that are not of
their revision, but some hold answers against it: the TypeScript SDK 1.18 refuses `initialize` for its icons. A result
itself is open in every revision, so `structuredContent` stays in all of them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, cast

import mcp_types as types
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS, is_version_at_least

_Fields = Mapping[str, frozenset[str]]
"""Names of fields, by the member of the result that holds the object or the list of objects where they stand."""

_LISTED: Final = ("tools", "prompts", "resources", "resourceTemplates")

_NEW: Final[Mapping[str, _Fields]] = MappingProxyType(
    {
        "2025-03-26": {"capabilities": frozenset({"completions"}), "tools": frozenset({"annotations"})},
        "2025-06-18": {
            **dict.fromkeys(_LISTED, frozenset({"title", "_meta"})),
            "tools": frozenset({"title", "_meta", "outputSchema"}),
            "contents": frozenset({"_meta"}),
            "serverInfo": frozenset({"title"}),
        },
        "2025-11-25": {
            **dict.fromkeys(_LISTED, frozenset({"icons"})),
            "tools": frozenset({"icons", "execution"}),
            "serverInfo": frozenset({"icons", "description", "websiteUrl"}),
        },
    }
)
"""The fields that each revision brought, the oldest first: `schema.ts` of the specification, 2024-11-05 to 2025-11-25.

What 2026-07-28 brought, the SDK itself leaves out of older answers.
"""

_ASKING: Final = "2025-06-18"
"""The first revision in which a server asks a person (`elicitation/create`)."""

_VERSION_HEADER: Final = "mcp-protocol-version"


async def in_its_revision(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Answer a request in the shape of its revision. Middleware of the SDK's server.

    A request over HTTP that names no revision may be of any before 2026-07-28, so nothing is taken out of its answer.

    Raises:
        MCPError: -32602 for `server/discover` without what each request of 2026-07-28 has to say of itself.
    """
    if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
        return await call_next(ctx)
    if ctx.method == "server/discover":
        said = f"`{types.PROTOCOL_VERSION_META_KEY}` and `{types.CLIENT_CAPABILITIES_META_KEY}`"
        raise MCPError(types.INVALID_PARAMS, f"server/discover needs {said} in `params._meta` (revision 2026-07-28).")
    result = await call_next(ctx)
    revision = _revision(ctx, result)
    if revision is None or not isinstance(result, dict):
        return result
    for since, fields in _NEW.items():
        if revision < since:
            changed = {name: _without(value, fields[name]) for name, value in result.items() if name in fields}
            result = {**result, **changed}
    return result


class _FormAlone(types.RequestParams):
    """The form of revision 2025-06-18, which knows no other way to ask."""

    message: str
    requested_schema: dict[str, Any]


def asks(revision: str) -> bool:
    """Say whether a server can ask a person in this revision."""
    return is_version_at_least(revision, _ASKING)


def form_request(revision: str, message: str, schema: dict[str, Any]) -> types.ElicitRequest:
    """Return the request that asks a person, in a revision with a handshake that can ask."""
    if revision != _ASKING:
        return types.ElicitRequest(params=types.ElicitRequestFormParams(message=message, requested_schema=schema))
    form = _FormAlone(message=message, requested_schema=schema)
    older = types.Request[_FormAlone, Literal["elicitation/create"]](method="elicitation/create", params=form)
    return cast("types.ElicitRequest", older)  # the SDK has no type for it, and sends any request


def _revision(context: ServerRequestContext[Any, Any], result: HandlerResult) -> str | None:
    """Return the revision of the conversation; None where nobody has said it."""
    if context.method == "initialize" and isinstance(result, dict):
        return cast("str", result["protocolVersion"])
    if context.request is not None and _VERSION_HEADER not in context.request.headers:
        return None
    return context.protocol_version


def _without(value: object, fields: frozenset[str]) -> object:
    """Return an object, or a list of them, without some fields."""
    if isinstance(value, list):
        return [_without(item, fields) for item in cast("list[object]", value)]
    return {name: item for name, item in cast("dict[str, object]", value).items() if name not in fields}
